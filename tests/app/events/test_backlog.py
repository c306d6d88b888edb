"""What waits for a disk, within bounds."""

from dataclasses import replace

from app.events.backlog import MOST_PICTURED, MOST_STATES, Backlog
from app.events.event import Finding, Lasting
from app.events.moment import Moment
from app.events.store import Changes
from app.sources.base import Gap
from detectors.types import Box
from tests.app.events.findings import a_finding, changes, seen_later

RUN = 1


def backlog_of(*waiting: Changes) -> Backlog:
    backlog = Backlog()
    for each in waiting:
        backlog.add(RUN, each)
        backlog.thin()
    return backlog


def pictured(findings: list[Finding]) -> list[str]:
    return [one.event.id for one in findings if one.picture is not None]


def test_what_tells_nothing_is_joined_with_what_follows():
    lasting = [Lasting("a", end_s, 0, 1.0, 5) for end_s in (1.0, 2.0)]
    first = replace(
        changes(peaks={1: 2.0, 2: 1.0}, gaps=[Gap(5, None, "ended")]), lasting=lasting[:1]
    )
    second = replace(changes(peaks={2: 3.0}, gaps=[Gap(5, 9, "ended")]), lasting=lasting[1:])
    third = changes(a_finding(1), peaks={2: 1.0, 3: 1.0})
    third.source.frames = 99
    backlog = backlog_of(first, second, third, changes(a_finding(2)))
    assert len(backlog) == 2
    _, joined = backlog.take()
    assert joined.source.frames == 99
    assert joined.peaks == {1: 2.0, 2: 3.0, 3: 1.0}
    assert joined.gaps == [Gap(5, 9, "ended")]
    assert joined.lasting == lasting[1:]
    assert [one.event.id for one in joined.findings] == [a_finding(1).event.id]


def test_what_came_near_is_kept_when_changes_are_joined():
    near = [Moment("hall", at, at + 1, 0, 1, Box(0, 0, 9, 9), 0.9, 1.0, "bar") for at in (1.0, 5.0)]
    waiting = [replace(changes(), moments=[one]) for one in near]
    _, joined = backlog_of(*waiting, changes(a_finding(1))).take()
    assert list(joined.moments) == near


def test_the_oldest_pictures_go_first_and_are_counted():
    backlog = backlog_of(*(changes(a_finding(number)) for number in range(MOST_PICTURED + 3)))
    ids = [a_finding(number).event.id for number in range(MOST_PICTURED + 3)]
    assert [one.event.id for one in backlog.findings] == ids
    assert pictured(backlog.findings) == ids[3:]
    assert backlog.dropped == set(ids[:3])


def test_a_picture_that_a_newer_one_of_its_event_replaces_is_no_loss():
    again = [changes(seen_later(a_finding(0))), changes(a_finding(1))]
    backlog = backlog_of(*(changes(a_finding(0)) for _ in range(MOST_PICTURED)), *again)
    assert len(pictured(backlog.findings)) == MOST_PICTURED
    assert backlog.dropped == set()


def test_states_beyond_the_bound_are_lost_oldest_first_but_not_what_goes_with_them():
    bare = [replace(a_finding(number), picture=None) for number in range(MOST_STATES + 2)]
    backlog = Backlog()
    for number, finding in enumerate(bare):
        backlog.add(RUN, changes(finding, peaks={number: 1.0}))
    backlog.thin()
    assert [one.event.id for one in backlog.findings] == [one.event.id for one in bare[2:]]
    assert backlog.lost == {one.event.id for one in bare[:2]}
    assert backlog.take()[1].peaks == {0: 1.0, 1: 1.0, 2: 1.0}
