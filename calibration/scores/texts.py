"""Scores that compare pictures with texts in one space, or read the nouns that a model says.

`Mcm`, `GlMcm` and `NegLabel` need an embedder of texts, `DictionaryMass` a decoder. They learn
nothing of the known pictures but their width. Which nouns may be negative: `negatives`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from calibration.scores.protocol import (
    Flags,
    Floats,
    Pictures,
    ScoreError,
    given,
    unit_rows,
    vectors_of,
)

type Vectors = NDArray[np.floating]

GROUPS = 100
FEW_NEGATIVES = 1000
"""Fewer are one group (ood_spec §1.9)."""
EDGE = 1e-6
"""Masses are kept so far from 0 and 1."""
NUMBERS_AT_ONCE = 1 << 22
"""Of patches, or of their products with texts, that are computed with at once."""


def mcm(vectors: Vectors, texts: Vectors, tau: float = 1.0) -> Floats:
    """-max softmax(cos / tau): maximum concept matching (Ming et al. 2022).

    Args:
        vectors: Of pictures [N, F].
        texts: Of class names [C, F], C at least 2.
        tau: 1 on raw cosines is the paper's; 0.01 is another score.
    """
    named = _texts("mcm", texts)
    found = unit_rows("mcm", vectors, width=named.shape[1]) @ named.T / tau
    return -_softmax(found).max(axis=1)


def gl_mcm(
    vectors: Vectors, patches: Vectors, texts: Vectors, tau: float = 1.0, weight: float = 1.0
) -> Floats:
    """MCM of the picture plus that of its best patch (GL-MCM, Miyai et al. 2025).

    Args:
        vectors: Of pictures [N, F].
        patches: Of their parts, in the space of the texts [N, P, F].
        texts: Of class names [C, F], C at least 2.
        tau: As of `mcm`.
        weight: Lambda, of the patches.
    """
    named = _texts("gl_mcm", texts)
    # As it is: all as float64 would take three times the memory.
    parts = np.asarray(patches)
    if parts.ndim != 3 or len(parts) != len(vectors) or not parts.shape[1]:
        raise ScoreError(
            f"gl_mcm: patches must be [N, P, F] for {len(vectors)} pictures, these are "
            f"{list(parts.shape)}"
        )
    best = np.empty(len(parts))
    step = max(1, NUMBERS_AT_ONCE // (parts.shape[1] * max(named.shape)))
    for start in range(0, len(parts), step):
        some = parts[start : start + step]
        flat = unit_rows("gl_mcm", some.reshape(-1, some.shape[2]), "patches", named.shape[1])
        p = _softmax(flat @ named.T / tau).max(axis=1)
        best[start : start + len(some)] = p.reshape(len(some), -1).max(axis=1)
    return mcm(vectors, named, tau) - weight * best


def neglabel(
    vectors: Vectors,
    positive: Vectors,
    negative: Vectors,
    tau: float = 0.01,
    groups: int = GROUPS,
    seed: int = 0,
) -> Floats:
    """Minus the share that positive texts have of all (NegLabel, Jiang et al. 2024; ood_spec §1.9).

    The negatives are permuted and split into groups, the remainder left out, and the share is
    averaged over the groups; fewer than 1,000 are one group.

    Args:
        vectors: Of pictures [N, F].
        positive: Of the site's nouns [P, F], P at least 1.
        negative: Of others [M, F]; without any the score is -1.
        tau: Temperature of the cosines.
        groups: Into which the negatives are split.
        seed: Of the permutation.
    """
    if not len(negative):
        wanted = _texts("neglabel", positive, least=1)
        return np.full(len(unit_rows("neglabel", vectors, width=wanted.shape[1])), -1.0)
    return -np.exp(_log_shares(vectors, positive, negative, tau, groups, seed)[0])


def neglabel_odds(
    vectors: Vectors,
    positive: Vectors,
    negative: Vectors,
    tau: float = 0.01,
    groups: int = GROUPS,
    seed: int = 0,
) -> Floats:
    """log((1 - S) / S) of the share S of `neglabel`, which ranks pictures in the same order.

    Where cosines differ by more than .4, S itself is 1 to the last digit for all that is known.

    Args:
        vectors: Of pictures [N, F].
        positive: Of the site's nouns [P, F], P at least 1.
        negative: Of others [M, F], M at least 1.
        tau: Temperature of the cosines.
        groups: Into which the negatives are split.
        seed: Of the permutation.
    """
    if not len(negative):
        raise ScoreError("neglabel: needs one negative text or more")
    inside, outside = _log_shares(vectors, positive, negative, tau, groups, seed)
    return outside - inside


def _log_shares(
    vectors: Vectors, positive: Vectors, negative: Vectors, tau: float, groups: int, seed: int
) -> tuple[Floats, Floats]:
    """Logarithms of S and of 1 - S [N], each of the mean over the groups."""
    wanted = _texts("neglabel", positive, least=1)
    images = unit_rows("neglabel", vectors, width=wanted.shape[1])
    others = unit_rows("neglabel", negative, "negative texts", wanted.shape[1])
    if groups < 1:
        raise ScoreError(f"neglabel: needs one group or more, got {groups}")
    groups = groups if len(others) >= max(FEW_NEGATIVES, groups) else 1
    size = len(others) // groups
    order = np.arange(len(others))
    if groups > 1:
        order = np.random.default_rng(seed).permutation(len(others))[: size * groups]
    known = _log_sums(images @ wanted.T / tau)[:, None]
    far = (images @ others[order].T / tau).reshape(len(images), groups, size)
    foreign = _log_sums(far)
    both = np.logaddexp(known, foreign)
    count = np.log(groups)
    return _log_sums(known - both) - count, _log_sums(foreign - both) - count


def dictionary_mass(
    log_p: NDArray[np.floating], inside: Flags, *, renormalise: bool = False
) -> Floats:
    """-logit of the probability that the nouns of the site's dictionary have (ood_spec §1.9).

    What the beam does not hold counts as no noun of the dictionary, so it is a lower bound: the
    same number of nouns, 10 or more, is needed whenever scores are compared.

    Args:
        log_p: Log-probabilities of K nouns [N, K], none above 0; -inf where there are fewer.
        inside: Which of them the dictionary holds [N, K].
        renormalise: Divide by the mass of all K.
    """
    values, held = np.asarray(log_p, np.float64), np.asarray(inside)
    if values.ndim != 2 or not values.shape[1] or held.shape != values.shape:
        raise ScoreError(
            f"dictionary_mass: log-probabilities and flags must both be [N, K], these are "
            f"{list(values.shape)} and {list(held.shape)}"
        )
    # Not only NaN, but also what is no log-probability; a sum of rounded terms may exceed 0 a bit.
    if not (values <= EDGE).all():
        raise ScoreError("dictionary_mass: a value is no log-probability, which is 0 at most")
    p = np.exp(values)
    mass = np.where(held.astype(bool), p, 0.0).sum(axis=1)
    if renormalise:
        mass = mass / np.maximum(p.sum(axis=1), EDGE)
    mass = np.clip(mass, EDGE, 1 - EDGE)
    return -np.log(mass / (1 - mass))


@dataclass(frozen=True, slots=True, eq=False)
class Mcm:
    """`mcm` with the texts of a site."""

    texts: Vectors
    tau: float = 1.0
    name: str = "mcm"

    def fit(self, known: Pictures) -> Self:
        """See `protocol.Score`."""
        _same_space(self.name, known, self.texts)
        return self

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        return mcm(vectors_of(self.name, batch), self.texts, self.tau)


@dataclass(frozen=True, slots=True, eq=False)
class GlMcm:
    """`gl_mcm` with the texts of a site; pictures that it is fitted on need no patches."""

    texts: Vectors
    tau: float = 1.0
    weight: float = 1.0
    name: str = "gl_mcm"

    def fit(self, known: Pictures) -> Self:
        """See `protocol.Score`."""
        _same_space(self.name, known, self.texts)
        return self

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        patches = given(self.name, batch.patches, "vectors of patches in the space of the texts")
        vectors = vectors_of(self.name, batch)
        return gl_mcm(vectors, patches, self.texts, self.tau, self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class NegLabel:
    """`neglabel_odds` with a site's nouns and others; see `negatives`."""

    positive: Vectors
    negative: Vectors
    tau: float = 0.01
    groups: int = GROUPS
    seed: int = 0
    name: str = "neglabel"

    def fit(self, known: Pictures) -> Self:
        """See `protocol.Score`."""
        _same_space(self.name, known, self.positive)
        return self

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        vectors = vectors_of(self.name, batch)
        sides = self.positive, self.negative
        return neglabel_odds(vectors, *sides, self.tau, self.groups, self.seed)


