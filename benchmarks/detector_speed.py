"""Frames a second at batch 8, and of the backbone in both runtimes, interleaved."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.detector_runs import LEARNED, Options, table
from detectors.models.padim import PadimDetector
from detectors.scaling import resized
from detectors.types import Pixels
from novic.runtime import TorchRuntime

RUNS = 7


def run(options: Options) -> dict[str, Any]:
    """Measure in the first scene."""
    simulation = options.day(options.scenes[0], LEARNED / 5.0 + 2)
    detector = options.fitted(simulation).detector
    batch = [shot.image for shot in simulation.shots(LEARNED, LEARNED + 8)]
    calls: dict[str, Callable[[], object]] = {"detect": lambda: detector.detect(batch).scores}
    if isinstance(detector, PadimDetector):
        calls |= _backbone(detector, batch)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(RUNS + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    rows = [
        {"what": name, "ms a frame": round(1e3 * float(np.median(taken[1:])) / 8, 1)}
        for name, taken in times.items()
    ]
    table(rows)
    return {"speed": rows}


def _backbone(detector: PadimDetector, batch: list[Pixels]) -> dict[str, Callable[[], object]]:
    """The backbone alone, eager and in the runtime that was chosen."""
    images = np.stack([resized(picture, detector.extractor.key.size) for picture in batch])
    extractor = detector.extractor
    chosen = torch.tensor(extractor.key.channels)
    plain = TorchRuntime(extractor.backbone.net(chosen, extractor.size), detector.device)
    runtime = extractor.runtime
    return {
        "backbone, torch": lambda: plain.run(images).cpu(),
        f"backbone, {runtime.name}": lambda: runtime.run(images).cpu(),
    }
