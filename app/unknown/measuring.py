"""Fits every score that the pictures allow, and measures what each tells apart."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from calibration.kept import Kept
from calibration.ranking import (
    Measure,
    aupr_in,
    aupr_out,
    auroc,
    fpr_at_id95,
    fpr_at_ood95,
    measured_all,
)
from calibration.scores.clusters import ClusterEnergy
from calibration.scores.features import CentreCosine, Knn, Vim
from calibration.scores.fusion import FisherFusion, LogisticFusion
from calibration.scores.gaussians import MahalanobisPP, Rmd
from calibration.scores.logits import LOGIT_SCORES
from calibration.scores.protocol import Fitted, Floats, Ints, Pictures, Score, ScoreError
from calibration.scores.pytorch_ood import KINDS, PytorchOod
from calibration.scores.texts import DictionaryMass, GlMcm, Mcm, NegLabel
from calibration.tagood import TagOod
from novic.errors import NomalyError
from novic.intervals import Estimate

FIGURES: Mapping[str, Measure] = {
    "auroc": auroc,
    "aupr_out": aupr_out,
    "aupr_in": aupr_in,
    "fpr_at_id95": fpr_at_id95,
    "fpr_at_ood95": fpr_at_ood95,
}
ENERGY_FROM = 30
"""Pictures of each class from which on the energy of a head joins Fisher's fusion."""
NO_NOUNS = "needs the nouns of what is known: call the sub-folders by them, or say --nouns FILE"
NO_PATCHES = "needs vectors of patches in the space of the texts"

