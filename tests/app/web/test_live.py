"""Live pictures: who looks gets them, and only then."""

import asyncio
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from app.events.event import Lasting
from app.sources.base import Gap, LiveStats, SourceInfo
from app.sources.glimpses import Passing
from app.watching.blurring import coarse_picture
from app.watching.board import Station
from app.watching.drawing import BOX_COLOUR
from app.web.live import FPS, Live, Packed, packed, part
from detectors.types import Box, Frame, Pixels
from tests.app.builders import a_frame


class Watched:
    """A live source whose pictures pass."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.asked: list[float | None] = []
        self.onlooker = self
        self._passing = Passing()

    @property
    def info(self) -> SourceInfo:
        return SourceInfo("hall", "rtsp://hall/1", (90, 160), 25.0, 0.0)

    @property
    def stats(self) -> LiveStats:
        return LiveStats()

    def look(self, fps: float | None) -> None:
        self.asked.append(fps)

    def newest(self, after: int):
        return self._passing.newest(after)

    def show(self, frame: Frame) -> None:
        self._passing.show(frame)


def lasting(box: Box) -> Lasting:
    return Lasting("e1", 1.0, 1_000_000, 2.0, 3, ((1.0, box, 2.0),))


def looked(live: Live, wanted: int, onlookers: int, show: Callable[[], None]) -> list[list[Packed]]:
    """What so many onlookers see until each has so many pictures."""

    async def one() -> list[Packed]:
        seen: list[Packed] = []
        async for picture in live.pictures(lambda: len(seen) >= wanted):
            seen.append(picture)
            await asyncio.to_thread(show)
            if len(seen) >= wanted:
                break
        return seen

    async def all_of_them() -> list[list[Packed]]:
        await asyncio.to_thread(show)
        return await asyncio.gather(*(one() for _ in range(onlookers)))

    return asyncio.run(all_of_them())


def read(jpeg: bytes) -> Pixels:
    with Image.open(BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_all_onlookers_get_the_same_packed_pictures_and_more_are_asked_for_only_meanwhile():
    source = Watched()
    live = Live(Station(Path("hall"), source))
    assert source.asked == []
    seen = looked(live, 4, 3, lambda: source.show(a_frame()))
    assert [len(one) >= 4 for one in seen] == [True] * 3
    by_number = {one.number: one.jpeg for one in seen[0]}
    shared = [one for other in seen[1:] for one in other if one.number in by_number]
    assert shared
    assert all(one.jpeg is by_number[one.number] for one in shared)
    until(lambda: source.asked == [FPS, None])
    until(lambda: not any(one.name == "live" for one in threading.enumerate()))


def test_a_source_without_more_pictures_shows_those_that_are_watched():
    class Plain:
        gaps: list[Gap]

        def __init__(self) -> None:
            self.gaps = []

        @property
        def info(self) -> SourceInfo:
            return SourceInfo("hall", "drops", (90, 160), 5.0, 0.0)

        @property
        def stats(self) -> LiveStats:
            return LiveStats()

    station = Station(Path("hall"), Plain())
    station.looked(a_frame(), [], 0.0)
    assert asyncio.run(Live(station).newest()) is not None


def test_boxes_are_drawn_where_they_are_also_in_a_smaller_picture():
    station = Station(Path("hall"), Watched())
    frame = Frame("hall", 0, 0.0, 0, np.full((1080, 1920, 3), 90, np.uint8))
    station.looked(frame, [lasting(Box(960, 540, 1440, 810))], 0.0)
    newest = station.newest(0, 0.0)
    assert newest is not None
    jpeg = packed(np.full((540, 960, 3), 90, np.uint8), newest[1])
    drawn = read(jpeg)
    off = np.abs(drawn.astype(int) - np.array(BOX_COLOUR)).sum(axis=2)
    rows, columns = np.nonzero(off < 120)
    assert abs(rows.min() - 270) <= 3
    assert abs(columns.min() - 480) <= 3
    assert abs(columns.max() - 719) <= 3
    assert read(packed(frame.image, None)).shape == (540, 960, 3)


def test_a_part_says_how_long_it_is():
    head, _, rest = part(Packed(1, b"12345")).partition(b"\r\n\r\n")
    assert b"Content-Length: 5" in head
    assert rest == b"12345\r\n--nomaly\r\n"


def test_where_people_are_hidden_no_picture_is_shown_as_the_camera_sent_it():
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    source = Watched()
    source.show(a_frame(1.0, noise))
    jpeg = asyncio.run(Live(Station(Path("hall"), source, coarse_picture)).newest())
    assert jpeg is not None
    inside = np.diff(read(jpeg).astype(int)[200:212, 200:212], axis=1)
    assert np.abs(inside).mean() < 12, "cells of one colour"
    bare = asyncio.run(Live(Station(Path("hall"), source)).newest())
    assert bare is not None
    assert np.abs(np.diff(read(bare).astype(int), axis=1)).mean() > 30
