"""What a watch tells of its camera, to people and to scripts."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from app.progress import Reporter
from app.sources.base import NOW, Gap, GapReason, LiveStats, SourceInfo
from app.sources.paced import PacedSource
from app.watching.telling import Telling, clock_time, in_words, reason
from detectors.types import Frame
from tests.app.builders import SIZE, a_frame
from tests.peers.consumer import wait_for


class Recorded:
    """A recording of nothing."""

    info = SourceInfo("hall", "hall.mp4", SIZE, 5.0, 0.0)
    warning = ""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []

    def frames(self) -> Iterator[Frame]:
        yield from ()

    def close(self) -> None: ...


class Away(PacedSource):
    """A source that is away when the test says so."""

    def __init__(self) -> None:
        super().__init__(Recorded())
        self.away: list[Gap] = []
        self.lost_frames = 0

    @property
    def gaps(self) -> list[Gap]:
        return [*self.away]

    @property
    def stats(self) -> LiveStats:
        return LiveStats(dropped=self.lost_frames)

    def lose(self, at_us: int, reason: GapReason = "ended", detail: str = "") -> None:
        self.away.append(Gap(at_us, None, reason, detail))

    def back(self, at_us: int) -> None:
        self.away[-1] = replace(self.away[-1], end_us=at_us)


class Heard:
    """What was told on both ways."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.messages: list[dict[str, Any]] = []
        self.stderr = StringIO()
        console = Console(file=self.stderr, force_terminal=terminal, width=120)
        self.reporter = Reporter(console)

    def events(self) -> list[str]:
        return [message["event"] for message in self.messages]

    def lines(self) -> list[str]:
        return self.stderr.getvalue().splitlines()


def telling(camera: Away, heard: Heard, heartbeat_s: float | None = 0) -> Telling:
    return Telling(camera, heard.reporter, heard.messages.append, heartbeat_s=heartbeat_s)


HALF_PAST = 1_800_000_000_000_000


def test_a_camera_that_is_lost_and_comes_back_is_told_at_once():
    camera, heard = Away(), Heard()
    with telling(camera, heard):
        camera.lose(HALF_PAST, "ended", "the stream ended")
        wait_for("the loss", lambda: heard.events() == ["lost"], 30)
        assert heard.lines() == [
            f"{clock_time(HALF_PAST)} camera hall lost (connection ended), trying again"
        ]
        camera.back(HALF_PAST + 38_000_000)
        wait_for("the return", lambda: heard.events() == ["lost", "back"], 30)
    assert heard.lines()[1:] == [
        f"{clock_time(HALF_PAST + 38_000_000)} camera hall back after 38 s"
    ]
    assert heard.messages == [
        {
            "event": "lost",
            "camera": "hall",
            "time_us": HALF_PAST,
            "reason": "ended",
            "detail": "the stream ended",
        },
        {
            "event": "back",
            "camera": "hall",
            "time_us": HALF_PAST + 38_000_000,
            "blind_s": 38.0,
            "reason": "ended",
        },
    ]


def test_what_keeps_a_lost_camera_away_is_told_once_where_people_must_do_something():
    camera, heard = Away(), Heard()
    camera.lose(HALF_PAST, detail="the stream ended")
    with telling(camera, heard):
        wait_for("the loss", lambda: heard.events() == ["lost"], 30)
        detail = f"the stream ended{NOW}login refused"
        camera.away[-1] = replace(camera.away[-1], detail=detail)
        wait_for("the reason", lambda: heard.events() == ["lost", "unreachable"], 30)
        camera.back(HALF_PAST + 1_000_000)
        wait_for("the return", lambda: heard.events() == ["lost", "unreachable", "back"], 30)
    assert "camera hall cannot be reached: login refused, trying again" in heard.lines()[1]
    assert heard.messages[1]["detail"] == "login refused"
    assert reason(camera.away[-1]) == "connection ended; now: login refused"