type Figures = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What the scores are fitted on and asked."""

    known: Pictures
    """That they are fitted on; no score learns from patches, so it needs none."""
    new: Pictures
    """Of the same kinds; nothing was fitted on them."""
    others: Mapping[str, Pictures]
    """By folder: what is not known."""
    tuning: Pictures | None = None
    """Foreign pictures that scores may be weighed by; of other kinds than those measured."""
    centres: np.ndarray | None = None
    """Of the classes of a trained TagOOD [C, P, W / P], if there is one."""
    no_patches: str = NO_PATCHES
    """Why there are no vectors of patches, if there are none."""


@dataclass(frozen=True, slots=True, eq=False)
class ByTexts:
    """Vectors of texts, or why there are none."""

    positive: np.ndarray | None = None
    negative: np.ndarray | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One score, measured."""

    score: str
    figures: Mapping[str, Figures]
    """By folder and name of `FIGURES`."""
    known: Floats
    """Scores of the known pictures that nothing was fitted on [N]."""
    others: Mapping[str, Floats]
    """Scores of the pictures of each folder."""

    def as_json(self) -> dict[str, Any]:
        """In percent; keys are stable."""
        return {
            "score": self.score,
            "folders": {
                name: {key: value.as_json() for key, value in figures.items()}
                for name, figures in self.figures.items()
            },
        }


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """All that was measured."""

    rows: Sequence[Row]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Scores that could not be fitted, and why."""
    fitted: Mapping[str, Fitted] = field(default_factory=dict)
    """Those that could, by name."""


def measure_all(
    inputs: Inputs, texts: ByTexts, seed: int, told: Callable[[int, int, str], None]
) -> Measured:
    """Fit and measure score after score.

    Args:
        inputs: Pictures.
        texts: For the scores that read them.
        seed: Of what is drawn.
        told: Called before each score with how many are done, of how many, and which is next.
    """
    wanted = [
        (name, lambda make=make: make().fit(inputs.known))
        for name, make in _wanted(inputs, texts, seed)
    ]
    return _measured(wanted, inputs, seed, told)


def measure_fitted(
    kept: Kept, inputs: Inputs, seed: int, told: Callable[[int, int, str], None]
) -> Measured:
    """Measure scores that were fitted before; `inputs.known` is not looked at.

    Args:
        kept: The scores; those that cannot be used here are told as left out.
        inputs: Pictures.
        seed: Of what is drawn.
        told: As `measure_all` calls it.
    """
    wanted = [(name, lambda one=one: one) for name, one in kept.scores.items()]
    done = _measured(wanted, inputs, seed, told)
    return replace(done, left_out={**kept.left_out, **done.left_out})


def _measured(
    wanted: Sequence[tuple[str, Callable[[], Fitted]]],
    inputs: Inputs,
    seed: int,
    told: Callable[[int, int, str], None],
) -> Measured:
    rows: list[Row] = []
    fitted: dict[str, Fitted] = {}
    left_out: dict[str, str] = {}
    for done, (name, fit) in enumerate(wanted):
        told(done, len(wanted), name)
        try:
            one = fit()
            rows.append(_row(one, name, inputs, seed))
            fitted[name] = one
        except NomalyError as error:
            left_out[name] = str(error).removeprefix(f"{name}: ")
    told(len(wanted), len(wanted), "")
    return Measured(rows, left_out, fitted)


def halves(count: int, labels: Ints | None, seed: int) -> tuple[Ints, Ints]:
    """Numbers of the pictures to fit on, and of the others: half of each class, at random.

    Args:
        count: N pictures.
        labels: Class of each [N], or None.
        seed: Of the order.

    Returns:
        Both ascending; of an odd number in a class one more is fitted on.
    """
    rng = np.random.default_rng(seed)
    classes = np.zeros(count, np.int64) if labels is None else labels
    fit: list[int] = []
    for one in np.unique(classes):
        of_class = rng.permutation(np.flatnonzero(classes == one))
        fit += of_class[: (len(of_class) + 1) // 2].tolist()
    return np.sort(np.array(fit, np.int64)), np.setdiff1d(np.arange(count), fit)


def _row(fitted: Fitted, name: str, inputs: Inputs, seed: int) -> Row:
    new = fitted.score(inputs.new)
    others = {folder: fitted.score(pictures) for folder, pictures in inputs.others.items()}
    figures = {
        folder: measured_all(FIGURES, new, scores, seed) for folder, scores in others.items()
    }
    return Row(name, figures, new, others)


type Make = Callable[[], Score]


def _wanted(inputs: Inputs, texts: ByTexts, seed: int) -> Iterator[tuple[str, Make]]:
    """Every score by name, and what makes it or says why it cannot be."""
    plain: list[Score] = [*LOGIT_SCORES, Knn(), MahalanobisPP(), Rmd(), CentreCosine(), Vim()]
    plain += [ClusterEnergy(seed=seed), *map(PytorchOod, KINDS)]
    for score in plain:
        yield score.name, lambda score=score: score
    positive, negative = texts.positive, texts.negative
    if positive is None or negative is None:
        for name in ("mcm", "gl_mcm", "neglabel"):
            yield name, lambda name=name: _refuse(name, texts.why_not)
    else:
        yield "mcm", lambda: Mcm(positive)
        if inputs.new.patches is None:
            yield "gl_mcm", lambda: _refuse("gl_mcm", inputs.no_patches)
        else:
            yield "gl_mcm", lambda: GlMcm(positive)
        yield "neglabel", lambda: NegLabel(positive, negative, seed=seed)
    if inputs.known.inside is None:
        yield "dictionary_mass", lambda: _refuse("dictionary_mass", NO_NOUNS)
    else:
        yield "dictionary_mass", DictionaryMass
    if inputs.centres is not None:
        yield "tagood", lambda: TagOod(inputs.centres)
    parts = _fused(inputs.known, texts, seed)
    yield "fisher", lambda: FisherFusion(parts, seed=seed)
    with_clusters = (*_without_labels(texts, inputs.known, seed), ClusterEnergy(seed=seed))
    yield "fisher_clusters", lambda: FisherFusion(with_clusters, seed=seed, name="fisher_clusters")
    yield "logistic", lambda: _logistic(parts, inputs.tuning, seed)


def _refuse(name: str, why: str) -> Score:
    raise ScoreError(f"{name}: {why}")


def _logistic(parts: tuple[Score, ...], tuning: Pictures | None, seed: int) -> Score:
    if tuning is None:
        raise ScoreError("logistic: needs foreign pictures to be weighed by (--foreign FOLDER)")
    return LogisticFusion(parts, tuning, seed=seed)


def _fused(known: Pictures, texts: ByTexts, seed: int) -> tuple[Score, ...]:
    """Scores without labels, and one by classes where each has enough."""
    parts = _without_labels(texts, known, seed)
    if known.labels is not None:
        counts = np.unique(known.labels, return_counts=True)[1]
        if len(counts) > 1 and counts.min() >= ENERGY_FROM:
            parts += (next(score for score in LOGIT_SCORES if score.name == "energy"),)
    return parts


def _without_labels(texts: ByTexts, known: Pictures, seed: int) -> tuple[Score, ...]:
    """One score by texts or nouns, if there can be one, and one by features."""
    # One Gaussian for all: a fusion without labels loses next to nothing by it.
    by_features = MahalanobisPP()
    if texts.positive is not None and texts.negative is not None and len(texts.negative):
        return NegLabel(texts.positive, texts.negative, seed=seed), by_features
    return (by_features,) if known.inside is None else (DictionaryMass(), by_features)
