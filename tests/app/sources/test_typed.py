"""Where a camera's address may be kept, so that the list of processes does not show it."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import UsageError
from app.sources.typed import check_words, read_source
from tests.app.short_watch import run_nomaly

ADDRESS = "rtsp://ann:hunter2canary@cam/1"


def test_an_address_comes_out_of_the_environment_and_leaves_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HALL_CAMERA", f"{ADDRESS}\n")
    told: list[str] = []
    assert read_source("env:HALL_CAMERA", told.append) == ADDRESS
    assert "HALL_CAMERA" not in os.environ
    assert told == []


@pytest.mark.parametrize(("mode", "notes"), [(0o600, 0), (0o644, 1), (0o640, 1)])
def test_an_address_comes_out_of_a_file_that_is_best_private(tmp_path: Path, mode: int, notes: int):
    file = tmp_path / "hall"
    file.write_text(f"\n{ADDRESS}\n")
    file.chmod(mode)
    told: list[str] = []
    assert read_source(f"@{file}", told.append) == ADDRESS
    assert len(told) == notes
    assert all(f"chmod 600 {file}" in note for note in told)


def test_an_address_comes_through_standard_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ADDRESS}\nmore\n"))
    assert read_source("-", print) == ADDRESS


def test_a_typed_secret_is_told_of_once_and_anything_else_means_itself():
    told: list[str] = []
    for word in ("0", "shift.mp4", "rtsp://cam/1", ADDRESS):
        assert read_source(word, told.append) == word
    assert len(told) == 1
    assert "env:NAME" in told[0]
    assert "hunter2canary" not in told[0]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"rtsp://a/1\nrtsp://b/1", b"\xff\xfe"])
def test_what_holds_no_address_is_refused(tmp_path: Path, content: bytes):
    file = tmp_path / "hall"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"holds no address|it is no text"):
        read_source(f"@{file}", lambda _: None)
    with pytest.raises(UsageError, match=r"env:NO_SUCH_CAMERA: holds no address"):
        read_source("env:NO_SUCH_CAMERA", print)
    with pytest.raises(UsageError, match="No such file"):
        read_source(f"@{file}.none", print)


@pytest.mark.parametrize(
    "words",
    [
        ["audit", ADDRESS],
        ["audit", "a.mp4", "--normal", ADDRESS],
        ["audit", "a.mp4", f"--normal={ADDRESS}"],
        ["fit", "-q", ADDRESS],
        ["name", "http://cam/shot.jpg?loginpas=hunter2canary"],
        ["evaluate", "http://ann:hunter2canary@cam/"],
        ["train", "--out", ADDRESS],
    ],
)
def test_an_address_in_a_files_place_is_a_camera(words: list[str]):
    with pytest.raises(UsageError, match="that is a camera, not a file: nomaly watch ADDR") as no:
        check_words(words)
    assert "hunter2canary" not in str(no.value)


@pytest.mark.parametrize(
    "words",
    [
        ["watch", ADDRESS],
        ["annotate", "llm", "--base-url", "http://ann:pw@127.0.0.1:8000/v1"],
        ["scenario", "rate", "hall", "--base-url=http://127.0.0.1:8000/v1"],
        ["audit", "file:///videos/a.mp4"],
        ["embedder", "fetch", "https://host/model"],
        [],
    ],
)
def test_an_address_in_its_place_is_none_of_our_business(words: list[str]):
    check_words(words)


def test_the_command_refuses_a_camera_at_once_and_hides_its_secrets(tmp_path: Path):
    done = run_nomaly("fit", "rtsp://ann:se/cr'et hunter2canary@cam/1", "--debug")
    assert done.returncode == 2
    assert "rtsp://ann:***@cam/1: that is a camera" in done.stderr
    assert "hunter2canary" not in done.stderr + done.stdout
    other = run_nomaly("model", "show", "http://ann:hunter2canary@cam/1")
    assert "http://ann:***@cam/1: " in other.stderr
    assert "hunter2canary" not in other.stderr


def test_what_steers_a_terminal_is_not_printed(tmp_path: Path):
    done = run_nomaly("audit", "a\x1b[31m\x07\x9b.mp4", "--normal-first", "1", "--out", tmp_path)
    assert done.returncode == 2
    assert "a?[31m??.mp4: there is no such file" in done.stderr


def test_a_watch_that_reads_its_address_elsewhere_has_no_secret_in_its_command_line(
    tmp_path: Path,
):
    file = tmp_path / "hall"
    file.write_text("rtsp://ann:hunter2canary@127.0.0.1:9/1")
    file.chmod(0o600)
    words = ["watch", f"@{file}", "--learn", "1", "--connect", "1", "--out", tmp_path / "out"]
    nomaly = Path(sys.executable).with_name("nomaly")
    with subprocess.Popen([nomaly, *words], stderr=subprocess.PIPE, text=True) as watch:
        shown = Path(f"/proc/{watch.pid}/cmdline").read_bytes()
        _, said = watch.communicate(timeout=150)
    assert watch.returncode == 3
    assert b"hunter2canary" not in shown
    assert "hunter2canary" not in said
    assert re.search(r"rtsp://ann:\*\*\*@127\.0\.0\.1:9/1: connection refused", said)
