"""What is due is named beside the frames: nothing waits, nothing is lost, nothing changes."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from app.events.event import Finding
from app.watching.camera import Camera
from app.watching.naming import MOST_DUE, AtOnce, Beside, Teller
from detectors.types import Pixels
from novic.surrounded import Surrounded
from novic.vocabulary import Naming
from tests.app.builders import SIZE, BrightnessNames, a_frame, a_map

SPOT = (4, 4, 4)


class HeldNames(BrightnessNames):
    """Names only while it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = threading.Event()

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        assert self.allowed.wait(30)
        return super().name(images, top)


class BrokenNames:
    """Cannot name anything."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        raise MemoryError("no room for a batch")


def look(camera: Camera, pts_s: float, *spots: tuple[int, int, int]) -> None:
    image = np.full((*SIZE, 3), 90, np.uint8)
    for column, row, cells in spots:
        image[5 * row : 5 * (row + cells), 5 * column : 5 * (column + cells)] = 250
    camera.follow([a_frame(pts_s, image)], a_map(*spots)[None])


def play(camera: Camera, teller: Teller, seconds: float = 8) -> list[Finding]:
    """A bright thing from 1 s to 5 s, told frame by frame."""
    told = []
    for number in range(round(seconds * 5)):
        look(camera, number / 5, *[SPOT] * (1 <= number / 5 < 5))
        told += teller.findings(camera)
    return told


def said(findings: Sequence[Finding]) -> list[tuple[str, str, float, float, int]]:
    return [
        (one.event.state, one.event.noun, one.event.p, one.event.end_s, len(one.path))
        for one in findings
    ]


def test_frames_go_on_while_a_name_is_awaited_and_all_is_told_in_order():
    names, camera = HeldNames(), Camera(SIZE, live=True)
    with Beside(names) as beside:
        assert play(camera, beside) == []
        assert camera.due == 1, "the end waits behind the opening"
        names.allowed.set()
        told = beside.last(camera)
    assert [one.event.state for one in told] == ["opened", "closed"]
    # The opening is told as it was then, although the thing was followed on.
    opened, closed = told
    assert (opened.event.end_s, closed.event.end_s) == (1.4, 4.8)
    assert (len(opened.path), len(closed.path)) == (3, 20)
    assert opened.event.noun == closed.event.noun == "lamp"


def test_what_has_no_name_in_time_is_told_without_one_and_nothing_is_lost():
    names, camera = HeldNames(), Camera(SIZE, live=True)
    with Beside(names) as beside:
        assert play(camera, beside) == []
        told = beside.last(camera, 0.0)
        assert beside.last(camera) == []
    names.allowed.set()
    assert [(one.event.state, one.event.noun) for one in told] == [("opened", ""), ("closed", "")]
    assert all(one.picture is not None and one.vector is None for one in told)
    assert len(told[-1].path) == 20


def test_what_was_named_before_keeps_its_name_where_the_rest_comes_too_late():
    names, camera = HeldNames(), Camera(SIZE, live=True)
    names.allowed.set()
    with Beside(names) as beside:
        told = []
        for number in range(10):
            look(camera, number / 5, *[SPOT] * (number >= 5))
            told += beside.last(camera)
        names.allowed.clear()
        for number in range(10, 40):
            look(camera, number / 5, *[SPOT] * (number < 25))
            told += beside.findings(camera)
        told += beside.last(camera, 0.0)
    names.allowed.set()
    assert told[-1].event.state == "closed"
    assert {one.event.noun for one in told} == {"lamp"}


def test_every_picture_is_named_once_as_if_it_had_been_awaited():
    at_once, beside_names = BrightnessNames(), BrightnessNames()
    expected = play(Camera(SIZE, live=True), AtOnce(at_once))
    camera = Camera(SIZE, live=True)
    told: list[Finding] = []
    with Beside(beside_names) as beside:
        for number in range(40):
            look(camera, number / 5, *[SPOT] * (1 <= number / 5 < 5))
            told += beside.findings(camera)
            # A namer that is quick: it is done before the next frame comes.
            told += beside.last(camera)
    assert said(told) == said(expected)
    assert [one.event.state for one in told] == ["opened", "updated", "closed"]
    assert sum(beside_names.batches) == sum(at_once.batches)


def test_a_full_queue_loses_no_event_and_no_end():
    """As many things as fit side by side come and go, again and again, while nothing is named."""
    names, camera = HeldNames(), Camera(SIZE, live=True)
    places = [(column, row, 2) for row in range(0, 12, 4) for column in range(0, 16, 4)]
    told: list[Finding] = []
    with Beside(names) as beside:
        for number in range(5 * 30):
            look(camera, number / 5, *places * (number // 5 % 5 < 2))
            if camera.due > MOST_DUE:
                names.allowed.set()
            told += beside.findings(camera)
            assert camera.due <= MOST_DUE + len(places)
        camera.finish()
        told += beside.last(camera)
    assert names.allowed.is_set()
    states: dict[str, list[str]] = {}
    for one in told:
        states.setdefault(one.event.id, []).append(one.event.state)
        assert one.event.noun == "lamp"
    assert len(states) == 6 * len(places)
    assert all(seen[0] == "opened" and seen[-1] == "closed" for seen in states.values())


def test_what_needs_no_more_names_is_told_at_once():
    names, camera = HeldNames(), Camera(SIZE, live=True)
    names.allowed.set()
    with Beside(names) as beside:
        for number in range(15):
            look(camera, number / 5, SPOT)
            beside.last(camera)
        names.allowed.clear()
        told: list[Finding] = []
        for number in range(15, 30):
            look(camera, number / 5)
            told += beside.findings(camera)
        names.allowed.set()
    assert [one.event.state for one in told] == ["closed"]


def test_a_namer_that_fails_is_not_silent():
    camera = Camera(SIZE, live=True)
    for number in range(5):
        look(camera, number / 5, SPOT)
    with Beside(BrokenNames()) as beside:
        assert beside.findings(camera) == []
        with pytest.raises(MemoryError, match="no room for a batch"):
            beside.last(camera)
