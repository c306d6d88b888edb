"""What a thing looks like, so that it is known again elsewhere in a view and in other light.

A thing is what differs from the learned picture: its colours over its own brightness, how they lie
one above the other, and its shape. Where it lies, how large it is and how light it is there say
little: it may come nearer, into a shadow, and be mirrored when it turns.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.changes import Place

FINE, COARSE = (8, 9, 9), (6, 7, 7)
"""Bins of lightness and of the two colours: of the whole thing, and of each third of it."""
THIRDS = 3
LENGTH = int(np.prod(FINE) + THIRDS * np.prod(COARSE)) + 5
"""Of a signature: colours of the whole, of the thirds, and five numbers of shape and colour."""
_LIGHTNESS, _COLOUR = (0.0, 100.0), (-45.0, 45.0)
_LEAST = 20
"""Pixels that a thing has at least."""

type Signature = NDArray[np.float32]
"""[LENGTH]; means of several are signatures, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """Of what stands at a place now, and of what stood there as it was learned."""

    now: Signature
    before: Signature

    @classmethod
    def of(cls, place: Place) -> Self | None:
        """None if too little differs there."""
        if place.differs.sum() < _LEAST:
            return None
        return cls(_signature(place.now, place), _signature(place.before, place))


def _signature(image: NDArray[np.float32], place: Place) -> Signature:
    """Of one of the pictures of a place [h, w, 3], 0 to 255."""
    thing = place.differs
    lab = cv2.cvtColor(image / np.float32(255), cv2.COLOR_RGB2LAB)
    rows, columns = (np.flatnonzero(thing.any(axis=axis)) for axis in (1, 0))
    inner = cv2.erode(thing, np.ones((3, 3), np.uint8)) > 0
    if inner.sum() < _LEAST:
        inner = thing > 0
    lab[..., 0] += 50 - lab[..., 0][inner].mean()
    edges = np.linspace(rows[0], rows[-1] + 1, THIRDS + 1).round().astype(int)
    whole = np.asarray(lab, np.float32)
    parts = [_colours(whole[inner], FINE)]
    for top, bottom in pairwise(edges):
        parts.append(_colours(whole[top:bottom][inner[top:bottom]], COARSE))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    within = thing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shape = [np.log(width / height), within.mean()]
    colour = [*lab[..., 1:][inner].mean(axis=0), np.log(lab[..., 0][inner].std() + 2)]
    return np.concatenate([*parts, np.array([*shape, *colour])]).astype(np.float32)


def _colours(pixels: NDArray[np.float32], bins: tuple[int, int, int]) -> NDArray[np.float32]:
    """Square roots of the shares of the colours [prod(bins)] in pixels [N, 3] of L*a*b*."""
    counts, _ = np.histogramdd(pixels, bins, [_LIGHTNESS, _COLOUR, _COLOUR])
    smooth = cv2.GaussianBlur(counts.astype(np.float32).reshape(bins[0], -1), (1, 3), 0.7)
    planes = [cv2.GaussianBlur(one.reshape(bins[1:]), (0, 0), 0.7) for one in smooth]
    total = max(float(smooth.sum()), 1e-6)
    return np.sqrt(np.stack(planes).ravel() / total).astype(np.float32)


SAME = (8.2, 2.4, 3.5, 1.1, 1.2, 1.3, 10.2, -15.1)
"""Weights of the ways in which two things are alike, of the cosine of the vectors behind their
names, and a constant: a logistic regression on pairs of 192 appearances of 48 things in two scenes
of the simulator, in other light and at other places (benchmarks/README.md)."""


def sameness(one: Signature, other: Signature, cosine: float) -> float:
    """Log-odds that two appearances are of the same thing.

    Args:
        one: Of the one, [LENGTH].
        other: Of the other.
        cosine: Of the unit vectors that they are named by.
    """
    return float(np.dot(SAME, [*parts(one, other), cosine, 1.0]))


def parts(one: Signature, other: Signature) -> NDArray[np.float32]:
    """How alike two things are in each way [6], 1 or 0 for the same and below for others."""
    fine = int(np.prod(FINE))
    coarse = one[fine:-5].reshape(THIRDS, -1), other[fine:-5].reshape(THIRDS, -1)
    apart = np.abs(one[-5:] - other[-5:])
    return np.array(
        [
            _overlap(one[:fine], other[:fine]),
            np.mean([_overlap(a, b) for a, b in zip(*coarse, strict=True)]),
            *-apart[:2],
            -float(np.hypot(*apart[2:4])) / 10,
            -apart[4],
        ],
        np.float32,
    )


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Bhattacharyya coefficient of two distributions, of which the square roots are given."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0
