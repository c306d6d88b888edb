"""Scores and decisions of CLIPN (clipn_spec §4): is what is seen none of the known things?

Every known thing j has two texts, "a j" and "no j", and an image has a logit for each: l_j and m_j,
the scaled cosines. p = softmax(l) says which of the known things it is most like; q_j, the logistic
function of l_j - m_j, whether it is that thing at all.

* Competing to win (CTW): the best known thing alone decides; unknown if its q is below a half.
* Agreeing to differ (ATD): 1 - sum p q is the probability of a class "none of them"; unknown if no
  known thing is more probable.

Scores are higher for the unknown, as everywhere here. No threshold has to be fitted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class UnknownScores:
    """Of N images."""

    ctw: Floats
    """1 - q of the best known thing [N], 0 to 1."""
    atd: Floats
    """Probability of none of the known things [N], 0 to 1."""
    unknown_by_ctw: NDArray[np.bool_]
    """Whether the best known thing's "no" wins [N]."""
    unknown_by_atd: NDArray[np.bool_]
    """Whether none of them is more probable than each of them [N]."""


def unknown_scores(yes: ArrayLike, no: ArrayLike, choice: ArrayLike | None = None) -> UnknownScores:
    """How surely images show none of the known things.

    Args:
        yes: Logits l of the known things [N, C], C at least 1.
        no: Logits m of their "no" [N, C].
        choice: Logits that p is taken from where they have another scale than `yes` [N, C].

    Raises:
        ValueError: If the shapes differ or there are no known things.
    """
    found, against = np.asarray(yes, np.float64), np.asarray(no, np.float64)
    chosen = found if choice is None else np.asarray(choice, np.float64)
    if found.ndim != 2 or not found.shape[1] or not found.shape == against.shape == chosen.shape:
        raise ValueError(
            f"logits must all be [N, C] with C at least 1, got {found.shape}, {against.shape} and "
            f"{chosen.shape}"
        )
    rejected = _logistic(against - found)
    p = _softmax(chosen)
    best = chosen.argmax(axis=1)
    ctw = rejected[np.arange(len(found)), best]
    # Sum p (1 - q) instead of 1 - sum p q: small values keep their digits.
    atd = (p * rejected).sum(axis=1)
    return UnknownScores(ctw, atd, ctw > 0.5, atd > p.max(axis=1))


def _logistic(values: Floats) -> Floats:
    """1 / (1 + exp(-x)) for any x."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1 + small)


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
