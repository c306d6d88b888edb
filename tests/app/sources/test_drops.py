"""A folder into which a camera puts images and videos: order, files half written, damaged ones."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from app.sources.base import UnreachableError
from app.sources.drops import DropFolder, DropSettings
from app.sources.open import check_live, kind_of, open_live
from detectors.types import Frame
from tests.peers.pattern import SIZE, number_of, picture

AT_ONCE = DropSettings(look_s=0.0, settle_s=0.0)


def put(folder: Path, name: str, number: int) -> Path:
    """An image that shows a number, there all at once."""
    beside = folder / f".{name}"
    Image.fromarray(picture(number)).save(beside, "PNG")
    return beside.rename(folder / name)


def taken(source: DropFolder) -> list[Frame]:
    """All that has come by now."""
    frames = []
    while (frame := source.take()) is not None:
        frames.append(frame)
    return frames


def numbers(source: DropFolder) -> list[int]:
    return [number_of(frame.image) for frame in taken(source)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hall").mkdir()
    return tmp_path / "hall"


def test_what_comes_is_given_in_the_order_of_its_times_and_what_lay_there_is_not(folder: Path):
    put(folder, "20260101_120000.png", 1)
    with DropFolder(folder, settings=AT_ONCE) as source:
        assert source.info.camera == "hall"
        assert taken(source) == []
        put(folder, "20260101_120009.png", 3)
        put(folder, "20260101_120007.png", 2)
        (folder / "notes.txt").write_text("no image")
        frames = taken(source)
        assert [number_of(frame.image) for frame in frames] == [2, 3]
        assert [frame.pts_s for frame in frames] == [0.0, 2.0]
        assert [frame.index for frame in frames] == [0, 1]
        assert (source.info.size, source.info.time_from) == (SIZE, "name")
        # One that comes too late is not left out, and time goes on.
        put(folder, "20260101_120008.png", 4)
        [late] = taken(source)
        assert frames[-1].pts_s < late.pts_s < frames[-1].pts_s + 0.1


def test_a_file_that_is_written_anew_comes_again(folder: Path):
    with DropFolder(folder, settings=AT_ONCE) as source:
        for number in (1, 2):
            put(folder, "latest.png", number)
            assert numbers(source) == [number]
            assert numbers(source) == []


def test_half_a_file_is_waited_for_and_nothing_overtakes_it(folder: Path, tmp_path: Path):
    whole = put(tmp_path, "whole.png", 1).read_bytes()
    with DropFolder(folder, settings=AT_ONCE) as source:
        (folder / "20260101_120000.png").write_bytes(whole[: len(whole) // 2])
        put(folder, "20260101_120001.png", 2)
        assert numbers(source) == numbers(source) == []
        (folder / "20260101_120000.png").write_bytes(whole)
        assert numbers(source) == [1, 2]
        assert source.gaps == []


def test_what_never_becomes_whole_is_told_and_left(folder: Path):
    impatient = DropSettings(look_s=0.0, settle_s=0.0, give_up_s=0.0)
    with DropFolder(folder, settings=impatient) as source:
        put(folder, "20260101_120000.png", 1)
        (folder / "20260101_120001.png").write_bytes(b"no image")
        assert numbers(source) == [1]
        put(folder, "20260101_120002.png", 2)
        assert numbers(source) == [2]
        [gap] = source.gaps
        assert (gap.reason, gap.end_us is not None) == ("damaged", True)
        assert gap.detail.startswith("20260101_120001.png is not an image")
        assert source.stats.corrupt == 1


def test_a_video_is_given_frame_by_frame(folder: Path, tmp_path: Path, clip: Path):
    with DropFolder(folder, sample_fps=5, settings=AT_ONCE) as source:
        shutil.copy(clip, tmp_path / "part.mp4")
        (tmp_path / "part.mp4").rename(folder / "20260101_120000.mp4")
        put(folder, "20260101_130000.png", 7)
        frames = taken(source)
        times = [frame.pts_s for frame in frames]
        assert times == sorted(set(times))
        assert len(frames) > 3
        assert times[-1] == 3600.0
        assert number_of(frames[-1].image) == 7


def test_a_folder_that_goes_and_comes_back(folder: Path):
    with DropFolder(folder, settings=AT_ONCE) as source:
        away = folder.rename(folder.with_name("away"))
        assert taken(source) == []
        assert source.gaps[-1].reason == "unreachable"
        put(away.rename(folder), "20260101_120001.png", 1)
        assert numbers(source) == [1]
        assert source.gaps[-1].end_us is not None
        assert not source.ended
    assert source.ended
    assert list(source.frames()) == []


def test_a_folder_is_watched_by_its_name(folder: Path):
    assert kind_of(str(folder)) == "folder"
    check_live(str(folder))
    with open_live(str(folder), camera="gate") as source:  # pyright: ignore[reportGeneralTypeIssues]
        assert isinstance(source, DropFolder)
        assert source.connect(1.0).camera == "gate"
    with pytest.raises(UnreachableError, match="nowhere: cannot be read: No such file"):
        DropFolder(folder / "nowhere")
