"""Several detections, or tracks, that show one thing: a map or its pixels may see it in pieces."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from detectors.types import Box, Detection

REACHES = 0.25
"""A piece lies in the place of its thing with so much of its area ..."""
BETTER = 0.05
"""... and with it the thing is so much more like what it should be (IoU), ..."""
MOST_LARGER = 1.3
"""... and at most so many times as large: what walks away from what it put down is not its part."""
FEWEST = 3
"""Of a fast thing and what it is a part of, so many of the newest sightings are from one frame."""
STIFF = 0.5
"""They keep their distance but for this share of the larger one's sides, ..."""
NEAR = 1.0
"""... and it is at most so many of its longer sides, ..."""
GONE = 1.0
"""... while the part goes so many of its own."""


class Seen(Protocol):
    """Something that was followed."""

    @property
    def path(self) -> list[tuple[float, Box, float]]:
        """(pts_s, box, score) of its sightings."""
        ...


def whole(
    place: Box, shown: Detection, detections: Sequence[Detection], free: Sequence[int]
) -> tuple[Detection, list[Detection]]:
    """Add to a sighting what makes it whole.

    Args:
        place: Where the thing should be, as large as it was when it was seen as one.
        shown: What shows it.
        detections: What was found in the frame.
        free: Numbers of those that show nothing that is followed.

    Returns:
        The thing, and the other detections that are parts of it.
    """
    parts: list[Detection] = []
    if shown.box.overlap(place) < REACHES * shown.box.area:
        return shown, parts
    for piece in (detections[number] for number in free):
        box = shown.box.union(piece.box)
        inside = piece.box.overlap(place) >= REACHES * piece.box.area
        better = box.iou(place) >= shown.box.iou(place) + BETTER
        if inside and better and box.area <= MOST_LARGER * place.area:
            doubted = shown.doubted and piece.doubted
            shown = Detection(box, max(shown.score, piece.score), doubted)
            parts.append(piece)
    return shown, parts


def goes_with(part: Seen, other: Seen, count: int) -> bool:
    """Whether something fast keeps its place beside another, as a part of it does.

    Two things may do so too, if they go at the same pace; hardly by their own widths a frame.

    Args:
        part: What moves by its own width from frame to frame.
        other: What it may be a part of.
        count: How many of the newest sightings of the part are looked at.
    """
    also = {at_s: box for at_s, box, _ in other.path[-2 * count :]}
    pairs = [(box, also[at_s]) for at_s, box, _ in part.path[-count:] if at_s in also]
    if len(pairs) < FEWEST:
        return False
    ours, theirs = (np.array([_middle(box) for box in boxes]) for boxes in zip(*pairs, strict=True))
    sides = np.median([np.maximum(_sides(a), _sides(b)) for a, b in pairs], axis=0)
    longer, own = float(sides.max()), max(_sides(pairs[-1][0]))
    apart = theirs - ours
    stiff = bool((np.abs(apart - np.median(apart, axis=0)) <= STIFF * sides).all())
    near = all(a.gap(b) <= NEAR * longer for a, b in pairs)
    return stiff and near and float(np.hypot(*(ours[-1] - ours[0]))) >= GONE * own


def _middle(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


def _sides(box: Box) -> tuple[float, float]:
    return box.width, box.height
