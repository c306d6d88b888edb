"""Which nouns need to be asked (again), given all that was answered.

Most nouns are asked once. A second opinion goes where it can change something: digits in the
middle, digits that the offline prior contradicts, and a few at random; a third where two differ
much (scenarios_spec §3.3).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from scenarios.raters.digits.plan import draw
from scenarios.ratings.records import Answer, Line, Planned, Rating, RatingError, RawScores
from scenarios.ratings.scale import Calibration, calibrate

UNCERTAIN = (1, 5)
"""Digits that are asked twice, both included. From 2 on it is a tenth cheaper, and agrees less well
with three opinions on every noun (benchmarks/rating_agreement.py)."""
SURPRISE = 3.0
"""Difference to the prior, in log-odds, from which on a noun is asked twice."""
RANDOM_SHARE = 0.05
"""Of all nouns that are asked twice in any case."""
QUARREL = 3
"""Difference between two digits from which on a third is asked for."""
MOST_OPINIONS = 3

MOST_REJECTED = 3
"""Together with others, shuffled anew, and alone; then a noun is left without this opinion."""
MOST_FAILED = 2


@dataclass(slots=True)
class Tried:
    """How often a noun was asked for one of its opinions, and what came of it."""

    last: Planned
    tries: int = 0
    rejected: int = 0
    failed: int = 0
    """Not counting failures that were forgiven."""
    done: bool = False

    @property
    def given_up(self) -> bool:
        """Whether nothing more is to be tried."""
        return self.rejected >= MOST_REJECTED or self.failed >= MOST_FAILED

    @property
    def alone(self) -> bool:
        """Whether it was in vain twice with others, so that it is to be asked without them."""
        return self.rejected == MOST_REJECTED - 1


type History = Mapping[tuple[str, int], Tried]
"""By noun and opinion."""


def history(
    asked: Iterable[tuple[Planned, Answer]], forgiven: frozenset[str] = frozenset()
) -> History:
    """What was tried.

    Args:
        asked: All answered requests of a run, in the order in which they were planned.
        forgiven: Ids of failed requests that are tried again as if they had not been.
    """
    tried: dict[tuple[str, int], Tried] = {}
    for planned, answer in asked:
        for line in planned.lines:
            if line.role != "noun":
                continue
            of_noun = tried.setdefault((line.target_noun, planned.opinion), Tried(planned))
            of_noun.last = planned
            of_noun.tries += 1
            of_noun.rejected += answer.status == "rejected"
            of_noun.failed += answer.status == "failed" and answer.request_id not in forgiven
            of_noun.done |= answer.status == "ok"
    return tried


@dataclass(frozen=True)
class Opinions:
    """All digits that were given, by noun and by opinion."""

    digits: Mapping[str, Mapping[int, float]]
    prior: Mapping[str, float]
    """Log-odds of the offline prior, where there is one."""
    calibration: Calibration | None
    """Of the first opinions, if they could be calibrated and there is a prior to compare with."""
    judged: frozenset[str]
    """The owner's examples that were judged."""
    seed: int

    def first_digits(self) -> dict[str, float]:
        """What was said about nouns when they were asked first."""
        return {noun: next(iter(given.values())) for noun, given in self.digits.items()}

    def next_opinion(self, noun: str) -> int | None:
        """Which opinion of a noun is to be asked for; None if it has all that it needs."""
        given = self.digits.get(noun, {})
        if len(given) >= self._wanted(noun, list(given.values())):
            return None
        return next(number for number in range(1, MOST_OPINIONS + 1) if number not in given)

    def _wanted(self, noun: str, given: Sequence[float]) -> int:
        if not given:
            return 1
        if len(given) >= 2:
            return MOST_OPINIONS if max(given) - min(given) >= QUARREL else 2
        return 2 if self._doubtful(noun, given[0]) else 1

    def _doubtful(self, noun: str, digit: float) -> bool:
        if UNCERTAIN[0] <= digit <= UNCERTAIN[1]:
            return True
        if self.calibration and noun in self.prior:
            surprise = self.calibration.logit(digit) - self.prior[noun]
            if abs(surprise) > SURPRISE:
                return True
        return int(draw(self.seed, "second", noun)[:8], 16) < RANDOM_SHARE * 16**8


def opinions(ratings: Sequence[Rating], prior: Mapping[str, float] | None, seed: int) -> Opinions:
    """What was said so far; the order of the ratings does not matter."""
    calibration = None
    if prior:
        first = [rating for rating in ratings if rating.opinion == 1]
        try:
            calibration = calibrate(scores_of(first, ()))
        except RatingError:
            calibration = None  # the run gate will say so; until then there is nothing to compare
    judged = {rating.target_noun for rating in ratings if rating.role in ("positive", "negative")}
    return Opinions(_by_opinion(ratings), prior or {}, calibration, frozenset(judged), seed)


def scores_of(ratings: Sequence[Rating], nouns: Iterable[str]) -> RawScores:
    """Means of all that was said.

    Args:
        ratings: Of one question, in any order.
        nouns: Those that are wanted. The owner's examples among them have the mean of what was
            said while the model was not told of them.
    """
    digits = {noun: list(given.values()) for noun, given in _by_opinion(ratings).items()}
    seen, never = _of_role(ratings, "positive"), _of_role(ratings, "negative")
    found = {
        noun: values
        for noun in nouns
        if (values := seen.get(noun) or never.get(noun) or digits.get(noun))
    }
    return RawScores(
        {noun: fmean(values) for noun, values in found.items()},
        {noun: len(values) for noun, values in found.items()},
        {noun: fmean(values) for noun, values in seen.items()},
        {noun: fmean(values) for noun, values in never.items()},
        tuple(
            (digits[noun][0], again)
            for noun, values in sorted(_of_role(ratings, "duplicate").items())
            if noun in digits
            for again in values
        ),
    )


def asked_together(tried: Iterable[tuple[Line, Tried]]) -> list[tuple[Tried, list[Line]]]:
    """Nouns that were last asked together, together again, each group with what came of it."""
    groups: dict[Planned, tuple[Tried, list[Line]]] = {}
    for line, of_noun in tried:
        groups.setdefault(of_noun.last, (of_noun, []))[1].append(line)
    return list(groups.values())


def _by_opinion(ratings: Iterable[Rating]) -> dict[str, dict[int, float]]:
    """Digits by noun and opinion, opinions in order; the mean if runs gave the same one twice."""
    given: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for rating in ratings:
        if rating.role == "noun":
            given[rating.target_noun][rating.opinion].append(rating.raw)
    return {
        noun: {opinion: fmean(values) for opinion, values in sorted(of_noun.items())}
        for noun, of_noun in given.items()
    }


def _of_role(ratings: Iterable[Rating], role: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for rating in ratings:
        if rating.role == role:
            found[rating.target_noun].append(rating.raw)
    return {noun: sorted(values) for noun, values in sorted(found.items())}
