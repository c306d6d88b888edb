"""Rates nouns by digits, round after round, until every noun has the opinions it needs.

A round is fixed in the store before any of it is sent, and follows from the answers of the rounds
before it alone: not from their order, the clock or what else happened. A run that was killed
therefore asks exactly what is left and comes to the same scores as one that was not.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from scenarios.llm.transport import BudgetError, ChatRequest, EndpointError, Reply, Transport
from scenarios.raters.digits.checks import read_reply
from scenarios.raters.digits.opinions import (
    History,
    Opinions,
    Tried,
    asked_together,
    history,
    opinions,
    scores_of,
)
from scenarios.raters.digits.plan import Planner, first_round, grouped, shuffled
from scenarios.raters.digits.prompts import digit_request, splits
from scenarios.ratings.records import (
    Answer,
    Line,
    Place,
    Planned,
    Question,
    RatingError,
    RawScores,
)
from scenarios.ratings.store import RatingStore

USABLE = 0.5
"""Share of the first answers that must be usable before the many others are asked for."""
EARLY = 2
"""Rounds after which that is judged even if there are no others."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    round: int
    """From 1."""
    answered: int
    """Requests of all rounds with an answer."""
    planned: int
    """Requests of all rounds so far; later rounds ask again what the answers leave open."""
    rejected: int
    """Answers that cannot be used."""
    cost_usd: float
    """Spent on the question, in earlier sessions too."""


@dataclass(frozen=True, slots=True)
class _Options:
    """The keywords of `rate_by_digits`."""

    seed: int
    prior: Mapping[str, float]
    max_cost_usd: float | None
    report: Callable[[Progress], None]


