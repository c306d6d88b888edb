"""How requests reach a language model and answers come back, whatever lies between."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from novic.errors import NomalyError

KEPT = "the answers so far are kept, the same command goes on from here"
WROTE_NOTHING = "the model wrote nothing"

type Way = Literal["batch", "direct"]


class ChatError(NomalyError):
    """A language model cannot be asked as wished; the text says why and what to do."""


class EndpointError(ChatError):
    """Nothing can be asked now: wrong key, no quota, no such model, no connection."""


class BudgetError(ChatError):
    """The cost cap was reached; everything answered is kept."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request, ready to be sent."""

    request_id: str
    body: Mapping[str, Any]
    """Of a chat completion in OpenAI's protocol."""
    please: str = ""
    """What the system message says more to endpoints that take no schema for the answer."""


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
    fault: bool = False
    """Whether the endpoint is why there is no text and not the model: it refused or failed."""


class Transport(Protocol):
    """Sends requests to a model and brings every reply exactly once."""

    @property
    def backend(self) -> Way:
        """How answers are marked where they are kept."""
        ...

    def highest_cost(self, request: ChatRequest) -> float:
        """The most that this request can cost, USD, however much the model writes.

        The cost cap rests on it: no more is handed to `ask` at once than can surely be paid.
        `scenarios.llm.costs.highest_cost` counts it.
        """
        ...

    def ask(self, requests: Iterable[ChatRequest], take: Callable[[Reply], None]) -> None:
        """Ask all of them, in any order, some at a time.

        Args:
            requests: With distinct ids. An iterator is asked for the next one when there is room
                for it, so it may yield what follows from the replies so far (`converse`).
            take: Called in the calling thread for each reply as soon as it is there; it returns
                once the reply is safe on disk. If it raises (Ctrl-C, the cost cap), nothing new is
                sent, replies already paid for are still taken where that is quick, and the
                exception goes on.

        Raises:
            EndpointError: If the endpoint answers nobody; what was answered was taken.
        """
        ...
