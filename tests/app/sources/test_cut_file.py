"""Stretches of recorded files as clips."""

from pathlib import Path

import pytest

from app.sources.base import SourceError
from app.sources.cut_file import cut_file
from tests.peers.clip_script import shown_in
from tests.peers.pattern import Coding, picture, write_video
from tests.small_files import small_files

FPS = 25


def film(path: Path, codec: str = "libx264", b_frames: int = 0) -> Path:
    coding = Coding(gop=FPS, b_frames=b_frames)
    return write_video(path, map(picture, range(150)), codec, coding=coding)


@pytest.mark.parametrize(
    ("name", "codec", "b_frames"),
    [
        ("plain.mp4", "libx264", 0),
        ("b_frames.mp4", "libx264", 2),
        ("b_frames.mkv", "libx264", 2),
        ("hevc.mp4", "libx265", 2),
    ],
)
def test_a_stretch_begins_at_the_key_frame_before(
    name: str, codec: str, b_frames: int, tmp_path: Path
):
    clip = tmp_path / "clip.mp4"
    from_s = cut_file(film(tmp_path / name, codec, b_frames), 2.3, 4.0, clip)
    shown = shown_in(clip)
    assert from_s == pytest.approx(2.0, abs=0.002)
    assert shown.begins_with_key
    assert shown.numbers[:48] == list(range(50, 98))
    assert shown.at_s[:48] == pytest.approx([n / FPS for n in range(48)], abs=0.002)
    assert shown.numbers[-1] < 108


def test_a_stretch_may_begin_at_the_start_and_end_behind_the_end(tmp_path: Path):
    clip = tmp_path / "clip.mp4"
    assert cut_file(film(tmp_path / "film.mp4"), 0.0, 60.0, clip) == 0.0
    assert shown_in(clip).numbers == [*range(150)]


@pytest.mark.parametrize(("name", "codec"), [("v.avi", "mjpeg"), ("v.ts", "libx264")])
def test_what_cannot_be_cut_is_left_as_it_is(name: str, codec: str, tmp_path: Path):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / name, map(picture, range(50)), codec, pixels)
    assert cut_file(path, 0.0, 1.0, tmp_path / "clip.mp4") is None
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_what_is_no_video_is_refused(tmp_path: Path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(SourceError, match=r"a\.mp4: not a video that can be read"):
        cut_file(tmp_path / "a.mp4", 0.0, 1.0, tmp_path / "clip.mp4")


def test_a_disk_that_takes_no_more_leaves_nothing_of_a_clip(tmp_path: Path):
    path = film(tmp_path / "film.mp4")
    with small_files(2000), pytest.raises(OSError, match="too large"):
        cut_file(path, 0.0, 5.0, tmp_path / "clip.mp4")
    assert [one.name for one in tmp_path.iterdir()] == ["film.mp4"]
