"""What one camera's numbers mean: how rare its crops look there, and how rare that nothing fits.

`site_p` is the conformal p of the Mahalanobis distance of a crop from the camera's normal crops
(Mahalanobis++, `calibration.scores.gaussians`; ood_spec §4.6), `unnameable_p` that of what the
decoder leaves to other nouns over the p of its best one. Both are low where a thing is rare, and a
share a of normal crops has a p of a or less, as far as they are cut as events are.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.betting import ALPHA, SLACK, Betting
from calibration.blindness import BlindMap
from calibration.scores.conformal import LEAST as LEAST_KEPT
from calibration.scores.conformal import Ranks, ranks_of
from calibration.scores.gaussians import FittedMahalanobis, MahalanobisPP
from calibration.scores.protocol import Pictures, ScoreError
from calibration.site.crops import CALIBRATE, FIT, TEST, Crops, parts
from calibration.site.weights import Weights
from novic.certainty import Scaling

LEAST_FIT = 60
"""Crops from which on distances are worth something (ood_spec §4.6 gives what they are)."""
_LEAST_P = 1e-6
_NOT_FITTED = "not fitted"

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bindings:
    """What a calibration belongs to; with anything else its numbers mean nothing."""

    detector: str
    """SHA-256 of the detector's weights."""
    embedder: str
    """Spec of the embedder."""
    decoder: str
    """SHA-256 of the decoder's weights."""
    dictionary: str = ""
    """SHA-256 of the nouns that can be said; empty where nobody asked for it."""

    def differs(self, other: "Bindings") -> str:
        """What differs, with both values, cut to what people compare; empty if nothing does."""
        for name in ("detector", "embedder", "decoder", "dictionary"):
            mine, others = getattr(self, name), getattr(other, name)
            if mine != others and (name != "dictionary" or others):
                short = slice(None) if name == "embedder" else slice(12)
                return f"{name} {mine[short] or 'none'}, here it is {others[short] or 'none'}"
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class SiteCalibration:
    """What is known of one camera; each part may be missing, `said` tells why."""

    bindings: Bindings
    site: FittedMahalanobis | None = None
    site_ranks: Ranks | None = None
    """Distances of the calibration crops."""
    unnameable_ranks: Ranks | None = None
    """What was left to other nouns, of normal crops."""
    names: Scaling | None = None
    """From the decoder's p to p here, of the candidates that an event keeps; None to leave it."""
    weights: Weights | None = None
    """By which things belong there; None where the rule decides."""
    blind: BlindMap | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    """A sentence for each part: what it was fitted on, or why it was not."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """Figures that were measured, as JSON can hold them."""

    def site_p(self, vector: ArrayLike) -> float | None:
        """How rare a crop looks at this camera, in (0, 1]; None if that was not fitted.

        Args:
            vector: Of the embedder [F]; made a unit vector.

        Raises:
            ScoreError: If it has another width, or is not finite.
        """
        if self.site is None or self.site_ranks is None:
            return None
        return float(self.site_ranks.p(self.distances(np.asarray(vector)[None]))[0])

    @property
    def sha256(self) -> str:
        """What tells its distances from those of another calibration; the same for the same."""
        digest = hashlib.sha256()
        if self.site is not None and self.site_ranks is not None:
            for one in (self.site.means, self.site.white, self.site_ranks.ordered):
                digest.update(np.ascontiguousarray(one, "<f8").tobytes())
        return digest.hexdigest()

    def distances(self, vectors: ArrayLike) -> Floats:
        """How far crops lie from the normal ones of this camera [N]; higher is stranger.

        Raises:
            ScoreError: If it was not fitted, or as `site_p`.
        """
        if self.site is None:
            raise ScoreError(f"site_p: {_NOT_FITTED} for this camera")
        return self.site.score(Pictures(np.asarray(vectors)))

    def betting(self, alpha: float = ALPHA, seed: int = 0) -> Betting | None:
        """What to tell distances to, to learn when this calibration no longer holds.

        Returns:
            None if distances were not fitted.
        """
        ranks = self.site_ranks
        return None if ranks is None else Betting(ranks.ordered, alpha, seed, SLACK)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """The crops that nothing was fitted on, in the order of time."""

    at: NDArray[np.int64]
    """Their numbers among all crops [T]."""
    site_p: Floats
    """[T]; empty where that was not fitted."""
    unnameable_p: Floats
    """[T]; empty where that was not fitted."""


def unnameable(top_p: ArrayLike, rest: ArrayLike) -> Floats:
    """How little is known of things [N]: log of the rest over the best noun's p.

    Raises:
        ScoreError: If there is anything but probabilities.
    """
    best, other = np.asarray(top_p, np.float64), np.asarray(rest, np.float64)
    for values in (best, other):
        if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1 + 1e-6).all()):
            raise ScoreError(
                "unnameable_p: needs probabilities from 0 to 1; this decoder's strategy gives none"
            )
    return np.log(np.maximum(other, _LEAST_P)) - np.log(np.maximum(best, _LEAST_P))


def calibrated(
    bindings: Bindings, crops: Crops, length_s: float
) -> tuple[SiteCalibration, HeldOut]:
    """Fit all that crops of normal footage allow; what they do not allow is told.

    Args:
        bindings: What saw them.
        crops: In the order of time.
        length_s: Length of the footage that they come from.
    """
    part = parts(crops.at_s, length_s)
    test = np.flatnonzero(part == TEST)
    said: dict[str, str] = {}
    site, ranks = _site(crops, part, said)
    unnamed = _unnameable(crops, part, said)
    fitted = SiteCalibration(bindings, site, ranks, unnamed, said=said)
    empty = np.zeros(0, np.float64)
    p, unnameable_p = empty, empty
    if ranks is not None and len(test):
        p = ranks.p(fitted.distances(crops.vectors[test]))
    if unnamed is not None and len(test):
        unnameable_p = unnamed.p(unnameable(crops.top_p[test], crops.rest[test]))
    return fitted, HeldOut(test, p, unnameable_p)


def _site(
    crops: Crops, part: NDArray[np.int64], said: dict[str, str]
) -> tuple[FittedMahalanobis | None, Ranks | None]:
    learned, kept = part == FIT, part == CALIBRATE
    if (why := _few("site_p", int(learned.sum()), int(kept.sum()))) is not None:
        said["site_p"] = why
        return None, None
    try:
        site = MahalanobisPP().fit(Pictures(crops.vectors[learned]))
        ranks = ranks_of("site_p", site.score(Pictures(crops.vectors[kept])))
    except ScoreError as error:
        said["site_p"] = f"site_p: {_NOT_FITTED}: {error}"
        return None, None
    said["site_p"] = (
        f"site_p: learned from {int(learned.sum())} normal pictures and tried on "
        f"{len(ranks.ordered)} others; the rarest it can tell is 1 in {len(ranks.ordered) + 1}"
    )
    return site, ranks


def _unnameable(crops: Crops, part: NDArray[np.int64], said: dict[str, str]) -> Ranks | None:
    """Nothing is fitted here, so all but the test's crops calibrate."""
    kept = part != TEST
    if kept.sum() < LEAST_KEPT:
        said["unnameable_p"] = (
            f"unnameable_p: {_NOT_FITTED}, {int(kept.sum())} pictures, {LEAST_KEPT} are needed"
        )
        return None
    try:
        scores = unnameable(crops.top_p[kept], crops.rest[kept])
        ranks = ranks_of("unnameable_p", scores)
    except ScoreError as error:
        said["unnameable_p"] = f"unnameable_p: {_NOT_FITTED}: {error}"
        return None
    said["unnameable_p"] = (
        f"unnameable_p: measured on {len(scores)} normal pictures; the rarest it can tell is "
        f"1 in {len(scores) + 1}"
    )
    return ranks


def _few(name: str, learned: int, kept: int) -> str | None:
    if learned < LEAST_FIT:
        return f"{name}: {_NOT_FITTED}, {learned} pictures to learn from, {LEAST_FIT} are needed"
    if kept < LEAST_KEPT:
        return f"{name}: {_NOT_FITTED}, {kept} pictures to try it on, {LEAST_KEPT} are needed"
    return None
