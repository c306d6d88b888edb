"""Rates nouns with a small language model on this machine, asked yes or no about one at a time.

How the question is worded decides more than anything else, and which wording is good depends on the
site. So every site first has its owner's examples judged, each while the model is not told of it,
and the wording that tells them apart is taken, or none (scenarios_spec §3.4).
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from scenarios.raters.local.engine import Engine
from scenarios.raters.local.llama_server import LlamaServer
from scenarios.raters.local.wordings import LINES, WORDINGS, Example, Wording, cut, in_mixed_order
from scenarios.raters.rater import Report, unheard
from scenarios.ratings.records import (
    Answer,
    Line,
    Place,
    Planned,
    Question,
    Rating,
    RatingError,
    RawScores,
    Role,
)
from scenarios.ratings.scale import LEAST_EXAMPLES, auc
from scenarios.ratings.store import RatingStore

LEAST_AUC = 0.9
"""A wording that puts fewer pairs of examples in order is not used."""

NOISE = 0.05
"""Standard error of an AUC of 0.95 on ten examples of each kind (Hanley & McNeil 1982)."""

FOLDS = 5
"""Prefixes in which a wording with examples shows four fifths of them and judges the rest."""

ENOUGH_TO_SHOW = 10
"""Examples of each kind with which a fold still shows eight."""

BLOCK = 32
"""Nouns whose ratings are kept at once, some seconds of work; between blocks a run can stop."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How a wording judged the owner's examples, each while the model was not told of it."""

    seen: Mapping[str, float]
    """Log-odds of yes, by noun, of those that are seen there."""
    never: Mapping[str, float]

    @property
    def auc(self) -> float:
        """Share of pairs in order."""
        return auc([*self.seen.values()], [*self.never.values()])


@dataclass(frozen=True, slots=True)
class Choice:
    """The wording that a site is rated with."""

    wording: Wording
    question: Question
    judged: Judged
    aucs: Mapping[str, float]
    """Of all wordings that were tried, by name."""


