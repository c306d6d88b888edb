"""What all parts of `benchmarks.detector` share: their options, and work on several processes."""

import json
import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.simulator.simulation import Simulation
from app.simulator.things import Thing
from benchmarks.looking import LEARN_S, Remembering, fitted
from benchmarks.scenes import Material, material
from benchmarks.scoring import Found
from detectors.configs import parse_config

FPS = 5.0
LEARNED = round(LEARN_S * FPS)
"""Frames of the learned minute; watching begins with the next."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured on what."""

    split: str
    seed: int
    scenes: tuple[str, ...]
    cache: Path | None
    jobs: int
    detector: str
    settings: Mapping[str, str]
    stamps: bool
    objects: int
    """Things of each kind and scene."""
    seconds: float
    """Of each nuisance, before things come."""
    hours: float
    names: tuple[str, ...]
    """Nuisances; none for all."""
    widths: tuple[float, ...] = (0.06,)
    """Of the things that come in nuisances, shares of the frame's width."""

    @property
    def material(self) -> Material:
        """What the split allows."""
        return material(self.split, self.stamps)

    def rng(self, scene: str, part: int) -> np.random.Generator:
        """A source of chance for one part of the benchmark in one scene."""
        number = self.material.scenes.index(scene)
        return np.random.default_rng((self.material.split.seed(self.seed), part, number))

    def day(self, scene: str, duration_s: float, things: Sequence[Thing] = ()) -> Simulation:
        """The day of this seed in a scene."""
        seed = self.material.split.seed(self.seed)
        return Simulation(self.material.place(scene), seed, duration_s, tuple(things), fps=FPS)

    def fitted(self, simulation: Simulation) -> Remembering:
        """The detector that is measured, fitted to the first minute."""
        return fitted(simulation, self.cache, parse_config(self.detector, self.settings))


def in_processes[Job, Result](
    work: Callable[[Job], Result], jobs: Iterable[Job], processes: int
) -> Iterable[Result]:
    """Results in the order of the jobs, one at a time or on several processes."""
    if processes <= 1:
        yield from map(work, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_one_thread) as pool:
        yield from pool.map(work, jobs)


def _one_thread() -> None:
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def line(found: Found, **more: object) -> dict[str, Any]:
    """One thing and what became of it, as plain values."""
    return {
        "width": round(found.presence.width_share, 3),
        "noun": found.presence.noun,
        "seen": found.seen,
        "iou": round(found.iou, 3),
        "delay_s": round(found.delay_s, 2) if found.seen else None,
        "events": len(found.events),
        **more,
    }


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of all that are known, rounded; None of none."""
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 3) if known else None


def table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of equal keys in columns."""
    if not rows:
        return
    cells = [list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def as_json(part: str, options: Options, result: Mapping[str, Any]) -> str:
    """The last line of a run."""
    about = {"split": options.split, "seed": options.seed, "scenes": list(options.scenes)}
    settings = {"detector": options.detector, **options.settings}
    return json.dumps({"part": part, **about, "settings": settings, **result})
