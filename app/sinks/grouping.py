"""Notifications that do not flood: the first is told at once, what follows is told together.

What has not been told lies in the outbox, so a kill loses none and counts none twice but for one
that was under way. Messages of a store are grouped together: a camera has a store of its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.events.outbox import Message
from app.report.times import local

GROUPED = "grouped"
"""What `event` of a message says that tells of several."""
_MOST_IDS = 100
"""Ids that such a message lists; `count` tells all."""
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is taken out of the outbox together."""

    messages: tuple[Message, ...]
    told: Message | None
    """What the sink is given; None if they are nothing to tell."""


class Grouping:
    """Decides what of a sink's waiting messages is told, and when."""

    def __init__(self, window_s: float = 0.0, *, rings_only: bool = False) -> None:
        """Begin with nothing told.

        Args:
            window_s: For so long after a notification the next ones are gathered; 0 for never.
            rings_only: Only what rings is told; else every state of every event.
        """
        self.window_s = window_s
        self._rings_only = rings_only or window_s > 0
        self._until_s = float("-inf")
        self._followed = False

    def next(self, waiting: Sequence[Message], now_s: float, *, last: bool) -> Bundle | None:
        """What is done first of what waits; None if nothing is just now.

        Args:
            waiting: All that waits, the oldest first.
            now_s: Monotonic clock.
            last: Whether the run ends, so that nothing is gathered any longer.
        """
        if not waiting:
            return None
        if not self._rings_only:
            return Bundle((waiting[0],), waiting[0])
        silent = tuple(one for one in waiting if not rings(one.body))
        if silent:
            return Bundle(silent, None)
        if not self.window_s:
            return Bundle((waiting[0],), waiting[0])
        if now_s < self._until_s and not last:
            return None
        # What came right behind the last notification is "more" of it.
        more = self._followed and now_s < self._until_s + self.window_s
        return Bundle(tuple(waiting), gathered(waiting, more=more))

    def delivered(self, now_s: float) -> None:
        """Note that a bundle was told; from here on others are gathered."""
        self._until_s, self._followed = now_s + self.window_s, True

    def wait_s(self, now_s: float, longest_s: float) -> float:
        """How long to wait for news, so that what was gathered is told in time."""
        left_s = self._until_s - now_s
        return min(longest_s, left_s) if left_s > 0 else longest_s


def rings(body: Mapping[str, Any]) -> bool:
    """Whether people are to be told of a message: once an event, and not if it is muted.

    Of a recording an event is told once, when it is whole.
    """
    if "rings" in body:
        return bool(body["rings"])
    if body.get("muted"):
        return False
    return body.get("event") == ("closed" if body.get("video") else "opened")


def gathered(messages: Sequence[Message], *, more: bool = False) -> Message:
    """One message for several; a single one stays as it is.

    Args:
        messages: In the order of the outbox, at least one.
        more: Whether another notification came shortly before.
    """
    last = messages[-1]
    if len(messages) == 1:
        return last
    counts = Counter(what_of(one.body) for one in messages)
    times = [one.body["start_us"] for one in messages if "start_us" in one.body]
    camera = str(last.body.get("camera", ""))
    kept = ("kind", "camera", "id", "snapshot")
    body = {
        "event": GROUPED,
        **{key: last.body[key] for key in kept if key in last.body},
        "count": len(messages),
        "headlines": dict(counts.most_common()),
        "ids": [one.body.get("id", "") for one in messages[-_MOST_IDS:]],
        **({"start_us": min(times), "end_us": max(times)} if times else {}),
        "headline": _in_words(counts, camera, times, more=more),
    }
    return replace(last, body=body, attempts=max(one.attempts for one in messages))


def what_of(body: Mapping[str, Any]) -> str:
    """What a message tells of, in a word or two."""
    return str(body.get("headline") or body.get("noun") or body.get("name") or "something")


def _in_words(counts: Counter[str], camera: str, times: Sequence[int], *, more: bool) -> str:
    """As "4 more in hall between 12:01 and 12:03: person (3), suitcase"."""
    where = f" in {camera}" if camera else ""
    shown = counts.most_common(_MOST_NAMED)
    rest = counts.total() - sum(count for _, count in shown)
    alone = len(counts) == 1
    said = [what if alone or count == 1 else f"{what} ({count})" for what, count in shown]
    said += [f"others ({rest})"] if rest else []
    return f"{counts.total()}{' more' if more else ''}{where}{_when(times)}: {', '.join(said)}"


def _when(times: Sequence[int]) -> str:
    if not times:
        return ""
    first, last = f"{local(min(times)):%H:%M}", f"{local(max(times)):%H:%M}"
    return f" at {first}" if first == last else f" between {first} and {last}"
