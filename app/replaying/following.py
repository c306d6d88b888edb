"""Follows what was found again, under another bar, zone or rule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.events.trace import SeenFrame, Stretch
from app.watching.best import settled
from app.watching.followed import id_of
from detectors.linking import Look
from detectors.track import Track
from detectors.tracks import Tracker, TrackRule
from detectors.types import Box, Detection, Frame

type Seeing = Callable[[Stretch, Sequence[SeenFrame]], Sequence[tuple[Detection, Look | None]]]
"""What would be found in a frame of a stretch, given with what falls apart in it: scores
over the new bar, and what each looks like."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What would have rung."""

    camera: str
    start_s: float
    """In seconds of the source."""
    end_s: float
    start_us: int
    """UTC in microseconds."""
    end_us: int
    box: Box
    """Where it was for longest, in pixels of the view."""
    size: tuple[int, int]
    """(height, width) of the view."""
    score: float
    """Highest, over the new bar."""
    path: tuple[tuple[float, Box, float], ...]
    """(pts_s, box, score) of its sightings."""
    id: str
    """As its event would be called."""


def follow(
    spell: Iterable[tuple[Stretch, Sequence[SeenFrame]]], rule: TrackRule, seeing: Seeing
) -> list[Rung]:
    """Follow what was found.

    Args:
        spell: Stretches that go on from one to the next, with their frames.
        rule: When tracks open and close.
        seeing: What would be found in each frame.

    Returns:
        What would have rung, in the order in which it ended.
    """
    tracker, rung = Tracker(rule), list[Rung]()
    size = (1, 1)
    for stretch, frames in spell:
        size = stretch.size
        blank = np.broadcast_to(np.zeros(1, np.uint8), (*size, 3))
        offset_us = stretch.start_us - round(1e6 * stretch.start_s)
        for shown in _shown(frames):
            seen, found = shown[0], seeing(stretch, shown)
            for at_s in {seen.pts_s: 0, seen.until_s: 0}:
                time_us = offset_us + round(1e6 * at_s)
                frame = Frame(stretch.camera, 0, at_s, time_us, blank)
                changes = tracker.update(
                    frame, [one for one, _ in found], [look for _, look in found]
                )
                rung += [_rung(track, size) for track in changes.closed]
    rung += [_rung(track, size) for track in tracker.finish().closed]
    return rung


def _shown(frames: Sequence[SeenFrame]) -> Iterator[list[SeenFrame]]:
    """Each frame with what is found in it at higher bars, from the lowest on."""
    shown: list[SeenFrame] = []
    for seen in frames:
        if shown and seen.level == 1:
            yield shown
            shown = []
        shown.append(seen)
    if shown:
        yield shown


def _rung(track: Track, size: tuple[int, int]) -> Rung:
    clearest = max(track.path, key=lambda one: one[2])[1]
    return Rung(
        track.camera,
        track.start_s,
        track.end_s,
        track.start_us,
        track.end_us,
        settled(track.path, clearest),
        size,
        track.peak,
        tuple(track.path),
        id_of(track),
    )
