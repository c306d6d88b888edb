"""How good predictions are (novic_spec §9.5), with intervals that say how far to trust it.

* prediction score: mean weight of the first noun, by its annotated category;
* primary score: the same, secondary categories worth nothing;
* overall score: weight times specificity ("dog" says less than "dachshund");
* top-k: the best weight among the first k nouns.

A noun that nobody judged has no weight. Every score is given twice: such nouns counted as wrong, as
upstream counts them, and images left out whose nouns are not all judged. The first is a lower
bound; where they lie far apart, annotate before comparing models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from novic.intervals import Estimate, Values, estimate
from novic.json_files import read_json
from novic.vocabulary import canonical
from training.evaluation.annotations import (
    HUMAN_FILE,
    LLM_FILE,
    AnnotationError,
    Annotations,
    Category,
    read_annotations,
)
from training.evaluation.predictions import CORRECT, OTHER, Answers, EvaluationError, Predictions

WEIGHTS: Mapping[Category, float] = {
    "correct_primary": 1.0,
    "correct_secondary": 0.8,
    "close_primary": 0.5,
    "close_secondary": 0.4,
    "incorrect": 0.0,
}
"""What a noun of each category is worth."""

PRIMARY: Mapping[Category, float] = {
    **WEIGHTS,
    "correct_secondary": 0.0,
    "close_secondary": 0.0,
}
"""The same where only what the image is of counts."""

type Weights = NDArray[np.float64]
"""Weights of nouns, a row per image, best-ranked first [N, K]; NaN where a noun is not judged."""


@dataclass(frozen=True, slots=True, eq=False)
class BothWays:
    """A score by image, and its two readings."""

    values: Values
    """What is not judged counts 0."""
    known: NDArray[np.bool_]
    """Whether all that the value rests on was judged [N]."""
    zero: Estimate | None
    """Mean of all values: what is not judged counts as wrong; None without images."""
    judged: Estimate | None
    """Mean of the known values: other images are left out; None if none is left."""


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedScore:
    """How good the answers of one way of decoding are, by annotations."""

    samples: tuple[str, ...]
    prediction: tuple[BothWays, ...]
    """By top 1, top 2, …"""
    primary: BothWays
    overall: BothWays | None
    """None without a specificity file."""
    unjudged: tuple[tuple[str, str], ...]
    """(image, its first noun) where that noun was not judged."""
    unjudged_anywhere: int
    """How many nouns of any rank were not judged."""
    without_specificity: tuple[str, ...]
    """First nouns that the specificity file lacks."""
    used: int
    """Different first nouns."""


type DirectGuided = Mapping[tuple[str, str], int]
"""Images by what an unguided answer is (correct, valid, invalid) and what a guided one is (correct,
incorrect); valid is in the model's vocabulary but not right."""


def score_annotated(
    predictions: Predictions,
    answers: Answers,
    annotations: Annotations,
    specificity: Mapping[str, float] | None = None,
    seed: int = 0,
) -> AnnotatedScore:
    """Score answers by annotations.

    Args:
        predictions: Whose samples they are.
        answers: One of its ways of decoding.
        annotations: Judged nouns of the images, found by name, else by the name's last part.
        specificity: Of nouns in canonical form.
        seed: Of the intervals.

    Raises:
        AnnotationError: If no image is annotated.
    """
    pairs = zip(predictions.samples, answers.nouns, strict=True)
    # A text that was decoded is no image and has no annotation.
    named = {sample: nouns for sample, nouns in pairs if not sample.startswith('"')}
    samples, nouns = tuple(named), tuple(named.values())
    judged = [_judged(annotations, sample) for sample in samples]
    if samples and not any(judged):
        raise AnnotationError(
            f"none of the {len(samples)} images is annotated ({samples[0]}, ...); "
            "are these the annotations of other images?"
        )
    weights = _weigh(nouns, judged, WEIGHTS, answers.gen_cfg["topk"])
    primary = _weigh(nouns, judged, PRIMARY, 1)[:, 0]
    firsts = [row[0] if row else "" for row in nouns]
    overall, lacking = None, ()
    if specificity is not None:
        values = _specific(weights[:, 0], firsts, specificity)
        overall = _both_ways(values, ~np.isnan(values), seed)
        lacking = tuple(sorted({n for n in firsts if canonical(n) not in specificity}))
    first = zip(samples, firsts, weights[:, 0], strict=True)
    return AnnotatedScore(
        samples=samples,
        prediction=tuple(
            _both_ways(best, known, seed) for best, known in zip(*best_so_far(weights), strict=True)
        ),
        primary=_both_ways(primary, ~np.isnan(primary), seed),
        overall=overall,
        unjudged=tuple((sample, noun) for sample, noun, weight in first if np.isnan(weight)),
        unjudged_anywhere=int(np.isnan(weights).sum()),
        without_specificity=lacking,
        used=len(set(firsts)),
    )


