"""Scenarios: found, checked with lines and keys, presets brought along."""

import json
from pathlib import Path

import pytest
import yaml

from scenarios.ratings.records import Place
from scenarios.settings import schema
from scenarios.site import (
    LIBRARY,
    create,
    find_scenario,
    load_scenario,
    presets,
    scenario_root,
    targets,
)
from scenarios.yaml_files import ScenarioError
from tests.scenarios.builders import small_dictionary

HEAD = "version: 1\nname: hall\ndescription: A camera in a hall.\n"


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", presets())
def test_presets_have_what_raters_need(name: str, tmp_path: Path):
    said: list[str] = []
    scenario = find_scenario(name, tmp_path, said.append)
    assert said == [
        f"Copied the preset {name} to {tmp_path / name}; what it says there can be changed."
    ]
    place = scenario.place()
    assert len(place.seen) == len(place.never) >= 10
    assert scenario.settings.expected
    assert scenario.settings.never_expected
    (tmp_path / name / "scenario.yaml").write_text(HEAD)
    again = find_scenario(name, tmp_path, said.append)
    assert again.name == "hall"
    assert len(said) == 1


def test_the_presets_are_those_of_the_specification():
    assert presets() == ["airbus", "nicol"]


@pytest.mark.parametrize("name", presets())
def test_labels_are_enough_and_no_rater_is_told_them(name: str):
    labels = yaml.safe_load((LIBRARY / name / "labels.yaml").read_text())
    seen, never = targets(labels["seen"]), targets(labels["never"])
    assert len(seen) == len(labels["seen"]) >= 60
    assert len(never) == len(labels["never"]) >= 60
    assert not set(seen) & set(never)
    named = targets(load_scenario(LIBRARY / name).named)
    assert not {*seen, *never} & set(named)


def test_the_place_is_told_in_target_nouns(tmp_path: Path):
    folder = write(
        tmp_path / "hall",
        "version: 1\nname: hall\ndescription: >\n  A camera\n  in  a hall.\n"
        "examples:\n  seen: [Aeroplanes, airplane, Rolling-Door]\n  never: [S.U.V.]\n"
        "expected: [deer]\nnever_expected: [glass]\n",
    )
    scenario = load_scenario(folder)
    told = Place("A camera in a hall.", ("airplane", "rolling door"), ("suv",))
    assert scenario.place(small_dictionary()) == told
    assert scenario.named == ("Aeroplanes", "airplane", "Rolling-Door", "S.U.V.", "deer", "glass")
    assert scenario.site_dictionary_path == folder / "object_nouns_hall.json"
    assert scenario.ratings_path == folder / "object_nouns_hall.ratings.json"
    assert scenario.dictionary is None


