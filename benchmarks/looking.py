"""Simulated footage through the product's own path: fitted on a minute, then watched.

    detector = fitted(simulation, folder)
    told = watched(simulation, detector, start, stop)

With a folder, detectors and the maps of frames are kept in it, so that boxes, tracks and rules can
be tuned without running the network again. Kept things know the source that made them.
"""

import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

import app.simulator
import app.watching
import calibration
import detectors
from app.events.event import Event, Finding
from app.progress import Reporter
from app.simulator.simulation import Simulation
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.fitting import fit_detector
from app.watching.gate import MotionGate
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.watching.namer import Names
from app.watching.naming import AtOnce
from app.watching.normal import normal_view
from app.watching.recorder import Recorder
from app.watching.stirring import tolerating
from calibration.promise import DEFAULT, Promise
from detectors.base import AnomalyMaps, Detector
from detectors.build import load_detector
from detectors.configs import DetectorConfig, PadimConfig
from detectors.learned import LearnedView
from detectors.types import Box, Frame, Pixels
from novic.device import resolve_device
from novic.surrounded import Surrounded
from novic.vocabulary import Naming

LEARN_S = 60.0
_RULES = (
    "boxes",
    "changes",
    "finding",
    "linking",
    "parts",
    "patches",
    "settled",
    "swaying",
    "tight",
    "track",
    "tracks",
    "zones",
)
"""Modules of the detectors' room that come after the maps."""


@dataclass(slots=True)
class Told:
    """One event as it was told."""

    event: Event
    """As it was told last."""
    opened_s: float
    """Time of the frame with which it was told first."""
    opened: Event
    """As it was told first."""
    path: tuple[tuple[float, Box, float], ...] = ()
    """(time, box, score) of its sightings."""

    @property
    def is_camera(self) -> bool:
        """Whether it tells of the camera itself."""
        return self.event.kind == "camera"

    @property
    def lasts_s(self) -> float:
        """From first to last seen, in seconds."""
        return self.event.end_s - self.event.start_s


def learned_frames(simulation: Simulation) -> list[Pixels]:
    """The frames that the product keeps of the first minute."""
    whole = simulation.learned(LEARN_S)
    return normal_view(frames_of(whole, 0, whole.frames), LEARN_S, Reporter(quiet=True))


def fitted(
    simulation: Simulation, folder: Path | None = None, config: DetectorConfig | None = None
) -> "Remembering":
    """A detector that learned the first minute of a simulation.

    Args:
        simulation: What belongs or goes is in that minute, what arrives is not.
        folder: Where detectors and maps are kept; None for nowhere.
        config: Which detector; the default one if not given.
    """
    chosen = config or PadimConfig()
    key = _key(simulation.learned(LEARN_S).key, chosen.model_dump_json(), source_key())
    kept = folder / f"detector-{key}" if folder else None
    if kept is not None and (kept / "detector.json").is_file():
        return Remembering(load_detector(kept, resolve_device("auto")), folder, key)
    detector = _fit(chosen, simulation)
    if kept is not None:
        _keep(detector, kept)
    return Remembering(detector, folder, key)


def watched(
    simulation: Simulation,
    detector: "Remembering",
    start: int,
    stop: int | None = None,
    promise: Promise = DEFAULT,
    names: Names | None = None,
    *,
    live: bool = True,
) -> list[Told]:
    """Watch a simulation as a live camera is watched.

    Args:
        simulation: What happens.
        detector: What learned it.
        start: The first frame, from 0.
        stop: The frame to stop before; None for the end.
        promise: How many false events it may tell.
        names: What names crops; without it nothing is named.
        live: Whether it goes on learning its promise; an audit does not, and is quicker.

    Returns:
        What was told, in the order in which it was told first.
    """
    detector.open(f"{simulation.key}-{start}-{stop}")
    settings = CameraSettings(keeper=Keeper(promise, detector.detector.peak))
    camera = Camera(simulation.place.size, live=live, view=detector.view, settings=settings)
    teller = nameless() if names is None else AtOnce(names)
    lookout = Lookout(camera, detector, teller, uncounted(), MotionGate() if live else None)
    told: dict[str, Told] = {}
    for frame in frames_of(simulation, start, stop):
        lookout.look([frame])
        _note(told, lookout.findings())
    _note(told, lookout.finish())
    detector.close()
    return list(told.values())


def nameless() -> AtOnce:
    """Tells events without a name."""
    return AtOnce(_Nameless())


