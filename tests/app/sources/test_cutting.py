"""Clips that are cut out of a ring while it fills, of real packets."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from app.sources.cutting import ClipMade, ClipOrder, Cutter, RingSource
from app.sources.packets import PacketRing, ring_of
from app.sources.remux import PART, finish, parts_in
from app.sources.ring import RingRule
from tests.peers.clip_script import shown_in
from tests.peers.consumer import wait_for
from tests.peers.pattern import Coding, picture, write_video
from tests.small_disk import full, small_disk

__all__ = ["small_disk"]

FPS = 25
US = 1_000_000
RULE = {"before_s": 1.0, "after_s": 0.4, "longest_s": 60.0}


def time_us(number: int) -> int:
    """What is told of a picture."""
    return 10**15 + number * US // FPS


class Reader:
    """Reads a video as a camera's reader does, as fast as it goes."""

    def __init__(self, path: Path, rule: RingRule | None = None, pictures: int = 200) -> None:
        self._container = av.open(str(path))
        self._stream = self._container.streams.video[0]
        self.packets = PacketRing(self._stream, rule)
        self.made: list[ClipMade] = []
        self.cutter = Cutter(self.made.append)
        self.cutter.source = RingSource(self.packets.ring, self.packets.write)
        self._frames = self._decoded()
        self._came = 0
        self.pictures = pictures

    def read(self, until: int) -> None:
        """Go on until so many pictures have come."""
        while self._came < until and (frame := next(self._frames, None)) is not None:
            self.packets.came(frame)
            self.packets.mark(frame, time_us(self._came))
            self._came += 1

    def order(self, do: str, event: int, folder: Path, **more: float) -> None:
        """Order the clip of an event that is called by a picture of it."""
        rule = {**RULE, **more}
        order = ClipOrder("begin", "e", str(folder), time_us(event), **rule)
        self.cutter.order(replace(order, do="end") if do == "end" else order)
        # On a busy machine its thread may come to it after all has been read.
        wait_for("the order", lambda: self.made != [] or [*parts_in(folder)] != [])

    def close(self) -> ClipMade:
        """Read the rest, and end all clips; returns what became of the last one."""
        self.read(self.pictures)
        self.packets.ring.ended = True
        self.cutter.close()
        self._container.close()
        return self.made[-1]

    def _decoded(self) -> Iterator[av.VideoFrame]:
        for packet in self._container.demux(self._stream):
            self.packets.take(packet)
            yield from packet.decode()


def film(
    path: Path, coding: Coding | None = None, codec: str = "libx264", pictures: int = 200
) -> Path:
    coding = coding or Coding(gop=FPS)
    return write_video(path, map(picture, range(pictures)), codec, coding=coding)


@pytest.mark.parametrize(
    ("name", "codec", "coding", "begins"),
    [
        ("plain.mp4", "libx264", Coding(gop=FPS), 50),
        ("b_frames.mp4", "libx264", Coding(gop=FPS, b_frames=2), 50),
        ("long.mp4", "libx264", Coding(gop=80), 0),
        ("b_frames.ts", "libx264", Coding(gop=FPS, b_frames=2), 50),
        ("hevc.mkv", "libx265", Coding(gop=FPS, b_frames=2), 50),
    ],
)
def test_a_clip_begins_at_the_key_frame_before_and_tells_the_right_times(
    name: str, codec: str, coding: Coding, begins: int, tmp_path: Path
):
    reader = Reader(film(tmp_path / name, coding, codec))
    reader.read(90)
    reader.order("begin", 78, tmp_path)
    reader.read(120)
    reader.order("end", 110, tmp_path)
    made = reader.close()
    shown = shown_in(tmp_path / "e.mp4")
    assert made.fault == ""
    assert shown.begins_with_key
    assert shown.numbers[0] == begins
    assert shown.at_s[0] == 0.0
    assert shown.numbers[: 119 - begins] == list(range(begins, 119))
    told_s = (time_us(78) - made.from_us) / US
    assert shown.at_s[shown.numbers.index(78)] == pytest.approx(told_s, abs=0.001)
    # Until 0.4 s after the event, which are 10 pictures; those that others rest on may follow.
    assert 110 + 8 <= shown.numbers[-1] <= 110 + 14
    assert not list(tmp_path.glob(f"*{PART}"))


