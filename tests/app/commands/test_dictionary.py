"""`nomaly scenario dictionary`, on upstream's kind of file and on the base dictionary."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.commands.dictionary import cli
from app.errors import StoreError, UsageError
from scenarios.dictionary import ObjectDictionary, write_dictionary
from tests.scenarios.builders import AIRPLANE, DEER, SUV, small_dictionary


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    path = tmp_path / "object_nouns.json"
    write_dictionary(path, small_dictionary())
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "object_nouns_airbus.json"
    common = replace(DEER, singulars_freq=(1,), plurals_freq=(1,))
    write_dictionary(path, ObjectDictionary((AIRPLANE, common)))
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)])


def told(*words: str | Path) -> dict:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("command", ["build", "show", "search", "stats", "diff"])
def test_help_has_an_example(command: str):
    assert f"nomaly scenario dictionary {command}" in run(command, "--help").stdout


def test_a_noun_is_shown_with_all_spellings(upstream: Path):
    shown = run("show", upstream, "aeroplanes", "deer")
    assert shown.exit_code == 0
    assert "airplane: frequency 15" in shown.stdout
    assert "singular: aeroplane 5, airplane 5" in shown.stdout
    assert "plural: deer 7" in shown.stdout
    entries = told("show", upstream, "glasses")["entries"]
    assert [entry["target_noun"] for entry in entries] == ["glasses", "glass"]


def test_an_unknown_noun_comes_with_those_near_to_it(upstream: Path):
    shown = run("show", upstream, "suv", "airplaine")
    assert shown.exit_code == 1
    assert "SUV: frequency 15" in shown.stdout
    assert "does not know 'airplaine'; near to it: airplane" in shown.stderr


def test_nouns_are_found_by_a_part(upstream: Path):
    assert run("search", upstream, "glass").stdout.split("\n")[:2] == [
        "  12  glass",
        "   6  glasses",
    ]
    found = told("search", upstream, "e", "--limit", "2")
    assert found["found"] == 5
    assert len(found["entries"]) == 2
    assert "and 3 more; --limit shows them" in run("search", upstream, "e", "--limit", "2").stdout


def test_a_dictionary_is_counted(upstream: Path):
    assert "FT9" in run("stats", upstream).stdout
    counted = told("stats", upstream)
    assert counted["nouns"] == counted["ft0"] == 6
    assert counted["ft9"] == 4
    assert counted["commonest"]["airplane"] == 15


def test_two_dictionaries_are_compared(upstream: Path, site: Path):
    shown = run("diff", upstream, site).stdout
    assert "4 gone" in shown
    assert "  14 to   2  deer" in shown
    difference = told("diff", upstream, site, "--limit", "1")
    assert (difference["added"], difference["gone"], difference["down"]) == (0, 4, 1)
    assert difference["gone_nouns"] == {"suv": SUV.total_freq}
    assert difference["downs"] == {"deer": [14, 2]}
    assert difference["sizes"]["ft2"] == [5, 1]


def test_faults_are_one_sentence(upstream: Path, tmp_path: Path):
    assert isinstance(run("stats", tmp_path / "none.json").exception, UsageError)
    assert isinstance(run("search", upstream, " ").exception, UsageError)
    assert isinstance(run("build", "--out", tmp_path).exception, UsageError)
    broken = tmp_path / "broken.json"
    broken.write_text("[{]")
    assert "not JSON" in str(run("show", broken, "car").exception)


def test_the_base_dictionary_is_the_one_that_is_made(
    home_with_base: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOMALY_HOME", str(home_with_base))
    assert told("stats")["nouns"] >= 47_000
    found = told("search", "base", "*wrench")["entries"]
    assert "wrench" in [entry["target_noun"] for entry in found]


def test_the_base_dictionary_goes_by_its_name(
    upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    base = tmp_path / "home" / "cache" / "dictionary" / "object_nouns.json"
    base.parent.mkdir(parents=True)
    upstream.rename(base)
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path / "home"))
    assert told("stats")["nouns"] == told("stats", "base")["nouns"] == 6
    found = told("search", "base", "*plane")["entries"]
    assert [entry["target_noun"] for entry in found] == ["airplane"]


def test_a_base_dictionary_that_cannot_be_kept_is_a_clear_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path))
    assert isinstance(run("stats").exception, StoreError)
