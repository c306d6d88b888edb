"""A rating without any language model, by what the owner's examples mean.

The owner names about ten things that are seen at the site and ten that never are; a classifier on
word vectors judges all other nouns (scenarios_spec §4). Topics alone would not do: the vectors are
therefore compared with many kinds of places and traits of things (`scenarios.raters.vectors.axes`),
and the classifier learns which of those the examples share. On the long tail of a dictionary it
stays a weak filter (scenarios_spec §3.5). What it says is therefore marked as a
prior, and nothing is dropped by it unsaid.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Vectors
from novic.embedders.starter import TEXT_SHA256
from scenarios.raters.vectors.axes import PLACES, TRAITS
from scenarios.raters.vectors.nouns import Embed, NounVectors
from scenarios.ratings.records import Place, Question, RatingError, RawScores

RATER = "prior"
"""Its name among the raters, and the flag of nouns that only it rated."""

LEAST_EXAMPLES = 3
"""Of each kind; calibration asks for more. Mean AUC on the labelled nouns of both presets: 0.86
with 3 + 3, 0.90 with 5 + 5, 0.93 with 10 + 10, 0.94 and 0.95 with 20 + 20."""

STRENGTH = 1.0
"""C of the classifier; from 0.3 to 5 it hardly matters."""

DESCRIPTION_WEIGHT = 0.2
"""Of the nearness to the site's description, in standard deviations over the dictionary. As
text around each noun the description made ratings worse (scenarios_spec §4), as a small addition
it helps; 0.1 to 0.3 is about the same. Learning the weight from ten examples does harm."""

LEAST_SPREAD = 1e-6
"""Standard deviation below which an axis tells nouns not apart."""


@dataclass(frozen=True, slots=True)
class PriorRating:
    """What the prior says of every noun, labelled as such."""

    scores: RawScores
    """Decision values; those of the examples are of classifiers that were not given them."""
    question: Question
    rater: str = RATER


def rate_by_prior(place: Place, vectors: NounVectors, embed: Embed) -> PriorRating:
    """Judge all nouns by the owner's examples, and a little by the site's description.

    Args:
        place: The site.
        vectors: Of the dictionary, examples included.
        embed: For the description and some hundred texts that are the same for every site; best
            from the cache.

    Raises:
        RatingError: If there are too few examples, one is not in the dictionary, or one is both.
    """
    question = Question(
        kind="logodds",
        model="word vectors of all-MiniLM-L6-v2, no language model",
        model_sha256=TEXT_SHA256,
        prompt_sha256=hashlib.sha256(json.dumps([PLACES, TRAITS]).encode()).hexdigest(),
        site_sha256=place.sha256,
    )
    check_examples(vectors.numbers, place.seen, place.never)
    prior = Prior(vectors, place.description, embed)
    return PriorRating(prior.scores(place.seen, place.never), question)


class Prior:
    """A dictionary and a site's description, ready for any examples.

    Args:
        vectors: Of the dictionary's nouns.
        description: Of the site.
        embed: As for `rate_by_prior`.
    """

    def __init__(self, vectors: NounVectors, description: str, embed: Embed) -> None:
        self._vectors = vectors
        texts = embed([*PLACES, *TRAITS, description])
        places, traits, site = np.split(texts, [len(PLACES), len(PLACES) + len(TRAITS)])
        self._views = (
            _along(vectors.photo, places),
            _along(vectors.where, places),
            _along(vectors.people, places),
            _along(vectors.bare, traits),
            vectors.people,
        )
        near = (_along(vectors.photo, site) + _along(vectors.where, site)) / 2
        self._nearness = near[:, 0].astype(np.float64)

    def scores(self, seen: Sequence[str], never: Sequence[str]) -> RawScores:
        """Decision values of all nouns, and of the examples as if each had not been given.

        Args:
            seen: Target nouns of things that are seen at the site.
            never: And of things that never are.

        Raises:
            RatingError: As `rate_by_prior`.
        """
        seen, never = _distinct(seen), _distinct(never)
        numbers = self._vectors.numbers
        check_examples(numbers, seen, never)
        examples = [numbers[noun] for noun in (*seen, *never)]
        kinds = np.repeat([1.0, -1.0], [len(seen), len(never)])
        kernel = self._kernel(examples)
        values = self._values(kernel, examples, kinds)
        hidden: dict[str, float] = {}
        for place, noun in enumerate((*seen, *never)):
            kept = np.delete(np.arange(len(examples)), place)
            left = [examples[other] for other in kept]
            without = self._values(kernel[:, kept], left, kinds[kept])
            hidden[noun] = float(without[examples[place]])
        return RawScores(
            nouns=dict(zip(self._vectors.nouns, values.tolist(), strict=True)),
            opinions=dict.fromkeys(self._vectors.nouns, 1),
            seen={noun: hidden[noun] for noun in seen},
            never={noun: hidden[noun] for noun in never},
        )

    def _kernel(self, examples: Sequence[int]) -> NDArray[np.float64]:
        """Likeness of all nouns to examples [N, E], 0 to 1: mean of exp(-distance²) of the views.

        Means of kernels are kernels of what all views tell together (Gönen and Alpaydın 2011,
        "Multiple kernel learning algorithms", JMLR 12).
        """
        found = np.zeros((len(self._vectors.nouns), len(examples)))
        for view in self._views:
            squares = np.einsum("nf,nf->n", view, view)
            products = view @ view[examples].T
            distances = squares[:, None] + squares[examples] - 2 * products
            found += np.exp(-np.maximum(distances, 0))
        return found / len(self._views)

    def _values(
        self, kernel: NDArray[np.float64], examples: Sequence[int], kinds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Decision values of all nouns [N]; above 0 means seen."""
        weights, constant = fit_kinds(kernel[examples], kinds)
        judged = kernel @ weights + constant
        return judged + DESCRIPTION_WEIGHT * judged.std() * self._nearness


