"""The right level of a name: what kind of thing it is, where the noun itself is doubtful.

A decoder that hesitates between pigeon, crow and gull is sure of a bird. The probability of a kind
is that of the candidates, each by how much it is of the kind (`training.texts.kinds`), which leaves
out what the decoder thinks of besides, and what it is wrong about. So it is scaled by a logistic
function that was fitted on pictures, of the mass's log-odds and of how many nouns are of the kind:
the mass of a rare kind is mostly that of one noun, and wrong as often as that.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from novic.vocabulary import NounScore

KINDS_FILE = Path(str(files("novic"))) / "data" / "kinds.json"
ANIMAL = "animal"
"""The kind of all animals."""
LEAST = 0.02
"""Mass below which nothing is said of a kind."""
LIKELY = 0.4
"""Probability from which on a kind is told at all, as a guess."""


@dataclass(frozen=True, slots=True)
class KindScaling:
    """From the mass of a kind's nouns to its probability; belongs to one decoder."""

    mass: float
    """Weight of the mass's log-odds, ..."""
    size: float
    """... of the logarithm of the number of nouns of the kind, ..."""
    offset: float
    """... and a constant."""

    def of(self, kind: str, mass: float) -> float:
        """The probability, 0 to 1, that a thing is of a kind whose nouns have so much mass."""
        kept = min(max(mass, 1e-4), 1 - 1e-4)
        odds = math.log(kept / (1 - kept))
        z = self.mass * odds + self.size * math.log(kind_sizes()[kind]) + self.offset
        return 1 / (1 + math.exp(-z))


def kind_masses(nouns: Iterable[tuple[str, float]]) -> dict[str, float]:
    """How much of the candidates' probability falls on each kind, from LEAST on.

    Args:
        nouns: (noun, p), the p summing to at most 1.
    """
    found: defaultdict[str, float] = defaultdict(float)
    for noun, p in nouns:
        for kind, share in _shares().get(noun, {}).items():
            found[kind] += p * share
    return {kind: mass for kind, mass in found.items() if mass >= LEAST}


def most_specific(kinds: Iterable[NounScore]) -> NounScore | None:
    """The kind with the fewest nouns; None of none."""
    return min(kinds, key=lambda one: (kind_sizes()[one.noun], one.noun), default=None)


def is_kind(noun: str, kind: str) -> bool:
    """Whether a noun is mostly used for things of a kind."""
    return _shares().get(noun, {}).get(kind, 0.0) >= 0.5


@cache
def kind_sizes() -> dict[str, float]:
    """How many nouns each kind has, by their shares."""
    sizes: defaultdict[str, float] = defaultdict(float)
    for shares in _shares().values():
        for kind, share in shares.items():
            sizes[kind] += share
    return dict(sizes)


@cache
def _shares() -> dict[str, dict[str, float]]:
    return json.loads(KINDS_FILE.read_text(encoding="utf-8"))
