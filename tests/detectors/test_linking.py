from dataclasses import replace

import pytest

from detectors.linking import Place, link
from detectors.types import Box, Detection

PART = Box(386, 244, 429, 273)
"""Came off the front of a thing."""
YOUNG = Place(
    last=PART,
    guess=PART,
    course=PART,
    score=3.0,
    since_s=0.2,
    moves=False,
    together=False,
    hidden=False,
    told=False,
    awaited=False,
)
REST = Box(416, 244, 448, 279)
"""Where the rest of the thing should be by now."""
OLD = replace(YOUNG, last=Box(435, 244, 467, 279), guess=REST, course=REST, moves=True)
WHOLE = Detection(Box(386, 244, 447, 273), 3.0)


@pytest.mark.parametrize("told", [False, True])
def test_a_part_that_comes_off_a_thing_that_was_told_is_not_its_heir(told: bool):
    links = link(
        [replace(OLD, told=told), YOUNG],
        [WHOLE],
        [None],
        size=(480, 640),
        same_iou=0.1,
        same_share=0.5,
    )
    assert links.firm == {0 if told else 1: 0}