def test_what_came_and_went_between_two_looks_is_told_in_order_to_the_last():
    camera, heard = Away(), Heard()
    with telling(camera, heard):
        for start_us in (0, 2_000_000, 4_000_000):
            camera.lose(start_us, "stalled", "no new picture for 2 s")
            camera.back(start_us + 1_000_000)
        camera.lose(6_000_000, "refused", "connection refused")
    assert heard.events() == ["lost", "back"] * 3 + ["lost"]
    assert [message["time_us"] for message in heard.messages] == [n * 1_000_000 for n in range(7)]
    assert heard.lines()[0].endswith("camera hall lost (no new picture for 2 s)")


def test_pictures_that_cannot_be_looked_at_are_blind_time_too():
    camera, heard = Away(), Heard()
    gaps = [Gap(5, 5, "size", "scaled, so nothing is missed"), Gap(7, None, "size", "2x3 pixels")]
    with telling(camera, heard, heartbeat_s=0.01) as told:
        told.pulse.unseen.append([])
        told.pulse.unseen.append(gaps)
        wait_for("a sign of life", lambda: heard.events()[:1] == ["lost"], 30)
        wait_for("a sign of life", lambda: heard.messages[-1].get("blind") == "2x3 pixels", 30)
        gaps[1] = replace(gaps[1], end_us=3_000_007)
        wait_for("the return", lambda: "back" in heard.events(), 30)
    assert [one["time_us"] for one in heard.messages if one["event"] in ("lost", "back")] == [
        7,
        3_000_007,
    ]


def test_a_fault_of_its_pictures_is_told_as_an_event_alone_and_shows_in_signs_of_life():
    camera, heard = Away(), Heard()
    with telling(camera, heard, heartbeat_s=0.01) as told:
        told.pulse.unseen.append([Gap(7, 8, "black"), Gap(9, None, "frozen")])
        wait_for("a sign of life", lambda: heard.events()[:1] == ["heartbeat"], 30)
        wait_for("the fault in it", lambda: heard.messages[-1].get("blind") == "frozen", 30)
    assert set(heard.events()) == {"heartbeat"}


def test_what_could_not_be_kept_while_it_learned_is_told_apart():
    camera, heard = Away(), Heard()
    gaps = [Gap(HALF_PAST, None, "learning", "more came than could be kept")]
    with telling(camera, heard) as told:
        told.pulse.unseen.append(gaps)
        wait_for("the loss", lambda: heard.events() == ["lost"], 30)
        gaps[0] = replace(gaps[0], end_us=HALF_PAST + 9_500_000)
    assert [line.split(" ", 1)[1] for line in heard.lines()] == [
        "camera hall not looked at (more came than could be kept)",
        "camera hall back after 9.5 s",
    ]


def test_failures_before_the_first_picture_are_not_told_again():
    camera, heard = Away(), Heard()
    camera.lose(0, "refused")
    camera.back(5)
    with telling(camera, heard):
        pass
    assert (heard.messages, heard.lines()) == ([], [])


def test_a_sign_of_life_tells_how_it_goes():
    camera, heard = Away(), Heard()
    camera.lost_frames = 3
    with telling(camera, heard, heartbeat_s=0.05) as told:
        newest = a_frame(60.0)
        told.pulse.came(newest)
        told.pulse.looked(a_frame(58.0), 1, 2)
        told.pulse.doing, told.pulse.skipped = "catching up", 4
        wait_for("a sign of life", lambda: told.pulse.frames > 0 and len(heard.messages) > 1, 30)
    beat = heard.messages[-1]
    assert beat | {"time_us": 0, "fps": 0, "frame_age_s": 0} == {
        "event": "heartbeat",
        "camera": "hall",
        "time_us": 0,
        "doing": "catching up",
        "fps": 0,
        "frame_age_s": 0,
        "frames": 1,
        "dropped": 7,
        "open": 2,
        "blind": None,
    }
    # Time goes on from the newest frame, on the clock of the frames.
    assert beat["time_us"] >= newest.time_us
    assert beat["frame_age_s"] >= 2.0
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d hall: catching up, [\d.]+ frames/s, last frame [\d.]+ s ago, 7 dropped, "
        "2 events open",
        heard.lines()[-1],
    )