def test_decoders_are_found_by_threshold(tmp_path: Path):
    bundles = "bundles:\n  - {ft: 6, path: bundles/ft6}\n  - {ft: 2, path: ../two}\n"
    scenario = load_scenario(write(tmp_path / "hall", HEAD + bundles))
    assert scenario.bundle() == tmp_path / "hall" / "../two"
    assert scenario.bundle(6) == tmp_path / "hall" / "bundles" / "ft6"
    with pytest.raises(ScenarioError, match="no decoder for ft 4; there are those for ft 2, 6"):
        scenario.bundle(4)
    bare = load_scenario(write(tmp_path / "bare", HEAD))
    with pytest.raises(
        ScenarioError, match="run: nomaly scenario rate hall, then nomaly scenario build"
    ):
        bare.bundle()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HEAD}exampels: {{}}\n", ":4: exampels: unknown key, did you mean examples?"),
        (
            f"{HEAD}detector:\n  folders: x\n",
            ":5: detector.folders: unknown key, did you mean folder?",
        ),
        ("name: x\n", ": 2 faults:"),
        (
            HEAD.replace("hall\n", "../x\n", 1),
            ":2: name: '../x' must be of letters, digits, - and _",
        ),
        (
            HEAD.replace("A camera in a hall.", '" "'),
            ":3: description: is empty; say in a sentence where the camera is",
        ),
        (HEAD.replace("A camera in a hall.", ""), ":3: description: is missing"),
        (
            HEAD.replace("A camera in a hall.", "Eine Kamera in der Halle"),
            ":3: description: looks German, not English; ",
        ),
        (
            HEAD.replace("hall.", "hall. <|endoftext|>"),
            ":3: description: <|endoftext|> means something else",
        ),
        (
            HEAD.replace("hall.", "hall. " + "word " * 1000),
            ":3: description: has 5019 characters; 4000 are the most",
        ),
        (
            f"{HEAD}examples:\n  seen:\n    - drill\n    - Drill\n",
            ":7: examples.seen[1]: Drill is there twice",
        ),
        (
            f"{HEAD}examples:\n  seen: [cow]\n  never:\n    - drill\n    - Cow\n",
            ":8: examples.never[1]: Cow is among seen too",
        ),
        (
            f"{HEAD}never_expected: [deer]\nexpected: [deer]\n",
            ":4: never_expected[0]: deer is among expected too",
        ),
        (
            f'{HEAD}examples:\n  seen: ["", drill]\n',
            ":5: examples.seen[0]: '' is no noun; write words with single spaces between",
        ),
        (f"{HEAD}examples:\n  seen:\n    -\n    - drill\n", ":6: examples.seen[0]: is empty"),
        (
            f"{HEAD}examples:\n  seen: [747]\n",
            ':5: examples.seen[0]: 747 is not taken for text here; write it in quotes: "747"',
        ),
        (
            f"{HEAD}examples:\n  seen: [drill,, saw]\n",
            ":5: not YAML: ",
        ),
        (
            f"{HEAD}bundles:\n  - ft: 2\n    path: a\n  - ft: 2\n    path: b\n",
            ":7: bundles[1].ft: 2 is there twice",
        ),
        (
            f"{HEAD}bundles:\n  - ft: -2\n    path: a\n",
            ":5: bundles[0].ft: -2 should be greater than or equal to 0",
        ),
        (
            f"{HEAD}detector:\n  exclude:\n    - [[0.5, 0.5], [1.5, 0], [0, 0]]\n",
            ":5: detector.exclude: corner (1.5, 0",
        ),
        (f"{HEAD}detector: {{fps: 5}}\n", ":4: detector.fps: unknown key"),
        (
            f"{HEAD}detector:\n  model:\n    kind: padim\n    wings: 2\n",
            ":5: detector.model: padim has no setting 'wings'; there are longer_side,",
        ),
        (
            f"{HEAD}detector:\n  model: {{kind: padim, passes: many}}\n",
            ":5: detector.model: padim's setting passes=many should be a valid integer",
        ),
        (
            f"{HEAD}detector: {{model: {{kind: magic}}}}\n",
            ":4: detector.model: unknown detector 'magic'; there are padim",
        ),
        (f"{HEAD}detector: {{model: padim}}\n", ":4: detector.model: padim should be "),
        (f"{HEAD}any_language: maybe\n", ":4: any_language: maybe should be a valid boolean"),
    ],
)
def test_faults_name_line_and_key(tmp_path: Path, text: str, told: str):
    folder = write(tmp_path / "hall", text)
    with pytest.raises(ScenarioError) as raised:
        load_scenario(folder)
    assert str(raised.value).startswith(f"{folder / 'scenario.yaml'}{told}")


def test_another_language_can_be_allowed(tmp_path: Path):
    text = HEAD.replace("A camera in a hall.", "Eine Kamera in der Halle")
    scenario = load_scenario(write(tmp_path / "hall", f"{text}any_language: true\n"))
    assert scenario.place().description == "Eine Kamera in der Halle"


def test_a_scenario_is_found_by_name_or_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = write(tmp_path / "hall", HEAD)
    assert find_scenario("hall", tmp_path).folder == folder
    assert find_scenario(str(folder)).folder == folder
    monkeypatch.chdir(tmp_path)
    assert find_scenario("hall", tmp_path / "none").folder == Path("hall")
    assert find_scenario("./hall").folder == Path("hall")
    monkeypatch.setenv("NOMALY_SCENARIOS", str(tmp_path))
    assert find_scenario("hall").folder == folder
    assert scenario_root(Path("other")) == Path("other")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("airbsu", "airbsu: no such scenario in .*, did you mean airbus?"),
        ("xyz", "there are airbus, hall, nicol"),
        ("../hall", "hall: no scenario is here"),
        ("", "no such scenario"),
        ("..", "no such scenario"),
    ],
)
def test_a_scenario_that_is_not_there(tmp_path: Path, name: str, told: str):
    write(tmp_path / "hall", HEAD)
    with pytest.raises(ScenarioError, match=told):
        find_scenario(name, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["hall"]


def test_nothing_is_made_over_another_scenario(tmp_path: Path):
    create(tmp_path / "deep" / "hall", HEAD)
    with pytest.raises(ScenarioError, match="exists already; choose another name"):
        create(tmp_path / "deep" / "hall", HEAD)
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="cannot be made: Not a directory"):
        create(tmp_path / "file" / "hall", HEAD)


def test_the_schema_knows_every_key_and_says_what_it_means():
    told = schema()
    json.dumps(told)
    assert told["additionalProperties"] is False
    assert told["required"] == ["version", "name", "description"]
    groups = [part for part in told["$defs"].values() if part["type"] == "object"]
    assert {"Detector", "TrackRule"} <= {group["title"] for group in groups}
    for part in (told, *groups):
        assert all(
            "description" in value or "$ref" in value for value in part["properties"].values()
        )
