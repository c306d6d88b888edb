"""`nomaly watch` against a real RTSP server: same objects as from the file, faults survived."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.events.store import Store
from app.sources.open import open_recording
from detectors.types import Box
from tests.app.forked import Forked
from tests.app.short_watch import LEARN_S, run_nomaly, start_nomaly
from tests.peers.camera import RtspCamera
from tests.peers.consumer import wait_for

pytestmark = pytest.mark.slow


def lines_of(stdout: str) -> list[dict[str, Any]]:
    """What was told, but for clips, which come whenever they are ready."""
    told = [json.loads(line) for line in stdout.splitlines()]
    return [one for one in told if one.get("event") != "clip"]


def top_three(event: dict[str, Any]) -> list[str]:
    """A busy machine drops frames, and another choice of views may swap near-equal nouns."""
    return [noun for noun, _ in event["candidates"][:3]]


@pytest.mark.timeout(300)
def test_a_video_through_rtsp_gives_the_same_objects(
    rtsp_camera: RtspCamera, audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    rtsp_camera.start(video=clip, once=True)
    detector = audited[0] / "detector"
    words = ("--detector", detector, "--out", tmp_path / "out", "--for", "37", "--json")
    done = run_nomaly("watch", rtsp_camera.url, *words)
    assert done.returncode == 0, done.stderr
    *told, summary = lines_of(done.stdout)
    expected = json.loads(audited[1])["events"]
    said = [one["event"] for one in told]
    assert said.count("closed") == len(expected)
    assert set(said) <= {"opened", "updated", "closed", "lost", "heartbeat", "unreachable"}
    # The camera is lost when its only showing is over, a second before the watch ends.
    assert said.count("lost") == len(summary["gaps"]) <= 1
    assert len(summary["events"]) == len(expected)
    for live, recorded in zip(summary["events"], expected, strict=True):
        assert live["noun"] in top_three(recorded)
        assert Box(*live["box"]).iou(Box(*recorded["box"])) > 0.5
        length_s = live["end_s"] - live["start_s"]
        # A busy machine drops frames.
        assert length_s == pytest.approx(recorded["end_s"] - recorded["start_s"], abs=2.5)
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.timeout(300)
def test_a_killed_hung_and_restarted_camera_is_survived(rtsp_camera: RtspCamera, tmp_path: Path):
    rtsp_camera.start(login="viewer:canary-hunter2")
    address = rtsp_camera.url_for("viewer", "canary-hunter2")
    out = tmp_path / "out"
    words = ("watch", address, "--learn", "4", "--out", out, "--json", "--debug")
    with start_nomaly(*words) as process:
        try:
            wait_for_frames(process, out, more_than=5)
            disturb(rtsp_camera.kill, out)
            rtsp_camera.start()
            wait_until_back(process, out)
            disturb(rtsp_camera.hang, out)
            rtsp_camera.resume()
            wait_until_back(process, out)
        finally:
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 1, stderr
    assert "nomaly: stopped; the same command goes on from here" in stderr
    *told, summary = lines_of(stdout)
    assert summary["stopped"]
    assert [gap["reason"] for gap in summary["gaps"]] == ["ended", "stalled"]
    assert all(gap["end_us"] > gap["start_us"] for gap in summary["gaps"])
    of_camera = [one for one in told if one["event"] in ("lost", "back")]
    assert [(one["event"], one["reason"]) for one in of_camera] == [
        ("lost", "ended"),
        ("back", "ended"),
        ("lost", "stalled"),
        ("back", "stalled"),
    ]
    times = [gap[side] for gap in summary["gaps"] for side in ("start_us", "end_us")]
    assert [one["time_us"] for one in of_camera] == times
    name = of_camera[0]["camera"]
    assert f"camera {name} lost (connection ended), trying again" in stderr
    assert stderr.count(f"camera {name} back after") == 2
    report = (out / "report.html").read_text()
    assert "Blind times" in report
    written = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    assert "canary-hunter2" not in stdout + stderr + report
    assert b"canary-hunter2" not in written


def disturb(fault: Callable[[], None], out: Path) -> None:
    """Do something to the camera, and wait until the watch keeps a gap for it."""
    before = len(of_run(out, Store.gaps))
    fault()
    wait_for("another gap", lambda: len(of_run(out, Store.gaps)) > before, 60)


def wait_until_back(process: Forked, out: Path) -> None:
    """Wait until the camera is seen again; frames alone may be some that were kept from before."""
    wait_for("the camera", lambda: all(gap["end_us"] for gap in of_run(out, Store.gaps)), 60)
    wait_for_frames(process, out, more_than=frames_in(out) + 10)


def last_reason(summary: dict[str, Any]) -> str:
    return summary["gaps"][-1]["reason"]


@pytest.mark.timeout(300)
def test_a_killed_watch_of_a_camera_goes_on_with_what_it_learned(
    rtsp_camera: RtspCamera, tmp_path: Path
):
    rtsp_camera.start()
    out = tmp_path / "out"
    words = ("watch", rtsp_camera.url, "--learn", "4", "--out", out, "--json")
    with start_nomaly(*words) as process:
        wait_for_frames(process, out, more_than=5)
        busy = run_nomaly(*words)
        assert busy.returncode == 2
        assert f"is in use by process {process.pid}" in busy.stderr
        process.kill()
        process.wait(30)
    learned = {file: file.stat().st_mtime_ns for file in (out / "detector").iterdir()}
    before = frames_in(out)
    done = run_nomaly(*words, "--for", "3")
    assert done.returncode == 0, done.stderr
    summary = lines_of(done.stdout)[-1]
    assert summary["frames"] > before
    assert last_reason(summary) == "killed"
    assert all(gap["end_us"] > gap["start_us"] for gap in summary["gaps"])
    assert {file: file.stat().st_mtime_ns for file in (out / "detector").iterdir()} == learned
    assert (
        "killed nobody looked until the watch was started again"
        in (out / "report.html").read_text()
    )
    with Store(out) as store:
        run = store.last_run()
        assert run is not None
        assert (run.id, run.state) == (1, "finished")
        (source,) = store.sources(run.id)
        # Real time goes on through the gap.
        assert source.seen_s > summary["frames"] / 25
    refused = run_nomaly(*words, "--fps", "2")
    assert refused.returncode == 2
    assert "holds the results of another run: fps (5.0 before, 2.0 now)" in refused.stderr


@pytest.mark.timeout(300)
def test_a_watch_that_is_killed_while_the_camera_is_away_leaves_both_ends(
    rtsp_camera: RtspCamera, audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    rtsp_camera.start(video=clip)
    out = tmp_path / "out"
    words = ("watch", rtsp_camera.url, "--detector", audited[0] / "detector", "--out", out)
    with start_nomaly(*words, "--json") as process:
        wait_until(lambda: bool(of_run(out, Store.events)))
        disturb(rtsp_camera.kill, out)
        wait_until(lambda: [gap["end_us"] for gap in of_run(out, Store.gaps)] == [None])
        process.kill()
        process.wait(30)
    (gap,) = of_run(out, Store.gaps)
    (left,) = of_run(out, Store.events)
    (source,) = of_run(out, Store.sources)
    assert (gap["reason"], left.state in ("opened", "updated")) == ("ended", True)
    assert left.end_s == pytest.approx(source.seen_s, abs=2.5)
    rtsp_camera.start(video=clip)
    done = run_nomaly(*words, "--for", "2", "--json")
    assert done.returncode == 0, done.stderr
    first, *_, summary = lines_of(done.stdout)
    assert (first["event"], first["id"], first["cut"]) == ("closed", left.id, True)
    (ended,) = summary["gaps"]
    assert (ended["start_us"], ended["reason"]) == (gap["start_us"], "ended")
    assert ended["detail"].endswith("nobody looked until the watch was started again")
    assert ended["end_us"] > left.end_us


def of_run[R](out: Path, read: Callable[[Store, int], list[R]]) -> list[R]:
    """What the store holds of the first run, once it is there."""
    if not (out / "events.sqlite").exists():
        return []
    with Store(out) as store:
        return read(store, 1)


@pytest.mark.timeout(300)
def test_a_killed_watch_of_a_file_plays_on_and_goes_on_with_what_is_still_there(
    audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    out, told = tmp_path / "out", tmp_path / "told.jsonl"
    words = ("watch", clip, "--detector", audited[0] / "detector", "--out", out, "--json")
    words = (*words, "--sink", f"jsonl:{told}")
    with start_nomaly(*words) as process:
        wait_for_frames(process, out, more_than=0)
        wait_until(lambda: told.exists() and '"opened"' in told.read_text())
        process.kill()
        process.wait(30)
    with Store(out) as store:
        # On a slow machine more may have come by then.
        left = next(event for event in store.events(1) if event.state in ("opened", "updated"))
        (source,) = store.sources(1)
    done = run_nomaly(*words, "--for", "4")
    assert done.returncode == 0, done.stderr
    *told_again, summary = lines_of(done.stdout)
    same = [state for state in told_again if state["id"] == left.id]
    assert same[-1]["event"] == "closed"
    assert "opened" not in {state["event"] for state in same}
    assert same[-1]["start_s"] == pytest.approx(left.start_s, abs=1e-3)
    # On a slow machine it may have left before the kill.
    assert same[-1]["end_s"] >= left.end_s - 1e-3
    others = [state for state in told_again if state["id"] != left.id]
    assert all(state["start_s"] >= source.seen_s for state in others)
    assert summary["gaps"] == []
    kept = next(event for event in summary["events"] if event["id"] == left.id)
    assert kept == {name: same[-1][name] for name in same[-1] if name not in ("event", "rings")}
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    assert {line["id"]: line["event"] for line in lines} == {
        event["id"]: "closed" for event in summary["events"]
    }


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.2)
    pytest.fail("it did not come to that")


def test_a_senseless_sink_is_said_before_anything_is_loaded(tmp_path: Path):
    words = ("watch", "rtsp://127.0.0.1:9/x", "--learn", "5", "--out", tmp_path / "out")
    done = run_nomaly(*words, "--sink", "smoke:signals")
    assert done.returncode == 2
    assert "there is no sink 'smoke'" in done.stderr
    assert not (tmp_path / "out").exists()


def frames_in(out: Path) -> int:
    """Frames that the watch has saved so far."""
    if not (out / "events.sqlite").exists():
        return 0
    with Store(out) as store:
        run = store.last_run()
        return sum(source.frames for source in store.sources(run.id)) if run else 0


def wait_for_frames(process: Forked, out: Path, more_than: int) -> None:
    for _ in range(600):
        time.sleep(0.2)
        assert process.returncode is None, process.texts()[1]
        if frames_in(out) > more_than:
            return
    pytest.fail(f"the watch did not look at more than {more_than} frames")


def test_nobody_answers(tmp_path: Path):
    address = "rtsp://me:canary-secret@127.0.0.1:9/none"
    words = ("--learn", "5", "--connect", "2", "--out", tmp_path / "out")
    done = run_nomaly("watch", address, *words)
    assert done.returncode == 3
    assert "127.0.0.1:9" in done.stderr.splitlines()[-1]
    assert "canary-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ([], 2, "either --learn SECONDS or --detector FOLDER"),
        (["--learn", "0"], 2, "must be above 0 seconds"),
    ],
)
def test_senseless_options(options: list[str], code: int, sentence: str, tmp_path: Path):
    done = run_nomaly("watch", "rtsp://127.0.0.1:9/x", "--out", tmp_path / "out", *options)
    assert done.returncode == code
    assert sentence in done.stderr


def test_a_file_plays_at_its_own_pace_and_is_looked_at_whole_however_long_learning_takes(
    audited: tuple[Path, str], clip: Path, tmp_path: Path
):
    words = ("--learn", str(LEARN_S), "--out", tmp_path / "out", "--heartbeat", "2")
    done = run_nomaly("watch", clip, *words, "--json")
    assert done.returncode == 0, done.stderr
    *told, summary = lines_of(done.stdout)
    expected = json.loads(audited[1])["events"]
    assert len(summary["events"]) == len(expected)
    for played, recorded in zip(summary["events"], expected, strict=True):
        assert played["noun"] in top_three(recorded)
        # What came while it learned is told with its own time; a busy machine leaves frames out.
        assert played["start_s"] == pytest.approx(recorded["start_s"], abs=2.5)
        assert played["end_s"] == pytest.approx(recorded["end_s"], abs=2.5)
    assert (summary["gaps"], summary["stopped"]) == ([], False)
    with open_recording(str(clip)) as video:
        length_s = video.info.duration_s
    assert summary["learned_s"] == pytest.approx(LEARN_S, abs=1.0)
    assert summary["watched_s"] == pytest.approx(length_s - LEARN_S, abs=1.5)
    doing = {one["doing"] for one in told if one["event"] == "heartbeat"}
    assert {"learning", "catching up"} <= doing
    again = run_nomaly("watch", clip, *words, "--json")
    assert again.returncode == 0, again.stderr
    assert "holds the finished results of this very watch" in again.stderr
    assert lines_of(again.stdout) == [{**summary, "dropped": 0}]
