"""A thing that passes again and again while a camera learns, with a real detector."""

from dataclasses import replace

import numpy as np
import pytest

from app.progress import Reporter
from app.simulator.simulation import Simulation
from app.simulator.things import lying
from app.watching.backlog import Packed
from app.watching.stirring import Keeping, tolerating
from detectors.base import Detector
from detectors.finding import Finder
from detectors.tracks import Tracker, TrackRule
from detectors.types import Frame
from tests.app.watching.road import LEARN, PASSING, RATE, day, frames

pytestmark = pytest.mark.slow


def events(detector: Detector, shown: list[Frame]) -> int:
    """Events that the product opens on frames."""
    tracker, finder = Tracker(TrackRule()), Finder(detector.view)
    maps = detector.detect([frame.image for frame in shown]).maps
    opened = 0
    for frame, heat in zip(shown, maps, strict=True):
        opened += len(
            tracker.update(frame, finder.find(heat / np.float32(0.7), frame.image)).opened
        )
    return opened


def told(detector: Detector, simulation: Simulation) -> Detector:
    seen = frames(simulation, 0, LEARN)
    return tolerating(detector, seen, LEARN / RATE, Reporter(quiet=True), lambda: None)


def test_what_passes_again_and_again_alarms_no_more_and_blinds_nothing_else(learned: Detector):
    bearing = told(learned, day(PASSING))
    passes = [*frames(day(PASSING), LEARN)]
    assert events(bearing, passes) == 0
    assert (bearing.tolerance > 1.3).mean() < 0.5
    assert bearing.tolerance[-1].max() == 1
    above = day(lying("cup", 0.12, (0.5, 0.12), 0, 9), seconds=1.6)
    assert events(bearing, [*frames(above)]) == events(learned, [*frames(above)]) == 1


def test_it_would_alarm_without(learned: Detector):
    assert events(learned, [*frames(day(PASSING), LEARN)]) > 0


def test_what_passes_once_is_told_when_it_comes_again(learned: Detector):
    once = replace(PASSING, every_s=None)
    assert told(learned, day(once)) is learned


def test_swaying_leaves_and_passing_light_are_borne_by_the_threshold_alone(learned: Detector):
    assert told(learned, day()) is learned


def test_frames_of_a_camera_are_kept_up_to_so_much_memory():
    coming = [*frames(day(), 0, 6)]
    enough = sum(Packed.of(frame).jpeg.nbytes for frame in coming[:3])
    keeping = Keeping(coming, most_bytes=enough)
    assert [frame.index for frame in keeping] == [0, 1, 2, 3, 4, 5]
    kept = [*keeping.frames((60, 80))]
    assert [frame.index for frame in kept] == [0, 1, 2]
    assert kept[0].image.shape == (60, 80, 3)
    assert keeping.length_s == pytest.approx(0.4)
