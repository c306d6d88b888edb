"""Does a camera keep its promise? Restless views whose tails are known, through the product's path.

In each view something stirs at six places all the time, on and off as slowly as shadows and leaves
do, and far above the floor, so that it is the tail that decides. Maps are drawn, not computed from
pictures: hours of them take minutes. Normal footage is measured as `nomaly fit` does, then as many
hours are watched; or nothing is measured, and the watch learns from its quiet frames alone.

    python -m benchmarks.promise [--hours 20] [--seeds 4] [--json]

In calm views the floor decides, and fewer false events come than were promised: those are what
`benchmarks.detector normal` counts.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm

from app.watching.keeper import Keeper
from calibration.levels import OpeningLevels
from calibration.promise import Promise, keep
from calibration.remembered import RememberedLevels
from detectors.finding import Finder
from detectors.tracks import Tracker, TrackRule
from detectors.types import Frame

RATE = 5.0
GRID = (12, 16)
IMAGE = np.zeros((96, 128, 3), np.uint8)
PLACES = [(2, 2), (2, 8), (2, 13), (8, 2), (8, 8), (8, 13)]
LOWEST = 0.55
MEMORY = 0.95
"""Likeness of a frame's stirring to that of the frame before: four seconds."""


@dataclass(frozen=True, slots=True)
class View:
    """A view in which things stir."""

    tail: str
    seed: int

    def maps(self, from_h: float, hours: float) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
        """Frames and maps of some hours; every hour is drawn by itself."""
        for hour in range(int(from_h), int(np.ceil(from_h + hours))):
            count = round(min(1.0, from_h + hours - hour) * 3600 * RATE)
            strengths = self._strengths(hour, count)
            for number in range(count):
                time_s = hour * 3600 + number / RATE
                heat = np.full(GRID, 0.1, np.float32)
                for place, (row, column) in enumerate(PLACES):
                    heat[row : row + 2, column : column + 2] = strengths[place, number]
                yield Frame("view", number, time_s, round(time_s * 1e6), IMAGE), heat

    def _strengths(self, hour: int, count: int) -> NDArray[np.float64]:
        rng = np.random.default_rng((self.seed, hour))
        noise = rng.normal(size=(len(PLACES), count + 200))
        drawn = lfilter([np.sqrt(1 - MEMORY**2)], [1, -MEMORY], noise, axis=1)
        walk = np.asarray(drawn, np.float64)[:, 200:]
        if self.tail == "exponential":
            return 0.3 + 0.08 * -norm.logsf(walk)
        return 0.3 + 0.2 * np.maximum(walk, 0)


@cache
def measured(view: View, hours: float) -> RememberedLevels:
    """What so many hours of normal footage show."""
    levels = OpeningLevels(Finder(), TrackRule(), LOWEST)
    for frame, heat in view.maps(0, hours):
        levels.see(frame, heat)
    levels.finish()
    evidence = RememberedLevels(LOWEST)
    evidence.add(levels.take(), 0.0)
    return evidence


def events(view: View, from_h: float, hours: float, factor: float) -> int:
    """Events that the product opens in some hours."""
    finder, tracker, opened = Finder(), Tracker(TrackRule()), 0
    for frame, heat in view.maps(from_h, hours):
        found = finder.find(heat / np.float32(factor), frame.image) if heat.max() > factor else []
        opened += len(tracker.update(frame, found).opened)
    return opened


def watched(view: View, hours: float, promise: Promise) -> tuple[list[int], float]:
    """Events in each hour of a watch that learns from its quiet frames, and its last factor."""
    keeper = Keeper(promise, LOWEST / 0.75)
    finder, tracker = Finder(), Tracker(TrackRule())
    keeper.learn(finder)
    told = [0] * round(hours)
    for frame, heat in view.maps(0, hours):
        found = finder.find(heat / np.float32(keeper.factor), frame.image)
        opened = tracker.update(frame, found).opened
        told[int(frame.pts_s // 3600)] += len(opened)
        keeper.see(frame, heat, quiet=not any(track.opened for track in tracker.tracks))
    return told, keeper.factor


def _row(
    tail: str, promise: Promise, learn_h: float, hours: float, seeds: int
) -> dict[str, object]:
    rates, factors = [], []
    for seed in range(seeds):
        view = View(tail, seed)
        factors.append(keep(promise, measured(view, learn_h).tails(), 0.8).factor)
        rates.append(events(view, 1000, hours, factors[-1]) / hours)
    return {
        "tail": tail,
        "promise": str(promise),
        "normal footage, hours": learn_h,
        "factors": [round(factor, 3) for factor in factors],
        "events an hour": [round(rate, 2) for rate in rates],
        "mean": round(float(np.mean(rates)), 2),
    }


def main() -> None:
    """Print a row for each tail and promise, and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=20, help="watched, for each seed")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    told = parser.parse_args()
    rows = []
    for tail in ("exponential", "normal"):
        for words, learn_h in (("1/hour", 0.15), ("1/hour", 2.0), ("10/hour", 2.0)):
            rows.append(_row(tail, Promise.parse(words), learn_h, told.hours, told.seeds))
            if not told.json:
                print(rows[-1], flush=True)
    watches = []
    for tail in ("exponential", "normal"):
        for seed in range(max(1, told.seeds // 2)):
            counts, factor = watched(View(tail, seed), told.hours, Promise(1, "hour"))
            watches.append(
                {"tail": tail, "events in each hour": counts, "last factor": round(factor, 3)}
            )
            if not told.json:
                print(watches[-1], flush=True)
    print(json.dumps({"measured": rows, "learning while watching": watches}))


if __name__ == "__main__":
    main()
