"""Rules that quiet a thing by what it is, where and when it is there, and how it looks.

`nomaly feedback normal` silences what looks the same, wherever and whenever. A rule speaks of less:
of a thing at a place and at some hours. So it may speak of a whole kind of things, too.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event
from app.feedback.seen import Seen
from app.feedback.when import When, local
from app.feedback.where import Where
from novic.certainty import Certainty
from novic.kind_rules import WANTED_FROM, KindRule

NOUN_FROM = 0.3
"""Probability from which on an event is taken for the noun of a rule that asks for no looks."""
WARN_S = 3 * 86400.0
"""So long before a rule ends it is warned, ..."""
WARN_SHARE = 0.2
"""... or this share of how long it holds, whichever is less."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """How the thing looked of which a rule was said (`app.feedback.seen.Like`)."""

    embedder: str
    vector: NDArray[np.float32]
    """Unit vector [F]."""
    signature: NDArray[np.float32]
    """See detectors.signatures."""
    nouns: tuple[tuple[str, float], ...]
    """Candidates of its name with their probabilities."""
    change: str
    likeness: float
    """Log-odds from which on another event shows the same thing."""


@dataclass(frozen=True, slots=True)
class QuietLeak:
    """What else a rule quiets, as it was measured."""

    planted: int
    """Other things that were pasted into the view, each taken to stand in its zone at its hours."""
    quieted: tuple[str, ...]
    """Those of them that would go silent; one named twice was tried in two places."""
    confirmed: int
    """Past events of which people said that they are something else."""
    lost: tuple[str, ...]
    """Ids of those of them that would have gone silent."""
    same: str = ""
    """One of the pasted things that is seen to be what the rule speaks of; not among the others."""

    @classmethod
    def of(cls, text: str) -> Self:
        """From JSON, as `as_json` gives it."""
        told = json.loads(text)
        return cls(**told | {"quieted": tuple(told["quieted"]), "lost": tuple(told["lost"])})

    @property
    def share(self) -> float | None:
        """Of the pasted things, 0 to 1; None if there are none."""
        return len(self.quieted) / self.planted if self.planted else None

    def as_json(self) -> dict[str, Any]:
        """The leak as scripts read it; keys are stable."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """What is not told: a thing, at a place, at some hours."""

    number: int
    """0 before it was kept; no verdict of the same detector has it."""
    event_id: str
    """Of which event it was said."""
    camera: str
    what: str
    """A noun, or a kind with `of_kind`."""
    of_kind: bool
    change: str
    """What had changed there."""
    where: Where
    when: When
    looks: Looks | None
    """What it looks like; None if it may look like anything of that noun or kind."""
    made_us: int
    """UTC in microseconds."""
    keep_s: float | None
    """It expires so long after it was last used; None for never."""
    who: str = ""
    note: str = ""
    uses: int = 0
    used_us: int | None = None
    """When it last quieted something; None for not yet."""
    leak: QuietLeak | None = None
    """None where it was not measured."""

    @property
    def until_us(self) -> int | None:
        """When it expires, UTC in microseconds, unless it is used before; None for never."""
        if self.keep_s is None:
            return None
        return max(self.made_us, self.used_us or 0) + round(1e6 * self.keep_s)

    def holds(self, time_us: int) -> bool:
        """Whether it has not expired at a time, UTC in microseconds."""
        return self.until_us is None or time_us <= self.until_us

    def ends_soon(self, time_us: int) -> bool:
        """Whether it holds but not for much longer, unless it is used."""
        if self.keep_s is None or self.until_us is None or not self.holds(time_us):
            return False
        return self.until_us - time_us < 1e6 * min(WARN_S, WARN_SHARE * self.keep_s)

    @property
    def said(self) -> str:
        """What it quiets, for people, as "bicycle at the gate 8 to 12"."""
        what = f"any {self.what}" if self.of_kind else self.what or "this"
        gone = "missing " if self.change == "missing" else ""
        return " ".join(part for part in (gone + what, self.where.said, self.when.said) if part)

    @property
    def why(self) -> str:
        """What is told of an event that it quiets; the same as long as it is there."""
        return f"quiet by rule {self.number}: {self.said}{f' ({self.note})' if self.note else ''}"

    @property
    def used(self) -> str:
        """How often it was used, for people."""
        return f"used {self.uses} time{'' if self.uses == 1 else 's'}"

    def quiets(self, seen: Seen) -> bool:
        """Whether it speaks of an event, whenever the rule was made and however long it holds.

        Args:
            seen: The event; without a name no rule speaks of it.
        """
        return self.may_quiet(seen.event) and self.means(seen)

    def may_quiet(self, event: Event) -> bool:
        """Whether it speaks of an event if that shows what it means; quick to tell."""
        if event.kind != "object" or not event.candidates:
            return False
        if (event.change == "missing") != (self.change == "missing"):
            # Nobody who says that a thing may be there says that it may be gone.
            return False
        return self.where.has(event.box, event.frame_size) and self.when.holds(event.start_us)

    def means(self, seen: Seen) -> bool:
        """Whether an event shows what the rule speaks of, wherever and whenever that is."""
        if self.looks is not None:
            return seen.likeness(self.looks, self.looks.likeness) >= self.looks.likeness
        rule = KindRule(self.what, (self.what,))
        p = rule.p(seen.event.candidates, seen.event.thing, Certainty())
        return p >= self.least

    @property
    def least(self) -> float:
        """Probability of its noun or kind that it asks for where it asks for no looks."""
        return WANTED_FROM if self.of_kind else NOUN_FROM

    def as_json(self) -> dict[str, Any]:
        """The rule as scripts read it; keys are stable."""
        return {
            "number": self.number,
            "rule": "quiet",
            "said": self.said,
            "what": self.what,
            "of_kind": self.of_kind,
            "change": self.change,
            "zone": self.where.name,
            "corners": [list(corner) for corner in self.where.corners],
            "since_min": self.when.since_min,
            "until_min": self.when.until_min,
            "days": list(self.when.days),
            "looks": self.looks is not None,
            "likeness": self.looks and round(self.looks.likeness, 4),
            "event": self.event_id,
            "camera": self.camera,
            "made_us": self.made_us,
            "until_us": self.until_us,
            "uses": self.uses,
            "used_us": self.used_us,
            "who": self.who,
            "note": self.note,
            "leak": self.leak and self.leak.as_json(),
        }


def quieting(rules: Sequence[Quiet], seen: Seen) -> list[Quiet]:
    """The rules that quiet an event, those that had expired by its start left out.

    Args:
        rules: In any order; they come back in it.
        seen: The event.
    """
    return [rule for rule in rules if rule.holds(seen.event.start_us) and rule.quiets(seen)]


def ending(rule: Quiet, time_us: int) -> str:
    """That a rule ends soon or has ended at a time, UTC in microseconds; empty if neither."""
    if rule.until_us is None:
        return ""
    day = local(rule.until_us)
    if not rule.holds(time_us):
        return f"rule {rule.number} ({rule.said}) was not used any more and has expired"
    if not rule.ends_soon(time_us):
        return ""
    left = timedelta(microseconds=rule.until_us - time_us)
    days = f"{left.days} days" if left.days > 1 else f"{left.total_seconds() / 3600:.0f} hours"
    return f"rule {rule.number} ({rule.said}) ends in {days}, on {day:%Y-%m-%d}, unless it is used"