def test_signs_of_life_go_on_while_the_camera_is_away_and_say_so():
    camera, heard = Away(), Heard()
    camera.lose(HALF_PAST, "timeout", "no picture within 10 s")
    with telling(camera, heard, heartbeat_s=0.01):
        wait_for("signs of life", lambda: heard.events().count("heartbeat") > 1, 30)
    assert heard.messages[-1]["blind"] == "no picture within 10 s"


def test_no_sign_of_life_is_given_where_none_is_wanted():
    camera, heard = Away(), Heard()
    with telling(camera, heard, heartbeat_s=0):
        camera.lose(0)
        wait_for("the loss", lambda: heard.events() == ["lost"], 30)
    assert heard.events() == ["lost"]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "hall: watching, 4.9 frames/s, last frame 0.2 s ago, 0 dropped"),
        (
            {"open": 1},
            "hall: watching, 4.9 frames/s, last frame 0.2 s ago, 0 dropped, 1 event open",
        ),
        ({"doing": "learning", "frame_age_s": None}, "hall: learning, 0 dropped"),
        (
            {"blind": "connection ended", "frame_age_s": 151.0},
            "hall: blind (connection ended), 4.9 frames/s, last frame 2 min 31 s ago, 0 dropped",
        ),
        (
            {"frame_age_s": 7260},
            "hall: watching, 4.9 frames/s, last frame 2 h 1 min ago, 0 dropped",
        ),
    ],
)
def test_a_sign_of_life_in_words(changed: dict[str, Any], text: str):
    beat = {"camera": "hall", "doing": "watching", "fps": 4.93, "frame_age_s": 0.21, "dropped": 0}
    assert in_words({**beat, "open": 0, "blind": None, **changed}) == text


def test_on_a_terminal_a_line_at_its_foot_is_kept_up_to_date():
    camera, heard = Away(), Heard(terminal=True)
    with telling(camera, heard, heartbeat_s=None) as told:
        told.pulse.looked(a_frame(), 1, 1)
        told.watching()
        wait_for("the line", lambda: "1 event open" in heard.stderr.getvalue(), 30)
        told.tell({"event": "opened"})
        camera.lose(HALF_PAST)
        wait_for("the loss", lambda: "camera hall lost" in heard.stderr.getvalue(), 30)
    assert heard.events() == ["opened", "lost"]


def test_messages_of_several_threads_are_passed_on_one_at_a_time():
    camera, heard, within = Away(), Heard(), [0]

    def tell(message: dict[str, Any]) -> None:
        within[0] += 1
        time.sleep(0)
        assert within[0] == 1
        within[0] -= 1
        heard.messages.append(message)

    with Telling(camera, heard.reporter, tell, heartbeat_s=0.001) as told:
        for _ in range(200):
            told.tell({"event": "opened"})
        wait_for("signs of life", lambda: "heartbeat" in heard.events(), 30)
    assert heard.events().count("opened") == 200


def test_the_pulse_runs_on_the_clock_of_the_frames():
    with Telling(Away(), Heard().reporter, print) as told:
        pulse = told.pulse
        assert (pulse.now_us, pulse.age_s) == (None, None)
        frame: Frame = a_frame(9.0)
        pulse.came(frame)
        assert pulse.age_s is None
        pulse.looked(a_frame(3.0), 0, 0)
        assert pulse.age_s is None, "its size was wrong"
        pulse.looked(frame, 1, 0)
        now_us, age_s = pulse.now_us, pulse.age_s
    assert now_us is not None
    assert now_us >= frame.time_us
    assert age_s is not None
    assert age_s >= 0
