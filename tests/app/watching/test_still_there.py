"""Things that are there when a watch begins again, and things that have gone meanwhile."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.events.event import Event
from app.events.store import SourceProgress, Store
from app.watching.camera import Camera
from app.watching.going_on import GoingOn
from app.watching.lookout import Lookout
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from detectors.types import Frame
from tests.app.builders import SIZE, BrightnessNames, a_frame
from tests.app.watching.test_resuming import Brightness

FPS = 5
SETTINGS = {"source": "rtsp://camera/hall"}
HERE, THERE = 40, 5


def shows(at_s: float, *places: int) -> Frame:
    """A dark noisy view with bright things at these columns."""
    noise = np.random.default_rng(round(at_s * FPS))
    image = noise.integers(20, 60, (*SIZE, 3)).astype(np.uint8)
    for column in places:
        image[20:40, column : column + 20] = 200 + noise.integers(0, 30, 3)
    return a_frame(at_s, image)


def session(
    store: Store, seconds: float, *places: int, away_s: float = 5.0, killed: bool = False
) -> list[Event]:
    """Watch for a while; returns what is told of it, that of the beginning included."""
    run = store.last_run()
    before = store.sources(run.id)[0] if run is not None else None
    going_on = GoingOn(run, before, SETTINGS)
    run_id, told = going_on.begin(store)
    source = going_on.source or SourceProgress("hall", SETTINGS["source"], SIZE, 0.0, 0.0)
    camera = Camera(SIZE, live=True)
    camera.expect(going_on.left)
    lookout = Lookout(
        camera, Brightness(), AtOnce(BrightnessNames()), Recorder(store, run_id, source)
    )
    told = [*told]
    begins_s = source.seen_s + away_s if before is not None else 0.0
    for number in range(round(seconds * FPS)):
        frame = shows(number / FPS, *places)
        time_us = 1_000_000 + round(1e6 * (begins_s + number / FPS))
        lookout.look([going_on.placed(replace(frame, time_us=time_us))])
        findings = lookout.findings()
        lookout.save(findings)
        told += [finding.event for finding in findings]
    if not killed:
        findings = lookout.finish(cut=True)
        lookout.save(findings)
        told += [finding.event for finding in findings]
    return told


@pytest.mark.parametrize("killed", [True, False])
def test_what_is_still_there_goes_on_as_the_same_event(killed: bool, tmp_path: Path):
    with Store(tmp_path) as store:
        first = session(store, 4, HERE, killed=killed)[0]
        again = session(store, 4, HERE)
        assert {event.id for event in again} == {first.id}
        assert [event.state for event in again] == ["updated", "closed"]
        assert all(event.noun == "lamp" and event.start_s == 0 for event in again)
        (event,) = store.events(1)
        assert (event.start_s, event.end_s, event.frames) == (0, pytest.approx(12.6), 40)
        path = store.sightings(event.id)
        assert (len(path), path[-1][0]) == (40, event.end_s)
        assert store.media("snapshots", event).exists()


def test_what_has_gone_is_closed_as_it_was_left_and_what_came_is_new(tmp_path: Path):
    with Store(tmp_path) as store:
        left = session(store, 4, HERE, killed=True)[-1]
        told = session(store, 5, THERE)
        (closed,) = [event for event in told if event.id == left.id]
        opened = next(event for event in told if event.id != left.id)
        assert (closed.state, closed.cut) == ("closed", True)
        assert (closed.end_s, closed.noun) == (pytest.approx(3.8), "lamp")
        assert (opened.state, opened.start_s) == ("opened", pytest.approx(8.8))
        assert opened.id != left.id
        assert store.media("crops", closed).exists()


def test_what_was_told_as_cut_and_has_gone_is_not_told_again(tmp_path: Path):
    with Store(tmp_path) as store:
        before = session(store, 4, HERE)[-1]
        assert (before.state, before.cut) == ("closed", True)
        assert session(store, 5) == []
        assert store.events(1) == [before]


def test_long_after_a_thing_in_the_same_place_is_another(tmp_path: Path):
    with Store(tmp_path) as store:
        left = session(store, 4, HERE, killed=True)[-1]
        told = session(store, 4, HERE, away_s=3600)
        assert told[0].id == left.id
        assert [event.state for event in told] == ["closed", "opened", "updated", "closed"]
        assert told[1].id != left.id


def test_what_comes_back_late_is_another(tmp_path: Path):
    with Store(tmp_path) as store:
        session(store, 4, HERE, killed=True)
        session(store, 5, killed=True)
        told = session(store, 4, HERE, away_s=1)
        assert told[0].state == "opened"
        assert len(store.events(1)) == 2
