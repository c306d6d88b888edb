"""Pictures for onlookers, beside those that are watched."""

import time
from collections.abc import Callable

import numpy as np

from app.sources.glimpses import SIDE, Asked, Glimpses, Onlooker, Passing
from app.sources.live import LiveCamera
from app.sources.mailbox import Mailbox, Shot, new_memory
from detectors.types import Pixels
from tests.app.builders import a_frame
from tests.peers.http_peers import mjpeg_camera


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_an_onlooker_sees_more_pictures_than_the_watch_and_changes_nothing_it_counts():
    with mjpeg_camera(fps=25) as camera, LiveCamera(camera.url, sample_fps=2) as live:
        live.connect(20)
        seen: list[int] = []

        def look() -> None:
            shot = live.onlooker.newest(seen[-1] if seen else 0)
            if shot is not None:
                seen.append(shot.sequence)

        until(lambda: live.take() is not None)
        assert live.onlooker.newest(0) is None
        live.onlooker.look(20.0)
        until(lambda: (look(), len(seen) >= 12)[1])
        # Twelve of 20 a second came while the watch takes 2 a second.
        taken = live.stats.frames
        until(lambda: live.take() is not None)
        assert (live.stats.frames, live.stats.dropped <= 2) == (taken + 1, True)
        live.onlooker.look(None)
        camera.cut.set()
        until(lambda: bool(live.gaps))
        camera.cut.clear()
        live.onlooker.look(20.0)
        before = seen[-1]
        # The numbers rise on with another connection.
        until(lambda: (look(), seen[-1] > before + 2)[1])


def test_pictures_for_onlookers_are_small_and_of_the_same_shape():
    sent: list[tuple[dict[str, object], int]] = []
    boxes: list[Mailbox] = []

    def send(message: dict[str, object], descriptor: int) -> None:
        sent.append((message, descriptor))
        size = message["glimpses"]
        assert isinstance(size, tuple)
        boxes.append(Mailbox(descriptor, size))

    asked = Asked()
    glimpses = Glimpses(asked, send)
    picture: Pixels = np.full((1080, 1920, 3), 90, np.uint8)
    glimpses.show(picture, 0, 0.0, 0)
    assert sent == []
    asked.ask(10.0)
    glimpses.show(picture, 1, 0.1, 1)
    glimpses.show(picture, 2, 0.15, 2)
    glimpses.show(picture[:90, :160], 3, 0.2, 3)
    assert [message["glimpses"] for message, _ in sent] == [(540, SIDE), (90, 160)]
    assert [box.sequence for box in boxes] == [1, 1]
    asked.ask(None)
    glimpses.show(picture, 4, 9.0, 4)
    assert boxes[0].sequence == 1


class Reads:
    def __init__(self) -> None:
        self.asked: list[float | None] = []

    def look(self, fps: float | None) -> None:
        self.asked.append(fps)


def test_who_reads_next_is_asked_too_as_long_as_somebody_looks():
    onlooker, one, two, three = Onlooker(), Reads(), Reads(), Reads()
    onlooker.at(one)
    onlooker.look(12.0)
    onlooker.at(one)
    onlooker.at(None)
    onlooker.at(two)
    onlooker.look(None)
    onlooker.at(three)
    assert (one.asked, two.asked, three.asked) == ([12.0], [12.0, None], [])


def test_numbers_rise_through_other_mailboxes():
    onlooker, number = Onlooker(), 0
    for _ in range(2):
        box = Mailbox(new_memory((2, 2)), (2, 2))
        onlooker.opened(box)
        for sequence in (1, 2):
            box.publish(Shot(sequence, 0, None, 0, 0.0, np.zeros((2, 2, 3), np.uint8)))
            shot = onlooker.newest(number)
            assert shot is not None
            assert shot.sequence == number + 1
            number = shot.sequence
            assert onlooker.newest(number) is None


def test_what_plays_in_this_process_is_seen_as_it_passes():
    passing = Passing()
    assert passing.newest(0) is None
    passing.show(a_frame())
    passing.show(a_frame(1.0))
    shot = passing.newest(1)
    assert shot is not None
    assert (shot.sequence, shot.pts_s) == (2, 1.0)
    assert passing.newest(2) is None
