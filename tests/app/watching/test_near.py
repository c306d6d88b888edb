"""How far from ringing all was that a camera saw."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.events.checkpoint import Checkpoint
from app.events.event import Event
from app.events.moment import Moment
from app.events.store import Changes, SourceProgress, Store
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.followed import Followed
from app.watching.keeper import REFIT_S, Keeper
from calibration.promise import DEFAULT
from detectors.track import Track
from detectors.tracks import TrackRule
from detectors.types import Box, Detection
from tests.app.builders import SIZE, a_frame, a_map

RATE = 5.0
PEAK = 0.4
RULE = TrackRule()


def looked(maps: list[NDArray[np.float32]], bar: float) -> tuple[list[Event], list[Moment]]:
    """Events and moments of a camera that sees maps with a bar."""
    keeper = Keeper(DEFAULT, PEAK, bar=bar)
    camera = Camera(SIZE, live=True, settings=CameraSettings(keeper=keeper))
    rng = np.random.default_rng(0)
    for number, heat in enumerate(maps):
        view = rng.integers(60, 120, (*SIZE, 3)).astype(np.uint8)
        camera.follow([a_frame(number / RATE, view)], heat[None])
    camera.finish()
    opened = {due.event.id: due.event for due in camera.take_due()}
    return [event for event in opened.values() if event.kind == "object"], camera.take_moments()


def a_visit(peak: float, frames: int = 10) -> list[NDArray[np.float32]]:
    """A quiet view, something for a while, and quiet again."""
    calm, thing = a_map() * np.float32(0.5), a_map((4, 4, 4), peak=peak)
    return [*[calm] * 15, *[thing] * frames, *[calm] * 25]


def test_what_stays_below_the_bar_is_kept_with_the_bar_at_which_it_rings():
    maps = a_visit(peak=1.1)
    events, (moment,) = looked(maps, bar=1.0)
    assert events == []
    assert (moment.why, moment.camera, moment.bar) == ("bar", "hall", 1.0)
    assert moment.level == pytest.approx(1.1 / 1.25, rel=1e-3)
    assert moment.start_s == pytest.approx(3.0)
    assert moment.box.iou(Box(20, 20, 40, 40)) > 0.5
    for bar, rings in ((moment.level * 0.999, 1), (moment.level * 1.001, 0)):
        assert len(looked(maps, bar)[0]) == rings


def test_what_rang_tells_the_bar_at_which_it_would_not_have():
    maps = a_visit(peak=2.0)
    (event,), moments = looked(maps, bar=1.0)
    assert moments == []
    assert (event.bar, event.level) == (1.0, pytest.approx(1.6, rel=1e-3))
    for bar, rings in ((1.599, 1), (1.601, 0)):
        assert len(looked(maps, bar)[0]) == rings


def test_what_is_too_short_for_any_bar_is_no_moment():
    events, moments = looked(a_visit(peak=3.0, frames=2), bar=1.0)
    assert (events, moments) == ([], [])


def test_a_quiet_view_leaves_nothing():
    assert looked([a_map() * np.float32(0.5)] * 100, bar=1.0) == ([], [])


def test_what_stands_where_something_was_told_is_no_moment():
    calm, thing = a_map() * np.float32(0.5), a_map((4, 4, 4), peak=2.0)
    faint = a_map((4, 4, 4), peak=1.1)
    (_,), moments = looked([*[calm] * 15, *[thing] * 10, *[faint] * 100, *[calm] * 25], bar=1.0)
    assert moments == []


def test_a_bar_that_was_set_does_not_move_with_what_is_seen():
    keeper = Keeper(DEFAULT, PEAK, bar=1.3)
    assert (keeper.factor, keeper.kept.bound, keeper.kept.per_hour) == (1.3, "set", None)
    camera = Camera(SIZE, live=True, settings=CameraSettings(keeper=keeper))
    rng = np.random.default_rng(0)
    for number in range(round(REFIT_S * RATE) + 60):
        view = rng.integers(60, 120, (*SIZE, 3)).astype(np.uint8)
        camera.follow([a_frame(number / RATE, view)], a_map()[None] * np.float32(0.5))
    assert keeper.evidence.hours > 0
    assert (keeper.factor, keeper.kept.bound) == (1.3, "set")
    assert keeper.kept.per_hour is not None


def a_long_track(followed: Followed, seconds: float, fps: float, bar: float) -> Track:
    """Clear for 20 seconds, then faint: what long events look like."""
    track = Track("hall", 0.0, 0, opened=True)
    for number in range(round(seconds * fps)):
        frame = a_frame(number / fps)
        track.see(frame, Detection(Box(20, 20, 40, 40), 2.0 if number < 20 * fps else 1.1))
        followed.reached.note(RULE, track, bar)
    return track


def test_a_long_event_keeps_the_level_of_its_clear_beginning_when_sightings_are_thinned_out():
    followed, bar = Followed(), 0.7
    track = a_long_track(followed, seconds=910, fps=10, bar=bar)
    assert sum(at_s < 20 for at_s, *_ in track.path) == 4
    assert followed.reached.told(RULE, track, bar) == pytest.approx(2.0 * bar / 1.25)


def test_what_lasts_and_grows_clearer_tells_the_higher_level():
    followed = Followed()
    track = a_long_track(followed, seconds=40, fps=10, bar=1.0)
    assert followed.reached.told(RULE, track, 1.0) == pytest.approx(1.6)
    for number in range(400, 420):
        track.see(a_frame(number / 10), Detection(Box(20, 20, 40, 40), 3.0))
    assert followed.reached.told(RULE, track, 1.0) == pytest.approx(2.4)


def test_an_audit_that_goes_on_knows_the_level_that_was_reached(tmp_path: Path):
    followed, bar = Followed(), 0.7
    track = a_long_track(followed, seconds=60, fps=5, bar=bar)
    with Store(tmp_path) as store:
        run = store.begin_run("audit", {})
        source = SourceProgress("hall", "hall.mp4", SIZE, 0.0, 60.0, seen_s=60.0)
        point = Checkpoint(60.0, "{}", [followed.kept(track)])
        store.save(run.id, Changes(source, checkpoint=point))
        kept = store.checkpoint(run.id, source)
    assert kept is not None
    (one,) = kept.kept
    again = Followed.restored(one, None).reached
    assert again == followed.reached
    assert again.level == pytest.approx(1.12)
    assert again.until_s is not None


def test_a_watch_that_goes_on_keeps_the_level_that_an_event_had_before():
    rng, thing = np.random.default_rng(0), a_map((4, 4, 4), peak=2.0)
    views = [rng.integers(60, 120, (*SIZE, 3)).astype(np.uint8) for _ in range(45)]
    settings = CameraSettings(keeper=Keeper(DEFAULT, PEAK, bar=1.0))
    before, after = (Camera(SIZE, live=True, settings=settings) for _ in range(2))
    for number, view in enumerate(views[:25]):
        before.follow([a_frame(number / RATE, view)], thing[None])
    (due, *_) = before.take_due()
    after.expect([(replace(due.event, level=5.0), due.path)])
    for number, view in enumerate(views[25:], 25):
        after.follow([a_frame(number / RATE, view)], thing[None])
    after.finish()
    told = [one.event for one in after.take_due() if one.event.kind == "object"]
    assert {one.id for one in told} == {due.event.id}
    assert told[-1].level == 5.0
