"""Mahalanobis distances of unit vectors from what is known.

Mahalanobis++ (Müller and Hein 2025) is Lee et al. 2018 on unit vectors: without that step small
norms look central. The covariance is that within the classes, shrunk as Ledoit and Wolf 2004 say,
so that it works with fewer pictures than components. RMD: Ren et al. 2021.
"""

from dataclasses import dataclass

import numpy as np

from calibration.scores.protocol import (
    Floats,
    Ints,
    Pictures,
    ScoreError,
    classes_of,
    enough,
    given,
    vectors_of,
)

LEAST_LIKE = 1e-12
"""Mean squared component below which pictures are all alike."""


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """A covariance S becomes (1 - share) S + share * variance * identity."""

    share: float
    variance: float


def ledoit_wolf(centred: Floats) -> Shrinkage:
    """How much to shrink the covariance of rows [N, F] around 0 (Ledoit and Wolf 2004, lemma 3.4).

    Without forming [F, F]: with Gram = X Xᵀ / N, |S|² = |Gram|², as both have the same eigenvalues.
    """
    count, width = centred.shape
    squares = (centred**2).sum(axis=1)
    if width <= count:
        norm2 = float(((centred.T @ centred / count) ** 2).sum())
    else:
        norm2 = float(((centred @ centred.T / count) ** 2).sum())
    variance = float(squares.mean()) / width
    away = norm2 / width - variance**2
    noise = (float((squares**2).mean()) - norm2) / count / width
    share = 1.0 if away <= 0 else min(max(noise, 0.0), away) / away
    return Shrinkage(share, variance)


def shrunk(centred: Floats, how: Shrinkage) -> Floats:
    """The covariance of rows around 0, shrunk [F, F]."""
    covariance = (1 - how.share) * (centred.T @ centred) / len(centred)
    covariance[np.diag_indices_from(covariance)] += how.share * how.variance
    return covariance


def whitening(name: str, covariance: Floats) -> Floats:
    """W [F, F] with squared distances |W (x - mean)|².

    Raises:
        ScoreError: If some direction has no spread at all.
    """
    values, axes = np.linalg.eigh(covariance)
    if values[0] <= LEAST_LIKE * values[-1] or values[-1] <= 0:
        raise ScoreError(
            f"{name}: the known pictures do not spread in every direction; give more, and others"
        )
    return (axes / np.sqrt(values)).T


@dataclass(frozen=True, slots=True)
class MahalanobisPP:
    """min over classes of (f - mean)ᵀ Σ⁻¹ (f - mean), f a unit vector; one class without labels."""

    name: str = "mahalanobis_pp"

    def fit(self, known: Pictures) -> "FittedMahalanobis":
        """See `protocol.Score`."""
        vectors = vectors_of(self.name, known)
        enough(self.name, len(vectors), 2)
        means, residuals = class_means(self.name, vectors, classes_of(self.name, known))
        white = whitening(self.name, shrunk(residuals, ledoit_wolf(residuals)))
        return FittedMahalanobis(self.name, means, white)


@dataclass(frozen=True, slots=True, eq=False)
class FittedMahalanobis:
    """See `MahalanobisPP`."""

    name: str
    means: Floats
    """[C, F]."""
    white: Floats
    """[F, F]."""

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch, self.means.shape[1])
        return distances(vectors, self.means, self.white).min(axis=1)


@dataclass(frozen=True, slots=True)
class Rmd:
    """Distance to the nearest class less that to the whole, both shrunk alike.

    Two separate shrinkages turned the score round (ood_spec §3): that of the classes serves both.
    """

    axes: int = 64
    """Principal axes of the known pictures that are looked at."""
    name: str = "rmd"

    def fit(self, known: Pictures) -> "FittedRmd":
        """See `protocol.Score`."""
        vectors = vectors_of(self.name, known)
        given(self.name, known.labels, "labels")
        classes = classes_of(self.name, known)
        if not classes.any():
            raise ScoreError(f"{self.name}: needs labels of two classes or more")
        middle = vectors.mean(axis=0)
        whole = vectors - middle
        _, _, rows = np.linalg.svd(whole, full_matrices=False)
        project = rows[: self.axes]
        means, residuals = class_means(self.name, whole @ project.T, classes)
        how = ledoit_wolf(residuals)
        return FittedRmd(
            self.name,
            middle,
            project,
            means,
            whitening(self.name, shrunk(residuals, how)),
            whitening(self.name, shrunk(whole @ project.T, how)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedRmd:
    """See `Rmd`."""

    name: str
    middle: Floats
    """[F]."""
    project: Floats
    """Principal axes [A, F]."""
    means: Floats
    """Of the classes [C, A]."""
    white: Floats
    """Within the classes [A, A]."""
    background: Floats
    """Of the whole [A, A]."""

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch, len(self.middle))
        inside = (vectors - self.middle) @ self.project.T
        whole = distances(inside, np.zeros((1, inside.shape[1])), self.background)[:, 0]
        return distances(inside, self.means, self.white).min(axis=1) - whole


def class_means(name: str, vectors: Floats, classes: Ints) -> tuple[Floats, Floats]:
    """Mean of each class [C, F], and each vector less that of its class [N, F].

    Raises:
        ScoreError: If no vector differs from the mean of its class.
    """
    counts = np.bincount(classes)
    means = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(means, classes, vectors)
    means /= counts[:, None]
    residuals = vectors - means[classes]
    if float((residuals**2).mean()) < LEAST_LIKE:
        raise ScoreError(f"{name}: the known pictures of a class are all alike; give others")
    return means, residuals


def distances(vectors: Floats, means: Floats, white: Floats) -> Floats:
    """Squared Mahalanobis distances [N, C]."""
    rows, centres = vectors @ white.T, means @ white.T
    found = np.empty((len(rows), len(centres)))
    for number, centre in enumerate(centres):
        found[:, number] = ((rows - centre) ** 2).sum(axis=1)
    return found
