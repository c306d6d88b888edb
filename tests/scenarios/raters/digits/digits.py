"""A site, nouns and a language model in this process, for tests of rating by digits."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from scenarios.llm.transport import ChatRequest, Reply, Way
from scenarios.raters.digits.prompts import digit_question
from scenarios.ratings.records import Line, Place

SEEN = tuple(f"tool {letter}" for letter in "abcdefghij")
NEVER = tuple(f"beast {letter}" for letter in "abcdefghij")
PLACE = Place("A camera watches an aircraft factory.", SEEN, NEVER)
QUESTION = digit_question("gpt-4o-mini", PLACE)

COMMON = "000001112233445567789"


def nouns(count: int) -> list[Line]:
    return [Line(f"noun {number}", f"Noun {number}") for number in range(count)]


def digit_of(noun: str) -> int:
    """What the model thinks of a noun."""
    if noun in SEEN:
        return 8
    if noun in NEVER:
        return 0
    drawn = int(hashlib.sha256(noun.lower().encode()).hexdigest()[:8], 16)
    return int(COMMON[drawn % len(COMMON)])


def listed(request: ChatRequest) -> dict[str, str]:
    """Nouns by key."""
    rows = request.body["messages"][-1]["content"].splitlines()
    return dict(row.split(" ", 1) for row in rows)


def reply(request: ChatRequest, digits: Mapping[str, object] | None = None) -> Reply:
    digits = digits or {key: digit_of(noun) for key, noun in listed(request).items()}
    return Reply(
        request.request_id, json.dumps(digits), tokens_in=500, tokens_out=100, cost_usd=0.01
    )


type Behaviour = Callable[[ChatRequest, int], Reply]
"""Takes a request and how many were answered before."""


@dataclass
class InProcess:
    """Answers requests as its behaviour says; stops after so many of them if told to."""

    behave: Behaviour = lambda request, _: reply(request)
    stop_after: int | None = None
    cost: float = 0.02
    """Most that a request can cost."""
    backwards: bool = False
    """Whether replies come in the opposite order."""
    asked: list[ChatRequest] = field(default_factory=list)

    @property
    def backend(self) -> Way:
        return "direct"

    def highest_cost(self, request: ChatRequest) -> float:
        del request
        return self.cost

    def ask(self, requests: Iterable[ChatRequest], take: Callable[[Reply], None]) -> None:
        for request in reversed([*requests]) if self.backwards else requests:
            if self.stop_after is not None and len(self.asked) >= self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(request)
            take(self.behave(request, len(self.asked) - 1))
