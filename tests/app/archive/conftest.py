"""A long recording with things at its cuts, and what looks at it, learned once."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from app.archive.part import Looker
from app.media.video import VideoWriter
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, lying, sliding
from app.simulator.views import scene
from app.watching.audit_request import AuditRequest
from app.watching.keeper import Keeper
from app.watching.namer import Words
from calibration.promise import DEFAULT
from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import DiagonalConfig
from tests.app.builders import BrightnessNames

SIZE = (90, 160)
FPS = 2.0
SECONDS = 130.0
CUT = 65.0
"""Where two workers cut it."""
THINGS = (
    sliding("officer", 0.2, 0.5, 20.0, 1.0),
    sliding("officer", 0.2, 0.5, 35.0, 1.0),
    lying("dahlia", 0.2, (0.3, 0.7), CUT - 13, CUT + 44),
    sliding("officer", 0.2, 0.4, 113.0, 1.0),
)


class Names(BrightnessNames):
    """Names by brightness, and says by whose vectors."""

    bundle = SimpleNamespace(embedder="brightness")


def film(path: Path, seconds: float, things: tuple[Thing, ...], modified_s: float) -> Path:
    """Write a recording that was last changed at a time."""
    day = Simulation(scene("garden", SIZE), 3, seconds, things, fps=FPS)
    with VideoWriter(path, SIZE, day.fps) as video:
        for number, shot in enumerate(day.shots()):
            video.write(shot.image, number / day.fps)
    os.utime(path, (modified_s, modified_s))
    return path


@pytest.fixture(scope="session")
def detector() -> Detector:
    day = Simulation(scene("garden", SIZE), 3, 12.0, fps=FPS)
    made = build_detector(DiagonalConfig(passes=64, longer_side=160), torch.device("cpu"))
    made.fit([shot.image for shot in day.shots()])
    return made


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("long") / "long.mp4", SECONDS, THINGS, 1.7e9)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Seven clips; in two somebody passes, one is none."""
    folder = tmp_path_factory.mktemp("clips")
    passes = (sliding("officer", 0.2, 0.5, 0.4, 1.0),)
    made = [
        film(folder / f"{n}.mp4", 4.0, passes if n in (1, 4) else (), 1.7e9 + 60 * n)
        for n in range(6)
    ]
    broken = folder / "broken.mp4"
    broken.write_text("no video")
    return [*made, broken]


@pytest.fixture(scope="session")
def looker(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Looker:
    folder = tmp_path_factory.mktemp("looker") / "detector"
    detector.save(folder)
    request = AuditRequest(videos=(), out=folder.parent, detector=folder, fps=FPS, draw=False)
    keeper = Keeper(DEFAULT, detector.peak)
    return Looker(request, Names(), detector, keeper, Words())  # pyright: ignore[reportArgumentType]
