"""An archive in segments gives what one process gives, whatever happens to its workers."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.archive.part import PATIENCE_S, Looker
from app.archive.segments import Outcome, Segment
from app.watching.blurring import People
from detectors.types import Box, Pixels
from tests.app.archive.whole import OneByOne, as_one, in_segments


@pytest.fixture(scope="module")
def whole(looker: Looker, long: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = as_one(looker, [long], tmp_path_factory.mktemp("whole") / "out")
    spans = [(event.start_s, event.end_s) for event in found["events"]]
    assert len(spans) > 2
    # Something lies across the cut, longer than the first part waits.
    assert any(start_s < 55 and end_s > 65 + PATIENCE_S for start_s, end_s in spans)
    return found


def states(segments: dict[int, Segment]) -> list[str]:
    return [one.state for one in segments.values()]


def test_segments_find_the_same_to_the_byte(
    looker: Looker, long: Path, whole: dict[str, Any], tmp_path: Path
):
    engine = OneByOne(looker)
    found, dispatcher = in_segments(engine, [long], tmp_path / "out")
    assert found == whole
    assert states(dispatcher._ledger.segments) == ["met", "met"]
    assert all(one.joined for one in dispatcher._ledger.segments.values())
    # The first went on until both followed nothing and knew the same.
    assert [job.segment.number for job in engine.done] == [0, 1, 0]
    # Nothing is left of the parts.
    assert not any((tmp_path / "out" / "parts").iterdir())


def test_killed_workers_and_a_stop_lose_and_double_nothing(
    looker: Looker, long: Path, whole: dict[str, Any], tmp_path: Path
):
    engine = OneByOne(looker, dies_at=(5, 12, 45))

    def check() -> None:
        if len(engine.done) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_segments(engine, [long], tmp_path / "out", check)
    # They died in the middle of their segments, and what they had was taken up.
    died = [job.segment.number for job in engine.done]
    assert len(died) == 4
    assert len(died) > len(set(died))
    again = OneByOne(looker)
    found, dispatcher = in_segments(again, [long], tmp_path / "out")
    assert found == whole
    assert sum(one.tries for one in dispatcher._ledger.segments.values()) == 3
    assert dispatcher.sums.failed == []
    # What was done before the stop was not done again from its start.
    assert all(job.segment.reached_s > 0 for job in again.done if job.segment.number == 0)


def test_files_of_their_own_find_the_same_and_a_broken_one_costs_nothing(
    looker: Looker, clips: list[Path], tmp_path: Path
):
    one = as_one(looker, clips, tmp_path / "one")
    engine = OneByOne(looker, dies_at=(7,))
    found, dispatcher = in_segments(engine, clips, tmp_path / "out")
    assert found == one
    assert len(one["events"]) == 2
    assert len(dispatcher.sums.failed) == 1
    assert "broken.mp4" in dispatcher.sums.failed[0]


def test_a_segment_that_always_fails_is_given_up_and_told(
    looker: Looker, clips: list[Path], tmp_path: Path
):
    engine = OneByOne(looker, dies_at=range(1, 4))
    _, dispatcher = in_segments(engine, clips[:3], tmp_path / "out")
    assert states(dispatcher._ledger.segments) == ["failed"]
    assert "given up after 3 tries: its worker ended" in dispatcher.sums.failed[0]
    assert len(engine.done) == 3


def test_a_worker_without_a_sign_of_life_is_ended_and_its_segment_done_again(
    looker: Looker, clips: list[Path], tmp_path: Path
):
    engine = Stuck(looker)
    found, dispatcher = in_segments(engine, clips[:2], tmp_path / "out", stalled_s=0.0)
    assert [one.frames for one in dispatcher._ledger.segments.values()] == [16]
    assert [one.tries for one in dispatcher._ledger.segments.values()] == [1]
    assert len(found["events"]) == 1


class Stuck(OneByOne):
    """Its first worker does nothing at all until it is ended."""

    ended = False

    def wait(self, seconds: float) -> Sequence[Outcome]:
        return super().wait(seconds) if self.ended else []

    def kill(self, number: int) -> None:
        self.ended, self.dies_at = True, {1}


class Everything(People):
    """Hides all that there is."""

    def places(self, image: Pixels) -> list[Box]:
        height, width = image.shape[:2]
        return [Box(0, 0, width, height)]


def test_workers_hide_people_before_anything_is_kept(
    looker: Looker, clips: list[Path], tmp_path: Path
):
    open_ones, _ = in_segments(OneByOne(looker), clips[1:2], tmp_path / "open")
    hiding = replace(looker, people=Everything())
    hidden, _ = in_segments(OneByOne(hiding), clips[1:2], tmp_path / "hidden")
    assert hidden["events"] == open_ones["events"]
    pictures = [name for name in open_ones["pictures"] if name.startswith(("snapshots", "crops"))]
    assert len(pictures) == 2
    for name in pictures:
        before, after = (
            np.asarray(Image.open(BytesIO(one["pictures"][name]))).astype(int)
            for one in (open_ones, hidden)
        )
        assert np.abs(before - after).mean() > 1, name
