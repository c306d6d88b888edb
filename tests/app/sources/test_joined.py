"""Several files as one recording."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.sources.base import SourceError
from app.sources.file import FileSource
from app.sources.joined import JoinedSource, Recorded, recordings
from app.sources.prefetch import Prefetched
from tests.peers.pattern import number_of, picture, write_video

FPS = 10


def clip(folder: Path, name: str, first: int, frames: int = 30) -> Path:
    return write_video(folder / name, map(picture, range(first, first + frames)), fps=FPS)


def one_of(*videos: Path) -> Recorded:
    (recorded,) = recordings(videos)
    return recorded


def seen(source: JoinedSource) -> list[tuple[int, float]]:
    with source:
        return [(number_of(frame.image), round(frame.pts_s, 3)) for frame in source.frames()]


@pytest.fixture
def day(tmp_path: Path) -> list[Path]:
    """Three files of three seconds: the second follows at once, the third eight seconds later."""
    folder = tmp_path / "hall"
    folder.mkdir()
    return [
        clip(folder, "20240131T101506Z.mp4", 30),
        clip(folder, "20240131T101503Z.mp4", 0),
        clip(folder, "20240131T101517Z.mp4", 60),
    ]


def expected(first: int = 0) -> list[tuple[int, object]]:
    whole = [(n, n / FPS) if n < 60 else (n, 14 + (n - 60) / FPS) for n in range(first, 90)]
    return [(number, pytest.approx(at_s)) for number, at_s in whole]


def test_files_whose_names_tell_their_times_are_one_recording_with_its_gaps(day: list[Path]):
    recorded = one_of(*day)
    source = JoinedSource(recorded)
    assert (source.info.camera, source.info.time_from) == ("hall", "name")
    assert (source.info.uri, source.info.duration_s) == (str(day[0].parent), 17)
    assert seen(source) == expected()
    (gap,) = source.gaps
    began_us = datetime(2024, 1, 31, 10, 15, 3, tzinfo=UTC).timestamp() * 1e6
    assert (gap.reason, gap.detail) == ("missing", "no file tells of this time")
    assert (gap.start_us, gap.end_us) == (began_us + 6e6, began_us + 14e6)


@pytest.mark.parametrize(
    ("start_s", "first"), [(1.5, 15), (3.0, 30), (4.2, 42), (10, 60), (15, 70)]
)
def test_reading_begins_in_any_file(day: list[Path], start_s: float, first: int):
    assert seen(JoinedSource(one_of(*day), start_s=start_s)) == expected(first)


def test_frames_rise_and_carry_the_clock(day: list[Path]):
    with Prefetched(JoinedSource(one_of(*day), camera="gate", sample_fps=2)) as source:
        frames = list(source.frames())
        gaps = source.gaps
    assert {frame.camera for frame in frames} == {"gate"}
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert len(frames) == 18
    assert frames[-1].time_us - frames[0].time_us == round(frames[-1].pts_s * 1e6)
    assert len(gaps) == 1


def test_a_file_that_cannot_be_read_is_a_gap(day: list[Path]):
    recorded = one_of(*day)
    day[0].write_bytes(b"no video")
    source = JoinedSource(recorded)
    assert seen(source) == [*expected()[:30], *expected(60)]
    assert [(gap.end_us or 0) - gap.start_us for gap in source.gaps] == [11_000_000]
    (fault,) = source.failed
    assert fault.startswith(f"{day[0]}: not a video that can be read")


def test_a_file_that_does_not_fit_is_left_out(day: list[Path]):
    def fits(file: FileSource) -> str:
        return "too tall" if "101506" in file.info.uri else ""

    source = JoinedSource(one_of(*day), fits=fits)
    assert len(seen(source)) == 60
    assert source.failed == ["too tall"]


def test_if_no_file_can_be_read_the_last_reason_is_told(day: list[Path]):
    recorded = one_of(*day)
    for video in day:
        video.write_bytes(b"no video")
    with pytest.raises(SourceError, match="not a video that can be read"):
        JoinedSource(recorded)


def test_files_without_times_or_at_one_time_are_recordings_of_their_own(tmp_path: Path):
    plain = [clip(tmp_path, name, 0) for name in ("a.mp4", "b.mp4")]
    assert [one.joined for one in recordings(plain)] == [False, False]
    same = [clip(tmp_path, f"{camera}_20240131_101500.mp4", 0) for camera in "ab"]
    assert [one.uri for one in recordings(same)] == [str(path) for path in same]


def test_files_that_overlap_a_little_are_put_one_behind_the_other(tmp_path: Path):
    videos = [clip(tmp_path, f"20240131_10150{second}.mp4", 30 * second) for second in (0, 2)]
    recorded = one_of(*videos)
    assert [part.start_s for part in recorded.parts] == [0, 3]
    source = JoinedSource(recorded)
    assert [round(at_s, 3) for _, at_s in seen(source)] == [n / FPS for n in range(60)]
    assert source.gaps == []
