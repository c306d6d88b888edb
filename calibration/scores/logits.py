"""Scores of a classifier's logits [N, C] (ood_spec §3).

Each function reads logits; `OnLogits` makes a score of it, with the user's own logits or those of a
linear head that is learned from vectors and labels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.scores.heads import LinearHead, fit_head, labelled
from calibration.scores.protocol import Floats, Pictures, ScoreError, given, matrix, vectors_of

type Logits = NDArray[np.floating]


def msp(logits: Logits, temperature: float = 1.0) -> Floats:
    """-max softmax(l / T): maximum softmax probability (Hendrycks and Gimpel 2017)."""
    return -np.exp(_log_softmax("msp", logits, temperature)).max(axis=1)


def max_logit(logits: Logits) -> Floats:
    """-max l (Hendrycks et al. 2022)."""
    return -_logits("max_logit", logits).max(axis=1)


def energy(logits: Logits, temperature: float = 1.0) -> Floats:
    """-T logsumexp(l / T) (Liu et al. 2020)."""
    values = _logits("energy", logits) / _positive("energy", temperature)
    return -temperature * _log_sum(values)[:, 0]


def entropy(logits: Logits, temperature: float = 1.0) -> Floats:
    """-sum p log p of softmax(l / T), in nats."""
    log_p = _log_softmax("entropy", logits, temperature)
    return -(np.exp(log_p) * log_p).sum(axis=1)


def gen(logits: Logits, gamma: float = 0.1, top: int = 100) -> Floats:
    """Sum over the M likeliest classes of p^gamma (1 - p)^gamma (GEN, Liu et al. 2023)."""
    p = np.sort(np.exp(_log_softmax("gen", logits, 1.0)), axis=1)
    rest = 1 - p
    # Of a class that is nearly sure, 1 - p has no digits left, and a small power of it matters.
    rest[:, -1] = p[:, :-1].sum(axis=1)
    return (p**gamma * rest**gamma)[:, -top:].sum(axis=1)


@dataclass(frozen=True, slots=True)
class OnLogits:
    """A score of logits: the pictures' own, else those of a head learned from their labels."""

    name: str
    function: Callable[[Logits], Floats]

    def fit(self, known: Pictures) -> "FittedOnLogits":
        """See `protocol.Score`."""
        if known.logits is not None:
            width = _logits(self.name, known.logits).shape[1]
            return FittedOnLogits(self, width, None)
        vectors, classes = labelled(self.name, known)
        return FittedOnLogits(self, vectors.shape[1], fit_head(vectors, classes))


@dataclass(frozen=True, slots=True, eq=False)
class FittedOnLogits:
    """See `OnLogits`."""

    settings: OnLogits
    width: int
    """Of the logits, or of the vectors where there is a head."""
    head: LinearHead | None

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        name = self.settings.name
        if self.head is None:
            logits = matrix(name, given(name, batch.logits, "logits"), "logits", self.width)
        else:
            logits = self.head.logits(vectors_of(name, batch, self.width))
        return self.settings.function(logits)


LOGIT_SCORES = tuple(
    OnLogits(function.__name__, function) for function in (msp, max_logit, energy, entropy, gen)
)
"""All of them, with their usual settings."""


def _logits(name: str, logits: Logits) -> Floats:
    values = matrix(name, logits, "logits")
    if values.shape[1] < 2:
        raise ScoreError(f"{name}: needs logits of two classes or more")
    return values


def _positive(name: str, temperature: float) -> float:
    if not temperature > 0:
        raise ScoreError(f"{name}: the temperature must be above 0, got {temperature}")
    return temperature


def _log_softmax(name: str, logits: Logits, temperature: float) -> Floats:
    values = _logits(name, logits) / _positive(name, temperature)
    return values - _log_sum(values)


def _log_sum(values: Floats) -> Floats:
    """log(sum(exp)) of each row [N, 1]."""
    top = values.max(axis=1, keepdims=True)
    return np.log(np.exp(values - top).sum(axis=1, keepdims=True)) + top
