"""Which scenes, cut-outs and seeds one tunes on, and which ones one reports on.

* `dev`: desk, garden, yard; bottle, cup, officer, tripod, wheel; seeds from 0.
* `report`: flowerbed, launchpad, terrace, workshop; cardboard box, cat, dahlia, helmet, motorcycle;
  seeds from 100,000.
* a whole number N: half of all scenes and of all cut-outs, drawn by N; seeds from
  1,000,000 (N + 1).

`dev` and `report` share nothing. A number gives another split that nobody has tuned to; its other
half is `other_half`. Photographs and pictures that are not in a Python package join in
`benchmarks/scenes.py`, by the same names.
"""

from dataclasses import dataclass

import numpy as np

from app.errors import UsageError
from app.simulator.cutouts import cutouts
from app.simulator.places import Place
from app.simulator.views import scene_names

_SEEDS = 100_000


@dataclass(frozen=True, slots=True)
class Split:
    """What may be used together."""

    name: str
    scenes: tuple[str, ...]
    nouns: tuple[str, ...]
    """Cut-outs by their nouns."""
    first_seed: int

    def seed(self, number: int) -> int:
        """The split's own seed of a number, which may be any from 0 on."""
        return self.first_seed + number % _SEEDS

    def nouns_for(self, place: Place) -> list[str]:
        """Its cut-outs that may turn up at a place: those of other photographs."""
        return [noun for noun in self.nouns if cutouts()[noun].photo not in place.photos]


_SPLITS = {
    "dev": Split(
        "dev",
        ("desk", "garden", "yard"),
        ("bottle", "cup", "officer", "tripod", "wheel"),
        0,
    ),
    "report": Split(
        "report",
        ("flowerbed", "launchpad", "terrace", "workshop"),
        ("cardboard box", "cat", "dahlia", "helmet", "motorcycle"),
        _SEEDS,
    ),
}


def split(name: str) -> Split:
    """A split by its name: `dev`, `report`, or a whole number from 0 on for one of its own.

    Raises:
        UsageError: If it is neither.
    """
    if name in _SPLITS:
        return _SPLITS[name]
    if not name.isdecimal():
        raise UsageError(f"there is no split '{name}'; there are dev, report, and any whole number")
    return _drawn(int(name), 0)


def other_half(number: int) -> Split:
    """The scenes, cut-outs and seeds that the split of this number leaves out."""
    return _drawn(number, 1)


def _drawn(number: int, half: int) -> Split:
    rng = np.random.default_rng((number, 19))
    scenes = rng.permutation(scene_names()).tolist()
    nouns = rng.permutation(sorted(cutouts())).tolist()
    first = 10 * _SEEDS * (number + 1) + half * _SEEDS
    name = f"{number}" if half == 0 else f"{number} (other half)"
    return Split(name, tuple(sorted(scenes[half::2])), tuple(sorted(nouns[half::2])), first)
