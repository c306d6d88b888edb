"""A camera that sees maps, with its store: what is replayed, and what a true run makes of it."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event
from app.events.store import SourceProgress, Store
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.watching.namer import Names
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from calibration.promise import DEFAULT
from detectors.base import AnomalyMaps
from detectors.types import Pixels
from detectors.zones import Zones
from tests.app.builders import SIZE, BrightnessNames, a_frame, a_map

RATE = 5.0

type Map = NDArray[np.float32]


class Maps:
    """Gives the maps of a film, one after the other."""

    def __init__(self, maps: Sequence[Map]) -> None:
        self._maps = iter(maps)

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        maps = np.stack([next(self._maps) for _ in frames])
        return AnomalyMaps(maps, maps.max(axis=(1, 2)))


def film() -> list[Map]:
    """Things of all strengths, one after the other and two at a time, one of which comes near."""
    calm = a_map() * np.float32(0.5)
    shown: list[Map] = [calm] * 15
    for peak, column in ((4.0, 2), (1.4, 9), (2.2, 6), (1.15, 3), (3.0, 11)):
        shown += [a_map((column, 4, 3), peak=peak)] * 12 + [calm] * 18
    both = np.maximum(a_map((2, 2, 3), peak=2.5), a_map((11, 7, 3), peak=1.6))
    return [*shown, *[both] * 12, *[calm] * 60]


def watched(
    folder: Path,
    maps: Sequence[Map],
    bar: float,
    zones: Zones | None = None,
    names: Names | None = None,
) -> list[Event]:
    """Watch a film into a store; returns the events of things in order."""
    keeper = Keeper(DEFAULT, 0.4, bar=bar)
    settings = CameraSettings(keeper=keeper, zones=zones or Zones(), video="a.mp4")
    camera = Camera(SIZE, live=False, settings=settings)
    rng = np.random.default_rng(0)
    with Store(folder) as store:
        run = store.begin_run("audit", {"bar": bar, "rule": None, "tell": []})
        recorder = Recorder(store, run.id, SourceProgress("hall", "a.mp4", SIZE, 0, 0), "starter")
        lookout = Lookout(camera, Maps(maps), AtOnce(names or BrightnessNames()), recorder)
        for numbers in itertools.batched(range(len(maps)), 8):
            view = rng.integers(60, 120, (*SIZE, 3)).astype(np.uint8)
            lookout.look([a_frame(number / RATE, view) for number in numbers])
            lookout.save(lookout.findings())
        lookout.save(lookout.finish())
        events = [one for one in store.events(run.id) if one.kind == "object"]
        return sorted(events, key=lambda one: (one.start_s, one.box.x1))


def times(events: Sequence[Event]) -> list[tuple[float, float]]:
    """When each was there."""
    return [(round(one.start_s, 3), round(one.end_s, 3)) for one in events]