def fit_kinds(
    kernel: NDArray[np.float64], kinds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Least-squares support vector machine (Suykens and Vandewalle 1999), kinds weighing the same.

    Without equal weights the constant would tell which kind an example left out is of: the other
    kind is then the more frequent one.

    Args:
        kernel: Likeness of the examples to each other [E, E].
        kinds: 1 for seen, -1 for never seen [E].

    Returns:
        Weights of the examples [E], and a constant to add.
    """
    count = len(kinds)
    shares = np.where(kinds > 0, np.mean(kinds > 0), np.mean(kinds < 0))
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = kernel + np.diag(2 * shares / STRENGTH)
    system[count, count] = 0
    solved = np.linalg.solve(system, np.append(kinds, 0))
    return solved[:count], float(solved[count])


def check_examples(numbers: Mapping[str, int], seen: Sequence[str], never: Sequence[str]) -> None:
    """Refuse examples that nothing can be learnt from.

    Args:
        numbers: Known nouns.
        seen: Examples of things seen.
        never: And of things never seen.

    Raises:
        RatingError: If there are too few, one is not known, or one is both.
    """
    seen, never = _distinct(seen), _distinct(never)
    if min(len(seen), len(never)) < LEAST_EXAMPLES:
        raise RatingError(
            f"{len(seen)} examples of things seen there and {len(never)} of things never seen are "
            f"too few: name at least {LEAST_EXAMPLES} of each in the scenario, better 10, best 20"
        )
    if both := sorted(set(seen) & set(never)):
        raise RatingError(
            f"{', '.join(both)}: given both as seen there and as never seen; take it out of one"
        )
    if unknown := [noun for noun in (*seen, *never) if noun not in numbers]:
        raise RatingError(
            f"examples that the dictionary does not have: {', '.join(unknown)}; add them to it or "
            "name others"
        )


def _along(vectors: Vectors, axes: Vectors) -> Vectors:
    """Nearness of nouns to texts [N, A], in standard deviations over the nouns.

    Divided by √A, so that two nouns taken at random have a squared distance of 2, as unit vectors
    without relation do.
    """
    near = vectors @ axes.T
    spread = np.maximum(near.std(axis=0), LEAST_SPREAD)
    return ((near - near.mean(axis=0)) / (spread * len(axes) ** 0.5)).astype(np.float32)


def _distinct(nouns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(nouns))
