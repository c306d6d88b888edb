from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import UsageError
from app.events.event import Event
from app.events.store import Store
from app.ledger.entries import Ledger, Seen, entries_of
from app.ledger.reading import ledgers
from app.ledger.words import lines
from detectors.types import Box
from tests.app.events.findings import a_finding, begin

LADDER, HERE = Box(100, 100, 140, 160), Box(100, 100, 140, 160)


def an_event(name: str, start_s: float, end_s: float, box: Box = LADDER, **more: Any) -> Event:  # noqa: ANN401
    made = Event(
        id=f"{name}-{start_s:g}",
        camera="bay",
        state="closed",
        start_s=start_s,
        end_s=end_s,
        start_us=round(1e6 * start_s),
        end_us=round(1e6 * end_s),
        box=box,
        frame_size=(480, 640),
        score=2.0,
        frames=10,
        candidates=((name, 0.9),),
    )
    return replace(made, **more)


def standing(name: str, start_s: float, end_s: float, **more: Any) -> Seen:  # noqa: ANN401
    event = an_event(name, start_s, end_s, **more)
    return Seen(event, [(start_s, event.box, 2.0), (end_s, event.box, 2.0)])


def walking(name: str, start_s: float, y: float = 130.0) -> Seen:
    """Crosses the view within 10 s, past x = 120 in the middle of the first two."""
    path = [(start_s + n, Box(60 + 60 * n, y - 40, 100 + 60 * n, y + 40), 2.0) for n in range(10)]
    return Seen(an_event(name, start_s, start_s + 9, path[-1][1], people=1), path)


def at(seconds: float) -> int:
    return round(1e6 * seconds)


def test_what_came_and_has_not_left_is_inside_with_who_was_near_when_it_came():
    seen = [walking("person", 9.0), standing("ladder", 12.0, 90.0), walking("passer", 40.0, y=400)]
    (entry,) = entries_of(seen, at(60))
    assert entry.open
    assert [one.event_id for one in entry.brought] == ["person-9"]
    (entry,) = entries_of(seen, at(100))
    assert (entry.open, entry.until_us) == (False, at(90))
    assert entry.taken == ()


def test_who_takes_it_is_told_too():
    seen = [standing("ladder", 12.0, 50.0), walking("person", 48.5)]
    (entry,) = entries_of(seen, at(100))
    assert [one.headline for one in entry.taken] == ["person"]
    assert entry.brought == ()


def test_things_that_nobody_saw_leave_are_still_inside():
    (entry,) = entries_of([standing("ladder", 12.0, 50.0, cut=True)], at(100))
    assert entry.open


def test_only_what_lies_in_the_zone_counts_and_what_leaves_it_is_gone_from_there():
    left, right = ((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ((0.5, 0), (1, 0), (1, 1), (0.5, 1))
    moved = standing(
        "crate", 5.0, 90.0, change="moved", moved_from=Box(500, 100, 540, 160), box=LADDER
    )
    missing = standing("torch", 7.0, 90.0, change="missing")
    assert [one.side for one in entries_of([moved, missing], at(60), left)] == ["came", "gone"]
    assert [one.side for one in entries_of([moved, missing], at(60), right)] == ["gone"]
    # Within the whole view it neither came nor left.
    assert [one.event.noun for one in entries_of([moved, missing], at(60))] == ["torch"]


def test_who_walks_through_counts_only_if_asked_for():
    seen = [walking("person", 9.0)]
    assert entries_of(seen, at(60)) == []
    (entry,) = entries_of(seen, at(60), walkers=True)
    assert not entry.open


def test_a_ledger_says_what_is_inside_what_is_gone_and_the_balance():
    seen = [
        standing("ladder", 12.0, 50.0),
        standing("ladder", 60.0, 300.0),
        standing("torch", 70.0, 300.0, change="missing"),
    ]
    text = "\n".join(lines(Ledger("bay", at(200), tuple(entries_of(seen, at(200))))))
    assert "ladder came in at 00:01:00, 2 min 20 s ago and has not come out" in text
    assert "torch is gone at 00:01:10, 2 min 10 s ago" in text
    assert "ladder: 2 in, 1 out, 1 inside" in text


def test_a_site_has_a_ledger_for_each_camera(tmp_path: Path):
    for name in ("bay", "gate"):
        with Store(tmp_path / name) as store:
            begin(store, a_finding(0))
    assert len(ledgers(tmp_path, at="23:59")) == 2
    with pytest.raises(UsageError, match="--at noon: is no time; write it as 18:00"):
        ledgers(tmp_path, at="noon")
