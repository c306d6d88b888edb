"""A thing that stands rings once, is told to stand once, and closes once its place is usual."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.events.event import Event
from app.events.life import LifeRule
from app.events.store import SourceProgress, Store
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.going_on import GoingOn
from app.watching.lookout import Lookout
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from detectors.types import Frame
from tests.app.builders import SIZE, BrightnessNames, a_frame
from tests.app.watching.test_resuming import Brightness

FPS = 5
SETTINGS = {"source": "rtsp://camera/hall"}
RULE = LifeRule(stationary_s=3.0, reminder_s=20.0, normal_s=2.0)
CAR, KERB = 10, 50
"""Columns."""


def view(number: int, *columns: float, light: int = 0, value: int = 200) -> Frame:
    """A dark noisy view with bright things at these columns."""
    rng = np.random.default_rng(number)
    image = rng.integers(20, 60, (*SIZE, 3)) + light
    for column in columns:
        at = round(column)
        image[20:40, max(at, 0) : at + 20] = value + rng.integers(0, 30, 3)
    return a_frame(number / FPS, np.clip(image, 0, 255).astype(np.uint8))


def standing(seconds: float, *columns: float, light: int = 0) -> list[Frame]:
    return [view(number, *columns, light=light) for number in range(round(seconds * FPS))]


class Street:
    """A watch of a folder that is stopped and begun again."""

    def __init__(self, folder: Path, rule: LifeRule = RULE, fps: float = FPS) -> None:
        self.folder, self.rule, self.fps = folder, rule, fps
        self.now_s = 0.0

    def watch(
        self, frames: Sequence[Frame], *, killed: bool = False, away_s: float = 5.0
    ) -> list[Event]:
        """One session; returns what is told in it."""
        with Store(self.folder) as store:
            run = store.last_run()
            before = store.sources(run.id)[0] if run is not None else None
            going_on = GoingOn(run, before, SETTINGS)
            run_id, closed = going_on.begin(store)
            source = going_on.source or SourceProgress("hall", SETTINGS["source"], SIZE, 0.0, 0.0)
            camera = Camera(SIZE, live=True, settings=CameraSettings(life=self.rule))
            camera.expect(going_on.left)
            recorder = Recorder(store, run_id, source)
            lookout = Lookout(camera, Brightness(), AtOnce(BrightnessNames()), recorder)
            told = [*closed, *self._told(lookout, going_on, frames)]
            if not killed:
                findings = lookout.finish(cut=True, goes_on=True)
                lookout.save(findings)
                told += [finding.event for finding in findings]
        self.now_s += away_s
        return told

    def _told(
        self, lookout: Lookout, going_on: GoingOn, frames: Sequence[Frame]
    ) -> Iterator[Event]:
        for number, frame in enumerate(frames):
            self.now_s += 1 / self.fps
            time_us = 1_000_000 + round(1e6 * self.now_s)
            frame = replace(frame, pts_s=number / self.fps, time_us=time_us)
            lookout.look([going_on.placed(frame)])
            findings = lookout.findings()
            lookout.save(findings)
            yield from (finding.event for finding in findings)


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(tmp_path)


def states(told: Sequence[Event]) -> list[str]:
    return [event.state for event in told]


def rings(told: Sequence[Event]) -> int:
    return sum(event.as_told()["rings"] for event in told)


def test_what_stands_is_told_once_and_reminded_of(street: Street):
    told = street.watch(standing(30, CAR), killed=True)
    assert states(told) == ["opened", "updated", "stationary", "stationary"]
    assert [event.reminders for event in told] == [0, 0, 0, 1]
    assert told[2].still_us == pytest.approx(1_200_000, abs=1_000_000)
    assert rings(told) == 1
    assert told[2].as_told().items() >= {"event": "stationary", "rings": False}.items()


def test_it_closes_too_where_a_frame_comes_every_third_second(tmp_path: Path):
    slow = Street(tmp_path, replace(RULE, normal_s=7.0), fps=1 / 3)
    told = slow.watch([*standing(6, CAR), *standing(6)], killed=True)
    assert states(told)[0] == "opened"
    assert "stationary" in states(told)
    assert states(told)[-1] == "closed"


def test_it_closes_once_its_place_is_usual(street: Street):
    told = street.watch([*standing(6, CAR), *standing(6)], killed=True)
    assert states(told) == ["opened", "updated", "stationary", "closed"]
    assert told[-1].end_s == pytest.approx(5.8)


@pytest.mark.parametrize("killed", [True, False])
def test_it_never_rings_again_however_often_the_watch_begins_anew(street: Street, killed: bool):
    told = street.watch(standing(6, CAR), killed=killed)
    for number in range(6):
        told += street.watch(standing(2, CAR), killed=killed, away_s=3600.0 * number)
    told += street.watch(standing(6), killed=killed)
    assert rings(told) == 1
    assert states(told)[:3] == ["opened", "updated", "stationary"]
    assert states(told).count("closed") == 1
    assert len({event.id for event in told}) == 1
    reminders = [event.reminders for event in told if event.state == "stationary"]
    assert reminders == sorted({*reminders})


def test_what_has_gone_while_nobody_looked_is_closed_as_it_was_left(street: Street):
    left = street.watch(standing(6, CAR))[-1]
    told = street.watch(standing(6))
    assert states(told) == ["closed"]
    assert (told[0].id, told[0].cut, told[0].end_s) == (left.id, True, pytest.approx(5.8))


def test_a_gap_and_darkness_do_not_end_it(street: Street):
    frames = standing(6, CAR)
    dark = [replace(view(n), image=view(n).image // 8) for n in range(20)]
    told = street.watch([*frames, *dark[:8], *standing(4, CAR)], killed=True)
    assert states(told) == ["opened", "updated", "stationary"]


@pytest.mark.parametrize("value", [120, 200, 250])
@pytest.mark.parametrize("columns", [2, 3, 5, 8])
def test_who_walks_in_front_of_it_does_not_make_it_ring_again(
    street: Street, columns: int, value: int
):
    walk = [view(n, CAR) for n in range(100 // columns)]
    for n, frame in enumerate(walk):
        frame.image[15:45, max(columns * n - 20, 0) : max(columns * n - 8, 0)] = value
    told = street.watch([*standing(6, CAR), *walk, *standing(5, CAR)], killed=True)
    ids = [event.id for event in told if event.rings]
    assert ids.count(told[0].id) == 1
    # Somebody who walks may ring by themselves, once.
    assert len(ids) <= 2
    assert "closed" not in states([event for event in told if event.id == told[0].id])


def test_what_drives_away_is_open_again_without_a_ring(street: Street):
    away = [view(n, CAR + 1.2 * n) for n in range(30)]
    told = street.watch([*standing(6, CAR), *away, *standing(6, CAR + 36)], killed=True)
    assert states(told) == ["opened", "updated", "stationary", "updated", "stationary"]
    assert told[3].still_us is None
    assert len({event.id for event in told}) == 1


def test_it_never_stands_nor_reminds_where_that_is_not_wanted(tmp_path: Path):
    told = Street(tmp_path / "a", replace(RULE, stationary_s=0)).watch(standing(9, CAR))
    assert states(told) == ["opened", "updated", "closed"]
    (tmp_path / "b").mkdir()
    told = Street(tmp_path / "b", replace(RULE, reminder_s=0)).watch(standing(30, CAR))
    assert states(told) == ["opened", "updated", "stationary"]
