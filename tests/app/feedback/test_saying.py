"""Feedback as it is typed: on a folder that was watched, and what it changes there."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.errors import FeedbackError, UsageError
from app.events.lock import locked
from app.events.store import Store
from app.feedback.saying import say_normal, settle
from app.feedback.verdicts import Verdicts
from app.watching.again import report_again
from app.why.asking import why
from tests.app.events.findings import a_camera_finding, a_finding
from tests.app.feedback.verdicts import a_run_of, seen

CAT, CAT_AGAIN, DOG = seen(1, 0), seen(2, 15), seen(3, 80, "dog")


def ask(*words: object) -> Any:  # noqa: ANN401
    done = CliRunner().invoke(cli, ["feedback", *map(str, words), "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    a_run_of(tmp_path, CAT, CAT_AGAIN, DOG)
    return tmp_path


def test_one_verdict_silences_the_like_and_forgetting_brings_it_back(out: Path):
    said = ask("normal", out, CAT.event.id, "--note", "Tom")
    assert said["muted"] == [CAT.event.id, CAT_AGAIN.event.id]
    assert (said["noun"], said["note"], said["number"]) == ("cat", "Tom", 1)
    with Store(out) as store:
        dog, *cats = store.events(1)
        assert dog.id == DOG.event.id
        assert {one.muted for one in cats} == {
            f"verdict 1: cat is normal here, said of {CAT.event.id} (Tom)"
        }
    (listed,) = ask("list", out)
    assert (listed["event"], listed["holds"], listed["matches"]) == (CAT.event.id, True, 0)
    assert ask("forget", out, 1)["told"] == [CAT.event.id, CAT_AGAIN.event.id]
    assert ask("list", out) == []
    with Store(out) as store:
        assert not any(event.muted for event in store.events(1))


def test_what_holds_of_an_event_is_not_said_twice(out: Path):
    ask("normal", out, CAT.event.id)
    with pytest.raises(UsageError, match=r"is normal here already, by verdict 1; .*forget .* 1$"):
        ask("normal", out, CAT.event.id)
    assert [one["number"] for one in ask("list", out)] == [1]


def test_what_another_verdict_speaks_of_stays_silent_when_one_is_forgotten(out: Path):
    for finding in (CAT, CAT_AGAIN):
        ask("normal", out, finding.event.id)
    (receipt,) = why(out, CAT.event.id)
    assert receipt.flip is not None
    assert (receipt.flip.setting, receipt.flip.value) == ("nomaly feedback forget 1 and", 2)
    shown = CliRunner().invoke(cli, ["events", "why", str(out), CAT.event.id]).output
    assert f"With nomaly feedback forget {out} 1 and 2 its like would ring again." in shown
    assert ask("forget", out, 1)["told"] == []
    with Store(out) as store:
        _, *cats = store.events(1)
    assert all(one.muted.startswith("verdict 2: ") for one in cats)
    (receipt,) = why(out, CAT.event.id)
    assert receipt.outcome == "silent"
    assert receipt.flip is not None
    assert (receipt.flip.setting, receipt.flip.value) == ("nomaly feedback forget", 2)
    assert ask("forget", out, 2)["told"] == [CAT.event.id, CAT_AGAIN.event.id]


def test_what_the_run_does_not_want_stays_silent_when_a_verdict_is_forgotten(tmp_path: Path):
    a_run_of(tmp_path, CAT, CAT_AGAIN, DOG, tell=["dog"])
    ask("normal", tmp_path, CAT.event.id)
    ask("normal", tmp_path, DOG.event.id)
    assert ask("forget", tmp_path, 1)["told"] == []
    assert ask("forget", tmp_path, 2)["told"] == [DOG.event.id]
    with Store(tmp_path) as store:
        _, *cats = store.events(1)
    assert len(cats) == 2
    assert all(one.muted.startswith("only dog is told (--tell); the chance") for one in cats)


def test_what_a_stricter_verdict_lets_go_is_told_only_if_the_run_wants_it(tmp_path: Path):
    a_run_of(tmp_path, CAT, CAT_AGAIN, DOG, tell=["dog"])
    said = say_normal(tmp_path, CAT.event.id, None, "")
    assert said.muted == (CAT.event.id, CAT_AGAIN.event.id)
    assert settle(tmp_path, replace(said.verdict, likeness=1e9)) == [CAT.event.id]
    with Store(tmp_path) as store:
        again = store.event(CAT_AGAIN.event.id)
    assert again is not None
    assert again.muted.startswith("only dog is told (--tell)")


def test_forgetting_counts_in_words(out: Path):
    say_normal(out, DOG.event.id, None, "")
    done = CliRunner().invoke(cli, ["feedback", "forget", str(out), "1"])
    assert "1 event is shown again." in done.output


def test_it_can_be_said_while_another_process_writes_there(out: Path):
    with locked(out), Store(out) as store, store.saving():
        thread = threading.Thread(target=say_normal, args=(out, CAT.event.id, None, ""))
        thread.start()
        # The verdict is there for the watch, whenever the store is free.
        while not Verdicts(out / "detector").all():
            pass
    thread.join()
    with Store(out) as store:
        assert sum(bool(event.muted) for event in store.events(1)) == 2


def test_summary_and_files_tell_what_is_told_and_the_report_folds_the_rest(out: Path):
    say_normal(out, CAT.event.id, None, "Tom")
    summary = report_again(out).summary
    assert [event["id"] for event in summary["events"]] == [DOG.event.id]
    assert [event["id"] for event in summary["muted"]] == [CAT.event.id, CAT_AGAIN.event.id]
    lines = (out / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [DOG.event.id]
    page = (out / "report.html").read_text()
    assert "<b>1 event</b>: 0 named, 1 unnamed; 2 more not told" in page
    folded = page[page.index('<details class="group" data-group="muted">') :]
    assert folded.count('<article class="card') == 2
    assert folded.count("cat is normal here, said of") >= 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("normal", "{out}", "00-00"), "holds no event 00-00; ids stand in the report"),
        (("normal", "{out}", CAT.event.id, "--for", "soon"), "is no length of time; write 12h"),
        (("normal", "{out}", CAT.event.id, "--for", "0d"), "is no length of time; write 12h"),
        (("forget", "{out}", "7"), "holds no verdict or rule 7; there are: none"),
        (("list", "{out}/detector"), "holds no events.sqlite"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(out: Path, words: tuple[str, ...], sentence: str):
    with pytest.raises(UsageError, match=sentence):
        ask(*(word.format(out=out) for word in words))


def test_a_fault_of_the_camera_cannot_be_normal(tmp_path: Path):
    fault, unnamed = a_camera_finding(), a_finding(1)
    a_run_of(tmp_path, fault, unnamed)
    with pytest.raises(UsageError, match="is a fault of the camera"):
        say_normal(tmp_path, fault.event.id, None, "")
    with pytest.raises(UsageError, match="has no name yet"):
        say_normal(tmp_path, unnamed.event.id, None, "")
    (tmp_path / "detector").rmdir()
    with pytest.raises(UsageError, match="is not there, beside which"):
        ask("list", tmp_path)


def test_a_folder_that_cannot_be_written_is_told(out: Path):
    (out / "detector" / "feedback.sqlite").mkdir()
    with pytest.raises(FeedbackError, match="cannot be used: unable to open database file"):
        say_normal(out, CAT.event.id, None, "")
