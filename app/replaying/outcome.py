"""What would have been otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.events.event import Event, box_sides
from app.events.moment import Moment
from app.replaying.following import Rung
from detectors.types import Box

type Kind = Literal["lost", "new", "renamed", "silent", "told", "belongs"]
"""It would not have rung; it would have; it would have another name; it would have been silent; it
was silent and would have been told; it would belong otherwise."""
KINDS: tuple[Kind, ...] = ("lost", "new", "renamed", "silent", "told", "belongs")


@dataclass(frozen=True, slots=True)
class Different:
    """One thing that would have been otherwise."""

    kind: Kind
    camera: str
    folder: Path
    """Where its event is kept."""
    start_us: int
    """UTC in microseconds."""
    start_s: float
    """The same in seconds from the start of the source."""
    end_s: float
    box: Box
    """In pixels of a picture of (height, width) `size`."""
    size: tuple[int, int]
    why: str
    """In a few words."""
    event: Event | None = None
    """As it was told; None of what would be new."""
    after: Event | None = None
    """As it would be told; None of what would not be, or has no name."""
    uncertain: str = ""
    """Why that is not sure; empty if it is."""

    @property
    def before_said(self) -> str:
        """What it was called; empty if it was not told."""
        return self.event.headline if self.event is not None else ""

    @property
    def after_said(self) -> str:
        """What it would be called; empty if nothing would be told or nobody named it."""
        return self.after.headline if self.after is not None else ""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "kind": self.kind,
            "camera": self.camera,
            "event": None if self.event is None else self.event.id,
            "start_us": self.start_us,
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "box": [round(side, 1) for side in box_sides(self.box)],
            "before": self.before_said,
            "after": self.after_said,
            "why": self.why,
            "uncertain": self.uncertain,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change would have made of what was stored."""

    said: str
    """The change, as it was typed."""
    since_us: int
    """What was replayed begins here, UTC in microseconds, ..."""
    until_us: int
    """... and ends here."""
    cameras: tuple[str, ...]
    before: int
    """Events of things that were told."""
    after: int
    """Those that would have been told."""
    different: tuple[Different, ...]
    bars: tuple[tuple[str, float, float], ...] = ()
    """Of each camera whose bar would be another: the last one, and that."""
    notes: tuple[str, ...] = ()
    """What could not be told, a sentence each."""

    def of(self, kind: Kind) -> Sequence[Different]:
        """All of one kind, in order of time."""
        return [one for one in self.different if one.kind == kind]

    @property
    def headline(self) -> str:
        """What it comes to, in a sentence."""
        fewer = self.before - self.after
        count = "as many events" if fewer == 0 else f"{abs(fewer)} {_more(fewer)}"
        events = "1 event" if self.after == 1 else f"{self.after} events"
        parts = [f"{events} instead of {self.before}: {count}"]
        words = {
            "lost": "would have been lost",
            "new": "would have been new",
            "renamed": "would get another name",
            "silent": "would have been silent",
            "told": "would have been told",
            "belongs": "would belong otherwise",
        }
        parts += [f"{len(self.of(kind))} {words[kind]}" for kind in KINDS if self.of(kind)]
        return f"{', '.join(parts)}."

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "change": self.said,
            "said": self.headline,
            "since_us": self.since_us,
            "until_us": self.until_us,
            "cameras": list(self.cameras),
            "before": self.before,
            "after": self.after,
            "bars": [
                {"camera": name, "before": round(one, 4), "after": round(other, 4)}
                for name, one, other in self.bars
            ],
            **{kind: [one.as_json() for one in self.of(kind)] for kind in KINDS},
            "uncertain": sum(bool(one.uncertain) for one in self.different),
            "notes": list(self.notes),
        }


def _more(fewer: int) -> str:
    return "fewer" if fewer > 0 else "more"


def of_event(
    kind: Kind, folder: Path, event: Event, why: str, after: Event | None = None, unsure: str = ""
) -> Different:
    """What would have been otherwise of an event."""
    return Different(
        kind, event.camera, folder, event.start_us, event.start_s, event.end_s, event.box,
        event.frame_size, why, event, after, unsure,
    )  # fmt: skip


def of_new(folder: Path, one: Rung, why: str, unsure: str = "") -> Different:
    """What would have rung and did not."""
    return Different(
        "new", one.camera, folder, one.start_us, one.start_s, one.end_s, one.box, one.size, why,
        uncertain=unsure,
    )  # fmt: skip


def of_moment(folder: Path, one: Moment, size: tuple[int, int], why: str) -> Different:
    """The same of what came near, where frames are not kept."""
    return Different(
        "new", one.camera, folder, one.start_us, one.start_s, one.end_s, one.box, size, why,
        uncertain="only how far it was from ringing was kept",
    )  # fmt: skip
