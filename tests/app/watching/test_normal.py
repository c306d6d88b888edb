"""Few frames of much footage, evenly over its time."""

from pathlib import Path

import numpy as np
import pytest

from app.media.video import VideoWriter
from app.progress import Reporter
from app.sources.open import open_recording
from app.watching.normal import LEAST_FRAMES, MOST_FRAMES, NormalFrames, normal_frames
from tests.app.builders import SIZE, a_frame

ONE = 3 * SIZE[0] * SIZE[1]


def numbered(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture that tells its number."""
    return np.full((*size, 3), number % 256, np.uint8)


def kept(normal: NormalFrames, seconds: float, fps: float = 10) -> list[int]:
    """Numbers of the frames that are kept of so many."""
    for number in range(round(seconds * fps)):
        normal.offer(a_frame(number / fps, numbered(number)), number / fps)
    return [int(image[0, 0, 0]) for image in normal.frames]


def test_a_known_length_is_covered_evenly():
    assert kept(NormalFrames(SIZE, 20), 20)[:6] == [0, 4, 7, 10, 13, 16]
    assert len(kept(NormalFrames(SIZE, 20), 20)) == MOST_FRAMES


def test_what_comes_after_the_stretch_is_left_out():
    normal = NormalFrames(SIZE, 2)
    assert kept(normal, 5) == list(range(20))
    assert not normal.offer(a_frame(2), 2)


@pytest.mark.parametrize("seconds", [3, 6.4, 6.5, 14, 25])
def test_an_unknown_length_is_covered_evenly_to_its_end(seconds: float):
    numbers = kept(NormalFrames(SIZE, None), seconds)
    assert min(MOST_FRAMES // 2, 10 * seconds) <= len(numbers) <= MOST_FRAMES
    steps = np.diff(numbers)
    assert steps.max() - steps.min() <= 1
    assert 10 * seconds - numbers[-1] <= steps.max() + 1


@pytest.mark.parametrize("length_s", [20, None])
def test_memory_is_bounded_whatever_the_length(length_s: float | None):
    most = NormalFrames(SIZE, length_s, most_bytes=20 * ONE)
    assert LEAST_FRAMES <= len(kept(most, 20)) <= 20
    tiny = NormalFrames(SIZE, length_s, most_bytes=1)
    assert LEAST_FRAMES <= len(kept(tiny, 20)) <= 2 * LEAST_FRAMES


def test_frames_are_of_one_size():
    normal = NormalFrames(SIZE, 10)
    for number, size in enumerate([SIZE, (120, 160), (80, 60)]):
        normal.offer(a_frame(number, numbered(number, size)), number)
    assert [image.shape[:2] for image in normal.frames] == [SIZE] * 2


def test_a_file_is_read_once_and_gives_what_a_sampled_reading_gives(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with VideoWriter(path, (48, 64), 10) as writer:
        for number in range(150):
            writer.write(numbered(number, (48, 64)), number / 10)
    frames = normal_frames(path, 10, Reporter(quiet=True), lambda: None)
    with open_recording(str(path), sample_fps=MOST_FRAMES / 10) as source:
        expected = [frame.image for frame in source.frames() if frame.pts_s < 10]
    assert len(frames) == MOST_FRAMES
    assert all(np.array_equal(a, b) for a, b in zip(frames, expected, strict=True))


def test_a_stretch_in_the_middle_is_covered_evenly(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with VideoWriter(path, (48, 64), 10) as writer:
        for number in range(150):
            writer.write(numbered(number, (48, 64)), number / 10)
    frames = normal_frames(path, 4, Reporter(quiet=True), lambda: None, from_s=5)
    levels = [round(float(image.mean())) for image in frames]
    assert len(levels) == 40
    assert levels == pytest.approx(range(50, 90), abs=2)
