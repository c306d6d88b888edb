"""A linear classifier on vectors, for scores that read the logits of one.

Multinomial logistic regression with a penalty on the weights (Hastie, Tibshirani and Friedman 2009,
4.4), by L-BFGS: convex, so the same vectors give the same head.
"""

from dataclasses import dataclass

import numpy as np

from calibration.scores.protocol import (
    Floats,
    Ints,
    Pictures,
    ScoreError,
    classes_of,
    given,
    vectors_of,
)

STRENGTH = 10.0
"""How much the pictures count against the penalty: 1 / lambda, for unit vectors."""
_STEPS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """Logits are `vectors @ weights.T + biases`."""

    weights: Floats
    """[C, F]."""
    biases: Floats
    """[C]."""

    def logits(self, vectors: Floats) -> Floats:
        """Of vectors [N, F], logits [N, C]."""
        return vectors @ self.weights.T + self.biases


def labelled(name: str, known: Pictures) -> tuple[Floats, Ints]:
    """Unit vectors and class numbers of what has labels, of two classes or more.

    Raises:
        ScoreError: If there are no labels, or all are one.
    """
    vectors = vectors_of(name, known)
    given(name, known.labels, "labels")
    classes = classes_of(name, known)
    if not len(classes) or not classes.any():
        raise ScoreError(f"{name}: needs labels of two classes or more")
    return vectors, classes


def fit_head(vectors: Floats, classes: Ints, strength: float = STRENGTH) -> LinearHead:
    """Learn a head: the least of `strength * sum of cross-entropies + |weights|² / 2`.

    Args:
        vectors: [N, F].
        classes: 0 to C - 1 [N], each at least once.
        strength: Above 0.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  # a second, and only who fits needs it

    count, width = int(classes.max()) + 1, vectors.shape[1]
    truth = np.eye(count)[classes]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights, biases = flat[:-count].reshape(count, width), flat[-count:]
        logits = vectors @ weights.T + biases
        top = logits.max(axis=1, keepdims=True)
        sums = np.log(np.exp(logits - top).sum(axis=1, keepdims=True)) + top
        slope = strength * (np.exp(logits - sums) - truth)
        value = strength * float((sums[:, 0] - (logits * truth).sum(axis=1)).sum())
        gradient = np.concatenate([(slope.T @ vectors + weights).ravel(), slope.sum(axis=0)])
        return value + float((weights**2).sum()) / 2, gradient

    start = np.zeros(count * width + count)
    options = {"maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 1e-12, "gtol": 1e-7}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    return LinearHead(found[:-count].reshape(count, width), found[-count:])
