"""Which nouns a language model is asked about, and what the others are taken to be.

Asking about all 43,000 nouns takes hours or money, and the offline prior is too weak to say what
may be left out. So what was answered teaches: ridge regression from word vectors to log-odds (the
student) orders the nouns that are left, and measuring says when to stop (scenarios_spec §3.5):

1. common nouns, those above frequency 2, and 1,000 random others;
2. the others in falling order of the student's prediction, 1,000 at a time, the student learning
   from each block;
3. once less than 1% of a block are seen there, a random 300 of those left are asked too: if at most
   1% of them are seen, it is over;
4. those left get the student's value and are flagged as estimated.

Everything follows from the ratings so far and a seed: after a kill, the same call with what is in
the store gives the block that was being asked. How the log-odds are scaled does not
change the order (the student follows any a·x + b with a > 0), only when to stop.

    given_up = set[str]()
    while (step := next_step(dictionary, vectors, logits, given_up=given_up)).nouns:
        report(step.stage)
        rate(store, step.nouns)  # Any rater; raises BudgetError when the money is spent.
        logits = calibrated(store)
        given_up |= set(step.nouns) - logits.keys()
    values = estimates(vectors, logits)  # Also after a BudgetError.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from scenarios.dictionary import ObjectDictionary
from scenarios.raters.vectors.nouns import NounVectors
from scenarios.ratings.records import RatingError

PENALTY = 2.0
"""Alpha of the ridge regression; from 1 to 3 it does not matter (scenarios_spec §3.5)."""

LEAST_RATED = 100
"""Nouns that a student learns from at least."""


@dataclass(frozen=True, slots=True)
class StageRule:
    """How much is asked at a time, and when it is enough."""

    common_above: int = 2
    """Nouns whose total frequency is above this are all asked about."""
    others: int = 1000
    """Random others that are asked about from the start."""
    block: int = 1000
    """Nouns that are asked about before it is decided anew; a provider's batch takes up to a day
    however large it is, so there larger blocks are better."""
    sample: int = 300
    """Random nouns of those left that tell whether it may end."""
    enough: float = 0.01
    """Share of nouns seen there, in a block and in a sample, below which it ends."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask about next."""

    nouns: tuple[str, ...]
    """Target nouns of the whole stage, those with an answer too, so that a run that was killed asks
    them in the same groups; none if nothing is left to ask."""
    stage: str
    """For people: what is asked about and why."""
    left: int
    """Nouns that no stage has asked about so far, this one included."""


DEFAULT_RULE = StageRule()


def next_step(
    dictionary: ObjectDictionary,
    vectors: NounVectors,
    logits: Mapping[str, float],
    *,
    given_up: Collection[str] = (),
    seed: int = 0,
    rule: StageRule = DEFAULT_RULE,
) -> Step:
    """Which nouns to ask about now.

    Args:
        dictionary: Whose nouns are rated.
        vectors: Of its nouns, in its order.
        logits: Log-odds of seeing a noun there, of all nouns rated so far.
        given_up: Nouns that were asked about in vain; they are not asked again.
        seed: Of the random choices.
        rule: Sizes and shares.

    Raises:
        RatingError: If hardly any of the first stage's nouns could be rated.
    """
    asked = set[str]()
    for stage, nouns in _stages(dictionary, vectors, logits, seed, rule):
        if any(noun not in logits and noun not in given_up for noun in nouns):
            return Step(nouns, stage, len(vectors.nouns) - len(asked))
        asked.update(nouns)
    return Step((), "finished", len(vectors.nouns) - len(asked))


def estimates(vectors: NounVectors, logits: Mapping[str, float]) -> dict[str, float]:
    """The student's log-odds of every noun without a rating, to be flagged as estimated.

    Raises:
        RatingError: If too few nouns are rated to learn from.
    """
    student = Student(vectors)
    student.learn(vectors.nouns, logits)
    predicted = student.predict()
    return {
        noun: float(value)
        for noun, value in zip(vectors.nouns, predicted, strict=True)
        if noun not in logits
    }


def first_nouns(
    dictionary: ObjectDictionary, seed: int = 0, rule: StageRule = DEFAULT_RULE
) -> tuple[str, ...]:
    """The first stage: all common nouns and some random others, in the dictionary's order."""
    rare = [
        entry.target_noun for entry in dictionary.entries if entry.total_freq <= rule.common_above
    ]
    left_out = set(rare) - set(_random(rare, rule.others, seed, stage=0))
    return tuple(noun for noun in dictionary.targets if noun not in left_out)


