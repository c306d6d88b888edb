"""Score of TagOOD (Li et al. 2024; tagood_spec §5): how unlike all classes a tagged thing is.

Its vector and the centres are parted into patterns; the mean cosine of the patterns is compared,
and the largest of all classes is multiplied by the probability of the picture's likeliest tag. A
picture without a tag scores 0. Higher is more unknown, the other way round than in the paper.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.scores.protocol import (
    Floats,
    Pictures,
    ScoreError,
    classes_of,
    enough,
    given,
    matrix,
)

PATTERNS = 4
"""Of centres that are made here."""
NEEDED = "vectors of a trained TagOOD"


@dataclass(frozen=True, slots=True, eq=False)
class TagOod:
    """TagOOD's score of vectors that its network gave.

    With tags as `Pictures.tag_p`; without, as if every picture had its tag for certain.
    """

    centres: ArrayLike | None = None
    """Of the classes, as they were trained [C, P, W / P]; None for the means of what is fitted on,
    by their labels."""
    name: str = "tagood"

    def fit(self, known: Pictures) -> "FittedTagOod":
        """See `protocol.Score`."""
        if self.centres is None:
            vectors = matrix(self.name, given(self.name, known.projected, NEEDED), "vectors")
            centres = class_centres(vectors, classes_of(self.name, known), PATTERNS)
            return FittedTagOod(self.name, centres)
        centres = np.asarray(self.centres, np.float64)
        if centres.ndim != 3 or not centres.size or not np.isfinite(centres).all():
            raise ScoreError(
                f"{self.name}: centres must be finite [C, P, W / P], got {list(centres.shape)}"
            )
        return FittedTagOod(self.name, centres)


@dataclass(frozen=True, slots=True, eq=False)
class FittedTagOod:
    """See `TagOod`."""

    name: str
    centres: Floats
    """[C, P, W / P]."""

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        width = self.centres.shape[1] * self.centres.shape[2]
        vectors = matrix(self.name, given(self.name, batch.projected, NEEDED), "vectors", width)
        best = pattern_cosines(vectors, self.centres).max(axis=1)
        if batch.tag_p is None:
            return -best
        chances = np.asarray(batch.tag_p, np.float64)
        if chances.shape != best.shape or not ((chances >= 0) & (chances <= 1)).all():
            raise ScoreError(
                f"{self.name}: needs a probability of the tag, 0 to 1, for each of {len(best)} "
                "pictures"
            )
        return -best * chances


def pattern_cosines(vectors: Floats, centres: Floats) -> Floats:
    """Mean over the patterns of the cosine to each centre.

    Args:
        vectors: [N, W].
        centres: [C, P, W / P].

    Returns:
        [N, C], -1 to 1; a pattern of zeros counts 0.
    """
    count, patterns, part = centres.shape
    parts = _unit(vectors.reshape(len(vectors), patterns, part))
    return np.einsum("npd,cpd->nc", parts, _unit(centres)).reshape(-1, count) / patterns


def class_centres(vectors: Floats, labels: ArrayLike, patterns: int = PATTERNS) -> Floats:
    """Plain mean of the vectors of each class.

    Args:
        vectors: [N, W].
        labels: Class of each, 0 to C - 1 [N].
        patterns: P.

    Returns:
        [C, P, W / P].

    Raises:
        ScoreError: If there are no vectors, or P does not divide W.
    """
    enough("tagood", len(vectors), 1)
    if vectors.shape[1] % patterns:
        raise ScoreError(
            f"tagood: vectors of {vectors.shape[1]} components cannot be parted into {patterns} "
            "patterns; give centres"
        )
    classes = np.asarray(labels)
    means = [vectors[classes == one].mean(axis=0) for one in np.unique(classes)]
    return np.stack(means).reshape(len(means), patterns, -1)


def _unit(values: Floats) -> Floats:
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1)
