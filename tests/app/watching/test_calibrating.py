"""What normal footage shows of a promise, with real files and a real detector."""

from pathlib import Path

import numpy as np
import pytest

from app.progress import Reporter
from app.watching.calibrating import (
    BLOCK_S,
    Following,
    Footage,
    measured,
    normal_evidence,
    tolerant,
)
from app.watching.keeper import keeper_of
from calibration.promise import Promise
from detectors.base import Detector
from detectors.files import PROMISE
from tests.app.watching.road import LEARN, PASSING, RATE, day, frames
from tests.peers.pattern import write_video

QUIET = Reporter(quiet=True)
OFTEN = Promise(30, "hour")
"""Twelve seconds show it."""


def never() -> None:
    """Nobody stops."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The footage that was learned, 24 s."""
    path = tmp_path_factory.mktemp("film") / "normal.mp4"
    shown = [frame.image for frame in frames(day(PASSING), 0, LEARN)]
    return write_video(path, shown, fps=round(RATE))


def test_footage_is_as_long_as_is_said(film: Path):
    assert Footage((film,)).length_s == pytest.approx(24, abs=0.3)
    assert Footage((film,), from_s=4, for_s=10).length_s == 10
    assert Footage((film,), from_s=20, for_s=10).length_s == pytest.approx(4, abs=0.3)


def test_a_part_of_several_films_comes_one_behind_the_other(film: Path, tmp_path: Path):
    second = tmp_path / "second.mp4"
    second.write_bytes(film.read_bytes())
    footage = Footage((film, second), from_s=4, for_s=2, fps=5)
    shown = [*footage.frames((60, 80))]
    assert len(shown) == 20
    assert {frame.image.shape for frame in shown} == {(60, 80, 3)}
    steps = np.diff([frame.pts_s for frame in shown])
    assert steps.max() > BLOCK_S / 2
    assert sorted(steps)[-2] == pytest.approx(0.2, abs=0.01)


def test_a_share_of_footage_is_taken_in_blocks(tmp_path: Path):
    picture = np.full((48, 64, 3), 90, np.uint8)
    long = write_video(tmp_path / "long.mp4", [picture] * 240, fps=1)
    shown = [*Footage((long,), fps=None).frames((48, 64), share=0.5)]
    assert len(shown) == pytest.approx(120, abs=1)
    blocks = {int(frame.pts_s // BLOCK_S) for frame in shown}
    assert len(blocks) == 2


@pytest.mark.slow
def test_all_of_it_is_looked_at_where_it_can_show_the_promise(film: Path, learned: Detector):
    footage, how = Footage((film,)), Following()
    evidence = normal_evidence(learned, footage, OFTEN, how, QUIET, never)
    assert evidence.hours * 3600 == pytest.approx(23.8, abs=0.3)
    # What passes would have rung: it is in the levels.
    assert max(tail.rate(0.8) for tail in evidence.tails()) > 0


def test_footage_that_cannot_show_it_costs_nothing(film: Path, learned: Detector):
    footage, how = Footage((film,)), Following()
    assert normal_evidence(learned, footage, Promise(1, "day"), how, QUIET, never).hours == 0


@pytest.mark.slow
def test_what_was_measured_lies_beside_the_detector(film: Path, learned: Detector, tmp_path: Path):
    folder = tmp_path / "detector"
    footage = Footage((film,))
    bearing = tolerant(learned, footage, QUIET, never)
    assert bearing.tolerance.max() > 1.3
    bearing.save(folder)
    told = measured(bearing, folder, footage, OFTEN, QUIET, never)
    assert (folder / PROMISE).is_file()
    again = keeper_of(bearing, folder, OFTEN, lambda _: None)
    assert again.kept.as_json() == told
    assert told["promise"] == "30/hour"
    assert again.kept.hours * 3600 == pytest.approx(23.8, abs=0.3)
