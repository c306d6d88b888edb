"""What has happened where a track is, and what the thing there looks like."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from detectors.changes import MARGIN, Change, Place, compare, judged
from detectors.learned import LearnedView
from detectors.signatures import LENGTH, Signature, Signatures
from detectors.types import Box, Frame

MOST_LOOKS = 9
"""Sightings of a track that are compared with the learned picture; more tell nothing more."""
LEAST_STILL = 2
"""Of a thing at rest. On fewer nothing is decided, and it has arrived."""
STILL = 0.6
"""Overlap (IoU) with the sighting before, from which on a thing is at rest. What moves has come:
nothing that has gone does."""
_PAUSE_S = 0.4
"""Between looks, once there are enough to decide on."""


def _nothing() -> Signature:
    return np.zeros(LENGTH, np.float32)


@dataclass(slots=True, eq=False)
class Looks:
    """The sightings of one track beside the learned picture."""

    before: list[float] = field(default_factory=list)
    now: list[float] = field(default_factory=list)
    """Log-odds that there was a thing, and that there is, at each sighting of it at rest."""
    shown: float = 0.0
    """Pixels of the thing in the sighting that showed most of it; 0 for none."""
    signature_before: Signature = field(default_factory=_nothing)
    signature_now: Signature = field(default_factory=_nothing)
    """What it looked like there, as it was learned and as it is. Of several sightings together the
    background of what moves would be mixed."""
    looks: int = 0
    last_s: float = -1.0
    """When it was looked at last; -1 for never."""

    @property
    def change(self) -> Change:
        """What has happened, by the looks so far."""
        if len(self.now) < LEAST_STILL:
            return "arrived"
        return judged(float(np.median(self.before)), float(np.median(self.now)))

    def signature(self, change: str) -> Signature | None:
        """What the thing looks like, of which this has happened; None if nobody could see."""
        if not self.shown:
            return None
        return self.signature_before if change == "missing" else self.signature_now

    def state(self) -> dict[str, Any]:
        """All of it as JSON can hold it, to go on from."""
        both = np.concatenate([self.signature_before, self.signature_now])
        return {
            "before": self.before,
            "now": self.now,
            "shown": self.shown,
            "looks": self.looks,
            "last_s": self.last_s,
            "looked": base64.b64encode(both.astype("<f4").tobytes()).decode() if self.shown else "",
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave; empty for one of an earlier Nomaly, which gave none.

        Raises:
            ValueError: If it is damaged, or of a Nomaly that kept something else.
        """
        if not state:
            return cls()
        if "looked" not in state:
            raise ValueError("looks of another version of Nomaly")
        both = np.frombuffer(base64.b64decode(state["looked"]), "<f4").astype(np.float32)
        if both.size not in (0, 2 * LENGTH):
            raise ValueError(f"signatures of {both.size} numbers, {2 * LENGTH} are needed")
        halves = (both[:LENGTH], both[LENGTH:]) if both.size else (_nothing(), _nothing())
        return cls(
            [*state["before"]],
            [*state["now"]],
            state["shown"],
            *halves,
            looks=state["looks"],
            last_s=state["last_s"],
        )

    def look(self, view: LearnedView | None, frame: Frame, box: Box, before: Box | None) -> None:
        """Compare a sighting, unless the thing was looked at just now.

        Args:
            view: What is usually there; nothing is compared with None.
            frame: The whole picture.
            box: Where the thing is in it.
            before: Where it was in the sighting before, if there was one.
        """
        if view is None or not self._due(frame.pts_s):
            return
        self.looks, self.last_s = self.looks + 1, frame.pts_s
        place = Place.in_view(view, frame.image, box)
        if place is None:
            return
        self._keep(Signatures.of(place), box.grown(MARGIN, frame.image.shape[:2]).area)
        if before is None or box.iou(before) < STILL:
            return
        found = compare(place)
        if found is not None:
            self.before.append(found.before)
            self.now.append(found.now)

    def _keep(self, signatures: Signatures | None, looked_at: float) -> None:
        """Keep what a thing looks like, in so many pixels, if more of it shows than before."""
        shown = signatures.share * looked_at if signatures is not None else 0.0
        if signatures is not None and shown > self.shown:
            self.shown = shown
            self.signature_before, self.signature_now = signatures.before, signatures.now

    def _due(self, now_s: float) -> bool:
        if self.looks <= LEAST_STILL:
            return True
        return self.looks < MOST_LOOKS and now_s - self.last_s >= _PAUSE_S
