"""Scores of an embedder's vectors beside those of `gaussians`: neighbours, centres, ViM."""

from dataclasses import dataclass

import numpy as np

from calibration.scores.gaussians import class_means
from calibration.scores.heads import LinearHead, fit_head, labelled
from calibration.scores.protocol import (
    Floats,
    Pictures,
    ScoreError,
    classes_of,
    enough,
    vectors_of,
)

NEIGHBOURS, FEW_NEIGHBOURS, SMALL_BANK = 10, 1, 100
AT_ONCE = 1 << 23
"""Cosines to the bank that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Knn:
    """Distance to the k-th nearest known unit vector (Sun et al. 2022)."""

    neighbours: int | None = None
    """k; by default 10, and 1 where fewer than 100 pictures are known."""
    name: str = "knn"

    def fit(self, known: Pictures) -> "FittedKnn":
        """See `protocol.Score`."""
        bank = vectors_of(self.name, known)
        usual = NEIGHBOURS if len(bank) >= SMALL_BANK else FEW_NEIGHBOURS
        neighbours = usual if self.neighbours is None else self.neighbours
        if neighbours < 1:
            raise ScoreError(f"{self.name}: needs one neighbour or more, got {neighbours}")
        enough(self.name, len(bank), neighbours)
        return FittedKnn(self.name, bank, neighbours)


@dataclass(frozen=True, slots=True, eq=False)
class FittedKnn:
    """See `Knn`."""

    name: str
    bank: Floats
    """[B, F]."""
    neighbours: int

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch, self.bank.shape[1])
        found = np.empty(len(vectors))
        step = max(1, AT_ONCE // len(self.bank))
        for start in range(0, len(vectors), step):
            cosines = vectors[start : start + step] @ self.bank.T
            kth = -np.partition(-cosines, self.neighbours - 1, axis=1)[:, self.neighbours - 1]
            found[start : start + step] = np.sqrt(np.maximum(2 - 2 * kth, 0))
        return found


@dataclass(frozen=True, slots=True)
class CentreCosine:
    """-max over classes of the cosine to the class's mean; one class without labels.

    TagOOD (Li et al. 2024) compares with centres that a network learns; exact means of unit vectors
    did no worse (ood_spec §3).
    """

    name: str = "centre_cosine"

    def fit(self, known: Pictures) -> "FittedCentres":
        """See `protocol.Score`."""
        vectors = vectors_of(self.name, known)
        enough(self.name, len(vectors), 2)
        means, _ = class_means(self.name, vectors, classes_of(self.name, known))
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        if (lengths < 1e-9).any():
            raise ScoreError(f"{self.name}: the pictures of a class point in no common direction")
        return FittedCentres(self.name, means / lengths)


@dataclass(frozen=True, slots=True, eq=False)
class FittedCentres:
    """See `CentreCosine`."""

    name: str
    centres: Floats
    """[C, F]."""

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch, self.centres.shape[1])
        return -(vectors @ self.centres.T).max(axis=1)


@dataclass(frozen=True, slots=True)
class Vim:
    """alpha |Rᵀ(f - u)| - logsumexp(l): virtual-logit matching (Wang et al. 2022).

    R are the axes that the known vectors use least, u = -W⁺b the origin of the logits of a linear
    head that is learned from the labels, alpha = mean of max l / mean of |Rᵀ(f - u)|.
    """

    axes: int | None = None
    """Principal axes that are left out; by default 1,000 of 2,048 components, 512 of 768, half of
    fewer, and no more than half as many as pictures."""
    name: str = "vim"

    def fit(self, known: Pictures) -> "FittedVim":
        """See `protocol.Score`."""
        vectors, classes = labelled(self.name, known)
        return self.fit_with(known, fit_head(vectors, classes))

    def fit_with(self, known: Pictures, head: LinearHead) -> "FittedVim":
        """The same with a head that is there already."""
        vectors = vectors_of(self.name, known, head.weights.shape[1])
        width = vectors.shape[1]
        usual = min(_usual_axes(width), max(1, len(vectors) // 2))
        axes = usual if self.axes is None else self.axes
        if not 0 < axes < width:
            raise ScoreError(f"{self.name}: needs 1 to {width - 1} principal axes, got {axes}")
        origin = -np.linalg.pinv(head.weights) @ head.biases
        moved = vectors - origin
        _, found = np.linalg.eigh(moved.T @ moved / len(moved))
        rest = found[:, : width - axes]
        residual = float(np.linalg.norm(moved @ rest, axis=1).mean())
        if residual < 1e-12:
            raise ScoreError(
                f"{self.name}: the known pictures use no more than {axes} directions; give more, "
                "and others"
            )
        alpha = float(head.logits(vectors).max(axis=1).mean()) / residual
        return FittedVim(self.name, head, origin, rest, alpha)


@dataclass(frozen=True, slots=True, eq=False)
class FittedVim:
    """See `Vim`."""

    name: str
    head: LinearHead
    origin: Floats
    """[F]."""
    rest: Floats
    """Axes that known vectors use least [F, R]."""
    alpha: float

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch, len(self.origin))
        residual = np.linalg.norm((vectors - self.origin) @ self.rest, axis=1)
        logits = self.head.logits(vectors)
        top = logits.max(axis=1)
        return self.alpha * residual - top - np.log(np.exp(logits - top[:, None]).sum(axis=1))


def _usual_axes(width: int) -> int:
    if width >= 2048:
        return 1000
    return 512 if width >= 768 else max(1, width // 2)
