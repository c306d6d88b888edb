"""Conversations with a language model: each request follows from the reply to the one before."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator

from scenarios.llm.transport import ChatRequest, Reply, Transport

type Conversation = Generator[ChatRequest, Reply, None]
"""Yields a request and is sent the reply to it, until it has nothing more to ask."""


def converse(transport: Transport, conversations: Iterable[Conversation]) -> None:
    """Hold many conversations at once, each to its end before another one is begun in its place.

    Args:
        transport: Decides how many are under way.
        conversations: Begun one by one. Their requests have distinct ids. What one of them raises
            ends all, as what `take` raises does in `Transport.ask`.

    Raises:
        EndpointError: If the endpoint answers nobody; what was answered was sent to them.
    """
    table = _Table(iter(conversations))
    while (request := next(table, None)) is not None:
        table.again(request)
        transport.ask(table, table.take)


class _Table(Iterator[ChatRequest]):
    """Requests that can be sent now; more of them after every reply."""

    def __init__(self, waiting: Iterator[Conversation]) -> None:
        self._waiting = waiting
        self._due: deque[ChatRequest] = deque()
        self._open: dict[str, Conversation] = {}

    def __next__(self) -> ChatRequest:
        while not self._due:
            conversation = next(self._waiting)
            self._follow(conversation, next(conversation, None))
        return self._due.popleft()

    def again(self, request: ChatRequest) -> None:
        """Put a request back that was not sent."""
        self._due.appendleft(request)

    def take(self, reply: Reply) -> None:
        """Hand a reply to who waits for it."""
        conversation = self._open.pop(reply.request_id)
        try:
            request = conversation.send(reply)
        except StopIteration:
            return
        self._follow(conversation, request)

    def _follow(self, conversation: Conversation, request: ChatRequest | None) -> None:
        if request is not None:
            self._open[request.request_id] = conversation
            self._due.appendleft(request)
