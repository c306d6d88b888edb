"""Clips of a real RTSP camera, cut out of its packets in its reader."""

import os
import signal
from pathlib import Path

import pytest

from app.events.media import CLIPS
from app.sources.live import LiveCamera
from app.sources.remux import PART, parts_in
from tests.app.watching.clip_keeper import RULE, keeper
from tests.peers.camera import RtspCamera
from tests.peers.clip_script import Script, shown_in
from tests.peers.consumer import reader_pids, wait_for
from tests.peers.pattern import number_of

FRAME_S = 0.04


def test_clips_of_a_camera_show_the_event_where_they_say(rtsp_camera: RtspCamera, tmp_path: Path):
    rtsp_camera.start()
    live = LiveCamera(rtsp_camera.url, sample_fps=5, ring_s=RULE.ring_s)
    try:
        live.connect(15)
        assert live.packets
        script = Script(live, tmp_path, RULE)
        script.see(2.0)
        for frames_ago in (1, 3):
            script.begin(frames_ago)
        script.see(0.6)
        for one in script.events:
            script.end(one)
        script.wait()
    finally:
        live.close()
    for one in script.events:
        shown = script.shown(one)
        assert one.made is not None
        assert one.made.fault == ""
        assert shown.begins_with_key
        assert script.error_s(one) <= FRAME_S
        assert one.last is not None
        assert number_of(one.last.image) + 9 in shown.numbers
        assert (one.first.time_us - one.made.from_us) / 1e6 >= RULE.before_s
    assert not list(tmp_path.glob(f"*{PART}"))


def test_a_reader_that_is_killed_in_an_event_leaves_the_part_that_there_is(
    rtsp_camera: RtspCamera, tmp_path: Path
):
    rtsp_camera.start()
    out = tmp_path / "out"
    with keeper(rtsp_camera.url, out) as one:
        one.sees(15)
        event = one.opens(frames_ago=2)
        wait_for("its part", lambda: [*parts_in(out / CLIPS)] != [])
        part = next(parts_in(out / CLIPS))[2]
        wait_for("some of it", lambda: part.stat().st_size > 20_000)
        os.kill(reader_pids()[0], signal.SIGKILL)
        stored = one.has_clip(event)
        # The camera is back, and the next event has its clip, too.
        one.sees(15)
        later = one.opens(1)
        one.sees(3)
        one.closes(later)
        assert one.has_clip(later).clip
    shown = shown_in(out / stored.clip)
    assert stored.clip_from_us is not None
    at_s = (event.start_us - stored.clip_from_us) / 1e6
    first = next(f for f in one.frames if f.time_us == event.start_us)
    assert shown.at_s[shown.numbers.index(number_of(first.image))] == pytest.approx(at_s, abs=0.04)
    assert not list((out / CLIPS).glob(f"*{PART}"))
    assert one.said == []


def test_a_camera_that_ends_in_an_event_gives_the_part_that_there_is(
    rtsp_camera: RtspCamera, tmp_path: Path
):
    rtsp_camera.start()
    with keeper(rtsp_camera.url, tmp_path / "out") as one:
        one.sees(15)
        event = one.opens()
        one.sees(5)
        rtsp_camera.kill()
        stored = one.has_clip(event)
    assert shown_in(tmp_path / "out" / stored.clip).begins_with_key


def test_no_password_is_in_a_clip_or_on_a_command_line(rtsp_camera: RtspCamera, tmp_path: Path):
    rtsp_camera.start(login="viewer:canary-hunter2")
    out = tmp_path / "out"
    with keeper(rtsp_camera.url_for("viewer", "canary-hunter2"), out) as one:
        one.sees(8)
        event = one.opens()
        one.sees(2)
        command = Path(f"/proc/{reader_pids()[0]}/cmdline").read_bytes()
        one.closes(event)
        stored = one.has_clip(event)
    assert b"canary" not in command
    assert b"canary" not in (out / stored.clip).read_bytes()
