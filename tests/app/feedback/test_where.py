"""A part of the view, as people name it."""

import pytest

from app.errors import UsageError
from app.feedback.where import Where
from detectors.types import Box

SIZE = (100, 200)
GATE = "gate=.1,.5 .4,.5 .4,1 .1,1"


def test_a_thing_stands_where_the_middle_of_its_lower_edge_is():
    gate = Where.parse(GATE, {})
    assert (gate.name, gate.said) == ("gate", "at the gate")
    assert gate.has(Box(40, 10, 60, 60), SIZE)
    assert not gate.has(Box(40, 10, 60, 40), SIZE)
    assert not gate.has(Box(75, 10, 95, 60), SIZE)


def test_a_zone_that_was_named_once_is_known_by_its_name():
    gate = Where.parse(GATE, {})
    assert Where.parse("gate", {"gate": gate}) == gate
    with pytest.raises(UsageError, match="--zone door: is no zone of this camera; there are: gate"):
        Where.parse("door", {"gate": gate})


def test_the_surroundings_of_a_thing_hold_it_and_about_its_size_around():
    near = Where.around(Box(90, 40, 110, 60), SIZE)
    assert near.has(Box(90, 40, 110, 60), SIZE)
    assert near.has(Box(105, 50, 125, 70), SIZE)
    assert not near.has(Box(125, 40, 145, 60), SIZE)
    # What is cut off by the lower edge of the picture stands on it.
    edge = Where.around(Box(10, 60, 30, 100), SIZE)
    assert edge.has(Box(10, 60, 30, 100), SIZE)


@pytest.mark.parametrize("zone", [".1,.5 .4,.5", "gate=.1,.5 .4,.5 4,1", ".1,.5 a,b c,d"])
def test_what_is_no_polygon_is_refused_in_a_sentence(zone: str):
    with pytest.raises(UsageError, match="is no polygon"):
        Where.parse(zone, {})
