"""What every sink can do."""

from typing import ClassVar, Protocol, Self

from app.events.outbox import Message
from novic.errors import NomalyError


class SinkError(NomalyError):
    """A message could not be delivered for now; the text says where to and why."""


class RefusedError(SinkError):
    """A message will not be taken, however often it comes; the text says why."""


class Sink(Protocol):
    """Takes the messages of one watch, one after the other, from one thread.

    Making one contacts nobody: what is away at first is asked again like what goes away later.
    """

    def tend(self) -> None:
        """Do what is to be done between messages; called at first and now and then.

        Raises:
            SinkError: If the other side cannot be reached; `send` tries that anew.
        """
        ...

    def send(self, message: Message) -> None:
        """Deliver a message; it is safe on the other side when this returns.

        Raises:
            SinkError: If it could not be delivered; the same message comes again later.
            RefusedError: If it never will be; it does not come again.
        """
        ...

    def close(self) -> None:
        """Let go of everything. Safe to call twice."""
        ...


class SinkConfig(Protocol):
    """Where a sink delivers: a frozen pydantic model with a `kind` of its own."""

    example: ClassVar[str]
    """What a user may write behind `KIND:`."""

    @property
    def key(self) -> str:
        """Its name in the outbox: the same for the same place, in every process."""
        ...

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what stands behind `KIND:` on the command line.

        Raises:
            ValueError: If it makes no sense; the text says why.
        """
        ...
