"""What plainly cannot be watched is said before anything heavy is loaded."""

import sys
from pathlib import Path

import pytest

from app.errors import UsageError
from app.media.video import VideoWriter
from app.sources.base import SourceError, UnreachableError
from app.watching.asked import check_watch
from novic.errors import NomalyError
from tests.app.builders import SIZE, a_frame
from tests.app.short_watch import run_nomaly

CAMERA = "rtsp://127.0.0.1:9/x"


def check(
    source: str,
    learn_s: float | None = 10,
    detector: Path | None = None,
    seconds: dict[str, float | None] | None = None,
) -> None:
    check_watch(source, learn_s=learn_s, detector=detector, seconds=seconds or {})


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, SIZE, 5) as writer:
        for number in range(20):
            writer.write(a_frame().image, number / 5)
    return path


def test_what_can_be_watched_passes(video: Path, tmp_path: Path):
    check(CAMERA, 20, seconds={"--for": 60, "--connect": None})
    check("http://viewer:secret@[::1]:8080/mjpeg")
    check(str(video), 3)
    check(f"file://{video}", 3)
    check(str(video), None, tmp_path)


@pytest.mark.parametrize(
    ("source", "learn_s", "error", "sentence"),
    [
        (CAMERA, None, UsageError, "either --learn SECONDS or --detector FOLDER"),
        (CAMERA, 0, UsageError, "--learn 0: must be above 0 seconds"),
        (CAMERA, -3, UsageError, "--learn -3: must be above 0 seconds"),
        (CAMERA, float("nan"), UsageError, "--learn nan: must be above 0 seconds"),
        ("rtsp:///x", 5, UnreachableError, "the address names no host"),
        ("gopher://host/x", 5, UnreachableError, "cannot read gopher:// addresses, only rtsp://"),
        ("nowhere.mp4", 5, UsageError, "nowhere.mp4: there is no such file$"),
        ("./cams/a.mp4", 5, UsageError, "there is no such file$"),
        ("192.168.0.9:554/live", 5, UsageError, "if that is a camera, write rtsp://192.168.0.9"),
        ("camera.lan/live", 5, UsageError, "write rtsp://camera.lan/live or http://camera.lan"),
    ],
)
def test_what_cannot_be_watched(
    source: str, learn_s: float | None, error: type[NomalyError], sentence: str
):
    with pytest.raises(error, match=sentence):
        check(source, learn_s)


@pytest.mark.parametrize("option", ["--for", "--connect"])
def test_every_length_of_time_is_above_nothing(option: str):
    with pytest.raises(UsageError, match=f"{option} 0: must be above 0 seconds"):
        check(CAMERA, seconds={option: 0})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a file for each webcam")
def test_a_webcam_that_there_is_not():
    with pytest.raises(UnreachableError, match=r"webcam 9999999: there is no /dev/video9999999;"):
        check("9999999")


def test_a_stretch_to_learn_from_that_leaves_nothing_to_watch(video: Path):
    with pytest.raises(UsageError, match=r"--learn 1000: .*a.mp4 lasts only 4.0 s; nothing would"):
        check(str(video), 1000)


def test_a_file_that_is_no_video(tmp_path: Path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    with pytest.raises(SourceError, match=r"notes\.mp4"):
        check(str(path))


def test_a_detector_that_there_is_not(tmp_path: Path):
    with pytest.raises(UsageError, match=r"--detector .*nowhere: there is no such folder"):
        check(CAMERA, None, tmp_path / "nowhere")


def test_the_command_answers_before_it_makes_anything(tmp_path: Path):
    done = run_nomaly("watch", "nowhere.mp4", "--learn", "5", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nomaly: nowhere.mp4: there is no such file\n"
    assert not (tmp_path / "out").exists()