def rate_by_digits(  # noqa: PLR0913 - one place for all that a run depends on
    store: RatingStore,
    question: Question,
    place: Place,
    lines: Sequence[Line],
    transport: Transport,
    *,
    seed: int = 0,
    prior: Mapping[str, float] | None = None,
    max_cost_usd: float | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Ask until every noun has the opinions it needs or was asked in vain.

    What the store knows already is not asked again, whoever asked it. After a stop for any reason
    the same call goes on where it was.

    Args:
        store: Gets every round before it is asked and every answer as it comes.
        question: From `scenarios.raters.digits.prompts.digit_question`.
        place: What the model is told of the site.
        lines: Nouns to be rated, each once. The owner's examples need not be among them: they are
            judged in any case, in requests that do not tell them.
        transport: How to reach the model.
        seed: Of the order of the lines and of all that is drawn.
        prior: Log-odds of the offline prior by noun: where it contradicts, a noun is asked twice.
        max_cost_usd: Most that the question may cost, all its runs together.
        report: Told after every answer.

    Raises:
        BudgetError: If the next request could cost more than is left; all answers are kept.
        EndpointError: If the endpoint answers nobody; the same.
        RatingError: If most first answers are of no use, the examples do not suffice, or the store
            cannot be written.
    """
    if not lines:
        return
    options = _Options(seed, prior or {}, max_cost_usd, report)
    run = _Run(store, question, place, lines, transport, options)
    run.forgive()
    while run.left() or run.next_round():
        run.ask()


def digit_scores(store: RatingStore, question: Question, nouns: Iterable[str]) -> RawScores:
    """What a model said about nouns, digits 0 to 9, means over opinions."""
    return scores_of(store.ratings(question), nouns)


class _Run:
    """One set of nouns on its way."""

    def __init__(
        self,
        store: RatingStore,
        question: Question,
        place: Place,
        lines: Sequence[Line],
        transport: Transport,
        options: _Options,
    ) -> None:
        splits(place)  # says at once if the examples do not suffice
        self._store, self._question, self._place = store, question, place
        self._transport, self._options = transport, options
        self._examples = {*place.seen, *place.never}
        self._spellings = {line.target_noun: line.asked_as for line in lines}
        self._lines = [line for line in lines if line.target_noun not in self._examples]
        self._id = _run_id(question, lines, options.seed)
        self._forgiven: frozenset[str] = frozenset()
        self._load()

    def forgive(self) -> None:
        """Let a run that had ended try again what failed."""
        failed = {id_ for id_, answer in self._answers.items() if answer.status == "failed"}
        if not failed or self.left():
            return
        try:
            over = not self._plan()
        except RatingError:
            over = True
        if over:
            self._forgiven = frozenset(failed)

    def left(self) -> list[Planned]:
        """Requests that were planned and have no answer."""
        return [planned for id_, planned in self._planned.items() if id_ not in self._answers]

    def next_round(self) -> bool:
        """Plan what the answers so far leave open, in the store too; False if nothing."""
        while requests := self._plan():
            self._store.plan(self._id, requests)
            self._load()
            # Another run may have asked the very same.
            if self.left():
                return True
        return False

    def ask(self) -> None:
        """Have all that is left answered, no more at once than can surely be paid.

        Raises:
            BudgetError: If not even one can.
            EndpointError: If the transport brings nothing.
        """
        known = self._opinions().first_digits()

        def take(reply: Reply) -> None:
            planned = self._planned[reply.request_id]
            answer = read_reply(planned, reply, known, self._transport.backend)
            if self._store.add(self._question, answer):
                self._note(answer)
                self._options.report(self._progress())

        waiting = [
            digit_request(id_, self._question.model, self._place, planned)
            for id_, planned in self._planned.items()
            if id_ not in self._answers
        ]
        while waiting:
            affordable = self._affordable(waiting)
            self._transport.ask(affordable, take)
            before = len(waiting)
            waiting = [asked for asked in waiting if asked.request_id not in self._answers]
            if len(waiting) == before:
                raise EndpointError(
                    f"no answer came to any of {len(affordable)} requests; start again, every "
                    "answer so far is kept"
                )

    def _load(self) -> None:
        self._rounds = self._store.rounds(self._id)
        self._planned = {
            planned.request_id(self._question): planned
            for of_round in self._rounds
            for planned in of_round
        }
        self._answers: dict[str, Answer] = {}
        self._spent, self._unusable = 0.0, 0
        for answer in self._store.answers(self._planned).values():
            self._note(answer)
        # Other stages and scenarios that ask the same pay from the same purse.
        self._spent = self._store.spent(self._question).cost_usd

    def _note(self, answer: Answer) -> None:
        self._answers[answer.request_id] = answer
        self._spent += answer.cost_usd
        self._unusable += answer.status != "ok"

    def _progress(self) -> Progress:
        return Progress(
            len(self._rounds),
            len(self._answers),
            len(self._planned),
            self._unusable,
            self._spent,
        )

    def _affordable(self, waiting: Sequence[ChatRequest]) -> Sequence[ChatRequest]:
        """As many as can be paid even if the model writes all that it may."""
        cap = self._options.max_cost_usd
        if cap is None:
            return waiting
        total = self._spent
        for count, request in enumerate(waiting):
            total += self._transport.highest_cost(request)
            if total <= cap:
                continue
            if count:
                return waiting[:count]
            raise BudgetError(
                f"{self._spent:.4f} of {cap:g} USD are spent, and the next request could cost "
                f"{total - self._spent:.4f}; {len(waiting)} requests of this round are left. Every "
                "answer is kept: the same command with a higher limit goes on from here"
            )
        return waiting

    def _opinions(self) -> Opinions:
        ratings = self._store.ratings(self._question)
        return opinions(ratings, self._options.prior, self._options.seed)

    def _plan(self) -> list[Planned]:
        """The next round.

        Raises:
            RatingError: If the first answers show that the others would be of no use.
        """
        so_far = self._opinions()
        if not self._planned and self._examples - so_far.judged:
            nouns = [line for line in self._lines if line.target_noun not in so_far.digits]
            return first_round(nouns, self._planner(so_far, nouns))
        asked = [(planned, self._answers[id_]) for id_, planned in self._planned.items()]
        fresh, again = self._open(so_far, history(asked, self._forgiven))
        if (1 in fresh or len(self._rounds) <= EARLY) and (useless := self._useless()):
            fresh, again = {}, [(line, tried) for line, tried in again if not tried.alone]
            if not again:
                raise RatingError(useless)
        nouns = [line for of_opinion in fresh.values() for line in of_opinion]
        planner = self._planner(so_far, [*nouns, *(line for line, _ in again)])
        requests: list[Planned] = []
        for opinion, of_opinion in sorted(fresh.items()):
            groups = grouped(of_opinion, self._options.seed, opinion)
            requests += planner.requests(groups, opinion, 1, len(requests))
        for tried, group in asked_together(again):
            groups = [[line] for line in group] if tried.alone else [group]
            opinion, attempt = tried.last.opinion, tried.last.attempt + 1
            requests += planner.requests(groups, opinion, attempt, len(requests))
        return requests

    def _open(
        self, so_far: Opinions, tried: History
    ) -> tuple[dict[int, list[Line]], list[tuple[Line, Tried]]]:
        """Nouns that were not asked yet for an opinion they need, and those asked in vain."""
        fresh: dict[int, list[Line]] = {}
        again: list[tuple[Line, Tried]] = []
        for line in self._lines:
            opinion = so_far.next_opinion(line.target_noun)
            if opinion is None:
                continue
            of_noun = tried.get((line.target_noun, opinion))
            if of_noun is None:
                fresh.setdefault(opinion, []).append(line)
            elif not of_noun.given_up:
                again.append((line, of_noun))
        return fresh, again

    def _planner(self, so_far: Opinions, asked: Sequence[Line]) -> Planner:
        taken = {line.target_noun for line in asked}
        known = [
            line
            for line in self._lines
            if line.target_noun in so_far.digits and line.target_noun not in taken
        ]
        seed = self._options.seed
        repeatable = shuffled(known, seed, "repeatable")
        return Planner(self._place, seed, len(self._planned), self._spellings, repeatable)

    def _useless(self) -> str:
        """Why the model is of no use, if most of its answers are not."""
        useless = [answer for answer in self._answers.values() if answer.status != "ok"]
        if len(useless) <= (1 - USABLE) * len(self._answers):
            return ""
        ((often, _),) = Counter(sorted(answer.reason for answer in useless)).most_common(1)
        # What has a digit for every line has the right form, and says the wrong thing.
        formed = sum(bool(answer.ratings) for answer in useless) > len(useless) / 2
        why = "is too small" if formed else "may not know structured output or be too small"
        return (
            f"{len(useless)} of the first {len(self._answers)} answers of {self._question.model} "
            f"cannot be used, for example: {often}. The model {why} to rate many nouns at once; "
            "choose another one, or the local back end, which asks noun by noun"
        )


def _run_id(question: Question, lines: Sequence[Line], seed: int) -> str:
    """Names a run by all that its first round follows from, hexadecimal."""
    nouns = sorted((line.target_noun, line.asked_as) for line in lines)
    text = json.dumps([question.key, nouns, seed], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
