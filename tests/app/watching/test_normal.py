"""Few frames of much footage, evenly over its time."""

import struct
from pathlib import Path

import numpy as np
import pytest

from app.errors import UsageError
from app.media.video import VideoWriter
from app.progress import Reporter
from app.sources.open import open_recording
from app.watching.normal import LEAST_FRAMES, MOST_FRAMES, NormalFrames, normal_frames
from detectors.types import Pixels
from tests.app.builders import SIZE, a_frame
from tests.peers.pattern import write_video

QUIET = Reporter(quiet=True)
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
    frames = normal_frames([path], 10, QUIET, lambda: None)
    with open_recording(str(path), sample_fps=MOST_FRAMES / 10) as source:
        expected = [frame.image for frame in source.frames() if frame.pts_s < 10]
    assert len(frames) == MOST_FRAMES
    assert all(np.array_equal(a, b) for a, b in zip(frames, expected, strict=True))


def recorded(path: Path, levels: range, size: tuple[int, int] = (48, 64)) -> Path:
    """Ten frames a second whose grey level tells their number."""
    pictures = [numbered(level, size) for level in levels]
    return write_video(path, pictures, fps=10)


def levels_of(frames: list[Pixels]) -> list[int]:
    return [round(float(image.mean())) for image in frames]


def announcing(path: Path, seconds: float) -> Path:
    """A Matroska file that announces another length than it has."""
    data = path.read_bytes()
    at = data.index(bytes([0x44, 0x89, 0x88])) + 3
    path.write_bytes(data[:at] + struct.pack(">d", seconds * 1000) + data[at + 8 :])
    return path


@pytest.mark.parametrize("announced_s", [1, 5, 20, 45, 400])
def test_frames_cover_the_whole_file_whatever_it_announces(tmp_path: Path, announced_s: float):
    path = announcing(recorded(tmp_path / "a.mkv", range(200)), announced_s)
    with open_recording(str(path)) as source:
        assert source.info.duration_s == announced_s
    levels = levels_of(normal_frames([path], None, QUIET, lambda: None))
    assert MOST_FRAMES / 2 - 1 <= len(levels) <= MOST_FRAMES
    assert levels[0] <= 3
    assert levels[-1] >= 190
    assert np.diff(levels).max() <= 15


@pytest.mark.parametrize("announced_s", [5, 12, 400])
def test_no_frame_behind_the_asked_seconds_is_taken(tmp_path: Path, announced_s: float):
    path = announcing(recorded(tmp_path / "a.mkv", range(200)), announced_s)
    levels = levels_of(normal_frames([path], 13, QUIET, lambda: None))
    assert MOST_FRAMES / 2 - 1 <= len(levels) <= MOST_FRAMES
    assert 120 <= levels[-1] <= 130


def test_several_files_share_the_frames_evenly(tmp_path: Path):
    day = recorded(tmp_path / "day.mkv", range(120))
    night = recorded(tmp_path / "night.mkv", range(120, 240))
    levels = levels_of(normal_frames([day, night], None, QUIET, lambda: None))
    assert len(levels) == MOST_FRAMES
    assert levels[MOST_FRAMES // 2 - 1] < 118 <= levels[MOST_FRAMES // 2]
    assert np.diff(levels).max() <= 8


def test_of_very_many_files_each_kept_one_gives_a_frame(tmp_path: Path):
    path = recorded(tmp_path / "a.mkv", range(3))
    frames = normal_frames([path] * 100, None, QUIET, lambda: None)
    assert len(frames) == MOST_FRAMES


def test_files_of_one_shape_are_scaled_and_others_refused(tmp_path: Path):
    first = recorded(tmp_path / "a.mkv", range(60))
    small = recorded(tmp_path / "b.mkv", range(60), (24, 32))
    tall = recorded(tmp_path / "c.mkv", range(60), (64, 48))
    frames = normal_frames([first, small], None, QUIET, lambda: None)
    assert {image.shape for image in frames} == {(48, 64, 3)}
    with pytest.raises(
        UsageError, match=r"c\.mkv: its pictures of 48x64 pixels have another shape"
    ):
        normal_frames([first, tall], None, QUIET, lambda: None)


def test_a_stretch_in_the_middle_is_covered_evenly(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with VideoWriter(path, (48, 64), 10) as writer:
        for number in range(150):
            writer.write(numbered(number, (48, 64)), number / 10)
    levels = levels_of(normal_frames([path], 4, QUIET, lambda: None, from_s=5))
    assert len(levels) == 40
    assert levels == pytest.approx(range(50, 90), abs=2)
