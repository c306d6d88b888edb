"""The parts of a live source that need no camera: clock, pauses, shared memory, addresses."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.sources.base import SourceError
from app.sources.live import Backoff, LiveCamera, LiveSettings
from app.sources.mailbox import Mailbox, Shot, new_memory
from app.sources.open import kind_of, open_live, open_recording
from app.sources.paced import PacedSource
from app.sources.timeline import Timeline
from tests.peers.consumer import wait_for
from tests.peers.pattern import numbered


def shot(sequence: int, size: tuple[int, int] = (4, 6)) -> Shot:
    image = np.full((*size, 3), sequence % 256, np.uint8)
    return Shot(sequence, sequence + 10, sequence / 25, sequence * 40_000, sequence / 25, image)


def mailbox(size: tuple[int, int] = (4, 6)) -> tuple[Mailbox, Mailbox]:
    """Both ends of one mailbox."""
    descriptor = new_memory(size)
    ends = Mailbox(descriptor, size), Mailbox(descriptor, size)
    os.close(descriptor)
    return ends


ENDLESS_WRITER = """
import sys
from app.sources.mailbox import Mailbox
from tests.app.sources.test_live import shot
mailbox = Mailbox(int(sys.argv[1]), (90, 160))
sequence = 0
while True:
    sequence += 1
    mailbox.publish(shot(sequence, (90, 160)))
