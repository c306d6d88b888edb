from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.schema import read_database
from app.events.store import Store
from app.feedback.answers import Answer, answer, answers_in, take_back
from tests.app.events.findings import a_finding, begin

CAT, DOG = a_finding(0), a_finding(1, noun="dog")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    with Store(tmp_path) as store:
        begin(store, CAT, DOG)
    return tmp_path


def said(out: Path) -> dict[str, Answer]:
    database = read_database(out)
    found = answers_in(database, [CAT.event.id, DOG.event.id, "none"])
    database.close()
    return found


def test_the_last_word_on_an_event_holds(out: Path):
    answer(out, CAT.event.id, "confirmed")
    answer(out, CAT.event.id, "renamed", " fox   cub")
    answer(out, DOG.event.id, "false_alarm")
    found = said(out)
    assert (found[CAT.event.id].kind, found[CAT.event.id].noun) == ("renamed", "fox cub")
    assert found[DOG.event.id].as_json()["answer"] == "false_alarm"
    assert take_back(out, DOG.event.id)
    assert not take_back(out, DOG.event.id)
    assert set(said(out)) == {CAT.event.id}


def test_it_is_said_while_a_watch_writes_there(out: Path):
    with Store(out):
        answer(out, CAT.event.id, "confirmed")
    assert said(out)[CAT.event.id].noun == ""


@pytest.mark.parametrize(
    ("kind", "noun"), [("renamed", ""), ("renamed", "a" * 101), ("confirmed", "cat")]
)
def test_only_a_new_name_brings_a_name(out: Path, kind: str, noun: str):
    with pytest.raises(UsageError, match="a new name has 1 to 100 letters"):
        answer(out, CAT.event.id, kind, noun)  # type: ignore[arg-type]
    assert said(out) == {}


def test_what_is_not_there_is_refused(out: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="holds no event nothing"):
        answer(out, "nothing", "confirmed")
    with pytest.raises(UsageError, match="holds no event nothing"):
        take_back(out, "nothing")
    with pytest.raises(UsageError, match="holds no results"):
        answer(tmp_path / "elsewhere", CAT.event.id, "confirmed")


def test_it_goes_with_its_event(out: Path):
    answer(out, CAT.event.id, "confirmed")
    with Store(out) as store, store.saving():
        store.go_back(1, "a.mp4", 0.0)
    assert said(out) == {}
