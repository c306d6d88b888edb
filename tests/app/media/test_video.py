"""Written video plays back with its times, also after a kill and on a full disk."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from app.media.video import DiskFullError, VideoError, VideoWriter
from app.sources.file import FileSource
from tests.peers.pattern import SIZE, number_of, picture


def test_pictures_come_back_with_their_times(tmp_path: Path):
    times = [0.0, 0.04, 0.5, 0.9, 3.25]
    with VideoWriter(tmp_path / "x.mp4", SIZE, fps=25) as video:
        for number, pts_s in enumerate(times):
            video.write(picture(number), pts_s)
    with FileSource(tmp_path / "x.mp4") as source:
        frames = list(source.frames())
        assert source.warning == ""
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.pts_s for frame in frames] == pytest.approx(times, abs=1e-4)
    assert np.abs(frames[0].image[60, 20].astype(int) - (200, 90, 30)).max() < 12


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (120, 255), (2, 400)])
def test_odd_sizes_are_padded(tmp_path: Path, size: tuple[int, int]):
    image = np.full((*size, 3), (200, 90, 30), np.uint8)
    with VideoWriter(tmp_path / "x.mp4", size, fps=10) as video:
        for number in range(3):
            video.write(image, number / 10)
    with FileSource(tmp_path / "x.mp4") as source:
        frames = list(source.frames())
    assert len(frames) == 3
    height, width = frames[0].image.shape[:2]
    assert (height % 2, width % 2) == (0, 0)
    assert height >= size[0]
    assert width >= size[1]
    assert np.abs(frames[0].image[-1, -1].astype(int) - (200, 90, 30)).max() < 12


def test_times_that_do_not_rise_are_moved_up(tmp_path: Path):
    with VideoWriter(tmp_path / "x.mp4", SIZE, fps=25) as video:
        for number, pts_s in enumerate([0.0, 1.0, 1.0, 0.5]):
            video.write(picture(number), pts_s)
    with FileSource(tmp_path / "x.mp4") as source:
        assert [number_of(frame.image) for frame in source.frames()] == [0, 1, 2, 3]


def test_a_killed_writer_leaves_a_playable_file(tmp_path: Path):
    script = textwrap.dedent("""
        import os, signal, sys
        from app.media.video import VideoWriter
        from tests.peers.pattern import SIZE, picture
        video = VideoWriter(sys.argv[1], SIZE, fps=25)
        for number in range(400):
            video.write(picture(number), number / 25)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "x.mp4"], check=False)
    assert done.returncode == -9
    with FileSource(tmp_path / "x.mp4") as source:
        seen = [number_of(frame.image) for frame in source.frames()]
    assert len(seen) > 250
    assert seen == list(range(len(seen)))


def test_a_full_disk_is_told_apart():
    noise = np.random.default_rng(0)

    def fill() -> None:
        with VideoWriter("/dev/full", (480, 640), fps=25) as video:
            for number in range(200):
                video.write(noise.integers(0, 255, (480, 640, 3), np.uint8), number / 25)

    with pytest.raises(DiskFullError, match="no room left"):
        fill()


def test_a_disk_that_fills_up_keeps_what_was_written(tmp_path: Path):
    script = textwrap.dedent("""
        import signal, sys
        import numpy as np
        from app.media.video import DiskFullError, VideoWriter
        from tests.small_files import small_files
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        noise = np.random.default_rng(0)
        with small_files(2_000_000):
            video = VideoWriter(sys.argv[1], (240, 320), fps=25)
            try:
                for number in range(1000):
                    video.write(noise.integers(0, 255, (240, 320, 3), np.uint8), number / 25)
            except DiskFullError:
                video.close()
                sys.exit(7)
    """)
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "x.mp4"], check=False)
    assert done.returncode == 7
    with FileSource(tmp_path / "x.mp4") as source:
        assert len(list(source.frames())) > 10


def test_a_place_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(VideoError, match="cannot write the video"):
        VideoWriter(tmp_path / "absent" / "x.mp4", SIZE, fps=25)


def test_misuse_is_refused(tmp_path: Path):
    video = VideoWriter(tmp_path / "x.mp4", SIZE, fps=25)
    with pytest.raises(ValueError, match="but this picture is"):
        video.write(np.zeros((10, 10, 3), np.uint8), 0)
    video.close()
    video.close()
    with pytest.raises(VideoError, match="closed already"):
        video.write(picture(0), 0)