class Remembering:
    """A fitted detector that looks at no frame twice if it has a folder."""

    def __init__(self, detector: Detector, folder: Path | None, key: str) -> None:
        """Take a detector.

        Args:
            detector: Fitted.
            folder: Where the maps of clips are kept; None for nowhere.
            key: A name for what it learned and how.
        """
        self.detector = detector
        self.new = 0
        """Frames that it really looked at."""
        self._folder, self._key = folder, key
        self._file: Path | None = None
        self._maps: dict[bytes, NDArray[np.float32]] = {}
        self._fresh = False

    @property
    def view(self) -> LearnedView | None:
        """See `Detector.view`."""
        return self.detector.view

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what it learned, pixels.

        Raises:
            ValueError: If it has not learned.
        """
        if self.detector.frame_size is None:
            raise ValueError("the detector has not learned")
        return self.detector.frame_size

    @property
    def forgetful(self) -> "Remembering":
        """The same detector, which keeps no maps: of clips that are watched once and are long."""
        return Remembering(self.detector, None, self._key)

    def open(self, clip: str) -> None:
        """Begin a clip of this name."""
        self._maps, self._fresh = {}, False
        self._file = self._folder / f"maps-{_key(self._key, clip)}.npz" if self._folder else None
        if self._file is not None and self._file.is_file():
            with np.load(self._file) as kept:
                self._maps = dict(zip(map(bytes, kept["keys"]), kept["maps"], strict=True))

    def close(self) -> None:
        """Keep the maps of the clip."""
        if self._file is None or not self._fresh:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(f".{os.getpid()}.npz")
        keys = np.array([np.frombuffer(key, np.uint8) for key in self._maps])
        np.savez(part, keys=keys, maps=np.stack(list(self._maps.values())))
        part.replace(self._file)

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        """Map what is unusual in B images, RGB uint8 [H, W, 3]."""
        if self._file is None:
            self.new += len(frames)
            return self.detector.detect(frames)
        keys = [hashlib.blake2b(frame.tobytes(), digest_size=12).digest() for frame in frames]
        unknown = [number for number, key in enumerate(keys) if key not in self._maps]
        if unknown:
            found = self.detector.detect([frames[number] for number in unknown])
            self.new, self._fresh = self.new + len(unknown), True
            self._maps |= zip((keys[number] for number in unknown), found.maps, strict=True)
        maps = np.stack([self._maps[key] for key in keys])
        return AnomalyMaps(maps, maps.max(axis=(1, 2)))


@cache
def source_key(*, rules: bool = False) -> str:
    """A name for the source that pixels and maps come from.

    Args:
        rules: Whether that of boxes, tracks and everything that events come from takes part.
    """
    digest = hashlib.sha256()
    packages = [app.simulator, detectors, *((app.watching, calibration) if rules else ())]
    for package in packages:
        root = Path(package.__file__ or "").parent
        for path in sorted(root.rglob("*.py")):
            if rules or path.stem not in _RULES:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _fit(config: DetectorConfig, simulation: Simulation) -> Detector:
    device, quiet = resolve_device("auto"), Reporter(quiet=True)
    frames = learned_frames(simulation)
    detector = fit_detector(config, frames, device, quiet, lambda: None)
    whole = simulation.learned(LEARN_S)
    seen = frames_of(whole, 0, whole.frames)
    return tolerating(detector, seen, LEARN_S, quiet, lambda: None)


def _keep(detector: Detector, path: Path) -> None:
    """Save a detector, unless another process has just done so."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    detector.save(part)
    try:
        part.rename(path)
    except OSError:
        shutil.rmtree(part)


def frames_of(
    simulation: Simulation, start: int, stop: int | None, step: int = 1
) -> Iterator[Frame]:
    """Every `step`th frame of a simulation from `start` up to `stop`, as a source gives them."""
    shots = simulation.shots(start, stop, step)
    for number, shot in zip(itertools.count(start, step), shots, strict=False):
        time_us = round(1e6 * shot.time_s)
        yield Frame("simulation", number, shot.time_s, time_us, shot.image)


def _note(told: dict[str, Told], findings: Sequence[Finding]) -> None:
    for finding in findings:
        event = finding.event
        first = told.setdefault(event.id, Told(event, event.end_s, event))
        first.event, first.path = event, finding.path


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


class _Nameless:
    """Names nothing: every crop is nothing at all."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        return [Naming((), np.zeros(1, np.float32), 1.0) for _ in images]


def uncounted() -> Recorder:
    """Keeps nothing."""
    return cast(Recorder, _Uncounted())


class _Uncounted:
    def watched(self, frames: Sequence[Frame], peaks: NDArray[np.float32]) -> None:
        """Do nothing."""
