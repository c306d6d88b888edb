"""The whole path on a real video file: the installed command, its files and its faults."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from app.demo.footage import DemoPlan
from app.demo.score import score_demo
from app.events.schema import STORE
from app.events.store import Store
from app.media.video import VideoWriter
from app.sources.open import open_recording
from detectors.scaling import resized
from novic.bundle import load_bundle
from novic.model import starter_bundle_path
from tests.app.short_watch import LEARN_S, NOMALY, run_nomaly, start_nomaly

pytestmark = pytest.mark.slow


def events_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_both_intruders_are_found_and_named(audited: tuple[Path, str], plan: DemoPlan):
    result = json.loads(audited[1])
    score = score_demo(plan, result["events"], load_bundle(starter_bundle_path()).hypernyms)
    assert score.found == 2
    assert score.false_events == 0
    assert score.named_top3 == 2
    assert result["frames"] == round((plan.duration_s - LEARN_S) * plan.fps)
    assert result["fps"] > 0
    assert result["detector_fps"] > 0
    for event in result["events"]:
        assert {"id", "camera", "start_s", "end_s", "box", "score", "noun", "p"} <= set(event)
        assert event["candidates"][0] == [event["noun"], event["p"]]


def test_all_outputs_tell_the_same(audited: tuple[Path, str]):
    folder, line = audited
    told = json.loads(line)["events"]
    assert events_in(folder) == told
    db = sqlite3.connect(folder / STORE)
    stored = db.execute("SELECT id, noun FROM event JOIN candidate ON id = event_id WHERE rank = 0")
    assert sorted(stored) == sorted((event["id"], event["noun"]) for event in told)
    page = (folder / "report.html").read_text()
    assert all(event["noun"] in page for event in told)
    assert all((folder / "crops" / f"{event['id']}.jpg").exists() for event in told)


def test_the_annotated_video_shows_the_audited_stretch(audited: tuple[Path, str], clip: Path):
    result = json.loads(audited[1])
    with open_recording(str(audited[0] / "annotated.mp4")) as video:
        still, *drawn = list(video.frames())
    assert len(drawn) == result["frames"]
    with open_recording(str(clip), start_s=LEARN_S) as source:
        plain = list(source.frames())
    # Its clock is the recording's; one dark picture stands for what was learned from.
    assert [frame.pts_s for frame in drawn] == pytest.approx([f.pts_s for f in plain], abs=1e-3)
    assert still.pts_s == 0
    assert still.image.mean() < drawn[0].image.mean() / 2

    def changed(rows: slice) -> list[float]:
        pairs = zip(drawn, plain, strict=True)
        return [float(np.abs(a.image[rows].astype(int) - b.image[rows]).max()) for a, b in pairs]

    above_the_clock = [change > 60 for change in changed(slice(0, 440))]
    assert 20 < sum(above_the_clock) < 90  # boxes and labels, while something is there
    assert min(changed(slice(460, 480))) > 60
    for event in result["events"]:
        middle = (event["start_s"] + event["end_s"]) / 2
        assert above_the_clock[round((middle - LEARN_S) / 0.2)]


def test_a_finished_audit_is_not_run_again(audited: tuple[Path, str], clip: Path):
    folder, line = audited
    words = ("audit", clip, "--normal-first", str(LEARN_S), "--out", folder)
    again = run_nomaly(*words, "--json")
    assert again.returncode == 0
    assert "holds the finished results of this very audit" in again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["events"] == json.loads(line)["events"]
    # One whose report could not be written, or was lost, gets it now.
    events = (folder / "events.jsonl").read_text()
    for lost in ("events.jsonl", "report.html"):
        (folder / lost).unlink()
    assert run_nomaly(*words).returncode == 0
    assert (folder / "events.jsonl").read_text() == events
    assert "<h1>" in (folder / "report.html").read_text()
    other = run_nomaly(*words, "--fps", "2")
    assert other.returncode == 2
    assert "holds the results of another run: fps (5.0 before, 2.0 now)" in other.stderr
    assert "--overwrite" in other.stderr
    made_otherwise = run_nomaly(*words, "--detector-setting", "passes=320")
    assert made_otherwise.returncode == 2
    assert "holds the results of another run: detector_config (" in made_otherwise.stderr


def test_a_stopped_and_a_killed_audit_goes_on_to_the_same_result(
    audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    out, told = tmp_path / "out", tmp_path / "told"
    shutil.copytree(audited[0] / "detector", out / "detector")
    words = ("audit", clip, "--normal-first", str(LEARN_S), "--out", out, "--no-draw", "--json")
    words = (*words, "--on-event", f"sh -c 'cat >> {told}'")
    with start_nomaly(*words) as process:
        wait_until_analysing(out / STORE)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the same command goes on from here" in stderr
    assert "Traceback" not in stderr
    assert json.loads(stdout.splitlines()[-1])["stopped"]
    assert "stopped before the end" in (out / "report.html").read_text()
    with start_nomaly(*words) as process:
        wait_until_analysing(out / STORE, more_than=frames_in(out / STORE))
        process.kill()
        process.wait(60)
    assert frames_in(out / STORE) < json.loads(audited[1])["frames"]
    (out / "report.html").unlink()
    reported = run_nomaly("report", out, "--json")
    assert reported.returncode == 0, reported.stderr
    assert json.loads(reported.stdout)["stopped"]
    assert "<h1>" in (out / "report.html").read_text()
    resumed = run_nomaly(*words)
    assert resumed.returncode == 0, resumed.stderr
    before, after = (json.loads(line) for line in (audited[1], resumed.stdout.splitlines()[-1]))
    assert after["frames"] == before["frames"]
    assert [(e["id"], e["box"], e["start_s"], e["end_s"], e["noun"]) for e in after["events"]] == [
        (e["id"], e["box"], e["start_s"], e["end_s"], e["noun"]) for e in before["events"]
    ]
    passed_on = {json.loads(line)["id"] for line in told.read_text().splitlines()}
    assert passed_on == {event["id"] for event in after["events"]}


def frames_in(store: Path) -> int:
    """Frames of the first video that have been looked at; 0 while nobody can tell."""
    if not store.exists():
        return 0
    try:
        with closing(sqlite3.connect(store)) as db:
            row = db.execute("SELECT frames FROM source").fetchone()
    except sqlite3.OperationalError:
        return 0
    return 0 if row is None else row[0]


def wait_until_analysing(store: Path, more_than: int = 0) -> None:
    """Wait until so many frames of the first video have been looked at."""
    for _ in range(2400):
        time.sleep(0.05)
        if frames_in(store) > more_than:
            return
    pytest.fail("the audit did not begin to look")


def test_ctrl_c_before_anything_was_seen_is_one_sentence(clip: Path, tmp_path: Path):
    command = [NOMALY, "audit", clip, "--normal-first", "5", "--out", tmp_path / "out"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_until_importing(process.pid)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in stderr


def wait_until_importing(pid: int) -> None:
    """Wait until the command itself is under way, which begins with importing torch."""
    for _ in range(600):
        time.sleep(0.1)
        if "libtorch" in Path(f"/proc/{pid}/maps").read_text():
            return
    pytest.fail("the command did not begin")


def write_video(path: Path, size: tuple[int, int], frames: int, gap_s: float = 0.2) -> Path:
    noise = np.random.default_rng(0)
    picture = noise.integers(60, 90, (*size, 3)).astype(np.uint8)
    with VideoWriter(path, size, 5) as writer:
        for number in range(frames):
            writer.write(picture, number * gap_s)
    return path


def bad_videos(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").touch()
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("this is not a video")
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return {
        "missing": folder / "missing.mp4",
        "folder": folder / "notes",
        "empty": folder / "empty.mp4",
        "text": folder / "text.mp4",
        "short": write_video(folder / "short.mp4", (48, 64), 3),
    }


@pytest.mark.parametrize(
    ("which", "code", "sentence"),
    [
        ("missing", 2, "there is no such file"),
        ("folder", 2, "is a folder without video files or images"),
        ("empty", 1, "empty"),
        ("text", 1, "not a video"),
        ("short", 2, "--normal-first 5: "),
    ],
)
def test_bad_videos_are_one_sentence(which: str, code: int, sentence: str, tmp_path: Path):
    video = bad_videos(tmp_path / "videos")[which]
    done = run_nomaly("audit", video, "--normal-first", "5", "--out", tmp_path / "out")
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("nomaly: ")
    assert sentence in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "say what is normal: exactly one of"),
        (["--normal-first", "1000"], "--normal-first 1000: "),
        (["--normal-from", "3"], "--normal-from SECONDS and --normal-for SECONDS belong together"),
        (["--normal-first", "3", "--normal-for", "3"], "--normal-first says from the start"),
        (["--detector", "x"], "--detector x: there is no such folder"),
        (["--normal-first", "3", "--detector", "x"], "say what is normal: exactly one of"),
        (["--normal-first", "-3"], "must be above 0 seconds"),
        (["--normal-first", "3", "--fps", "0"], "must be above 0; use --every-frame"),
        (["--normal-first", "3", "--device", "tpu"], "unknown device 'tpu'"),
        (["--normal-first", "3", "--device", "cuda:7"], "use --device cpu or auto"),
        (["--normal-first", "3", "--exclude", "0,0 1,1"], "a polygon needs at least 3 corners"),
        (["--normal-first", "3", "--exclude", "left half"], "write corners as x,y x,y x,y"),
        (["--normal-first", "3", "--start", "noon"], "--start noon: is no time; write it as"),
        (["--normal", "none.mp4"], "none.mp4: there is no such file"),
    ],
)
def test_senseless_options_are_exit_code_2(
    options: list[str], sentence: str, clip: Path, tmp_path: Path
):
    done = run_nomaly("audit", clip, "--out", tmp_path / "out", *options)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_audited_among_several_costs_the_others_nothing(
    audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    odd, broken = tmp_path / os.fsdecode(b"caf\xe9.mp4"), tmp_path / "broken.mp4"
    shutil.copy(clip, odd)
    broken.write_text("this is not a video")
    tall = write_video(tmp_path / "tall.mp4", (64, 48), 20)
    out = tmp_path / "out"
    words = ("--detector", audited[0] / "detector", "--out", out, "--json", "--fps", "2.5")
    videos = (broken, tmp_path / "gone.mp4", tall, odd)
    done = run_nomaly("audit", *videos, *words)
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert len(result["events"]) == 2
    assert {event["video"] for event in result["events"]} == {f"file://{tmp_path}/caf%E9.mp4"}
    assert [event["id"] for event in events_in(out)] == [e["id"] for e in result["events"]]
    assert len(result["failed"]) == 3
    for sentence in (
        f"{broken}: ",
        "gone.mp4: no such file",
        f"{tall}: its pictures of 48x64 pixels have another shape",
    ):
        assert sum(sentence in why for why in result["failed"]) == 1, sentence
    assert (out / "annotated.mp4").exists()
    report = (out / "report.html").read_text()
    assert "broken.mp4" in report
    assert "tall.mp4" in report
    assert run_nomaly("audit", *videos, *words).returncode == 1


def test_a_folder_is_one_recording_with_its_gap(
    audited: tuple[Path, str], clip: Path, plan: DemoPlan, tmp_path: Path
):
    hall = tmp_path / "hall"
    hall.mkdir()
    for name in ("20240131T101000Z.mp4", "20240131T102000Z.mp4"):
        shutil.copy(clip, hall / name)
    (hall / "notes.txt").touch()
    out, detector = tmp_path / "out", audited[0] / "detector"
    done = run_nomaly("audit", hall, "--detector", detector, "--out", out, "--json", "--fps", "2.5")
    assert done.returncode == 0, done.stderr
    assert "left out what is none, or lies deeper: notes.txt (1)" in done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert {event["camera"] for event in result["events"]} == {"hall"}
    assert {event["video"] for event in result["events"]} == {str(hall)}
    starts = [event["start_s"] for event in result["events"]]
    assert [start - 600 for start in starts[2:]] == pytest.approx(starts[:2], abs=0.5)
    files = [(Path(event["file"]).name[9:15], event["file_s"]) for event in result["events"]]
    assert files[2:] == [("102000", pytest.approx(at_s, abs=0.5)) for _, at_s in files[:2]]
    (gap,) = result["gaps"]
    assert gap["reason"] == "missing"
    assert gap["end_us"] - gap["start_us"] == pytest.approx((600 - plan.duration_s) * 1e6, abs=3e5)
    assert (out / "annotated.mp4").exists()


def test_a_video_of_another_shape_than_the_detector_learned_is_refused(
    audited: tuple[Path, str], tmp_path: Path
):
    tall = write_video(tmp_path / "still.mp4", (64, 48), 20)
    detector = audited[0] / "detector"
    done = run_nomaly("audit", tall, "--detector", detector, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "48x64 pixels have another shape than the 640x480" in done.stderr.splitlines()[-1]


def shrunk(clip: Path, path: Path, size: tuple[int, int], frames: int) -> Path:
    """The first frames of a clip, smaller."""
    with open_recording(str(clip), "", None) as recording, VideoWriter(path, size, 5) as writer:
        for frame in islice(recording.frames(), frames):
            writer.write(resized(frame.image, size), frame.pts_s)
    return path


def test_a_video_of_another_size_but_the_same_shape_is_scaled(
    audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    small = shrunk(clip, tmp_path / "small.mp4", (240, 320), 20)
    words = ("--detector", audited[0] / "detector", "--out", tmp_path / "out", "--json")
    done = run_nomaly("audit", small, *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("320x240 pixels are scaled to the 640x480") == 1
    assert json.loads(done.stdout.splitlines()[-1])["frames"] == 20
    with av.open(str(tmp_path / "out" / "annotated.mp4")) as video:
        assert (video.streams.video[0].height, video.streams.video[0].width) == (480, 640)


def test_tiny_frames_and_slow_videos_are_audited_like_any_other(tmp_path: Path):
    still = write_video(tmp_path / "still.mp4", (16, 16), 40, gap_s=0.5)
    words = ("audit", still, "--normal-first", "10", "--out", tmp_path / "out", "--json")
    done = run_nomaly(*words, "--start", "2026-11-29T08:00+01:00")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["frames"], result["events"]) == (20, [])
    # When it began was told, so the clock is a fact; another beginning is another audit.
    with Store(tmp_path / "out") as store:
        (source,) = store.sources(1)
    assert (source.time_from, source.start_us) == ("given", 1_795_935_600_000_000)
    other = run_nomaly(*words, "--start", "2026-11-29T09:00+01:00")
    assert other.returncode == 2
    assert "holds the results of another run: start" in other.stderr
