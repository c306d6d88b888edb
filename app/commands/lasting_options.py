"""Options for what stands in front of a camera, and for how much of it is kept."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.events.life import LifeRule
    from app.events.retention import RetentionRule


@dataclass(frozen=True, slots=True)
class Lasting:
    """What a watch that goes on for weeks is told."""

    stationary: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds after which what has not moved is told to stand, and never rings again; "
            "0 to never say so.",
        ),
    ] = 60.0
    remind: Annotated[
        float,
        typer.Option(
            min=0, help="Hours from one reminder that it still stands to the next; 0 for none."
        ),
    ] = 8.0
    keep_days: Annotated[
        float | None,
        typer.Option(help="Give up events that ended so many days ago; by default none."),
    ] = None
    keep_gigabytes: Annotated[
        float | None,
        typer.Option(
            help="Give up the oldest pictures and clips beyond so many gigabytes; by default none."
        ),
    ] = None

    @property
    def life(self) -> "LifeRule":
        """When a thing counts as standing."""
        from app.events.life import LifeRule

        return LifeRule(stationary_s=self.stationary, reminder_s=3600 * self.remind)

    @property
    def retention(self) -> "RetentionRule | None":
        """How much is kept; None for all.

        Raises:
            app.errors.UsageError: If it makes no sense.
        """
        from app.events.retention import RetentionRule

        if self.keep_days is None and self.keep_gigabytes is None:
            return None
        return RetentionRule(days=self.keep_days, gigabytes=self.keep_gigabytes)
