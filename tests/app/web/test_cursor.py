from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.store import Changes, SourceProgress, Store
from app.feedback.answers import Answer, keep_answer, take_back
from app.web.cursor import Read, changes_since, cursor_text, newest, read_cursor
from app.web.places import reading
from tests.app.web.builders import event_id, seen, write_camera


def test_a_cursor_comes_back_and_what_is_none_is_refused():
    cursor = {"hall": Read("ab", 3), "küche": Read("cd", 0)}
    text = cursor_text(cursor)
    assert read_cursor(text) == cursor
    assert text.replace("-", "").replace("_", "").isalnum()
    assert read_cursor("") == {}
    for wrong in ("x", "....", "bnVsbA", "eyJhIjoxfQ", "☃"):
        with pytest.raises(UsageError, match="since: is no cursor"):
            read_cursor(wrong)


def changed(folder: Path, since: Read | None) -> list[str]:
    with reading(folder) as store:
        return [one.event_id for one in changes_since(store.db, since, 100)]


def read(folder: Path) -> Read:
    with reading(folder) as store:
        return newest(store.db)


def test_every_change_is_read_once_whatever_changed(tmp_path: Path):
    folder = tmp_path / "hall"
    run_id = write_camera(folder, seen(1, "cat", "hall"), seen(2, "dog", "hall"))
    one, other = event_id(1, "hall"), event_id(2, "hall")
    assert changed(folder, None) == [one, other]
    at = read(folder)
    assert changed(folder, at) == []
    source = SourceProgress("hall", "rtsp://hall/1", (60, 80), 0.0, 0.0)
    with Store(folder) as store:
        store.save(run_id, Changes(source, [seen(1, "fox", "hall")]))
    assert changed(folder, at) == [one]
    keep_answer(folder, Answer(other, "false_alarm"))
    assert changed(folder, at) == [one, other]
    at = read(folder)
    take_back(folder, other)
    assert changed(folder, at) == [other]
    at = read(folder)
    with Store(folder) as store, store.saving():
        store.go_back(run_id, "", 0.0)
    with reading(folder) as store:
        assert {(one.event_id, one.gone) for one in changes_since(store.db, at, 9)} == {
            (one, True),
            (other, True),
        }


def test_a_cursor_of_another_store_in_its_place_begins_anew(tmp_path: Path):
    write_camera(tmp_path / "a", seen(1, "cat", "a"))
    write_camera(tmp_path / "b", *(seen(number, "cat", "b") for number in range(5)))
    assert changed(tmp_path / "a", read(tmp_path / "b")) == [event_id(1, "a")]


def test_what_was_not_saved_after_all_changes_nothing(tmp_path: Path):
    folder = tmp_path / "hall"
    run_id = write_camera(folder, seen(1, "cat", "hall"))
    at = read(folder)

    def fail() -> None:
        with Store(folder) as store, store.saving():
            store.go_back(run_id, "", 0.0)
            raise KeyError("nothing")

    with pytest.raises(KeyError, match="nothing"):
        fail()
    assert read(folder) == at
