"""All steps of one camera, with a detector that is a real function of the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.events.store import SourceProgress, Store
from app.sources.base import Gap
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.gate import MotionGate
from app.watching.lookout import Lookout
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from detectors.base import AnomalyMaps, DetectorError
from detectors.types import Frame, Pixels
from detectors.zones import Zones
from tests.app.builders import SIZE, BrightnessNames, a_frame


class BrightnessDetector:
    """Finds bright cells unusual; refuses what is black all over."""

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        if any(frame.max() == 0 for frame in frames):
            raise DetectorError("a black picture")
        cells = np.stack([frame.reshape(12, 5, 16, 5, 3).mean(axis=(1, 3, 4)) for frame in frames])
        maps = (cells / 100).astype(np.float32)
        return AnomalyMaps(maps, maps.max(axis=(1, 2)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def a_lookout(
    store: Store,
    zones: Zones | None = None,
    live: bool = False,
    gate: MotionGate | None = None,
) -> Lookout:
    source = SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0)
    recorder = Recorder(store, store.begin_run("audit", {}).id, source)
    camera = Camera(SIZE, live=live, settings=CameraSettings(zones=zones or Zones()))
    return Lookout(camera, BrightnessDetector(), AtOnce(BrightnessNames()), recorder, gate)


def a_view(pts_s: float, scale: int = 1, bright: bool = False) -> Frame:
    image = np.full((*SIZE, 3), 30, np.uint8)
    image[20:40, 20:40] = 250 if bright else 30
    return a_frame(pts_s, image.repeat(scale, 0).repeat(scale, 1))


def test_what_is_excluded_leaves_no_trace_on_the_timeline(store: Store):
    everything = Zones(exclude=(((0, 0), (1, 0), (1, 1), (0, 1)),))
    lookout = a_lookout(store, everything)
    lookout.look([a_view(number / 5, bright=True) for number in range(10)])
    lookout.save(lookout.finish())
    assert store.seconds(1, "a.mp4") == [(0, 0.0), (1, 0.0)]
    assert (store.events(1), store.sources(1)[0].frames) == ([], 10)


def test_a_thing_is_followed_through_a_change_of_size(store: Store):
    lookout = a_lookout(store)
    for number in range(30):
        lookout.look([a_view(number / 5, scale=2 if number > 14 else 1, bright=True)])
    lookout.save(lookout.finish())
    (event,) = store.events(1)
    assert (event.frames, event.frame_size, event.end_s) == (30, SIZE, 5.8)
    assert (event.box.x1, event.box.y1, event.box.x2, event.box.y2) == (20, 20, 40, 40)
    (gap,) = store.gaps(1)
    assert (gap["reason"], gap["start_us"], gap["end_us"]) == ("size", 4_000_000, 4_000_000)


def test_frames_of_another_shape_are_blind_time_and_not_counted(store: Store):
    lookout = a_lookout(store)
    tall = np.full((80, 60, 3), 250, np.uint8)
    frames = [a_view(0), a_frame(1, tall), a_frame(2, tall), a_view(3)]
    for number in range(0, 4, 2):
        lookout.look(frames[number : number + 2])
    lookout.save(lookout.finish(), gaps=[Gap(7, 8, "stalled")])
    assert (lookout.frames, store.sources(1)[0].frames) == (2, 2)
    assert [second for second, _ in store.seconds(1, "a.mp4")] == [0, 3]
    blind = [(gap["start_us"], gap["end_us"], gap["reason"]) for gap in store.gaps(1)]
    assert blind == [(7, 8, "stalled"), (2_000_000, 4_000_000, "size")]


def test_what_was_seen_before_a_detector_failed_can_still_be_told(store: Store):
    lookout = a_lookout(store, live=True)
    for number in range(5):
        lookout.look([a_view(number / 5, bright=True)])
    black = a_frame(1.0, np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(DetectorError, match="a black picture"):
        lookout.look([black])
    assert lookout.frames == 5
    opened, closed = lookout.finish(cut=True)
    assert (opened.event.state, closed.event.state, closed.event.cut) == ("opened", "closed", True)
    assert closed.event.frames == 5


def test_frames_of_another_shape_stay_blind_time_behind_a_gate(store: Store):
    lookout = a_lookout(store, live=True, gate=MotionGate())
    rng = np.random.default_rng(0)

    def noisy(number: int, shape: tuple[int, int]) -> Frame:
        grain = rng.normal(30, 2, (*shape, 3))
        return a_frame(number / 5, grain.clip(0, 255).astype(np.uint8))

    for number in range(60):
        lookout.look([noisy(number, SIZE if number < 30 else (SIZE[1], SIZE[0]))])
    assert lookout.frames == 30
    (gap,) = lookout.camera.gaps
    assert (gap.start_us, gap.end_us, gap.reason) == (7_000_000, None, "size")


def test_a_gate_leaves_out_what_shows_nothing_new_and_finds_the_same(store: Store):
    rng = np.random.default_rng(0)

    def noisy(number: int) -> Frame:
        frame = a_view(number / 5, bright=60 <= number < 80)
        grain = rng.normal(0, 2, frame.image.shape)
        image = np.clip(frame.image + grain, 0, 255).astype(np.uint8)
        return replace(frame, image=image)

    frames, gate = [noisy(number) for number in range(100)], MotionGate()
    found = []
    for lookout in (a_lookout(store, live=True), a_lookout(store, live=True, gate=gate)):
        for frame in frames:
            lookout.look([frame])
        found.append([(e.event.start_s, e.event.end_s, e.event.box) for e in lookout.finish()])
    assert found[0] == found[1] != []
    assert gate.passed > 40
