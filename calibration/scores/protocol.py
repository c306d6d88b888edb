"""One protocol for all scores of the unknown: fitted on what is known, then asked for batches.

    fitted = MahalanobisPP().fit(Pictures(vectors))
    unknown = fitted.score(Pictures(others))

Every score is float64 [N], and higher is more unknown, whatever its paper says (ood_spec §3).
"""

import logging
from dataclasses import dataclass, fields, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from novic.errors import NomalyError

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]

UNIT_TO = 1e-3
"""Vectors whose length is farther from 1 are counted in a warning; all are made unit vectors."""

_log = logging.getLogger(__name__)


class ScoreError(NomalyError):
    """A score of the unknown cannot be fitted or computed; the text says which and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What was computed of N pictures; None is what nobody computed."""

    vectors: NDArray[np.floating] | None = None
    """Of an embedder [N, F]."""
    labels: NDArray[np.integer] | None = None
    """Class of each [N]; None if nobody knows."""
    logits: NDArray[np.floating] | None = None
    """Of a classifier of the user's own [N, C]."""
    patches: NDArray[np.floating] | None = None
    """Vectors of their parts in the space of the texts [N, P, F]."""
    log_p: NDArray[np.floating] | None = None
    """Log-probabilities of their K likeliest nouns [N, K]; -inf where there are fewer."""
    inside: Flags | None = None
    """Which of these nouns the site's dictionary holds [N, K]."""
    projected: NDArray[np.floating] | None = None
    """Vectors that the network of a trained TagOOD gives [N, W]."""
    tag_p: NDArray[np.floating] | None = None
    """Probability of the likeliest tag, 0 without one [N]."""

    def __len__(self) -> int:
        """N; 0 if nothing was computed."""
        return next((len(value) for value in self._values().values()), 0)

    def part(self, rows: NDArray[np.integer]) -> Self:
        """Some of the pictures, in this order."""
        return replace(self, **{name: value[rows] for name, value in self._values().items()})

    def _values(self) -> dict[str, NDArray[np.generic]]:
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: np.asarray(value) for name, value in named.items() if value is not None}


class Fitted(Protocol):
    """A score that knows what is known."""

    def score(self, batch: Pictures) -> Floats:
        """How unknown each picture is [N]; it does not depend on what else is in the batch.

        Raises:
            ScoreError: If what it needs is missing, of another width, or not finite.
        """
        ...


class Score(Protocol):
    """A way to score; the same settings, seed and pictures give the same scores."""

    @property
    def name(self) -> str:
        """What it is called in tables, for example `mahalanobis_pp`."""
        ...

    def fit(self, known: Pictures) -> Fitted:
        """Learn what is known.

        Raises:
            ScoreError: If what it needs is missing, of the wrong form, too little, or not finite.
        """
        ...


def given[T](name: str, value: T | None, what: str) -> T:
    """What a score needs.

    Raises:
        ScoreError: If it is missing.
    """
    if value is None:
        raise ScoreError(f"{name}: needs {what}, which these pictures do not have")
    return value


def matrix(name: str, values: NDArray[np.generic], what: str, width: int | None = None) -> Floats:
    """Numbers as float64 [N, W], checked.

    Args:
        name: Of the score.
        values: To be checked.
        what: They are, in the plural, for the sentence.
        width: Columns there must be.

    Raises:
        ScoreError: If they have another form or width, or are not all finite.
    """
    checked = np.asarray(values, np.float64)
    if checked.ndim != 2 or not checked.shape[1]:
        raise ScoreError(f"{name}: {what} must be [N, width], these are {list(checked.shape)}")
    if width is not None and checked.shape[1] != width:
        raise ScoreError(
            f"{name}: {what} have {checked.shape[1]} columns where it learned {width}; compute "
            "them as those that it was fitted on"
        )
    bad = ~np.isfinite(checked).all(axis=1)
    if bad.any():
        raise ScoreError(
            f"{name}: row {int(bad.argmax())} of the {what} holds a value that is not a finite "
            f"number ({int(bad.sum())} of {len(bad)} rows do)"
        )
    return checked


def unit_rows(
    name: str, values: NDArray[np.generic], what: str = "vectors", width: int | None = None
) -> Floats:
    """The same as unit vectors.

    Raises:
        ScoreError: As `matrix` does, and for vectors of zeros.
    """
    rows = matrix(name, values, what, width)
    lengths = np.linalg.norm(rows, axis=1)
    if (lengths == 0).any():
        raise ScoreError(f"{name}: row {int((lengths == 0).argmax())} of the {what} is zero")
    off = int((np.abs(lengths - 1) > UNIT_TO).sum())
    if off:
        _log.warning("%s: %d of %d %s are no unit vectors; made so", name, off, len(rows), what)
    return rows / lengths[:, None]


def vectors_of(name: str, pictures: Pictures, width: int | None = None) -> Floats:
    """Unit vectors of pictures [N, F].

    Raises:
        ScoreError: If there are none, or they are not of that form.
    """
    return unit_rows(name, given(name, pictures.vectors, "vectors of an embedder"), width=width)


def enough(name: str, count: int, least: int) -> None:
    """Refuse too few pictures.

    Raises:
        ScoreError: If there are fewer than it needs.
    """
    if count < least:
        raise ScoreError(f"{name}: needs {least} pictures or more to learn from, these are {count}")


def classes_of(name: str, pictures: Pictures) -> Ints:
    """Number of the class of each picture, 0 to C - 1 [N]; one class where there are no labels.

    Raises:
        ScoreError: If there are more or fewer labels than pictures, or they are no whole numbers.
    """
    if pictures.labels is None:
        return np.zeros(len(pictures), np.int64)
    labels = np.asarray(pictures.labels)
    if labels.shape != (len(pictures),) or not np.issubdtype(labels.dtype, np.integer):
        raise ScoreError(
            f"{name}: needs one whole number as label for each of {len(pictures)} pictures, these "
            f"are {labels.dtype} {list(labels.shape)}"
        )
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
