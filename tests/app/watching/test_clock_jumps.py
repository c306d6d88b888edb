"""The machine's clock is set back by an hour, and ahead by a day, while something is there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.events.event import Finding
from app.events.store import Store
from detectors.types import Frame
from tests.app.watching.test_lookout import a_lookout, a_view

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
NOON_US = 1_796_000_000_000_000


def day(jumps: dict[float, int]) -> Iterator[Frame]:
    """A minute in which two things come; from each moment on the clock is off by so much."""
    for number in range(300):
        pts_s = number / 5
        there = 4 <= pts_s < 10 or 30 <= pts_s < 36
        off_us = sum(by for at_s, by in jumps.items() if pts_s >= at_s)
        frame = a_view(pts_s, bright=there)
        # A picture that stands still would be a fault of the camera.
        frame.image[50:, 60:] = 30 + number % 7
        yield replace(frame, time_us=NOON_US + round(pts_s * 1e6) + off_us)


@pytest.mark.parametrize(
    "jumps",
    [
        {7.0: -HOUR_US, 33.0: DAY_US},
        {20.0: DAY_US, 45.0: -DAY_US},
        {at_s: HOUR_US * (-1) ** number for number, at_s in enumerate((5.0, 6.0, 31.0, 32.0))},
    ],
)
def test_events_are_told_once_and_end_after_they_began_whatever_the_clock_does(
    jumps: dict[float, int], tmp_path: Path
):
    with Store(tmp_path) as store:
        lookout = a_lookout(store, live=True)
        told: list[tuple[str, str]] = []

        def tell(findings: list[Finding]) -> None:
            lookout.save(findings)
            told.extend((one.event.id, one.event.state) for one in findings)

        for frame in day(jumps):
            lookout.look([frame])
            tell(lookout.findings())
        tell(lookout.finish())
        events = store.events(1)
        assert len({one.id for one in events}) == 2
        once = [one for one in told if one[1] in ("opened", "closed")]
        assert len(once) == len(set(once)) == 4
        assert [round(one.end_s - one.start_s) for one in events] == [6, 6]
        assert all(one.start_us <= one.end_us for one in events)
        assert len(store.seconds(1, "a.mp4")) == 60
        assert all(
            gap["end_us"] is None or gap["start_us"] <= gap["end_us"] for gap in store.gaps(1)
        )