class LocalRater:
    """See `Rater`: a model on this machine. Close it, or enter it, to free the model's memory."""

    def __init__(
        self,
        model: Path,
        place: Place,
        store: RatingStore,
        *,
        threads: int = 2,
        engine: Engine | None = None,
    ) -> None:
        """Load the model.

        Args:
            model: A GGUF file of any instruction-tuned language model.
            place: The site; at least 8 examples of each kind, better 10.
            store: Where answers are kept.
            threads: Of the processor.
            engine: The model if it is loaded already; `model` is not looked at then.

        Raises:
            RatingError: If there are too few examples, or the model cannot be loaded.
        """
        _check_examples(place)
        self._place, self._store = place, store
        self._engine = LlamaServer(model, threads) if engine is None else engine
        self._choice: Choice | None = None
        self._tokens = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model."""
        self._engine.close()

    @property
    def question(self) -> Question:
        """What is asked; known once a wording is chosen.

        Raises:
            RatingError: If none is yet.
        """
        return self._chosen.question

    def choose(self, report: Report = unheard) -> Choice:
        """Have the examples judged and take the wording for the site.

        Takes one to four minutes of the processor at first; answers are kept, so a later call for
        the same site finds them.

        Args:
            report: Told after every group of examples, for each wording anew.

        Raises:
            RatingError: If no wording tells the examples apart.
        """
        if self._choice is None:
            judged: dict[str, Judged] = {}
            for wording in usable_wordings(self._place):
                judged[wording.name] = self.judge(wording, report)
                if wording is LINES and judged[LINES.name].auc >= 1 - NOISE:
                    break  # no other could be better by more than noise
            aucs = {name: of.auc for name, of in judged.items()}
            wording = best_wording(aucs, self._engine.name)
            self._choice = Choice(wording, self._question(wording), judged[wording.name], aucs)
        return self._choice

    def rate(self, lines: Sequence[Line], report: Report = unheard) -> None:
        """See `Rater`. Each block of nouns is kept as soon as it is there.

        The owner's examples are left out: they were judged when the wording was chosen, and now the
        model is told of them.

        Args:
            lines: The nouns.
            report: Told how many of `lines` have a rating.

        Raises:
            RatingError: If no wording tells the examples apart, or the model fails.
        """
        choice = self.choose()
        known = {
            (rating.target_noun, rating.asked_as)
            for rating in self._store.ratings(choice.question)
            if rating.role == "noun"
        }
        examples = {*self._place.seen, *self._place.never}
        left = [
            line
            for line in lines
            if line.target_noun not in examples and (line.target_noun, line.asked_as) not in known
        ]
        done = len(lines) - len(left)
        _tell(report, done, len(lines))
        for begin in range(0, len(left), BLOCK):
            block = tuple(left[begin : begin + BLOCK])
            self._ask(choice.wording, Planned(block), self._shown(choice.wording))
            done += len(block)
            _tell(report, done, len(lines))

    def scores(self, nouns: Sequence[str]) -> RawScores:
        """See `Rater`.

        Raises:
            RatingError: If no wording was chosen yet.
        """
        choice = self._chosen
        said = {
            rating.target_noun: rating.raw
            for rating in self._store.ratings(choice.question)
            if rating.role == "noun"
        }
        said |= {**choice.judged.seen, **choice.judged.never}
        found = {noun: said[noun] for noun in nouns if noun in said}
        return RawScores(found, dict.fromkeys(found, 1), choice.judged.seen, choice.judged.never)

    def faults(self, scores: RawScores, unrated: float) -> list[str]:
        """None: it refuses wordings that do not work before it is asked anything."""
        del scores, unrated
        return []

    @property
    def _chosen(self) -> Choice:
        if self._choice is None:
            raise RatingError("no wording is chosen yet: have the examples judged first")
        return self._choice

    def judge(self, wording: Wording, report: Report = unheard) -> Judged:
        """Judge all examples with a wording, or find how they were judged before."""
        question = self._question(wording)
        folds = list(_folds(self._place, wording))
        for done, (planned, shown) in enumerate(folds, start=1):
            self._ask(wording, planned, shown)
            report(done, len(folds), f"wording {wording.name}")
        ids = [planned.request_id(question) for planned, _ in folds]
        said = {
            rating.target_noun: rating.raw
            for answer in self._store.answers(ids).values()
            for rating in answer.ratings
        }
        place = self._place
        return Judged({n: said[n] for n in place.seen}, {n: said[n] for n in place.never})

    def _shown(self, wording: Wording) -> Sequence[Example]:
        """The examples that the model is told when nouns are rated."""
        if not wording.shows_examples:
            return ()
        return in_mixed_order(self._place.seen, self._place.never)

    def _ask(self, wording: Wording, planned: Planned, shown: Sequence[Example]) -> None:
        """Have one block of nouns judged, unless it was."""
        question = self._question(wording)
        request_id = planned.request_id(question)
        if self._store.answers([request_id]):
            return
        turns = wording.conversation(self._place.description, shown)
        prompt = cut(self._engine.rendered(turns, answering=not wording.is_open), wording)
        self._tokens = 0
        values = self._engine.log_odds(
            prompt.prefix, [prompt.ending(line.asked_as) for line in planned.lines], self._count
        )
        ratings = tuple(
            Rating(line.target_noun, line.asked_as, value, line.role, line=place)
            for place, (line, value) in enumerate(zip(planned.lines, values, strict=True))
        )
        answer = Answer(
            request_id,
            "ok",
            ratings,
            backend="local",
            tokens_in=self._tokens,
            tokens_out=len(ratings),
            created_us=time.time_ns() // 1000,
        )
        self._store.add(question, answer)

    def _count(self, tokens: int) -> None:
        self._tokens += tokens

    def _question(self, wording: Wording) -> Question:
        """What a wording asks: everything that is not the site's is part of its prompt's hash."""
        turns = wording.conversation("{description}", ())
        layout = self._engine.rendered(turns, answering=not wording.is_open)
        asked = [layout, wording.closing, wording.example, self._engine.how]
        prompt = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        return Question(
            "logodds", self._engine.name, self._engine.sha256, prompt, self._place.sha256
        )


def _tell(report: Report, done: int, total: int) -> None:
    report(done, total, f"{done:,} of {total:,} nouns")


def usable_wordings(place: Place) -> tuple[Wording, ...]:
    """The wordings that a site can be asked with, the preferred one first.

    With fewer than 10 examples of a kind none can be spared for showing.
    """
    enough = min(len(place.seen), len(place.never)) >= ENOUGH_TO_SHOW
    return tuple(wording for wording in WORDINGS if enough or not wording.shows_examples)


def best_wording(aucs: Mapping[str, float], model: str) -> Wording:
    """The wording to take: the preferred one unless another is better by more than noise.

    Examples are common words. On rare ones, which the model hardly knows, it is steadier when it is
    shown examples, and no AUC on common words tells (scenarios_spec §3.4, rare words).

    Args:
        aucs: By name of the wordings that were tried.
        model: Name of the model, for the message.

    Raises:
        RatingError: If the best is below 0.9; the text names them all.
    """
    best = max(aucs.values())
    if best < LEAST_AUC:
        listed = ", ".join(f"{name} {value:.2f}" for name, value in aucs.items())
        raise RatingError(
            f"{model} does not tell this site's examples apart (AUC by wording: {listed}; "
            f"{LEAST_AUC} is needed): say in the description what place it is, check that each "
            "example is on the right side, or use another model"
        )
    if aucs.get(LINES.name, 0.0) >= max(LEAST_AUC, best - NOISE):
        return LINES
    return next(wording for wording in WORDINGS if aucs.get(wording.name) == best)


def _folds(place: Place, wording: Wording) -> Iterator[tuple[Planned, Sequence[Example]]]:
    """What to ask so that each example is judged unseen, and the examples to show meanwhile."""
    if not wording.shows_examples:
        yield Planned(_lines(place.seen, "positive") + _lines(place.never, "negative")), ()
        return
    for fold in range(FOLDS):
        hidden = _lines(place.seen[fold::FOLDS], "positive")
        hidden += _lines(place.never[fold::FOLDS], "negative")
        judged = {line.target_noun for line in hidden}
        shown = in_mixed_order(
            [noun for noun in place.seen if noun not in judged],
            [noun for noun in place.never if noun not in judged],
        )
        yield Planned(hidden, split=fold + 1), shown


def _lines(nouns: Sequence[str], role: Role) -> tuple[Line, ...]:
    return tuple(Line(noun, noun, role) for noun in nouns)


def _check_examples(place: Place) -> None:
    seen, never = len(place.seen), len(place.never)
    if min(seen, never) < LEAST_EXAMPLES:
        raise RatingError(
            f"the site has {seen} examples of what is seen there and {never} of what never is; a "
            f"local model needs at least {LEAST_EXAMPLES} of each, better {ENOUGH_TO_SHOW}: add "
            "some to scenario.yaml"
        )
