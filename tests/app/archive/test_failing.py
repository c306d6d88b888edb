"""The small language of --fail-on."""

from dataclasses import replace

import pytest

from app.archive.failing import Check
from app.errors import UsageError
from app.events.event import Event
from detectors.types import Box

EVENT = Event(
    "1", "hall", "closed", 1.0, 4.0, 0, 0, Box(0, 0, 9, 9), (60, 80), 3.5, 9,
    video="/a/b.mp4", candidates=(("person", 0.93), ("hat", 0.02)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("p>0.9", True),
        ("p > .95", False),
        ("noun=person and p>0.9", True),
        ("noun=hat", False),
        ("noun!=hat and seconds<=3 and score>=3.5", True),
        ("video=b.mp4", True),
        ("camera=hall and people>0", False),
        ("kind=camera", False),
    ],
)
def test_a_check_says_which_events_make_a_command_fail(text: str, holds: bool):
    other = replace(EVENT, candidates=(("cat", 0.1),), score=1.0, video="c.mp4", camera="yard")
    found = Check.parse(text).found([EVENT])
    assert list(found) == ([EVENT] if holds else [])
    assert list(Check.parse("noun=dog").found([EVENT, other])) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing is no check; write it as 'noun=person and p>0.9'"),
        ("p", "p is no check"),
        ("p>high", "high is no number"),
        ("noun>person", "noun is a word; compare it by = or !="),
        ("colour=red", "there is no colour; there are noun, headline"),
        ("p>0.9 and", "p>0.9 and: 0.9 and is no number"),
        ("__import__('os')=1", "is no check"),
    ],
)
def test_what_is_no_check_is_one_sentence(text: str, why: str):
    with pytest.raises(UsageError, match=r"--fail-on") as told:
        Check.parse(text)
    assert why in str(told.value)
