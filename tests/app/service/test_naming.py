"""One model names for all cameras: in turn, in batches that mix them, each its own."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from app.events.event import Picture
from app.service.naming import SharedNames
from app.watching.namer import name_pictures
from detectors.types import Box, Pixels
from novic.surrounded import Surrounded
from novic.vocabulary import Naming
from tests.app.builders import SIZE, BrightnessNames
from tests.peers.consumer import wait_for


def a_picture(brightness: int) -> Picture:
    crop = np.full((8, 8, 3), brightness, np.uint8)
    heat = np.zeros((12, 16), np.float32)
    return Picture(0.0, Box(10, 10, 18, 18), SIZE, (crop,), crop, heat, quality=1.0)


class Noted(BrightnessNames):
    """Names once it is allowed to, and notes how bright what it named is, batch by batch."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = threading.Event()
        self.seen: list[list[int]] = []

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        assert self.allowed.wait(30)
        self.seen.append([int(image[0, 0, 0]) for image in images])
        return super().name(images, top)


class SmallGpu(BrightnessNames):
    """Has room for so many crops."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        if len(images) > self.room:
            raise torch.OutOfMemoryError("no room")
        return super().name(images, top)


class NoWhite(BrightnessNames):
    """Cannot name what is quite white."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        if any(image.min() == 255 for image in images):
            raise ValueError("too white")
        return super().name(images, top)


def nouns(named: Sequence[Naming]) -> list[str]:
    return [naming.nouns[0].noun for naming in named]


def test_a_busy_camera_does_not_keep_another_waiting():
    names = Noted()
    with SharedNames(names, BrightnessNames, print, most=4) as shared:
        first = shared.ask("busy", [a_picture(1)])
        wait_for("the first batch", lambda: not shared.waiting)
        crowd = shared.ask("busy", [a_picture(brightness) for brightness in range(10, 30)])
        quiet = shared.ask("quiet", [a_picture(200), a_picture(201)])
        assert shared.waiting == {"busy": 20, "quiet": 2}
        names.allowed.set()
        assert len(quiet.result(30)) == 2
        assert len(crowd.result(30)) == 20
        assert first.result(30)
    assert names.seen[:3] == [[1], [10, 200, 11, 201], [12, 13, 14, 15]]


def test_a_mixed_batch_names_as_each_alone_does():
    names = BrightnessNames()
    halls = [a_picture(brightness) for brightness in (20, 220, 90)]
    yards = [a_picture(brightness) for brightness in (200, 30)]
    expected = name_pictures(BrightnessNames(), [*halls, *yards])
    with SharedNames(names, BrightnessNames, print) as shared:
        found = {**shared.ask("hall", halls).result(30), **shared.ask("yard", yards).result(30)}
    assert {one: nouns(named) for one, named in found.items()} == {
        one: nouns(named) for one, named in expected.items()
    }


def test_what_cannot_be_named_is_told_to_its_own_camera_alone():
    with SharedNames(NoWhite(), BrightnessNames, print) as shared:
        asked = {
            name: shared.ask(name, [a_picture(20), a_picture(brightness)])
            for name, brightness in (("hall", 220), ("white", 255), ("yard", 30))
        }
        assert len(asked["hall"].result(30)) == len(asked["yard"].result(30)) == 2
        with pytest.raises(ValueError, match="too white"):
            asked["white"].result(30)


def test_a_gpu_without_room_is_given_less_at_once_and_then_nothing():
    said: list[str] = []
    with SharedNames(SmallGpu(3), BrightnessNames, said.append, most=8) as shared:
        assert len(shared.ask("hall", [a_picture(20) for _ in range(8)]).result(30)) == 8
        assert shared.most == 2
    assert said == [
        "the GPU has no room to name so much at once; 4 at once from now",
        "the GPU has no room to name so much at once; 2 at once from now",
    ]
    said.clear()
    cpu = BrightnessNames()
    with SharedNames(SmallGpu(0), lambda: cpu, said.append, most=1) as shared:
        assert len(shared.ask("hall", [a_picture(20), a_picture(30)]).result(30)) == 2
    assert said == ["the GPU has no room for the model that names things; the CPU names them now"]
    assert sum(cpu.batches) == 2


def test_nothing_asked_is_answered_at_once_and_the_end_lets_go_of_what_waits():
    names = Noted()
    with SharedNames(names, BrightnessNames, print, most=1) as shared:
        assert shared.ask("hall", []).result(0) == {}
        first = shared.ask("hall", [a_picture(10)])
        wait_for("the first batch", lambda: "hall" not in shared.waiting)
        last = shared.ask("hall", [a_picture(20), a_picture(30), a_picture(40)])
    assert last.cancelled()
    names.allowed.set()
    assert len(first.result(30)) == 1
