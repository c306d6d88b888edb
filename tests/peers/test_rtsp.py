"""A real RTSP camera, disturbed in every way that cameras are (figures: --log-cli-level=INFO)."""

import logging
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.sources.base import GapReason, LiveSource, SourceError
from app.sources.file import FileSource
from app.sources.live import LiveCamera, LiveSettings
from tests.peers.camera import RtspCamera, free_port
from tests.peers.consumer import Consumer, descriptors, is_alive, is_at_work, reader_pids, wait_for
from tests.peers.http_peers import mute_server
from tests.peers.pattern import SIZE, numbered

log = logging.getLogger(__name__)

CANARY = "hunter2canary"
QUICK = LiveSettings(open_s=3)
FOR_EVER_S = 3600.0
"""Longer than any test may take."""
PATIENT = LiveSettings(stall_s=600, open_s=600, first_delay_s=600, longest_delay_s=600)
"""Whoever waits for any of it does not come to an end in time."""


def gap_reasons(live: LiveSource) -> list[GapReason]:
    return [gap.reason for gap in live.gaps]


def shared_memories() -> int:
    return Path("/proc/self/maps").read_text().count("nomaly-frames")


def test_every_frame_arrives_in_order(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    live = LiveCamera(rtsp_camera.url, camera="gate")
    info = live.connect(10)
    assert (info.camera, info.size, info.fps) == ("gate", SIZE, 25)
    with Consumer(live) as consumer:
        wait_for("three seconds", lambda: consumer.last_number >= 75)
    assert consumer.numbers == [frame.index for frame in consumer.frames]
    # A new connection begins with a burst, of which a busy machine may miss some.
    assert len(consumer.frames) + live.stats.dropped >= 75
    assert live.stats.dropped < 25
    pace = np.diff([frame.pts_s for frame in consumer.frames]) / np.diff(consumer.numbers)
    assert pace == pytest.approx(0.04, abs=0.001)
    assert abs(consumer.frames[-1].time_us / 1e6 - time.time_ns() / 1e9) < 5
    assert np.abs(consumer.frames[0].image[60, 20].astype(int) - (200, 90, 30)).max() < 12
    assert live.gaps == []


def test_a_file_and_its_broadcast_are_the_same_to_the_bit(rtsp_camera: RtspCamera, tmp_path: Path):
    video = numbered(tmp_path / "day.mp4", 60)
    rtsp_camera.start(video, once=True)
    with Consumer(LiveCamera(rtsp_camera.url)) as consumer:
        wait_for("the end", lambda: consumer.source.gaps != [])
        wait_for("not found", lambda: consumer.source.stats.attempts >= 2)
    with FileSource(video) as source:
        recorded = list(source.frames())
    assert len(consumer.frames) + consumer.source.stats.dropped == len(recorded) == 60
    assert len(consumer.frames) > 40
    for live in consumer.frames:
        file = recorded[live.index]
        assert np.array_equal(live.image, file.image)
        late_s = consumer.frames[0].index / 25
        assert live.pts_s + late_s == pytest.approx(file.pts_s, abs=0.002)


def test_sampling_takes_the_same_frames_as_from_a_file(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    with Consumer(LiveCamera(rtsp_camera.url, sample_fps=5)) as consumer:
        wait_for("two seconds", lambda: consumer.last_number >= 50)
    assert consumer.numbers == [frame.index for frame in consumer.frames]
    assert set(consumer.numbers) <= set(range(0, 100, 5))
    assert len(consumer.frames) + consumer.source.stats.dropped >= 11
    assert consumer.source.gaps == []


def test_a_slow_consumer_sees_the_newest_frame(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    with LiveCamera(rtsp_camera.url) as live:
        live.connect(10)
        ages_s = []
        for frame in live.frames():
            if frame is not None:
                ages_s.append(time.time_ns() / 1e9 - frame.time_us / 1e6)
                time.sleep(0.3)
            if len(ages_s) == 10:
                break
        assert max(ages_s[1:]) < 0.15
        assert live.stats.frames == 10
        assert live.stats.dropped > 40


def test_a_killed_camera_is_taken_up_again(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    with Consumer(LiveCamera(rtsp_camera.url)) as consumer:
        consumer.sees_more(25)
        rtsp_camera.kill()
        noticed_s = wait_for("the gap", lambda: consumer.source.gaps != [])
        wait_for("silence is told", lambda: consumer.silences > 0)
        # With the pauses between them, that takes more than a second.
        wait_for("two attempts in vain", lambda: consumer.source.stats.attempts >= 3)
        rtsp_camera.start()
        recovered_s = consumer.sees_more(25)
        log.info("kill: noticed after %.2f s, back after %.2f s", noticed_s, recovered_s)
        (gap,) = consumer.source.gaps
    assert gap.reason == "ended"
    assert gap.end_us is not None
    assert gap.end_us - gap.start_us > 1e6
    pts = [frame.pts_s for frame in consumer.frames]
    assert all(later > earlier for earlier, later in pairwise(pts))
    before = next(n for n, frame in enumerate(consumer.frames) if frame.time_us >= gap.end_us)
    assert pts[before] - pts[before - 1] == pytest.approx((gap.end_us - gap.start_us) / 1e6, abs=1)


@pytest.mark.parametrize("fault", ["hang", "freeze"])
def test_a_silent_camera_is_noticed_by_the_stall_clock(rtsp_camera: RtspCamera, fault: str):
    disturb = {"hang": rtsp_camera.hang, "freeze": rtsp_camera.freeze}[fault]
    recover = {"hang": rtsp_camera.resume, "freeze": rtsp_camera.thaw}[fault]
    rtsp_camera.start()
    with Consumer(LiveCamera(rtsp_camera.url, settings=QUICK)) as consumer:
        consumer.sees_more(25)
        disturb()
        noticed_s = wait_for("the gap", lambda: consumer.source.gaps != [])
        silent_s = (time.time_ns() // 1000 - consumer.frames[-1].time_us) / 1e6
        wait_for("another attempt", lambda: consumer.source.stats.attempts >= 2)
        recover()
        recovered_s = consumer.sees_more(10)
        log.info("%s: noticed after %.2f s, back after %.2f s", fault, noticed_s, recovered_s)
    assert silent_s >= QUICK.stall_s
    assert consumer.source.gaps[0].reason == "stalled"
    assert consumer.source.gaps[0].detail == "no new picture for 2 s"


def test_a_crashed_reader_is_replaced(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    with Consumer(LiveCamera(rtsp_camera.url)) as consumer:
        consumer.sees_more(10)
        (pid,) = reader_pids()
        os.kill(pid, signal.SIGKILL)
        consumer.sees_more(10)
        (gap,) = consumer.source.gaps
    assert gap.reason == "crashed"
    assert "SIGKILL" in gap.detail


def test_ctrl_c_does_not_reach_the_reader(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    with Consumer(LiveCamera(rtsp_camera.url)) as consumer:
        consumer.sees_more(5)
        (pid,) = reader_pids()
        assert os.getpgid(pid) != os.getpgid(0)
        os.kill(pid, signal.SIGINT)
        consumer.sees_more(20)
    assert consumer.source.gaps == []


def test_refused_connections_do_not_become_a_busy_loop():
    with LiveCamera(f"rtsp://ann:{CANARY}@127.0.0.1:{free_port()}/cam1") as live:
        with pytest.raises(SourceError, match="connection refused") as refusal:
            live.connect(4)
        assert 2 <= live.stats.attempts <= 4
        assert gap_reasons(live) == ["refused"]
        assert live.gaps[0].end_us is None
        assert CANARY not in f"{refusal.value!r} {live.info} {live.gaps}"


def test_an_address_without_a_camera_is_not_found(rtsp_camera: RtspCamera):
    rtsp_camera.start()
    with LiveCamera(rtsp_camera.url.replace("cam1", "cam2")) as live:
        with pytest.raises(SourceError, match="nothing at this address"):
            live.connect(2)
        assert gap_reasons(live) == ["not found"]


def test_a_mute_server_is_given_up():
    with (
        mute_server() as host,
        LiveCamera(f"rtsp://{host}/x", settings=LiveSettings(open_s=1)) as live,
    ):
        with pytest.raises(SourceError, match="no picture within 1 s"):
            live.connect(3)
        assert gap_reasons(live) == ["timeout"]


def test_passwords_are_used_but_never_shown(rtsp_camera: RtspCamera):
    rtsp_camera.start(login=f"ann:{CANARY}")
    with LiveCamera(rtsp_camera.url_for("ann", CANARY)) as live:
        live.connect(10)
        (pid,) = reader_pids()
        seen = [f"{live.info} {live.gaps}"]
        seen += [Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "environ")]
    with LiveCamera(rtsp_camera.url_for("ann", f"{CANARY}wrong")) as live:
        # Asking again cannot help: nobody waits for that.
        with pytest.raises(SourceError, match=r"login refused.* \(1 attempt in up") as refusal:
            live.connect(FOR_EVER_S)
        assert gap_reasons(live) == ["auth"]
        seen.append(f"{refusal.value!r} {live.info} {live.gaps}")
    assert CANARY not in " ".join(seen)


def test_a_password_that_changed_meanwhile_is_told_and_the_old_one_is_taken_up_again(
    rtsp_camera: RtspCamera,
):
    rtsp_camera.start(login=f"ann:{CANARY}")
    quick = LiveSettings(longest_delay_s=1)
    url = rtsp_camera.url_for("ann", CANARY)
    with Consumer(LiveCamera(url, settings=quick)) as consumer:
        consumer.sees_more(10)
        rtsp_camera.kill()
        rtsp_camera.start(login="ann:another")
        wait_for("the reason", lambda: "login refused" in consumer.source.gaps[-1].detail)
        rtsp_camera.kill()
        rtsp_camera.start(login=f"ann:{CANARY}")
        consumer.sees_more(10)
        (gap,) = consumer.source.gaps
    assert gap.reason == "ended"
    assert "; now: login refused" in gap.detail
    assert gap.end_us is not None


@pytest.mark.parametrize("fault", ["none", "hang", "refused", "mute"])
def test_close_is_prompt_and_leaves_nothing(rtsp_camera: RtspCamera, fault: str):
    rtsp_camera.start()
    before = (descriptors(), shared_memories())
    with mute_server() as mute:
        addresses = {"refused": f"rtsp://127.0.0.1:{free_port()}/x", "mute": f"rtsp://{mute}/x"}
        live = LiveCamera(addresses.get(fault, rtsp_camera.url), settings=PATIENT)
        if fault in ("none", "hang"):
            live.connect(10)
            next(live.frames())
        if fault == "hang":
            rtsp_camera.hang()
            wait_for("silence", lambda: next(live.frames(0.2)) is None)
        if fault == "refused":
            wait_for("the refusal", lambda: gap_reasons(live) == ["refused"])
        if fault == "mute":
            wait_for("the reader", lambda: any(map(is_at_work, reader_pids())))
        pids = reader_pids()
        live.close()
        live.close()
    assert list(live.frames()) == []
    assert not any(is_alive(pid) for pid in pids)
    assert reader_pids() == []
    assert (descriptors(), shared_memories()) == before


@pytest.mark.parametrize("place", ["camera", "mute"])
def test_the_reader_dies_with_its_parent(rtsp_camera: RtspCamera, place: str):
    rtsp_camera.start()
    with mute_server() as mute:
        url = rtsp_camera.url if place == "camera" else f"rtsp://{mute}/x"
        script = (
            "import sys, time\n"
            "from app.sources.live import LiveCamera\n"
            "live = LiveCamera(sys.argv[1])\n"
            "time.sleep(60)"
        )
        parent = subprocess.Popen([sys.executable, "-c", script, url])
        wait_for("the reader", lambda: any(map(is_at_work, reader_pids(parent.pid))))
        (pid,) = reader_pids(parent.pid)
        parent.kill()
        parent.wait()
        wait_for("its death", lambda: not is_alive(pid))


def test_a_camera_that_sends_over_udp_only_is_read_and_that_is_remembered(rtsp_camera: RtspCamera):
    rtsp_camera.start(udp=True)
    with Consumer(LiveCamera(rtsp_camera.url)) as consumer:
        consumer.sees_more(25)
        rtsp_camera.kill()
        wait_for("the gap", lambda: consumer.source.gaps != [])
        rtsp_camera.start()
        consumer.sees_more(25)
    assert "timeout" not in gap_reasons(consumer.source)
    pace = np.diff([frame.pts_s for frame in consumer.frames[:25]]) / np.diff(consumer.numbers[:25])
    assert pace == pytest.approx(0.04, abs=0.001)


@pytest.mark.parametrize(
    ("password", "typed"),
    [
        ("p#s/s?w@r:d", "p#s/s?w@r:d"),
        (" &+[];\"'<>%", " &+[];\"'<>%"),
        ("p#s/s?w@r:d %", "p%23s%2Fs%3Fw%40r%3Ad%20%25"),
        ("a%41b", "a%41b"),
        ("aAb", "a%41b"),
    ],
)
def test_a_password_reaches_the_camera_as_it_was_typed(
    rtsp_camera: RtspCamera, password: str, typed: str
):
    rtsp_camera.start(login=f"ann:{password}")
    with LiveCamera(rtsp_camera.url_for("ann", typed)) as live:
        assert live.connect(15).size == SIZE
        assert live.gaps == []