@dataclass(frozen=True, slots=True)
class DictionaryMass:
    """`dictionary_mass` of the nouns that a decoder says."""

    renormalise: bool = False
    name: str = "dictionary_mass"

    def fit(self, known: Pictures) -> "FittedDictionaryMass":
        """See `protocol.Score`."""
        log_p = given(self.name, known.log_p, "nouns that a decoder says")
        self.of(known)
        return FittedDictionaryMass(self, log_p.shape[1])

    def of(self, batch: Pictures) -> Floats:
        """The score of pictures [N]."""
        log_p = given(self.name, batch.log_p, "nouns that a decoder says")
        inside = given(self.name, batch.inside, "a dictionary of the site's nouns")
        return dictionary_mass(log_p, inside, renormalise=self.renormalise)


@dataclass(frozen=True, slots=True)
class FittedDictionaryMass:
    """See `DictionaryMass`."""

    settings: DictionaryMass
    beams: int

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        if batch.log_p is not None and batch.log_p.shape[-1] != self.beams:
            raise ScoreError(
                f"dictionary_mass: was fitted on {self.beams} nouns a picture and cannot be "
                f"compared with {batch.log_p.shape[-1]}"
            )
        return self.settings.of(batch)


def _texts(name: str, texts: Vectors, least: int = 2) -> Floats:
    rows = unit_rows(name, texts, "texts")
    if len(rows) < least:
        raise ScoreError(f"{name}: needs {least} texts or more, these are {len(rows)}")
    return rows


def _log_sums(values: Floats) -> Floats:
    """log(sum(exp)) over the last axis."""
    top = values.max(axis=-1, keepdims=True)
    return np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0]


def _same_space(name: str, known: Pictures, texts: Vectors) -> None:
    rows = unit_rows(name, texts, "texts")
    vectors_of(name, known, rows.shape[1])


def _softmax(values: Floats) -> Floats:
    parts = np.exp(values - values.max(axis=1, keepdims=True))
    return parts / parts.sum(axis=1, keepdims=True)
