"""Cameras that send JPEG pictures over HTTP, and what a webcam's reader does with OpenCV."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.sources.base import SourceError
from app.sources.live import LiveCamera
from tests.peers.consumer import Consumer, wait_for
from tests.peers.http_peers import file_server, mjpeg_camera
from tests.peers.pattern import SIZE, Coding, number_of, numbered, picture, write_video

CANARY = "hunter2canary"


def test_jpeg_pictures_arrive_in_order_at_their_own_times():
    with mjpeg_camera(fps=20) as camera, Consumer(LiveCamera(camera.url)) as consumer:
        consumer.sees_more(40)
    seen = consumer.numbers
    assert seen == sorted(set(seen))
    assert np.abs(consumer.frames[0].image[60, 20].astype(int) - (200, 90, 30)).max() < 12
    # FFmpeg would claim 25 a second for such a stream.
    half = len(seen) // 2
    first, last = consumer.frames[half], consumer.frames[-1]
    rate = (seen[-1] - seen[half]) / (last.pts_s - first.pts_s)
    assert rate == pytest.approx(20, rel=0.25)


def test_a_frozen_and_a_cut_http_camera_come_back():
    with mjpeg_camera() as camera, Consumer(LiveCamera(camera.url)) as consumer:
        consumer.sees_more(10)
        camera.frozen.set()
        assert wait_for("the gap", lambda: len(consumer.source.gaps) == 1, 4) > 1.5
        camera.frozen.clear()
        consumer.sees_more(10)
        camera.cut.set()
        wait_for("the second gap", lambda: len(consumer.source.gaps) == 2, 4)
        camera.cut.clear()
        consumer.sees_more(10)
    assert [gap.reason for gap in consumer.source.gaps] == ["stalled", "ended"]
    assert all(gap.end_us for gap in consumer.source.gaps)


def test_a_refused_http_login_shows_no_password():
    with mjpeg_camera(login=f"ann:{CANARY}") as camera:
        good = camera.url.replace("http://", f"http://ann:{CANARY}@")
        with LiveCamera(good) as live:
            assert live.connect(10).size == SIZE
        with (
            LiveCamera(good.replace(CANARY, f"{CANARY}x")) as live,
            pytest.raises(SourceError, match="login refused") as refusal,
        ):
            live.connect(10)
    assert CANARY not in f"{refusal.value!r} {live.info} {live.gaps}"


def test_segments_that_arrive_at_once_are_played_at_their_pace(tmp_path: Path):
    numbered(tmp_path / "day.m3u8", 75)
    with (
        file_server(tmp_path) as address,
        Consumer(LiveCamera(f"{address}/day.m3u8")) as consumer,
    ):
        wait_for("the end", lambda: consumer.source.gaps != [])
        shown = len(consumer.frames)
    assert consumer.numbers == [frame.index for frame in consumer.frames]
    assert shown > 50
    assert consumer.arrived_s[shown - 1] - consumer.arrived_s[0] == pytest.approx(3, abs=0.5)
    assert consumer.source.gaps[0].reason == "ended"


def test_wide_pixels_of_a_camera_become_square(tmp_path: Path):
    pictures = (picture(number) for number in range(50))
    write_video(tmp_path / "wide.ts", pictures, coding=Coding(pixel_aspect=Fraction(2)))
    with file_server(tmp_path) as address, LiveCamera(f"{address}/wide.ts") as camera:
        assert camera.connect(60).size == (SIZE[0], 2 * SIZE[1])


def test_a_webcam_is_read_through_opencv(tmp_path: Path):
    # No camera here: OpenCV reads a file in its place, as fast as it can.
    video = numbered(tmp_path / "webcam.mp4", 50)
    with Consumer(LiveCamera(str(video), camera="desk")) as consumer:
        wait_for("the end", lambda: consumer.source.gaps != [])
    seen = [number_of(frame.image) for frame in consumer.frames]
    assert seen
    assert seen == sorted(set(seen))
    assert [frame.index for frame in consumer.frames] == seen
    assert np.abs(consumer.frames[0].image[60, 20].astype(int) - (200, 90, 30)).max() < 12
    assert consumer.source.gaps[0].reason == "ended"


def test_a_webcam_that_is_not_there_is_not_found():
    with (
        LiveCamera(97) as live,
        pytest.raises(SourceError, match="webcam 97: nothing at this address"),
    ):
        live.connect(3)
