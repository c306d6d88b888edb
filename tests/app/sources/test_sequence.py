"""Images in a row as a recording: what means them, times, gaps, sizes, thinning, seeking."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from app.errors import UsageError
from app.progress import Reporter
from app.sources.base import Recording, SourceError
from app.sources.folder import camera_of, find_videos
from app.sources.glance import ends_before, glance
from app.sources.image_times import image_times
from app.sources.open import check_recording, open_recording
from app.sources.sequence import SequenceSource, sequence_files
from app.watching.normal import normal_frames
from tests.peers.pattern import SIZE, number_of, numbered_images, picture


def told(source: Recording) -> list[tuple[int, float]]:
    """The number in each picture, and its time."""
    with source:
        return [(number_of(frame.image), round(frame.pts_s, 3)) for frame in source.frames()]


def numbers(path: Path) -> list[int]:
    return [number for number, _ in told(SequenceSource(path))]


def meant(*named: Path) -> Path:
    """The one recording that some paths mean."""
    [found] = find_videos(named, lambda _: None)
    check_recording(found)
    return found


def test_a_folder_a_pattern_and_named_files_are_one_recording(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 12, "{}.png")
    (hall / "notes.txt").touch()
    assert meant(hall) == hall
    for path in (hall, hall / "*.png", hall / "%d.png"):
        assert numbers(meant(path)) == list(range(12))
    some = meant(hall / "10.png", hall / "9.png", hall / "2.png")
    assert numbers(some) == [2, 9, 10]
    with open_recording(str(some)) as source:
        assert source.info.camera == camera_of([hall]) == camera_of([hall / "9.png"]) == "hall"
        assert source.info.size == SIZE


def test_a_pattern_of_digits_takes_no_other_numbers(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 3, "frame_{:04d}.png")
    Image.fromarray(picture(9)).save(hall / "frame_07.png")
    Image.fromarray(picture(9)).save(hall / "frame_0001_small.png")
    assert numbers(hall / "frame_%04d.png") == [0, 1, 2]
    assert len(sequence_files(hall)) == 5


def test_without_times_there_is_one_a_second_or_as_many_as_are_said(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 4)
    assert told(SequenceSource(hall)) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert told(SequenceSource(hall, assume_fps=4))[-1] == (3, 0.75)
    with SequenceSource(hall, start_time=datetime(2026, 1, 2, tzinfo=UTC)) as source:
        assert (source.info.fps, source.info.duration_s, source.info.time_from) == (1, 4, "given")
        assert next(source.frames()).time_us == 1_767_312_000_000_000
    with pytest.raises(UsageError, match="assume_fps must be above 0"):
        SequenceSource(hall, assume_fps=0)


def test_times_in_names_count_and_images_of_one_second_are_spread_over_it(tmp_path: Path):
    hall = tmp_path / "hall"
    hall.mkdir()
    names = ("b_20240131_101500Z", "a_20240131_101502Z_1", "a_20240131_101502Z_2")
    for number, name in enumerate(names):
        Image.fromarray(picture(number)).save(hall / f"{name}.png")
    assert told(SequenceSource(hall)) == [(0, 0), (1, 2), (2, 2.5)]
    with SequenceSource(hall) as source:
        assert source.info.time_from == "name"
        assert next(source.frames()).time_us == 1_706_696_100_000_000
    # What is said counts, in the order of the names.
    assert told(SequenceSource(hall, assume_fps=10)) == [(1, 0), (2, 0.1), (0, 0.2)]


def test_numbers_below_a_day_s_folder_are_no_times(tmp_path: Path):
    day = numbered_images(tmp_path / "2024-01-31", 3, "{:04d}.png")
    assert image_times(sequence_files(day)).time_from == "modified"
    clock = numbered_images(tmp_path / "2024-02-01", 3, "10-15-{:02d}.png")
    assert image_times(sequence_files(clock)).time_from == "name"


def test_cameras_that_write_exif_are_believed(tmp_path: Path):
    for number, (second, fraction) in enumerate([(7, "0"), (7, "5"), (9, "25")]):
        exif = Image.Exif()
        taken = f"2024:01:31 10:15:{second:02d}"
        exif[0x8769] = {0x9003: taken, 0x9291: fraction, 0x9011: "+01:00"}
        Image.fromarray(picture(number)).save(tmp_path / f"{9 - number}.png", exif=exif)
    assert told(SequenceSource(tmp_path)) == [(0, 0), (1, 0.5), (2, 2.25)]
    times = image_times(sequence_files(tmp_path))
    assert (times.time_from, times.began) == (
        "container",
        datetime(2024, 1, 31, 9, 15, 7, tzinfo=UTC),
    )


def test_reading_goes_on_from_any_moment_with_the_same_frames(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 20)
    everything = told(SequenceSource(hall, assume_fps=10))
    for start_s in (0.0, 0.05, 0.7, 1.9):
        later = [one for one in everything if one[1] >= start_s]
        assert told(SequenceSource(hall, start_s=start_s, assume_fps=10)) == later
    thinned = told(SequenceSource(hall, sample_fps=2, assume_fps=10))
    assert [number for number, _ in thinned] == [0, 5, 10, 15]
    assert told(SequenceSource(hall, sample_fps=2, start_s=1.0, assume_fps=10)) == thinned[2:]
    with pytest.raises(SourceError, match=r"last image is at 1\.9 s, .* nothing from 2 s on"):
        SequenceSource(hall, start_s=2.0, assume_fps=10)


def test_a_torn_image_is_left_out_and_told_as_a_gap(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 6)
    for name in ("0000.png", "0003.png"):
        (hall / name).write_bytes(b"\x89PNG torn")
    with SequenceSource(hall) as source:
        assert source.info.size == SIZE
        assert [number_of(frame.image) for frame in source.frames()] == [1, 2, 4, 5]
        assert "2 images could not be read (0000.png is not an image" in source.warning
        [gap] = source.gaps
        assert (gap.reason, gap.detail) == ("damaged", "1 images could not be read")
        assert gap.end_us is not None
        assert gap.end_us - gap.start_us == 2_000_000
    for name in sequence_files(hall):
        name.write_bytes(b"")
    with pytest.raises(SourceError, match=r"none of its images can be read \(0000.png"):
        SequenceSource(hall)


def test_a_pause_in_a_regular_sequence_is_a_gap(tmp_path: Path):
    hall = tmp_path / "hall"
    hall.mkdir()
    seconds = [*range(40), *range(52, 60)]
    for second in seconds:
        image = Image.fromarray(picture(second))
        image.save(hall / f"20240131T1015{second:02d}Z.png", compress_level=1)
    with SequenceSource(hall) as source:
        frames = list(source.frames())
        [gap] = source.gaps
    assert [round(frame.pts_s) for frame in frames] == seconds
    assert (gap.reason, (gap.end_us or 0) - gap.start_us) == ("missing", 13_000_000)
    assert all(earlier.time_us < later.time_us for earlier, later in pairwise(frames))


def test_each_image_comes_in_its_own_size(tmp_path: Path):
    for number, size in enumerate([(120, 256), (120, 256), (60, 128)]):
        Image.fromarray(picture(number, size)).save(tmp_path / f"{number}.png")
    with SequenceSource(tmp_path) as source:
        assert [frame.image.shape[:2] for frame in source.frames()] == [(120, 256)] * 2 + [
            (60, 128)
        ]


def test_normal_frames_and_a_quick_look_come_from_images_too(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 90)
    frames = normal_frames([hall], None, Reporter(quiet=True), lambda: None)
    assert len(frames) == 64
    seen = glance(hall)
    assert len(seen.pictures) == 48
    assert seen.length_s == 90
    assert list(seen.times_s) == sorted(seen.times_s)
    assert ends_before(hall, 100.0) == 90
    assert ends_before(hall, 80.0) is None


def test_what_is_mixed_or_empty_is_refused_with_what_was_found(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 9)
    (hall / "a.mp4").touch()
    with pytest.raises(UsageError, match=r"1 videos \(a\.mp4, \.\.\.\) and 9 images \(0000\.png"):
        find_videos([hall], lambda _: None)
    assert numbers(meant(hall / "*.png")) == list(range(9))
    with pytest.raises(UsageError, match=r"a\.mp4 is named beside images"):
        find_videos([hall / "a.mp4", hall / "0000.png", hall / "0001.png"], lambda _: None)
    other = numbered_images(tmp_path / "other", 1)
    with pytest.raises(UsageError, match="images of several folders"):
        find_videos([hall / "0000.png", other / "0000.png"], lambda _: None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is a folder without video files or images"):
        find_videos([tmp_path / "empty"], lambda _: None)
    with pytest.raises(UsageError, match="there is no such file"):
        check_recording(hall / "x_%03d.png")


def test_covers_beside_videos_are_no_sequence(tmp_path: Path):
    hall = numbered_images(tmp_path / "hall", 10)
    for number in range(10):
        (hall / f"{number:04d}.mp4").touch()
    assert len(find_videos([hall], lambda _: None)) == 10