def best_so_far(weights: Weights) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Best weight among the first 1, 2, … K nouns, and whether all of those were judged.

    Args:
        weights: [N, K].

    Returns:
        Both [K, N]; a noun that is not judged counts 0.
    """
    best = np.maximum.accumulate(np.nan_to_num(weights), axis=1)
    return best.T, ~np.logical_or.accumulate(np.isnan(weights), axis=1).T


def correct_within(answers: Answers) -> NDArray[np.float64]:
    """Whether an image has a correct noun among its first 1, 2, … K ones [N, K], 0 or 1.

    Needs results with ground truth (`training.evaluation.predictions.CORRECT`).
    """
    right = np.zeros((len(answers.results), answers.gen_cfg["topk"]))
    for number, row in enumerate(answers.results):
        if CORRECT in row:
            right[number, row.index(CORRECT) :] = 1
    return right


def direct_guided(direct: Answers, guided: Answers) -> DirectGuided:
    """Upstream's eval_cls: how greedy answers without and with a guide fall together.

    Args:
        direct: Unguided, of images with ground truth.
        guided: Of the same images.
    """
    ways = product(("correct", "valid", "invalid"), ("correct", "incorrect"))
    counts: dict[tuple[str, str], int] = dict.fromkeys(ways, 0)
    for free, closed in zip(direct.results, guided.results, strict=True):
        without = {CORRECT: "correct", OTHER: "invalid"}.get(free[0] if free else OTHER, "valid")
        counts[without, "correct" if closed and closed[0] == CORRECT else "incorrect"] += 1
    return counts


def find_annotations(path: Path, *, first_category: bool = False) -> Annotations:
    """Read annotations from a file or from a folder of images.

    Args:
        path: The file; or a folder, in which people's file goes before a language model's.
        first_category: Take the alphabetically first category of a noun that stands in several, as
            upstream does, instead of refusing it.

    Raises:
        AnnotationError: If there are none, or they break the format.
    """
    if path.is_dir():
        found = [path / name for name in (HUMAN_FILE, LLM_FILE) if (path / name).is_file()]
        if not found:
            raise AnnotationError(f"{path}: holds neither {HUMAN_FILE} nor {LLM_FILE}")
        path = found[0]
    if not first_category:
        return read_annotations(path)
    try:
        value = read_json(path)
        return Annotations.from_json(_first_categories(value))
    except (OSError, ValueError, AnnotationError) as error:
        raise AnnotationError(f"{path}: {error}") from error


def read_specificity(path: Path) -> dict[str, float]:
    """Read a specificity file, {noun: 0 to 1}; nouns come back in canonical form.

    Raises:
        EvaluationError: If it cannot be read or holds something else; the text names the noun.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise EvaluationError(f"{path}: must be an object with a number per noun")
    for noun, number in value.items():
        if type(number) not in (int, float) or not 0 <= number <= 1:
            raise EvaluationError(
                f"{path}: {noun!r} has {number!r}, which is no number from 0 to 1"
            )
    return {canonical(noun): float(number) for noun, number in value.items()}


def _first_categories(value: Any) -> Any:  # noqa: ANN401
    """Annotations in which every noun stands only in the alphabetically first of its categories."""
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for image, categories in value.items():
        if not isinstance(categories, dict):
            kept[image] = categories
            continue
        seen: set[str] = set()
        kept[image] = {}
        for category, nouns in sorted(categories.items()):
            kept[image][category] = [noun for noun in nouns if noun not in seen]
            seen.update(nouns)
    return kept


def _judged(annotations: Annotations, sample: str) -> dict[str, Category]:
    """Categories of an image's nouns by their canonical form."""
    name = sample if sample in annotations.images else PurePosixPath(sample).name
    found: dict[str, Category] = {}
    for noun, category in annotations.images.get(name, {}).items():
        found.setdefault(canonical(noun), category)
    return found


def _weigh(
    nouns: Sequence[Sequence[str]],
    judged: Sequence[Mapping[str, Category]],
    worth: Mapping[Category, float],
    most: int,
) -> Weights:
    """Weights of the first `most` nouns; where there are fewer, the rest is worth nothing."""
    weights = np.zeros((len(nouns), most))
    for number, (row, categories) in enumerate(zip(nouns, judged, strict=True)):
        for rank, noun in enumerate(row[:most]):
            category = categories.get(canonical(noun))
            if category is not None:
                weights[number, rank] = worth[category]
            elif noun:
                # No noun at all ("") is wrong, whoever was asked.
                weights[number, rank] = np.nan
    return weights


def _specific(weights: Values, nouns: Sequence[str], specificity: Mapping[str, float]) -> Values:
    """Weights times specificity; a noun worth nothing needs none."""
    factors = np.array([specificity.get(canonical(noun), np.nan) for noun in nouns])
    return np.where(weights == 0, 0.0, weights * factors)


def _both_ways(values: Values, known: NDArray[np.bool_], seed: int) -> BothWays:
    filled = np.nan_to_num(values)
    return BothWays(filled, known, estimate(filled, seed), estimate(filled[known], seed))
