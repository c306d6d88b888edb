"""The second promise on what people confirmed: how many rings would have been nothing."""

from dataclasses import replace

import numpy as np

from app.calibrating.answers import Answers
from app.calibrating.footage import Looked
from app.calibrating.measuring import measured
from app.calibrating.ringing import rings_said
from calibration.levels import Level
from calibration.site.calibrated import HeldOut
from calibration.site.confirmed import UNKNOWN, Confirmed, refit

BAR = 0.7


def normal(count: int = 400) -> list[Level]:
    """What came near in normal footage."""
    values = 0.5 + np.random.default_rng(0).exponential(0.08, count)
    return [Level(float(number), float(value)) for number, value in enumerate(values)]


def events(things: int, nothings: int) -> list[Confirmed]:
    """Things far above the bar, and rings that were nothing: the tail of what is normal."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(things + nothings):
        noun = "cat" if number % (things + nothings) < things else ""
        level = 2.0 + rng.random() if noun else BAR + rng.exponential(0.08)
        found.append(Confirmed(str(number), 1000 * number, (), 2.0, noun, float(level), BAR))
    rng.shuffle(found)
    return found


def counts(said: str) -> list[tuple[int, int]]:
    """(things, nothings) that would have rung, by share."""
    parts = said.split(";")[1:]
    return [(int(one.split(", ")[1].split()[0]), int(one.split()[-1])) for one in parts]


def test_rings_that_were_nothing_stay_silent_and_things_ring():
    said = rings_said(normal(), events(things=30, nothings=30))
    assert said.startswith("rings: 30 things and 30 that were nothing rang; had at most 5% of")
    for things, wrong in counts(said):
        assert things >= 25
        assert wrong <= 0.3 * (things + wrong)


def test_scores_of_what_nobody_can_tell_are_compared_with_nothing():
    known = events(things=10, nothings=10)
    unsure = [replace(one, id=f"u{one.id}", score=0.1, noun=UNKNOWN) for one in known]
    empty = np.zeros(0)
    held_out = HeldOut(np.zeros(0, np.int64), empty, empty)
    for some in (known, [*known, *unsure]):
        found = measured(held_out, Looked(), Answers(tuple(some), 0), refit([]), 1.0).rings
        assert found is not None
        assert [len(one) for one in found] == [10, 10]


def test_what_nobody_can_tell_is_neither_a_thing_nor_nothing():
    known = events(things=10, nothings=10)
    unsure = [replace(one, id=f"u{one.id}", noun=UNKNOWN) for one in known]
    assert rings_said(normal(), [*known, *unsure]) == rings_said(normal(), known)
    assert "tells its level and bar" in rings_said(normal(), unsure)


def test_what_cannot_be_measured_says_why():
    old = [Confirmed("1", 0, (), 2.0, "cat")]
    assert "tells its level and bar" in rings_said(normal(), old)
    assert rings_said(normal(3), events(5, 5)).startswith("rings: not measured, 3 things came near")
