"""Files, folders and patterns that people name."""

from pathlib import Path

import pytest

from app.errors import UsageError
from app.sources.folder import camera_of, find_videos


def folder_of(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def found(*named: Path) -> tuple[list[str], list[str]]:
    """Names of the files, and what was said."""
    said: list[str] = []
    return [video.name for video in find_videos(named, said.append)], said


def test_a_folder_gives_its_videos_in_the_order_of_their_names(tmp_path: Path):
    hall = folder_of(tmp_path / "hall", "10.mp4", "9.mp4", "11.MKV", ".hidden.mp4")
    assert found(hall) == (["9.mp4", "10.mp4", "11.MKV"], [])
    assert camera_of([hall]) == "hall"
    assert camera_of([hall / "9.mp4"]) == ""


def test_times_in_names_come_before_the_names(tmp_path: Path):
    hall = folder_of(tmp_path / "hall", "a_20240131_101500.mp4", "b_20240131_100500.mp4")
    assert found(hall)[0] == ["b_20240131_100500.mp4", "a_20240131_101500.mp4"]


def test_what_is_left_out_is_told(tmp_path: Path):
    hall = folder_of(tmp_path / "hall", "a.mp4", "notes.txt", "b.jpg")
    (hall / "older").mkdir()
    names, said = found(hall)
    assert names == ["a.mp4"]
    assert said == [
        f"{hall}: 1 videos; left out what is none, or lies deeper: b.jpg, notes.txt, older (3)"
    ]


def test_a_pattern_gives_what_it_matches(tmp_path: Path):
    hall = folder_of(tmp_path / "hall", "a1.mp4", "a2.mp4", "b1.mp4", "a.txt")
    assert found(hall / "a*") == (["a1.mp4", "a2.mp4"], [])
    assert found(tmp_path / "**" / "?1.mp4") == (["a1.mp4", "b1.mp4"], [])
    with pytest.raises(UsageError, match=r"c\*: no video file and no image matches this pattern"):
        found(hall / "c*")


def test_a_folder_without_videos_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="is a folder without video files or images"):
        found(folder_of(tmp_path / "hall", "a.txt"))


def test_files_and_addresses_stay_as_they_are(tmp_path: Path):
    named = [Path("a[1].mp4"), Path("rtsp://ann:p?w@cam/1")]
    (tmp_path / "a[1].mp4").touch()
    assert find_videos([tmp_path / named[0], named[1]], print) == [tmp_path / named[0], named[1]]
