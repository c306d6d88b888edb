"""What another bar or zone leaves of what was found: the same rules, on the map around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.events.trace import Patch, SeenFrame, SeenThing
from detectors.boxes import find_boxes
from detectors.linking import Look
from detectors.tight import AGREE, AGREE_CELLS
from detectors.types import Box, Detection
from detectors.zones import Zones

type Edge = Literal["cut", "keep", "drop"]
"""What the edge of a zone runs through is cut there, kept whole, or left out."""

_SAME = 0.5
"""The map around a thing in an earlier frame tells what this box is made of."""
_REMEMBERED_S = 3.0
_MOST_OF = 0.5
"""A box that covers less of what the map shows there is that of another part."""
_CELLS = 8
"""Pixels of a cell where the map around a thing is not known."""


@dataclass(slots=True)
class Masked:
    """Cuts what was found, frame after frame."""

    zones: Zones | None
    """What is watched; None for what was."""
    size: tuple[int, int]
    """(height, width) of the view in pixels."""
    edge: Edge = "cut"
    _grids: dict[tuple[int, int], NDArray[np.bool_]] = field(default_factory=dict)
    _patches: list[tuple[float, SeenThing]] = field(default_factory=list)

    def found(
        self, shown: Sequence[SeenFrame], ratio: float
    ) -> list[tuple[Detection, Look | None]]:
        """What would be found in a frame.

        Args:
            shown: As it was noted, with what falls apart in it at higher bars; later than all
                before it.
            ratio: The new bar over the one that was in force.
        """
        at_s, seen = shown[0].pts_s, shown[0]
        if self.zones is not None:
            self._patches = [one for one in self._patches if at_s - one[0] <= _REMEMBERED_S]
            self._patches += [(at_s, one) for one in seen.things if one.patch is not None]
        for one in shown[1:]:
            seen = one if one.level <= ratio else seen
        found: list[tuple[Detection, Look | None]] = []
        for thing in seen.things:
            left = self._left(thing, ratio)
            if len(left) > 1:
                left = [one for one in left if _own(one, thing, seen.things)]
            found += [(one, thing.look) for one in left]
        return found

    def _left(self, thing: SeenThing, ratio: float) -> Sequence[Detection]:
        """What is left of a thing, scores over the new bar."""
        shown = thing.shown
        plain = _plain(shown, ratio)
        if self.zones is None:
            return plain
        patch = self._patch(thing)
        if patch is None:
            return self._by_box(plain, shown.box)
        seen = patch.values > 0
        watched = self._watched(patch)
        if not (watched & seen).any():
            return []
        if watched[seen].all():
            return plain
        if self.edge != "cut":
            return plain if self.edge == "keep" else []
        return self._cut(shown, patch, watched, ratio)

    def _patch(self, thing: SeenThing) -> Patch | None:
        """The map around it, as it was seen not long ago if it was not noted of this frame."""
        if thing.patch is not None:
            return thing.patch
        box = thing.shown.box
        near = [(one.shown.box.iou(box), one) for _, one in self._patches]
        iou, best = max(near, key=lambda pair: pair[0], default=(0.0, None))
        if best is None or best.patch is None or iou < _SAME:
            return None
        values = best.patch.values * np.float32(thing.shown.score / best.shown.score)
        return replace(best.patch, values=np.where(values >= 1, values, 0).astype(np.float32))

    def _by_box(self, plain: list[Detection], box: Box) -> list[Detection]:
        """The same where the map is not known: by the share of the box that is watched."""
        if self.zones is None:
            return plain
        share = watched_share(self.zones, box, self.size)
        if share in (0.0, 1.0) or self.edge == "cut":
            return plain if share >= 1 / 2 else []
        return plain if self.edge == "keep" else []

    def _cut(
        self, shown: Detection, patch: Patch, watched: NDArray[np.bool_], ratio: float
    ) -> list[Detection]:
        heat = np.zeros(patch.shape, np.float32)
        heat[_part(patch)] = np.where(watched, patch.values, 0) / np.float32(ratio)
        found = find_boxes(heat, self.size)
        cell = max(self.size[0] / patch.shape[0], self.size[1] / patch.shape[1])
        own = [one for one in found if _inside(one.box, shown.box, cell)]
        return [self._tight(one, shown, cell, alone=len(own) == 1) for one in own]

    @staticmethod
    def _tight(one: Detection, shown: Detection, cell: float, *, alone: bool) -> Detection:
        """As pixels would draw it: as before where that agrees, but of the part that is watched."""
        longer = max(one.box.width, one.box.height)
        agrees = longer <= AGREE_CELLS * cell or one.box.iou(shown.box) >= AGREE
        box = shown.box if alone and agrees else one.box
        if one.box.overlap(box) < _MOST_OF * one.box.area:
            # Pixels drew what lies beside the zone's edge for the most part.
            box = one.box
        return replace(one, box=box, doubted=shown.doubted)

    def _watched(self, patch: Patch) -> NDArray[np.bool_]:
        """Which cells of it are watched [h, w]."""
        if self.zones is None:
            return np.ones(patch.values.shape, np.bool_)
        if patch.shape not in self._grids:
            self._grids[patch.shape] = self.zones.grid(patch.shape)
        return self._grids[patch.shape][_part(patch)]


def watched_share(zones: Zones, box: Box, size: tuple[int, int]) -> float:
    """How much of a box in pixels of a view of (height, width) is watched, 0 to 1."""
    rows, across = max(1, size[0] // _CELLS), max(1, size[1] // _CELLS)
    scaled = box.scaled(across / size[1], rows / size[0])
    grid = zones.grid((rows, across))
    return float(grid[_rows(scaled, rows), _columns(scaled, across)].mean())


def _rows(box: Box, most: int) -> slice:
    first = min(max(int(box.y1), 0), most - 1)
    return slice(first, max(first + 1, int(np.ceil(box.y2))))


def _columns(box: Box, most: int) -> slice:
    first = min(max(int(box.x1), 0), most - 1)
    return slice(first, max(first + 1, int(np.ceil(box.x2))))


def _plain(shown: Detection, ratio: float) -> list[Detection]:
    score = shown.score / ratio
    return [replace(shown, score=score)] if score > 1 else []


def _inside(box: Box, shown: Box, cell: float) -> bool:
    """Whether a region of the map is of a thing: half of it lies in its box or just beside."""
    around = Box(shown.x1 - cell, shown.y1 - cell, shown.x2 + cell, shown.y2 + cell)
    return box.overlap(around) >= box.area / 2


def _own(one: Detection, thing: SeenThing, things: Sequence[SeenThing]) -> bool:
    """Whether a part is of this thing rather than of another that was found beside it."""
    here = one.box.iou(thing.shown.box)
    return all(one.box.iou(two.shown.box) <= here for two in things if two is not thing)


def _part(patch: Patch) -> tuple[slice, slice]:
    high, wide = patch.values.shape
    return slice(patch.y, patch.y + high), slice(patch.x, patch.x + wide)
