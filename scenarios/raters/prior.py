"""A rating without any language model, by what the owner's examples mean.

The owner names about ten things that are seen at the site and ten that never are; a linear
classifier on word vectors judges all other nouns (scenarios_spec §4). It knows topics, not places:
on easy words it ranks well, on the long tail of a dictionary it is a weak filter (§3.5). What it
says is therefore marked as a prior, and nothing is dropped by it unsaid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from novic.embedder import Vectors
from novic.starter import TEXT_SHA256
from scenarios.raters.vectors import NounVectors
from scenarios.ratings.records import Place, Question, RatingError, RawScores

RATER = "prior"
"""Its name among the raters, and the flag of nouns that only it rated."""

LEAST_EXAMPLES = 3
"""Of each kind; calibration asks for more. Mean AUC with 3 + 3 is 0.84 to 0.87, with 10 + 10 0.94
to 0.95, with 20 + 20 0.96 to 0.98 (scenarios_spec §4)."""

STRENGTH = 1.0
"""C of the classifier; from 0.1 to 100 it hardly matters (scenarios_spec §4)."""


@dataclass(frozen=True, slots=True)
class PriorRating:
    """What the prior says of every noun, labelled as such."""

    scores: RawScores
    """Decision values; those of the examples are of classifiers that were not given them."""
    question: Question
    rater: str = RATER


@dataclass(frozen=True, slots=True, eq=False)
class LinearRule:
    """A weighted sum of a vector's components and a constant; above 0 means seen."""

    weights: NDArray[np.float64]
    """[F]."""
    constant: float

    def values(self, vectors: Vectors) -> NDArray[np.float64]:
        """Decision values [N] of vectors [N, F]."""
        return vectors @ self.weights + self.constant


def rate_by_prior(place: Place, vectors: NounVectors) -> PriorRating:
    """Judge all nouns by the owner's examples.

    Args:
        place: Its examples count, its description does not: it made ratings worse where it was
            tried (scenarios_spec §4).
        vectors: Of the dictionary, examples included.

    Raises:
        RatingError: If there are too few examples, one is not in the dictionary, or one is both.
    """
    question = Question(
        kind="logodds",
        model="word vectors of all-MiniLM-L6-v2, no language model",
        model_sha256=TEXT_SHA256,
        prompt_sha256="",
        site_sha256=replace(place, description="").sha256,
    )
    return PriorRating(prior_scores(vectors, place.seen, place.never), question)


def prior_scores(vectors: NounVectors, seen: Sequence[str], never: Sequence[str]) -> RawScores:
    """Decision values of all nouns, and of the examples as if each had not been given.

    Args:
        vectors: Of the dictionary, examples included.
        seen: Target nouns of things that are seen at the site.
        never: And of things that never are.

    Raises:
        RatingError: As `rate_by_prior`.
    """
    seen, never = _distinct(seen), _distinct(never)
    _check_examples(vectors, seen, never)
    seen_vectors = vectors.mean[[vectors.numbers[noun] for noun in seen]]
    never_vectors = vectors.mean[[vectors.numbers[noun] for noun in never]]
    values = fit_prior(seen_vectors, never_vectors).values(vectors.mean)
    hidden_seen = [
        fit_prior(np.delete(seen_vectors, place, axis=0), never_vectors).values(vector[None])[0]
        for place, vector in enumerate(seen_vectors)
    ]
    hidden_never = [
        fit_prior(seen_vectors, np.delete(never_vectors, place, axis=0)).values(vector[None])[0]
        for place, vector in enumerate(never_vectors)
    ]
    return RawScores(
        nouns=dict(zip(vectors.nouns, values.tolist(), strict=True)),
        opinions=dict.fromkeys(vectors.nouns, 1),
        seen={noun: float(value) for noun, value in zip(seen, hidden_seen, strict=True)},
        never={noun: float(value) for noun, value in zip(never, hidden_never, strict=True)},
    )


def fit_prior(seen: Vectors, never: Vectors) -> LinearRule:
    """Logistic regression with an L2 penalty, both kinds of examples weighing the same in all.

    Without equal weights the constant would tell which kind an example left out is of: the other
    kind is then the more frequent one.

    Args:
        seen: Unit vectors of the examples seen [S, F].
        never: And of those never seen [N, F].
    """
    given = np.concatenate([seen, never]).astype(np.float64)
    kinds = np.repeat([1, 0], [len(seen), len(never)])
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    model.fit(given, kinds)
    return LinearRule(model.coef_[0], float(np.ravel(model.intercept_)[0]))


def _distinct(nouns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(nouns))


def _check_examples(vectors: NounVectors, seen: Sequence[str], never: Sequence[str]) -> None:
    if min(len(seen), len(never)) < LEAST_EXAMPLES:
        raise RatingError(
            f"{len(seen)} examples of things seen there and {len(never)} of things never seen are "
            f"too few: name at least {LEAST_EXAMPLES} of each in the scenario, better 10, best 20"
        )
    if both := sorted(set(seen) & set(never)):
        raise RatingError(
            f"{', '.join(both)}: given both as seen there and as never seen; take it out of one"
        )
    if unknown := [noun for noun in (*seen, *never) if noun not in vectors.numbers]:
        raise RatingError(
            f"examples that the dictionary does not have: {', '.join(unknown)}; add them to it or "
            "name others"
        )
