"""How requests reach a language model and answers come back, whatever lies between."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scenarios.ratings.records import Backend, RatingError


class EndpointError(RatingError):
    """Nothing can be asked now: no key, wrong key, no quota, no such model, no connection."""


class BudgetError(RatingError):
    """The cost cap was reached; everything answered is kept."""


JSON_PLEASE = (
    "Answer with one JSON object and nothing else: its keys are {first} to {last}, "
    "each with a whole number from 0 to 9."
)
"""Added to the system message for endpoints that take no schema."""


@dataclass(frozen=True, slots=True)
class RatingRequest:
    """One request, ready to be sent."""

    request_id: str
    body: Mapping[str, Any]
    """Of a chat completion in OpenAI's protocol."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request."""

    request_id: str
    text: str = ""
    """What the model wrote; empty if it refused or failed."""
    error: str = ""
    """Why there is no text: a refusal, a content filter, a fault that stayed after all retries."""
    cut: bool = False
    """Whether the text ends because it was too long."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0


class Transport(Protocol):
    """Sends requests to a model and brings every reply exactly once."""

    @property
    def backend(self) -> Backend:
        """How answers are marked in the store."""
        ...

    def highest_cost(self, request: RatingRequest) -> float:
        """The most that this request can cost, USD, however much the model writes.

        The cost cap rests on it: no more is handed to `ask` at once than can surely be paid.
        `scenarios.llm.costs.highest_cost` counts it.
        """
        ...

    def ask(self, requests: Sequence[RatingRequest], take: Callable[[Reply], None]) -> None:
        """Ask all of them, in any order, some at a time.

        Args:
            requests: With distinct ids.
            take: Called in the calling thread for each reply as soon as it is there; it returns
                once the reply is safe on disk. If it raises (Ctrl-C, the cost cap), nothing new is
                sent, replies already paid for are still taken where that is quick, and the
                exception goes on.

        Raises:
            EndpointError: If the endpoint answers nobody; what was answered was taken.
        """
        ...
