"""Crops that stand for what a camera usually shows: the strangest places of its calm frames.

A camera is calibrated on such crops (`app.calibrating`), and whether that still holds is asked of
such crops later (`app.watching.drifting`). Both take them here, or the two could not be compared.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.events.event import Picture
from app.watching.best import BestPictures
from detectors.boxes import find_boxes
from detectors.types import Box, Detection, Frame

EACH = 3
"""Crops of one frame at most, as many as it has strongest places."""
PLACES = (6, 8)
"""Rows and columns of places: of one there is one crop a minute."""
MINUTE_S = 60.0
_HILL = 9
"""Cells across in which there is one strongest place."""
_NEAR_PEAK = (0.8, 0.9, 0.95, 0.98)
"""Shares of the weakest of the strongest places that belong to a box, as low as may be."""
_LARGE = 0.2
"""Share of the view that a box may cover."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One place of a frame, cut as an event is."""

    picture: Picture
    at_s: float
    """Seconds from the start of the source."""
    time_us: int
    """UTC in microseconds, as the clock said."""
    place: int
    """Number of its place, row by row."""


class Sampler:
    """Takes crops of one source, one of each place and minute at most."""

    def __init__(
        self,
        every_s: float,
        share: float = 1.0,
        taken: Iterable[tuple[float, int]] = (),
        seen_s: float = -math.inf,
    ) -> None:
        """Begin.

        Args:
            every_s: Seconds from one frame that is looked at to the next.
            share: Of all places and minutes that are taken, chosen by chance, always the same.
            taken: Crops that were taken before, in the order of time: seconds from the start, and
                place.
            seen_s: Up to here the source was looked at before, in seconds from its start.
        """
        self._every_s, self._share = every_s, share
        self._slot = int(seen_s // every_s) if math.isfinite(seen_s) else -1
        self._minute = -1
        self._taken: set[int] = set()
        for at_s, place in taken:
            self._turn(at_s)
            self._taken.add(place)

    def due(self, at_s: float) -> bool:
        """Whether a frame of this time, in seconds from the start, is to be looked at."""
        return int(at_s // self._every_s) != self._slot

    def crops(self, frame: Frame, heat: NDArray[np.float32], but: Sequence[Box] = ()) -> list[Crop]:
        """Crops of a frame that is due; none of one that is not.

        Args:
            frame: Later than all before it.
            heat: Its map [h, w], not divided, 0 where nobody watches.
            but: Where things are, pixels of the frame; no crop touches them.
        """
        if not self.due(frame.pts_s):
            return []
        self._slot = int(frame.pts_s // self._every_s)
        self._turn(frame.pts_s)
        size = frame.image.shape[0], frame.image.shape[1]
        crops = []
        for one in strongest(heat, size, EACH):
            place = _place(one.box, size)
            if place in self._taken or any(one.box.overlap(box) for box in but):
                continue
            self._taken.add(place)
            if chosen(self._minute, place, self._share):
                evidence = BestPictures()
                evidence.offer(frame, one, heat)
                crops.append(Crop(evidence.best(), frame.pts_s, frame.time_us, place))
        return crops

    def _turn(self, at_s: float) -> None:
        minute = int(at_s // MINUTE_S)
        if minute != self._minute:
            self._minute = minute
            self._taken.clear()


def chosen(minute: int, place: int, share: float) -> bool:
    """Whether a place is among a share of all in a minute: by chance, whatever it looks like.

    Of a smaller share are none that are not of a larger one.
    """
    return share >= 1 or bool(np.random.default_rng((abs(minute), place)).random() < share)


def strongest(heat: NDArray[np.float32], size: tuple[int, int], most: int) -> list[Detection]:
    """The strongest places of a map whatever their value, with boxes as events have them.

    An event that nobody wanted barely reaches what it needs, so its box is what comes near its
    peak. Where the map is so flat that this is much of the view, more is asked.

    Args:
        heat: A map [h, w]; cells that are no numbers are left out.
        size: (height, width) of the frame in pixels.
        most: How many.
    """
    values = np.nan_to_num(heat, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    highest = cv2.dilate(values, np.ones((_HILL, _HILL), np.uint8))
    peaks = np.unique(values[(values == highest) & (values > 0)])[::-1]
    if not len(peaks):
        return []
    found: list[Detection] = []
    for share in _NEAR_PEAK:
        level = np.float32(share) * peaks[min(most, len(peaks)) - 1]
        found = find_boxes(values / level, size, most=most)[:most]
        if all(one.box.area <= _LARGE * size[0] * size[1] for one in found):
            return [replace(one, score=one.score * float(level)) for one in found]
    return []


def _place(box: Box, size: tuple[int, int]) -> int:
    x, y = (box.x1 + box.x2) / 2 / size[1], (box.y1 + box.y2) / 2 / size[0]
    row, column = min(int(y * PLACES[0]), PLACES[0] - 1), min(int(x * PLACES[1]), PLACES[1] - 1)
    return row * PLACES[1] + column
