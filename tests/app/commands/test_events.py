"""`nomaly events`, as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.feedback.answers import answers
from tests.app.search.stores import called, keep, site

WRENCH = "00000000000002-abc"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return site(tmp_path / "site")


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, ["events", *words], env={"COLUMNS": "160"})
    assert done.exception is None, done.exception
    return done.stdout


def refused(*words: str) -> str:
    done = CliRunner().invoke(cli, ["events", *words])
    assert isinstance(done.exception, UsageError)
    return str(done.exception)


def test_a_list_shows_camera_name_and_id(place: Path):
    head, *rows = run("list", str(place)).splitlines()
    assert head.split() == ["when", "lasted", "camera", "what", "p", "id"]
    assert len(rows) == 4
    assert all(word in rows[2] for word in ("hall", "wrench", "80%", WRENCH, "0:02.0"))
    assert len(run("list", str(place), "--json-lines", "--noun", "wrench").splitlines()) == 1
    assert run("list", str(place), "--camera", "yard") == "No events.\n"


def test_a_long_list_is_cut_and_says_so(tmp_path: Path):
    keep(tmp_path, *(called(number, "cat") for number in range(51)))
    shown = run("list", str(tmp_path))
    assert "The newest 50; --limit 0 lists all" in shown
    assert "00000000000000-abc" not in shown
    assert "00000000000000-abc" in run("list", str(tmp_path), "--limit", "0")
    assert len(json.loads(run("list", str(tmp_path), "--json"))) == 51


def test_since_takes_a_time_or_an_event(place: Path):
    behind = json.loads(run("list", str(place), "--since", WRENCH, "--json"))
    assert [event["noun"] for event in behind] == ["ladder"]
    assert "An earlier --since finds more." in run("list", str(place), "--since", "2100-01-01")
    assert "soon: is no time; write 24h" in refused("list", str(place), "--since", "soon")


def test_a_list_is_written_as_a_table_of_what_was_asked_for(place: Path, tmp_path: Path):
    table = tmp_path / "tools.csv"
    assert run("list", str(place), "--kind", "tool", "--csv", str(table)).startswith("1 events: ")
    assert [row.split(",")[0] for row in table.read_text().splitlines()] == ["id", WRENCH]


def test_one_event_is_shown_with_all_there_is(place: Path):
    run("verdict", str(place), WRENCH, "confirmed", "--note", "forgotten by Ann")
    shown = run("show", str(place), "02-abc")
    for text in (
        f"wrench  ({WRENCH})",
        "wrench 80%, shoe 5%",
        f"snapshots/{WRENCH}.jpg",
        "confirmed, forgotten by Ann",
        "It rang.",
    ):
        assert text in shown
    told = json.loads(run("show", str(place), WRENCH, "--json"))
    assert told["answers"][0]["note"] == "forgotten by Ann"
    assert told["receipt"]["event"] == WRENCH
    assert Path(told["pictures"]["crops"]).is_file()


def test_a_picture_that_is_gone_cannot_be_opened(place: Path):
    (place / "hall" / "snapshots" / f"{WRENCH}.jpg").unlink()
    assert "its picture is gone" in refused("show", str(place), WRENCH, "--open")


def test_why_is_asked_of_the_camera_that_saw_it_or_of_all(place: Path):
    (told,) = json.loads(run("why", str(place), WRENCH, "--json"))
    assert (told["event"], told["outcome"]) == (WRENCH, "rang")
    every = json.loads(run("why", str(place), "4s", "--json"))
    # The hall saw nothing then, which is no answer beside what the gate saw.
    assert "00000000000000-abc" in {one["event"] for one in every}
    assert "quiet" not in {one["outcome"] for one in every}


def test_a_verdict_is_kept_as_it_is_typed(place: Path):
    said = run("verdict", str(place), "02-abc", "renamed", "Pallet-Jack")
    assert said == f"wrench ({WRENCH}): renamed, it is Pallet-Jack. Kept.\n"
    run("verdict", str(place), WRENCH, "false-alarm")
    assert "nomaly feedback normal" in run("verdict", str(place), WRENCH, "expected here")
    kept = answers(place / "hall", WRENCH)
    assert [one.verdict for one in kept] == ["renamed", "false_alarm", "expected_here"]
    assert (kept[0].noun, kept[0].time_us > 0) == ("pallet jack", True)
    assert "right: is no verdict" in refused("verdict", str(place), WRENCH, "right")


def test_a_search_says_by_what_it_found(place: Path):
    head, row = run("search", str(place), "spanner").splitlines()
    assert head.split() == ["when", "camera", "what", "id", "found", "by"]
    assert WRENCH in row
    assert row.rstrip().endswith("words")
    told = json.loads(run("search", str(place), "wrench near the wing", "--json"))
    assert [hit["id"] for hit in told["hits"]] == [WRENCH]
    assert told["hits"][0]["found_by"] == ["words"]
    assert "Where 'wing' is" in told["notes"][0]
    assert "Nothing was found." in run("search", str(place), "submarine")


def test_all_is_exported_by_the_same_command_under_both_names(place: Path, tmp_path: Path):
    run("export", str(place), "--rows", str(tmp_path / "a.json"))
    words = ["export", str(place), "--rows", str(tmp_path / "b.json")]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
