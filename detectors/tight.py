"""Boxes drawn tight around what differs from the learned picture.

A map says where something is, within a cell of 8 pixels and the halo of what a cell sees. In a
somewhat larger box the pixels say it better: those that differ from the learned picture by more
than light, noise and shake do. Where they say nothing, the map's box stays.
"""

from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.learned import LearnedView
from detectors.patches import WIDEST, Patch, patch_of, span
from detectors.types import Box, Detection, Pixels

GROWN = 0.5
"""Pixels are looked at in the map's box and so far around it, as a share of its longer side ..."""
MARGIN_CELLS = (1.0, 3.2)
"""... but at least and at most so many cells of the map: it may lie so far beside the thing."""
CLEAR = 1.8
"""Tolerances by which the thing must differ somewhere."""
LEAST = 1.1
"""A pixel belongs to it that differs by so many, ..."""
RELATIVE = 0.25
"""... by this share of the strongest difference, and by more than most pixels around the box."""
SMALL_PART = 0.05
"""Parts below this share of the largest one's pixels are left out."""
OWN_PART = 0.2
"""From this share on a part that stands apart is a thing of its own, ..."""
OWN_CELLS = 3.5
"""... if it is so many cells of the map long: no smaller one has a place in the map, ..."""
APART = 0.05
"""... where the gap is wider than this share of the smaller one, ..."""
FILLED = 0.4
"""... and both fill so much of their boxes: the legs of a tripod are no things."""
FEWEST = 4
"""Pixels that are too few for a box."""
AGREE = 0.4
"""Pixels' boxes must overlap the map's so much (IoU), with its halo or without, ..."""
HALO_CELLS = 1.0
"""... of so many cells on each side, ..."""
FLAT_CELLS = 4.0
"""... which is what one that is so many cells high or wide mostly is, ..."""
AGREE_CELLS = 5.0
"""... where that is wider than so many cells: a larger thing that resembles what is behind it may
differ in a detail only. Of smaller ones the map knows little."""


def tightened(
    found: Detection, heat: NDArray[np.float32], image: Pixels, view: LearnedView
) -> list[Detection]:
    """The same thing in a tight box, or the several things that the pixels tell apart.

    Args:
        found: What the map says, in pixels of the frame.
        heat: The map [h, w], 1.0 where just unusual.
        image: The frame, RGB uint8 [H, W, 3].
        view: What is usually to be seen there.

    Returns:
        At least one detection; `found` itself where the pixels say nothing.
    """
    wide = _longer(found.box)
    if wide > WIDEST * max(image.shape[:2]):
        return [found]
    cell = max(image.shape[0] / heat.shape[0], image.shape[1] / heat.shape[1])
    least, most = (cells * cell for cells in MARGIN_CELLS)
    patch = patch_of(found.box, min(max(GROWN * wide, least), most), image, view)
    parts = _parts(patch, _differing(patch))
    if not parts:
        return [found]
    boxes = _things(parts, OWN_CELLS * cell)
    if wide > AGREE_CELLS * cell and not _agree(reduce(Box.union, boxes), found.box, cell):
        return [found]
    if len(boxes) == 1:
        return [Detection(boxes[0], found.score)]
    peaks = [min(found.score, _peak(heat, box, image.shape[:2])) for box in boxes]
    return [Detection(box, peak) for box, peak in zip(boxes, peaks, strict=True) if peak > 1.0] or [
        found
    ]


def _differing(patch: Patch) -> NDArray[np.uint8]:
    """Pixels that light, noise and shake do not explain [h, w]; all 0 where that is unclear."""
    nothing = np.zeros(patch.noise.shape, np.uint8)
    ring = patch.ring
    if not len(ring):
        return nothing
    unlike = patch.unlike(ring)
    # Where much of the ring is unlike too, as in the first minute of infrared, only more counts.
    beside = float(np.percentile(unlike.ravel()[ring], 75))
    strongest = float(np.percentile(unlike[patch.inner], 95))
    if strongest < max(CLEAR, beside):
        return nothing
    differs = (unlike > max(LEAST, beside, RELATIVE * strongest)).astype(np.uint8)
    square = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, square)
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, square).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Part:
    """Connected pixels that differ."""

    box: Box
    """In pixels of the frame."""
    inside: int
    """Its pixels in the map's box."""
    filled: float
    """Share of its box that it fills."""


def _parts(patch: Patch, differs: NDArray[np.uint8]) -> list[_Part]:
    """Connected parts that reach into the map's box, the largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(differs, connectivity=8)
    inside = np.asarray(labels[patch.inner], np.int64)
    sizes = np.bincount(inside.ravel(), minlength=count)
    sizes[0] = 0
    if sizes.max() < FEWEST:
        return []
    parts: list[_Part] = []
    for index in np.argsort(-sizes):
        if sizes[index] < SMALL_PART * sizes.max():
            break
        left, top, wide, high = (int(value) for value in stats[index, :4])
        box = patch.in_frame(left, top, left + wide, top + high)
        parts.append(_Part(box, int(sizes[index]), int(stats[index, 4]) / (wide * high)))
    return parts


def _things(parts: list[_Part], shortest: float) -> list[Box]:
    """Unite parts: large ones that stand apart are things, all others belong to the nearest."""
    first = parts[0]
    things = [first.box]
    for part in parts[1:]:
        large = part.inside >= OWN_PART * first.inside and _longer(part.box) >= shortest
        solid = min(part.filled, first.filled) >= FILLED
        if large and solid and all(_stand_apart(part.box, other) for other in things):
            things.append(part.box)
            continue
        nearest = int(np.argmin([part.box.gap(other) for other in things]))
        things[nearest] = things[nearest].union(part.box)
    return things


def _agree(pixels: Box, found: Box, cell: float) -> bool:
    """Whether pixels and map show the same: of what is flat, the map is mostly halo."""
    across, down = (
        min(HALO_CELLS * cell, (side - cell) / 2) if side <= FLAT_CELLS * cell else 0
        for side in (found.width, found.height)
    )
    core = Box(found.x1 + across, found.y1 + down, found.x2 - across, found.y2 - down)
    return max(pixels.iou(found), pixels.iou(core)) >= AGREE


def _longer(box: Box) -> float:
    return max(box.width, box.height)


def _stand_apart(one: Box, other: Box) -> bool:
    smaller = min(one.width, one.height, other.width, other.height)
    return one.gap(other) > APART * smaller


def _peak(heat: NDArray[np.float32], box: Box, frame_size: tuple[int, int]) -> float:
    """The highest value of a map [h, w] in a box of the frame."""
    down, across = heat.shape[0] / frame_size[0], heat.shape[1] / frame_size[1]
    rows = span(box.y1, box.y2, down, heat.shape[0])
    return float(heat[rows, span(box.x1, box.x2, across, heat.shape[1])].max())