def next_block(
    nouns: Sequence[str], predicted: NDArray[np.float64], asked: Collection[str], size: int
) -> tuple[str, ...]:
    """The nouns not asked about yet that the student expects most, in falling order.

    Args:
        nouns: All of them [N]; of equal predictions the first come first.
        predicted: The student's values [N].
        asked: Nouns of earlier stages.
        size: Most nouns of a block.
    """
    order = np.argsort(-predicted, kind="stable")
    left = (noun for number in order if (noun := nouns[int(number)]) not in asked)
    return tuple(islice(left, size))


def share_seen(nouns: Sequence[str], logits: Mapping[str, float]) -> float:
    """Share of nouns with log-odds above 0 among those that have any; 1 if none has.

    Nouns that nobody could rate say nothing, so they never end a run.
    """
    known = [logits[noun] > 0 for noun in nouns if noun in logits]
    return sum(known) / len(known) if known else 1.0


def should_stop(
    block: Sequence[str], sample: Sequence[str], logits: Mapping[str, float], enough: float
) -> bool:
    """Whether what is left may be estimated instead of asked.

    Args:
        block: The nouns asked about last.
        sample: Random ones of those left, asked about after them.
        logits: Of all nouns rated.
        enough: The block's share of nouns seen must be below this, the sample's at most this.
    """
    return share_seen(block, logits) < enough and share_seen(sample, logits) <= enough


class Student:
    """Ridge regression from the vectors of both texts to log-odds, with a constant.

    It keeps sums over what it has learnt, so that learning more costs only what is new.

    Args:
        vectors: Of all nouns.
    """

    def __init__(self, vectors: NounVectors) -> None:
        self._vectors = vectors
        width = vectors.both.shape[1]
        self._count = 0
        self._sum_x = np.zeros(width)
        self._sum_y = 0.0
        self._xx = np.zeros((width, width))
        self._xy = np.zeros(width)

    def learn(self, nouns: Sequence[str], logits: Mapping[str, float]) -> None:
        """Learn from the nouns that have log-odds; each noun may be learnt once."""
        known = [noun for noun in nouns if noun in logits]
        rows = [self._vectors.numbers[noun] for noun in known]
        x = self._vectors.both[rows].astype(np.float64)
        y = np.array([logits[noun] for noun in known], dtype=np.float64)
        self._count += len(known)
        self._sum_x += x.sum(axis=0)
        self._sum_y += y.sum()
        self._xx += x.T @ x
        self._xy += x.T @ y

    def predict(self) -> NDArray[np.float64]:
        """Log-odds of all nouns [N].

        Raises:
            RatingError: If it learnt from too few nouns.
        """
        if self._count < LEAST_RATED:
            raise RatingError(
                f"{self._count} rated nouns are too few to estimate others from; at least "
                f"{LEAST_RATED} are needed: rate more"
            )
        mean_x, mean_y = self._sum_x / self._count, self._sum_y / self._count
        centred = self._xx - self._count * np.outer(mean_x, mean_x)
        target = self._xy - self._count * mean_x * mean_y
        weights = np.linalg.solve(centred + PENALTY * np.eye(len(mean_x)), target)
        return self._vectors.both @ weights + (mean_y - mean_x @ weights)


def _stages(
    dictionary: ObjectDictionary,
    vectors: NounVectors,
    logits: Mapping[str, float],
    seed: int,
    rule: StageRule,
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and nouns of each stage; it goes on once the stage before is rated."""
    student = Student(vectors)
    asked = set[str]()
    stage = first_nouns(dictionary, seed, rule)
    yield f"common nouns and {rule.others:,} others", stage
    number = 0
    while True:
        asked.update(stage)
        student.learn(stage, logits)
        if len(asked) == len(vectors.nouns):
            return
        number += 1
        block = next_block(vectors.nouns, student.predict(), asked, rule.block)
        yield f"block {number}, the likeliest of those left", block
        asked.update(block)
        student.learn(block, logits)
        stage = ()
        if share_seen(block, logits) < rule.enough:
            left = [noun for noun in vectors.nouns if noun not in asked]
            stage = _random(left, rule.sample, seed, number)
            yield "random nouns of those left, to see whether it may end", stage
            if should_stop(block, stage, logits, rule.enough):
                return


def _random(nouns: Sequence[str], size: int, seed: int, stage: int) -> tuple[str, ...]:
    """Some of the nouns, drawn anew for every stage, in their order."""
    chosen = np.random.default_rng([seed, stage]).permutation(len(nouns))[:size]
    return tuple(nouns[int(number)] for number in np.sort(chosen))
