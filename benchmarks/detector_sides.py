"""What a larger `longer_side` brings to large frames, and what it costs."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.simulator.simulation import Shot, Simulation
from benchmarks.detector_runs import LEARN_S, Options, in_processes, table
from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import parse_config
from detectors.finding import Finder
from detectors.types import Box, Pixels
from novic.device import resolve_device

SIZE = (960, 1280)
"""(height, width) of the frames."""
SIDES = (640, 960)
WIDTHS = (0.01, 0.02, 0.03, 0.04)
LEARNED, NORMAL = 60, 40
"""Frames, evenly over a minute each."""
MARGIN = 1.25
"""Found is what reaches so many times the highest value of normal frames: the map's own threshold
means another share of them at every resolution."""


@dataclass(frozen=True, slots=True)
class _Job:
    options: Options
    scene: str


def run(options: Options) -> dict[str, Any]:
    """Measure all scenes, and print a table by scene, side and width."""
    rows: list[dict[str, Any]] = []
    for done in in_processes(_scene, [_Job(options, s) for s in options.scenes], options.jobs):
        rows += done
        print(f"# {done[0]['scene']} measured", flush=True)
    table(rows)
    return {"rows": rows}


def _scene(job: _Job) -> list[dict[str, Any]]:
    options, place = job.options, job.options.material.place(job.scene, SIZE)
    seed = options.material.split.seed(options.seed)
    learned = _minute(Simulation(place, seed, LEARN_S), LEARNED)
    normal = _minute(Simulation(place, seed + 1, LEARN_S), NORMAL)
    rng, shots = options.rng(job.scene, 9), []
    for number in range(options.objects * len(WIDTHS)):
        width = WIDTHS[number % len(WIDTHS)]
        thing, at = options.material.placed(place, width, rng)
        there = replace(thing, path=((0.0, *at), (1.0, *at)))
        shots.append((width, list(Simulation(place, seed + 2 + number, 0.4, (there,)).shots())))
    rows: list[dict[str, Any]] = []
    for side in SIDES:
        settings = {**options.settings, "longer_side": str(side)}
        detector = build_detector(parse_config(options.detector, settings), resolve_device("auto"))
        detector.fit(learned)
        rows += [
            {"scene": job.scene, "side": side, **row} for row in _rows(detector, normal, shots)
        ]
    return rows


def _minute(simulation: Simulation, count: int) -> list[Pixels]:
    step = simulation.frames // count
    return [shot.image for shot in simulation.shots(0, count * step, step)]


def _rows(
    detector: Detector, normal: list[Pixels], shots: Sequence[tuple[float, list[Shot]]]
) -> list[dict[str, Any]]:
    start = process_time()
    highest = max(float(detector.detect([frame]).scores[0]) for frame in normal)
    cost_ms = 1000 * (process_time() - start) / len(normal)
    finder = Finder(detector.view)
    seen: dict[float, list[tuple[bool, bool, float]]] = {width: [] for width in WIDTHS}
    for width, group in shots:
        maps = detector.detect([shot.image for shot in group]).maps
        for heat, shot in zip(maps / (MARGIN * highest), group, strict=True):
            true = shot.truth[0].box
            on_it = [d for d in finder.find(heat, shot.image) if d.box.overlap(true) > 0]
            tight = any(d.box.iou(true) >= 0.5 for d in on_it)
            peak = MARGIN * float(_part(heat, true).max())
            seen[width].append((bool(on_it), tight, peak))
    cost = {"cpu ms": round(cost_ms), "folder MB": _megabytes(detector)}
    return [
        {
            "width": width,
            "n": len(marks),
            "found": round(float(np.mean([mark[0] for mark in marks])), 2),
            "iou>=.5": round(float(np.mean([mark[1] for mark in marks])), 2),
            "peak/normal": round(float(np.median([mark[2] for mark in marks])), 2),
            **cost,
        }
        for width, marks in seen.items()
    ]


def _part(heat: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    down, across = heat.shape[0] / SIZE[0], heat.shape[1] / SIZE[1]
    rows = slice(int(box.y1 * down), int(np.ceil(box.y2 * down)))
    return heat[rows, int(box.x1 * across) : int(np.ceil(box.x2 * across))]


def _megabytes(detector: Detector) -> int:
    with tempfile.TemporaryDirectory() as folder:
        detector.save(Path(folder))
        return round(sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6)
