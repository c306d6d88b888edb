"""Clips of a watch, of a camera that sends single pictures."""

from pathlib import Path

import numpy as np
import pytest

from app.events.event import clip_name
from app.events.media import CLIPS, sweep
from app.events.reading import snapshot
from app.sources.remux import PART, part_path
from detectors.types import Pixels
from tests.app.watching.clip_keeper import Keeper, keeper
from tests.peers.clip_script import shown_in
from tests.peers.consumer import wait_for
from tests.peers.http_peers import mjpeg_camera
from tests.peers.pattern import number_of, picture, write_video
from tests.small_disk import full, small_disk

__all__ = ["small_disk"]

US = 1e6


def number_at(one: Keeper, time_us: int) -> int:
    """The number in the picture of which this time was told."""
    return next(number_of(frame.image) for frame in one.frames if frame.time_us == time_us)


def test_a_camera_of_single_pictures_gets_clips_of_those_that_were_seen(tmp_path: Path):
    with mjpeg_camera() as camera, keeper(camera.url, tmp_path / "out") as one:
        one.sees(15)
        assert not one.camera.packets
        event = one.opens(frames_ago=2)
        one.sees(5)
        assert one.stored(event).clip == ""
        one.closes(event)
        stored = one.has_clip(event)
    assert stored.clip == clip_name(event.id)
    assert stored.clip_from_us is not None
    assert stored.as_json()["clip"] == f"clips/{event.id}.mp4"
    shown = shown_in(tmp_path / "out" / stored.clip)
    at_s = (event.start_us - stored.clip_from_us) / US
    nearest = int(np.argmin(np.abs(np.array(shown.at_s) - at_s)))
    assert shown.at_s[nearest] == pytest.approx(at_s, abs=0.002)
    assert shown.numbers[nearest] == number_at(one, event.start_us)
    assert 0.9 < at_s < 1.3
    told = [message for message in one.told if message["event"] == "clip"]
    assert told == [
        {
            "event": "clip",
            "id": event.id,
            "clip": stored.clip,
            "clip_from_us": stored.clip_from_us,
        }
    ]


def test_large_pictures_are_kept_smaller_and_another_size_on_the_way_is_fitted(tmp_path: Path):
    def shows(number: int) -> Pixels:
        return picture(number, (720, 1280) if number < 30 else (240, 320))

    with mjpeg_camera() as camera:
        camera.shows = shows
        with keeper(camera.url, tmp_path / "out") as one:
            one.sees(8)
            event = one.opens()
            one.sees(12)
            one.closes(event)
            stored = one.has_clip(event)
    assert shown_in(tmp_path / "out" / stored.clip).sizes == {(540, 960)}


def test_the_end_of_a_watch_ends_its_clips(tmp_path: Path):
    with mjpeg_camera() as camera, keeper(camera.url, tmp_path / "out") as one:
        one.sees(8)
        event = one.opens()
        one.sees(8)
    stored = one.stored(event)
    assert shown_in(tmp_path / "out" / stored.clip).numbers[-1] >= number_at(one, event.start_us)
    assert not list((tmp_path / "out" / CLIPS).glob(f"*{PART}"))


def test_no_clips_are_kept_where_none_are_wanted(tmp_path: Path):
    with mjpeg_camera() as camera, keeper(camera.url, tmp_path / "out", rule=None) as one:
        one.sees(5)
        event = one.opens()
        one.closes(event)
        one.sees(5)
    assert one.stored(event).clip == ""
    assert [*(tmp_path / "out" / CLIPS).iterdir()] == []


def test_a_full_disk_takes_the_clip_and_leaves_the_event(small_disk: Path):
    with mjpeg_camera() as camera, keeper(camera.url, small_disk / "out") as one:
        one.sees(8)
        first, _ = one.opens(0), one.opens(1)
        with full(small_disk):
            one.sees(8)
            wait_for("word of it", lambda: one.said != [])
        third = one.opens(2)
        one.sees(4)
        one.closes(third)
        one.has_clip(third)
    assert [said.partition("(")[0] for said in one.said] == [
        f"{small_disk / 'out' / CLIPS}: no clip can be written ",
        f"{small_disk / 'out' / CLIPS}: clips can be written again",
    ]
    assert one.stored(first).clip == ""
    assert one.stored(third).clip


def test_what_a_killed_watch_left_of_a_clip_is_made_whole_by_the_next(tmp_path: Path):
    out = tmp_path / "out"
    with mjpeg_camera() as camera:
        with keeper(camera.url, out, rule=None) as before:
            before.sees(3)
            event, unknown = before.opens(), "0000000000abcd-abc"
        for name in (event.id, unknown):
            part = part_path(out / CLIPS, name, event.start_us - 500_000)
            video = write_video(tmp_path / "part.mp4", map(picture, range(30)))
            part.write_bytes(video.read_bytes())
        sweep(out, [(event.id, event.snapshot_s)])
        with keeper(camera.url, out) as one:
            one.sees(2)
            stored = one.has_clip(event)
    assert stored.clip_from_us == event.start_us - 500_000
    assert shown_in(out / stored.clip).numbers == [*range(30)]
    assert [path.name for path in (out / CLIPS).iterdir()] == [f"{event.id}.mp4"]


def test_an_event_whose_clip_is_gone_speaks_of_none(tmp_path: Path):
    with mjpeg_camera() as camera, keeper(camera.url, tmp_path / "out") as one:
        one.sees(5)
        event = one.opens()
        one.sees(2)
        one.closes(event)
        stored = one.has_clip(event)
    (tmp_path / "out" / stored.clip).unlink()
    with snapshot(tmp_path / "out") as store:
        found = store.event(event.id)
    assert found is not None
    assert "clip" not in found.as_json()
