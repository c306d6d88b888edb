"""A thing that went here and came there is one event."""

import weakref
from dataclasses import replace

import numpy as np

from app.events.event import EventChange, EventState, Finding
from app.watching.moves import WITHIN_S, Moves
from detectors.types import Box
from tests.app.events.findings import RED, picture_of
from tests.app.feedback.verdicts import seen

THERE = Box(50, 5, 68, 24)


def a_change(
    number: int, degrees: float, change: EventChange, state: EventState = "opened", at_s: float = 5
) -> Finding:
    """Of a thing that looks like this; a live camera saw it."""
    finding = seen(number, degrees, start_s=at_s)
    box = finding.event.box if change == "missing" else THERE
    event = replace(finding.event, change=change, state=state, video="", box=box)
    before = (RED,) if change == "missing" else (RED // 2,)
    return replace(finding, event=event, picture=replace(picture_of(finding), before=before))


def told(moves: Moves, *findings: Finding) -> list[tuple[str, str, bool]]:
    """Id, change, and whether it is muted, of what is told."""
    return [
        (one.event.id[13], one.event.change, bool(one.event.muted))
        for one in moves.linked(findings)
    ]


def test_what_went_and_came_is_told_as_moved_with_the_place_that_it_left():
    went, came = a_change(1, 0, "missing"), a_change(2, 10, "arrived")
    moved, left = Moves().linked([came, went])
    assert (moved.event.id, moved.event.change) == (came.event.id, "moved")
    assert (moved.event.box, moved.event.moved_from) == (THERE, went.event.box)
    assert np.array_equal(picture_of(moved).before[0], RED)
    assert left.event.muted == f"it has moved: event {came.event.id} shows where to"


def test_what_was_told_as_missing_is_told_anew_once_it_turns_up():
    moves = Moves()
    assert told(moves, a_change(1, 0, "missing")) == [("1", "missing", False)]
    assert told(moves, a_change(2, 10, "arrived", at_s=30)) == [
        ("2", "moved", False),
        ("1", "missing", True),
    ]
    # Both stay what they are until they end.
    assert told(moves, a_change(1, 0, "missing", "closed")) == [("1", "missing", True)]
    assert told(moves, a_change(2, 10, "arrived", "closed", 30)) == [("2", "moved", False)]


def test_of_several_the_likest_has_moved():
    moves = Moves()
    changed = told(
        moves, a_change(1, 0, "missing"), a_change(2, 20, "arrived"), a_change(3, 5, "arrived")
    )
    assert changed == [("1", "missing", True), ("2", "arrived", False), ("3", "moved", False)]


def test_another_thing_one_of_another_size_or_much_later_has_not_moved():
    late = a_change(2, 0, "arrived", at_s=6 + WITHIN_S)
    small = a_change(3, 0, "arrived")
    small = replace(small, event=replace(small.event, box=Box(50, 5, 55, 9)))
    unseen = replace(a_change(4, 0, "arrived"), signature=None)
    other = a_change(5, 90, "arrived")
    for come in (late, small, unseen, other):
        changes = told(Moves(), a_change(1, 0, "missing"), come)
        assert [change for _, change, _ in changes] == ["missing", "arrived"]


def test_pictures_are_kept_only_while_a_partner_may_come():
    moves = Moves()
    lone = a_change(1, 0, "missing")
    shown = weakref.ref(picture_of(lone).snapshot)
    moves.linked([lone])
    del lone
    moves.linked([a_change(2, 90, "arrived", at_s=20)])
    assert shown() is not None
    moves.linked([a_change(3, 90, "arrived", at_s=70)])
    assert shown() is None
