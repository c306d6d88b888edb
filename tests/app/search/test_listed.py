"""The events of a place that somebody asks for."""

from pathlib import Path

import pytest

from app.errors import UsageError
from app.feedback.answers import Answer, keep_answer
from app.search.listed import Asked, listed, only
from tests.app.report.runs import BEGAN_US
from tests.app.search.stores import called, ids, keep, site

CAT = "00000000000000-abc"
WRENCH = "00000000000002-abc"


def test_all_cameras_of_a_site_are_one_list_in_order_of_time(tmp_path: Path):
    found = listed(site(tmp_path))
    assert [one.headline for one in found] == ["cat", "lamp", "wrench", "ladder"]
    assert [one.place.name for one in found] == ["gate", "gate", "hall", "hall"]
    assert ids(listed(tmp_path / "hall")) == ["2", "3"]


def test_the_newest_are_kept_of_too_many(tmp_path: Path):
    assert ids(listed(site(tmp_path), limit=3)) == ["1", "2", "3"]
    assert listed(tmp_path, limit=0) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Asked(camera="gate"), ["0", "1"]),
        (Asked(noun="Wrench"), ["2"]),
        (Asked(noun="spanner"), ["2"]),
        (Asked(noun="animal"), ["0"]),
        (Asked(kind="tool"), ["2"]),
        (Asked(kind="animal"), ["0"]),
        (Asked(state="opened"), ["3"]),
        (Asked(state="muted"), ["1"]),
        (Asked(text="gate lamp"), ["1"]),
        (Asked(text="SHOE"), ["0", "1", "2", "3"]),
        (Asked(since_us=BEGAN_US + 15_000_000), ["2", "3"]),
        (Asked(until_us=BEGAN_US + 15_000_000), ["0", "1"]),
        (Asked(after=(BEGAN_US + 10_000_000, "00000000000001-abc")), ["2", "3"]),
        (Asked(camera="yard"), []),
    ],
)
def test_only_what_was_asked_for_is_listed(tmp_path: Path, asked: Asked, found: list[str]):
    assert ids(listed(site(tmp_path), asked)) == found


def test_what_people_said_is_found_by_their_word(tmp_path: Path):
    place = site(tmp_path)
    keep_answer(place / "hall", Answer(WRENCH, "false_alarm", time_us=1))
    keep_answer(place / "hall", Answer(WRENCH, "renamed", "pipe wrench", time_us=2))
    keep_answer(place / "gate", Answer(CAT, "confirmed", note="Minka", time_us=3))
    assert ids(listed(place, Asked(verdict="renamed"))) == ["2"]
    assert ids(listed(place, Asked(verdict="false_alarm"))) == []
    assert ids(listed(place, Asked(verdict="none"))) == ["1", "3"]
    assert ids(listed(place, Asked(text="minka"))) == ["0"]
    (one,) = listed(place, Asked(noun="pipe wrench"))
    assert one.headline == "pipe wrench"
    assert one.as_json()["answer"]["verdict"] == "renamed"
    assert one.as_json()["noun"] == "wrench"


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (Asked(kind="animl"), "--kind animl: is not known; try animal"),
        (Asked(state="closd"), "--state closd: is not known; try closed"),
        (Asked(verdict="false alarm"), "--verdict false alarm: is not known; try false_alarm"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_the_nearest(
    tmp_path: Path, asked: Asked, fault: str
):
    with pytest.raises(UsageError, match=fault):
        listed(site(tmp_path), asked)


def test_an_event_is_found_by_its_id_or_an_end_of_it(tmp_path: Path):
    place = site(tmp_path)
    assert only(place, WRENCH).event.noun == "wrench"
    assert only(place, "02-abc").place.name == "hall"


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ("-abc", "-abc: may be 4 events of .*; write more of the id"),
        ("00000000000002-abd", "is no event of .*; the nearest are 00000000000002-abc"),
        ("zzz", "is no event of .*; nomaly events list shows the ids"),
    ],
)
def test_an_id_that_is_none_or_several_is_told(tmp_path: Path, asked: str, fault: str):
    with pytest.raises(UsageError, match=fault):
        only(site(tmp_path), asked)


def test_a_store_without_events_lists_none(tmp_path: Path):
    assert listed(keep(tmp_path / "hall")) == []


def test_a_name_of_another_word_for_the_thing_is_found(tmp_path: Path):
    keep(tmp_path, called(0, "motor scooter"))
    assert ids(listed(tmp_path, Asked(noun="motor-scooter"))) == ["0"]
