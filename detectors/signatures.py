"""What a thing looks like, so that it is known again elsewhere in a view and in other light.

A thing is what differs from the learned picture: its colours over its own brightness, and how wide
it is for its height. Where it lies, how large it is and how light it is there say little: it may
come nearer, into a shadow, and be mirrored when it turns.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.changes import Place

BINS = (8, 9, 9)
"""Of lightness and of the two colours."""
LENGTH = int(np.prod(BINS)) + 4
"""Of a signature: shares of the colours, and four numbers of shape and colour."""
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
    pixels = np.asarray(lab, np.float32)[inner]
    shape = np.log((columns[-1] + 1 - columns[0]) / (rows[-1] + 1 - rows[0]))
    spread = np.log(pixels[:, 0].std() + 2)
    numbers = np.array([shape, *pixels[:, 1:].mean(axis=0), spread])
    return np.concatenate([_colours(pixels), numbers]).astype(np.float32)


def _colours(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of the shares of the colours [prod(BINS)] in pixels [N, 3] of L*a*b*."""
    counts, _ = np.histogramdd(pixels, BINS, [_LIGHTNESS, _COLOUR, _COLOUR])
    smooth = cv2.GaussianBlur(counts.astype(np.float32).reshape(BINS[0], -1), (1, 3), 0.7)
    planes = [cv2.GaussianBlur(one.reshape(BINS[1:]), (0, 0), 0.7) for one in smooth]
    total = max(float(smooth.sum()), 1e-6)
    return np.sqrt(np.stack(planes).ravel() / total).astype(np.float32)


SAME = (7.8, 3.7, 1.2, 1.0, 7.7, 4.4, -11.2)
"""Weights of the ways in which two things look alike, of their vectors' cosine, of their names'
agreement, and a constant: a logistic regression on pairs of 280 appearances of 70 things in three
scenes of the simulator, in other light and at other places (benchmarks/README.md)."""


def sameness(one: Signature, other: Signature, cosine: float, agreement: float) -> float:
    """Log-odds that two appearances are of the same thing.

    Args:
        one: Of the one, [LENGTH].
        other: Of the other.
        cosine: Of the unit vectors that they are named by.
        agreement: Of their names, 0 to 1; see `app.events.event.agreement`.
    """
    colours, numbers = (one[:-4], other[:-4]), np.abs(one[-4:] - other[-4:])
    ways = (
        _overlap(*colours),
        -numbers[0],
        -float(np.hypot(*numbers[1:3])) / 10,
        -numbers[3],
        cosine,
        agreement,
        1.0,
    )
    return float(np.dot(SAME, ways))


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Bhattacharyya coefficient of two distributions, of which the square roots are given."""
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0
