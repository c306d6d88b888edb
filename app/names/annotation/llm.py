"""A language model's judgements of many images: asked in parallel, resumable, bounded in cost."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from app.names.annotation.asking import (
    PROMPT,
    GarbageError,
    Opinion,
    QuestionError,
    image_address,
    messages,
    question,
    read_opinion,
)
from app.names.annotation.opinions import Opinions, Rule
from app.names.annotation.work import Item
from app.progress import Reporter
from app.redact import redact
from app.stop import announced
from novic.images import ImageError
from scenarios.llm.conversations import Conversation, converse
from scenarios.llm.costs import token_counter
from scenarios.llm.transport import KEPT, EndpointError, Transport
from training.evaluation.annotations import AnnotationError, Annotations, write_annotations

MOST_NOUNS = 15
"""Nouns of one question. More are asked in equal parts, so no part of many falls below 8."""
CONSTANT_FROM = 8
"""One and the same verdict on so many nouns looks like a model that doesn't look."""
TRIES = 3
"""Questions in place of useless answers, each with the nouns in another order."""
FAILURES_IN_A_ROW = 5
"""So many questions refused one after the other mean that the endpoint is at fault."""
TOKENS_PER_ANSWER = 22

type Check = Callable[[], None]


@dataclass(slots=True)
class LlmResult:
    """What a run came to."""

    judged: Counter[str] = field(default_factory=Counter[str])
    """New judgements by category."""
    images: int = 0
    """Images with work at the start."""
    nouns: int = 0
    """Nouns to judge at the start."""
    asked: int = 0
    """Answers in this run, useless ones included."""
    tokens: tuple[int, int] = (0, 0)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(image, why) of questions without a useful answer; their nouns stay unjudged."""
    stopped: bool = False
    fault: str = ""
    """Why the run ended before its end."""

    def as_json(self) -> dict[str, Any]:
        """The result as scripts read it."""
        return {
            "images": self.images,
            "nouns": self.nouns,
            "judged": sum(self.judged.values()),
            "categories": dict(self.judged),
            "asked": self.asked,
            "tokens_read": self.tokens[0],
            "tokens_written": self.tokens[1],
            "failed": [list(failure) for failure in self.failed],
            "stopped": self.stopped,
            "fault": self.fault,
        }


class _Stopped(Exception):
    """The user pressed Ctrl-C once; no error."""


@dataclass(slots=True)
class LlmRun:
    """One run over some images."""

    items: Sequence[Item]
    """Images with the nouns that are to be judged."""
    annotations: Annotations
    """Taken further; written to `path` when the run ends, however it ends."""
    path: Path
    opinions: Opinions
    rule: Rule
    _in_a_row: int = 0

    def run(
        self,
        open_transport: Callable[[Check], Transport],
        reporter: Reporter,
        check: Check = lambda: None,
    ) -> LlmResult:
        """Ask until every noun is judged, the user stops, or the endpoint fails.

        Args:
            open_transport: Makes the way to the model, which looks now and then whether to stop;
                called only if there is something to ask.
            reporter: Told how many images are done.
            check: Raises KeyboardInterrupt if the user asked to stop.

        Raises:
            AnnotationError: If results cannot be written.
            UsageError: If the key or a library is missing.
            KeyboardInterrupt: If it was pressed again while answers under way were waited for.
        """
        result = LlmResult(
            images=len(self.items), nouns=sum(len(item.nouns) for item in self.items)
        )
        before = (self.opinions.answers, self.opinions.tokens)

        announcing = announced(check, reporter.say)

        def look() -> None:
            try:
                announcing()
            except KeyboardInterrupt as stopped:
                raise _Stopped from stopped

        try:
            if todo := [item for item in self.items if self._open(item)]:
                self._ask_all(open_transport(look), todo, result, reporter)
        except _Stopped:
            result.stopped = True
        except EndpointError as error:
            result.fault = redact(str(error))
        finally:
            self._judge(result)
        result.asked = self.opinions.answers - before[0]
        read, written = self.opinions.tokens
        result.tokens = (read - before[1][0], written - before[1][1])
        return result

    def _ask_all(
        self, transport: Transport, todo: Sequence[Item], result: LlmResult, reporter: Reporter
    ) -> None:
        done = count(len(self.items) - len(todo) + 1)
        with reporter.task("Asking", len(self.items)) as meter:

            def about(item: Item) -> Conversation:
                yield from self._ask_image(item, result)
                images = next(done)
                meter.to(images, f"{images} images, {sum(self.opinions.tokens):,} tokens")

            converse(transport, map(about, todo))

    def _ask_image(self, item: Item, result: LlmResult) -> Conversation:
        """Ask about an image until its nouns are judged or nothing useful comes."""
        try:
            image = image_address(item.path)
        except ImageError as error:
            result.failed.append((item.name, f"the image {error}"))
            return
        while nouns := self._open(item):
            for part in _parts(nouns):
                try:
                    yield from self._ask_part(item, image, part)
                except (GarbageError, QuestionError) as error:
                    result.failed.append((item.name, f"{len(part)} nouns: {error}"))
                    self._count_failure(error)
                    return
                self._in_a_row = 0

    def _ask_part(self, item: Item, image: str, nouns: Sequence[str]) -> Conversation:
        """Get one useful opinion on some nouns of an image.

        Raises:
            QuestionError: If the endpoint refuses to answer.
            GarbageError: If none of the answers is of use.
        """
        rounds = len(self.opinions.of(item.name, nouns[0]))
        for attempt in range(1, TRIES + 1):
            seed = f"{item.name}/{rounds}/{attempt}"
            asked = _shuffled(nouns, seed)
            reply = yield question(f"{seed}/{nouns[0]}", self.opinions.model, image, asked)
            try:
                opinion = read_opinion(reply, asked)
                self._refuse_constant(item, opinion, again=attempt > 1)
            except GarbageError as error:
                self.opinions.reject(item.name, str(error), error.tokens)
                if attempt == TRIES:
                    raise GarbageError(
                        f"{TRIES} useless answers, the last one: {error}", error.tokens
                    ) from error
            else:
                self.opinions.add(item.name, opinion)
                return

    def _refuse_constant(self, item: Item, opinion: Opinion, *, again: bool) -> None:
        """Refuse one verdict for many nouns, unless a model insists that can tell nouns apart."""
        if len(opinion.verdicts) < CONSTANT_FROM or not opinion.constant:
            return
        verdict = next(iter(opinion.verdicts.values()))
        insists = again or all(
            verdict in self.opinions.of(item.name, noun) for noun in opinion.verdicts
        )
        if not insists or not self.opinions.tells_apart():
            raise GarbageError(
                f"all {len(opinion.verdicts)} nouns are called {verdict}", opinion.tokens
            )

    def _count_failure(self, error: AnnotationError) -> None:
        self._in_a_row += 1
        if self._in_a_row >= FAILURES_IN_A_ROW:
            raise EndpointError(
                f"{self._in_a_row} questions in a row came to nothing, the last one: {error}; "
                f"{KEPT}"
            ) from error

    def _open(self, item: Item) -> list[str]:
        """The nouns of an image on which more opinions are needed."""
        return [
            noun
            for noun in item.nouns
            if self.rule.category(self.opinions.of(item.name, noun)) is None
        ]

    def _judge(self, result: LlmResult) -> None:
        """Turn opinions into judgements and save them."""
        for item in self.items:
            for noun in item.nouns:
                category = self.rule.category(self.opinions.of(item.name, noun))
                if category is not None:
                    self.annotations.judge(item.name, noun, category)
                    result.judged[category] += 1
        if result.judged:
            write_annotations(self.path, self.annotations)


def estimate(items: Sequence[Item], opinions: Opinions, rule: Rule) -> Mapping[str, Any]:
    """How much there is to ask, at least (all opinions agree) and at most (none do).

    Answers that are refused and asked again come on top.

    Returns:
        `images`, `nouns`, and under `least` and `most` the `requests`, `tokens_read` and
        `tokens_written`, which are rough.
    """
    counter = token_counter()
    figures: dict[str, Any] = {"images": len(items), "nouns": sum(len(i.nouns) for i in items)}
    for name, wanted in (("least", rule.least), ("most", rule.most)):
        requests = read = written = 0
        for item in items:
            given = {noun: opinions.of(item.name, noun) for noun in item.nouns}
            for number in range(wanted):
                nouns = [
                    noun
                    for noun, verdicts in given.items()
                    if len(verdicts) <= number and rule.category(verdicts) is None
                ]
                for part in _parts(nouns):
                    requests += 1
                    read += counter.request({"messages": messages("", part)})
                    written += TOKENS_PER_ANSWER * len(part)
        figures[name] = {"requests": requests, "tokens_read": read, "tokens_written": written}
    return figures


def _parts(nouns: Sequence[str]) -> list[Sequence[str]]:
    """Nouns in parts of about the same size, none above `MOST_NOUNS`."""
    count = -(-len(nouns) // MOST_NOUNS)
    return [nouns[part::count] for part in range(count)]


def _shuffled(nouns: Sequence[str], seed: str) -> list[str]:
    """Another order for every opinion, so that no noun gains by its place in the list."""
    return sorted(nouns, key=lambda noun: sha256(f"{PROMPT}/{seed}/{noun}".encode()).digest())
