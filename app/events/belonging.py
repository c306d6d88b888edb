"""Whether it tells anybody anything that events belong to their place, and in which words."""

from collections.abc import Iterable

from app.events.event import Event
from calibration.belonging import Word

HERE: dict[Word, str] = {
    "expected": "expected here",
    "unexpected": "not expected here",
    "unknown": "unknown",
}
"""What people read for each word."""


def of_site(events: Iterable[Event]) -> bool:
    """Whether anything is known of what is usual where these events were.

    That is so with a site's dictionary, or once a camera was calibrated. Without either nothing is
    expected, so all events would be called alike.

    Args:
        events: All of a run, muted ones too.
    """
    return any(
        event.surprise_bits is not None
        or (
            event.evidence is not None
            and (
                event.evidence.site_p is not None
                or any(frequency > 0 for *_, frequency in event.evidence.nouns)
            )
        )
        for event in events
    )


def here(event: Event) -> str:
    """Whether an event belongs to its place, as people read it; empty where nothing tells that."""
    return "" if event.belongs is None else HERE[event.belongs.word]
