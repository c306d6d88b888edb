"""Options for where events go besides the folder of a run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.sinks.build import AnySink


@dataclass(frozen=True, slots=True)
class PassingOn:
    """What the commands that find events have in common."""

    sink: Annotated[
        list[str] | None,
        typer.Option(
            "--sink",
            help="Where every event state goes besides: jsonl:FILE, mqtt:mqtt://BROKER/nomaly, "
            "webhook:https://ADDRESS; several may be named. What cannot be delivered is tried "
            "again until it is. apprise:URL notifies people of what rings, by Telegram, e-mail "
            "and a hundred other services.",
        ),
    ] = None
    on_event: Annotated[
        list[str] | None,
        typer.Option(
            "--on-event",
            metavar="COMMAND",
            help="Run a command for every event state: its JSON on stdin, the most of it as "
            "NOMALY_EVENT, NOMALY_HEADLINE, NOMALY_PICTURE and so on; no shell reads it.",
        ),
    ] = None

    group: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="What rings within so many seconds of a notification is told together, by "
            "--on-event, apprise and webhook, which then tell nothing but what rings.  [default: "
            "60 for apprise, else every state by itself]",
        ),
    ] = None

    def sinks(self) -> "tuple[AnySink, ...]":
        """All of them.

        Raises:
            app.errors.UsageError: If one makes no sense.
        """
        from app.sinks.build import parse_sinks

        return parse_sinks(self.sink or (), self.on_event or (), self.group)
