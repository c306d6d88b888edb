"""What people say of single events."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.schema import STORE
from app.events.store import Store
from app.feedback.answers import Answer, answers, keep_answer, newest
from tests.app.events.findings import a_finding, begin

CAT = "00000000000000-abc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store(tmp_path) as store:
        begin(store, a_finding(0), a_finding(1))
    return tmp_path


def test_all_answers_are_kept_and_the_newest_holds(folder: Path):
    keep_answer(folder, Answer(CAT, "false_alarm", note="a shadow", who="ann", time_us=1))
    keep_answer(folder, Answer(CAT, "renamed", "Pallet-Jack ", time_us=2))
    keep_answer(folder, Answer("00000000000001-abc", "confirmed", time_us=3))
    said = answers(folder, CAT)
    assert [answer.verdict for answer in said] == ["false_alarm", "renamed"]
    assert (said[0].note, said[0].who, said[0].decides_name) == ("a shadow", "ann", False)
    assert (said[1].noun, said[1].decides_name) == ("pallet jack", True)
    assert newest(answers(folder))[CAT] == said[1]
    assert len(answers(folder)) == 3
    assert answers(folder, "none") == []


def test_an_answer_goes_with_its_event(folder: Path):
    keep_answer(folder, Answer(CAT, "confirmed", time_us=1))
    with Store(folder) as store, store.saving():
        store.go_back(1, "a.mp4", 0.0)
    assert answers(folder) == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer("none", "confirmed"), "none: is no event of"),
        (Answer(CAT, "renamed", " "), "renamed: say what it is"),
        (Answer(CAT, "right"), "right: is no verdict; say one of confirmed, false_alarm"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_an_answer_that_means_nothing_is_refused(folder: Path, answer: Answer, fault: str):
    with pytest.raises(UsageError, match=fault):
        keep_answer(folder, answer)
    assert answers(folder) == []


def test_a_store_of_an_older_nomaly_is_read_and_not_changed(tmp_path: Path):
    script = Path(__file__).parents[1] / "events" / "data" / "store_of_version_2.sql"
    with closing(sqlite3.connect(tmp_path / STORE)) as database:
        database.executescript(script.read_text())
        (before,) = database.execute("PRAGMA user_version").fetchone()
    assert answers(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / STORE)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (before,)