def test_events_that_overlap_get_a_clip_each(tmp_path: Path):
    reader = Reader(film(tmp_path / "film.mp4"))
    reader.read(60)
    for number, event in enumerate((40, 55)):
        order = ClipOrder("begin", f"e{number}", str(tmp_path), time_us(event), **RULE)
        reader.cutter.order(order)
    reader.read(100)
    for number, over in enumerate((90, 70)):
        reader.cutter.order(ClipOrder("end", f"e{number}", time_us=time_us(over)))
    reader.close()
    assert shown_in(tmp_path / "e0.mp4").numbers == list(range(101))
    assert shown_in(tmp_path / "e1.mp4").numbers == list(range(25, 81))


def test_a_clip_is_never_longer_than_the_longest(tmp_path: Path):
    reader = Reader(film(tmp_path / "film.mp4"))
    reader.read(60)
    reader.order("begin", 50, tmp_path, longest_s=3.0)
    reader.close()
    assert shown_in(tmp_path / "e.mp4").numbers == list(range(25, 101))


def test_what_began_before_the_ring_gives_the_part_that_there_is(tmp_path: Path):
    reader = Reader(film(tmp_path / "film.mp4"), RingRule(seconds=1.0))
    reader.read(150)
    reader.order("begin", 60, tmp_path)
    made = reader.close()
    shown = shown_in(tmp_path / "e.mp4")
    assert shown.numbers[0] == 100
    assert (time_us(60) - made.from_us) / US == pytest.approx(-40 / FPS, abs=0.001)


def test_what_was_over_before_the_ring_gets_no_clip(tmp_path: Path):
    reader = Reader(film(tmp_path / "film.mp4"), RingRule(seconds=1.0))
    reader.read(150)
    reader.order("begin", 60, tmp_path)
    reader.order("end", 80, tmp_path)
    made = reader.close()
    assert made.missed
    assert not (tmp_path / "e.mp4").exists()


def test_packets_without_times_go_by_their_arrival(tmp_path: Path):
    reader = Reader(film(tmp_path / "bare.h264"))
    reader.read(60)
    reader.order("begin", 50, tmp_path)
    reader.close()
    shown = shown_in(tmp_path / "e.mp4")
    assert shown.numbers == list(range(shown.numbers[0], 200))
    assert shown.begins_with_key


def test_pictures_in_an_unknown_order_are_not_cut(tmp_path: Path):
    path = film(tmp_path / "bare.h264", Coding(gop=FPS, b_frames=2))
    reader = Reader(path)
    reader.read(60)
    reader.order("begin", 50, tmp_path)
    assert reader.close().missed
    assert not reader.packets.usable


def test_motion_jpeg_is_nothing_to_cut(tmp_path: Path):
    path = write_video(tmp_path / "v.avi", map(picture, range(3)), "mjpeg", "yuvj420p")
    with av.open(str(path)) as container:
        assert ring_of(container.streams.video[0], RingRule()) is None


def test_a_full_disk_gives_no_clip_and_says_so(small_disk: Path, tmp_path: Path):
    path = film(tmp_path / "film.mp4")
    with full(small_disk):
        reader = Reader(path)
        reader.read(90)
        reader.order("begin", 78, small_disk)
        made = reader.close()
        assert made.fault == "No space left on device"
        assert [one.name for one in small_disk.iterdir()] == ["filler"]


def test_a_folder_that_is_gone_gives_no_clip_and_says_so(tmp_path: Path):
    reader = Reader(film(tmp_path / "film.mp4"))
    reader.read(90)
    reader.order("begin", 78, tmp_path / "gone")
    assert reader.close().fault == "No such file or directory"


def test_a_part_that_was_torn_is_a_clip_as_far_as_it_goes(tmp_path: Path):
    reader = Reader(film(tmp_path / "film.mp4"))
    reader.read(60)
    reader.order("begin", 50, tmp_path)
    wait_for("its part", lambda: [*parts_in(tmp_path)] != [])
    reader.read(200)
    wait_for("most of it", lambda: next(parts_in(tmp_path))[2].stat().st_size > 40_000)
    event_id, from_us, part = next(parts_in(tmp_path))
    torn = tmp_path / f"torn{PART}"
    torn.write_bytes(part.read_bytes()[:-500])
    reader.close()
    assert (event_id, from_us) == ("e", time_us(25))
    assert finish(torn, tmp_path / "torn.mp4")
    shown = shown_in(tmp_path / "torn.mp4")
    assert shown.numbers == list(range(25, 25 + len(shown.numbers)))
    assert len(shown.numbers) > FPS
    assert not torn.exists()


def test_a_part_with_nothing_in_it_is_no_clip(tmp_path: Path):
    part = tmp_path / f"e.5{PART}"
    part.write_bytes(b"")
    assert not finish(part, tmp_path / "e.mp4")
    assert [*tmp_path.iterdir()] == []