"""


class TestMailbox:
    def test_the_newest_frame_comes_out(self):
        writer, reader = mailbox()
        assert reader.newest(after=0) is None
        for sequence in (1, 2, 3, 4, 5):
            writer.publish(shot(sequence))
        newest = reader.newest(after=0)
        assert newest is not None
        assert (newest.sequence, newest.number) == (5, 15)
        assert newest.pts_s == pytest.approx(0.2)
        assert newest.wall_us == 200_000
        assert np.all(newest.image == 5)
        assert reader.newest(after=5) is None

    def test_a_frame_without_a_time_keeps_none(self):
        writer, reader = mailbox()
        writer.publish(Shot(1, 0, None, 5, 1.0, np.zeros((4, 6, 3), np.uint8)))
        newest = reader.newest(after=0)
        assert newest is not None
        assert newest.pts_s is None

    def test_a_frame_that_was_taken_stays_as_it_is(self):
        writer, reader = mailbox()
        writer.publish(shot(1))
        newest = reader.newest(after=0)
        for sequence in (2, 3, 4):
            writer.publish(shot(sequence))
        assert newest is not None
        assert np.all(newest.image == 1)

    def test_no_frame_is_ever_torn_and_a_killed_writer_blocks_nobody(self):
        size = (90, 160)
        descriptor = new_memory(size)
        reader = Mailbox(descriptor, size)
        writer = subprocess.Popen(
            [sys.executable, "-c", ENDLESS_WRITER, str(descriptor)], pass_fds=[descriptor]
        )
        os.close(descriptor)
        seen: list[int] = []
        until_s = time.monotonic() + 20
        while len(seen) < 200 and time.monotonic() < until_s:
            newest = reader.newest(after=seen[-1] if seen else 0)
            if newest is not None:
                assert np.all(newest.image == newest.sequence % 256)
                assert newest.number == newest.sequence + 10
                seen.append(newest.sequence)
        writer.kill()
        writer.wait()
        assert len(seen) == 200
        assert reader.newest(after=0) is not None

    def test_a_writer_that_died_in_a_slot_blocks_nobody(self):
        writer, reader = mailbox()
        writer.publish(shot(1))
        writer._slots[2][0] = 2  # begun to write frame 2, killed
        newest = reader.newest(after=0)
        assert newest is not None
        assert newest.sequence == 1


class TestTimeline:
    def test_jitter_and_a_late_start_do_not_show(self):
        timeline = Timeline()
        random = np.random.default_rng(0)
        times = [timeline.at(n / 25, max(1.0, n / 25) + random.uniform(0, 0.2)) for n in range(500)]
        assert np.diff(times) == pytest.approx(1 / 25)

    @pytest.mark.parametrize("drift", [500e-6, -500e-6])
    def test_drift_is_followed(self, drift: float):
        timeline = Timeline()
        arrivals = np.arange(25 * 3600 * 4) / 25
        times = np.array([timeline.at(now_s * (1 + drift), now_s) for now_s in arrivals])
        assert np.abs(times - arrivals).max() < 2
        assert np.abs(np.diff(times) - 1 / 25).max() < 0.001

    @pytest.mark.parametrize("rate", [10, 60])
    def test_a_camera_that_lies_about_its_rate_is_not_believed(self, rate: int):
        timeline = Timeline()
        times = [timeline.at(n / 25, n / rate) for n in range(6000)]
        assert np.all(np.diff(times) > 0)
        assert times[-1] == pytest.approx(5999 / rate, abs=6)

    def test_without_camera_times_ours_are_used(self):
        timeline = Timeline()
        assert [timeline.at(None, s) for s in (5.0, 5.5, 5.5, 7.0)] == [0, 0.5, 0.501, 2.0]

    def test_time_goes_on_through_a_reconnect(self):
        timeline = Timeline()
        timeline.at(100.0, 1000.0)
        timeline.at(101.0, 1001.0)
        timeline.reconnect()
        assert timeline.at(0.0, 1030.0) == pytest.approx(30)
        assert timeline.at(0.04, 1030.04) == pytest.approx(30.04)

    def test_a_clock_that_jumps_back_never_makes_time_fall(self):
        timeline = Timeline()
        times = [timeline.at(pts, now) for pts, now in [(50, 0), (51, 1), (3, 2), (4, 3)]]
        assert times == pytest.approx([0, 1, 2, 3])


class TestBackoff:
    def test_pauses_double_up_to_the_limit(self):
        backoff = Backoff(LiveSettings(), seed=0)
        pauses = [backoff.next_s(lived_s=0) for _ in range(12)]
        for pause, expected in zip(pauses, [0.5, 1, 2, 4, 8, 16] + [30] * 6, strict=True):
            assert 0.75 * expected <= pause <= 1.25 * expected
        assert len(set(pauses)) == 12  # cameras do not reconnect in step

    def test_at_most_eight_attempts_in_a_minute_of_outage(self):
        backoff = Backoff(LiveSettings(), seed=1)
        passed, attempts = 0.0, 1
        while (passed := passed + backoff.next_s(lived_s=0)) < 60:
            attempts += 1
        assert attempts <= 8

    def test_a_connection_that_delivered_is_no_failed_one(self):
        backoff = Backoff(LiveSettings(), seed=2)
        for _ in range(20):
            backoff.next_s(lived_s=0)
        # Whatever ends a connection again and again, the camera is there in between.
        for lived_s in (0.2, 1, 5, 300):
            pause_s = backoff.next_s(lived_s=lived_s, away_s=0)
            assert 0 < pause_s <= max(0.125, 1.25 * (0.5 - lived_s))

    def test_a_camera_that_was_there_a_minute_ago_is_asked_twice_a_second(self):
        backoff = Backoff(LiveSettings(), seed=3)
        backoff.next_s(lived_s=5, away_s=0)
        passed_s = 0.0
        while passed_s < 60:
            pause_s = backoff.next_s(lived_s=0, away_s=passed_s)
            assert pause_s <= 0.625
            passed_s += pause_s
        later = [backoff.next_s(lived_s=0, away_s=61 + n) for n in range(8)]
        assert later[-1] > 20

    def test_a_year_of_outage_does_not_overflow(self):
        backoff = Backoff(LiveSettings())
        assert max(backoff.next_s(lived_s=0) for _ in range(5000)) <= 37.5


class TestOpening:
    @pytest.mark.parametrize(
        ("spec", "kind"),
        [
            ("0", "webcam"),
            ("12", "webcam"),
            ("./0", "file"),
            ("rtsp://cam/1", "network"),
            ("RTSPS://cam/1", "network"),
            ("http://cam/v.mjpg", "network"),
            ("/videos/a.mp4", "file"),
            ("a:b.mp4", "file"),
            ("file:///videos/a.mp4", "file"),
        ],
    )
    def test_kinds(self, spec: str, kind: str):
        assert kind_of(spec) == kind

    def test_an_unknown_scheme_is_refused_without_its_password(self):
        with pytest.raises(
            SourceError, match="cannot read gopher:// addresses, only rtsp://"
        ) as no:
            kind_of("gopher://ann:secret9@x/1")
        assert "secret9" not in str(no.value)

    def test_a_live_source_is_no_recording(self):
        with pytest.raises(SourceError, match="live source, not a file"):
            open_recording("rtsp://cam/1")

    def test_a_file_is_a_recording_or_plays_at_its_pace(self, tmp_path: Path):
        path = numbered(tmp_path / "x.mp4", 3)
        with open_recording(f"file://{path}", camera="a", sample_fps=25) as source:
            assert len(list(source.frames())) == 3
        live = open_live(str(path))
        assert isinstance(live, PacedSource)
        assert live.connect(1).camera == "x"
        live.close()

    @pytest.mark.parametrize("address", ["rtsp://", "rtsp://[::1/x", "http:///x"])
    def test_an_address_without_a_host_is_refused(self, address: str):
        with pytest.raises(SourceError, match=r"not a valid address|names no host"):
            LiveCamera(address)

    @pytest.mark.parametrize(
        "address",
        [
            "rtsp://viewer:a'b <\"hunter2canary@127.0.0.1:9/x",
            "rtsp://hunter2canary/@y@127.0.0.1:9/user=admin_password=hunter2canary_channel=1",
            "http://127.0.0.1:9/cgi?loginuse=a&p=hunter2canary&jwt=hunter2canary",
        ],
    )
    def test_no_secret_of_an_address_is_told(self, address: str):
        with LiveCamera(address) as camera:
            wait_for("the first failure", lambda: bool(camera.gaps), 60)
            with pytest.raises(SourceError, match=r"127\.0\.0\.1:9.*refused") as no:
                camera.connect(0)
            told = f"{no.value} {camera.info} {camera.gaps}"
        assert "hunter2canary" not in told
