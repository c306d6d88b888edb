"""From an anomaly map to boxes in the frame, by the map alone.

The map is read between its cells, so that a box does not end at the edges of cells and a thing as
small as one cell counts. A region is everything connected above the threshold. Where a valley runs
through it, it is several things. Each thing is cut at a share of its own peak, so that the halo of
a strong anomaly does not widen its box (detectors_spec §3: IoU >= .5 recall .30 -> .63).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Detection

type Values = NDArray[np.float32]

FINER = 3
"""Points read per cell and direction. Odd: a cell's own value is one of them, no peak is lost."""
CUTS = ((0.09, 0.7), (0.17, 0.6), (1.0, 0.5))
"""A thing up to so wide, as a share of the frame's longer side, is cut at this share of its peak:
the halo has one width, and a small thing is mostly halo."""
VALLEYS = ((0.35, 0.7), (1.0, 0.5))
"""Two peaks of a region up to so wide are two things if the map between them falls below this share
of both; the map of one wide thing has many peaks."""
STEP = 1.12
"""Between two levels at which a region is looked at for valleys."""
MOST = 64
"""Boxes of one frame, the strongest: where there are more, the whole view is unusual."""


def find_boxes(
    anomaly_map: Values,
    frame_size: tuple[int, int],
    *,
    mask: NDArray[np.bool_] | None = None,
    most: int = MOST,
) -> list[Detection]:
    """Find the things in a frame that do not belong.

    Args:
        anomaly_map: One map [h, w] that covers the frame, 1.0 where it is just unusual.
        frame_size: (height, width) of the frame in pixels.
        mask: Cells that are watched [h, w]; None watches all.
        most: How many are wanted, the strongest.

    Returns:
        At most `most` detections in pixels of the frame, highest score first.

    Raises:
        ValueError: If the mask has another shape than the map.
    """
    if mask is not None and mask.shape != anomaly_map.shape:
        raise ValueError(f"the mask is {mask.shape} and the map {anomaly_map.shape}")
    values = np.nan_to_num(anomaly_map.astype(np.float32), nan=0.0, posinf=1e6, neginf=0.0)
    if mask is not None:
        values = np.where(mask, values, np.float32(0))
    if values.max(initial=0.0) <= 1.0:
        return []
    fine = _finer(values)
    height, width = frame_size
    across, down = width / fine.shape[1], height / fine.shape[0]
    scale = (across / max(frame_size), down / max(frame_size))
    regions = [region for region in _regions(fine, 1.0) if region.peak > 1.0]
    regions.sort(key=lambda region: -region.peak)
    regions = regions[:most]  # a thing of another is weaker than all of these
    things = [thing for region in regions for thing in _things(region, 1.0, scale)]
    things.sort(key=lambda thing: -thing.peak)
    found = []
    for thing in things[:most]:
        x1, y1, x2, y2 = _cut(thing, scale)
        box = Box(x1 * across, y1 * down, x2 * across, y2 * down)
        found.append(Detection(box, thing.peak))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """Connected points of the fine map, and nothing around them."""

    values: Values
    """[h, w], 0 at points of others."""
    x: int
    y: int
    peak: float

    def width(self, scale: tuple[float, float]) -> float:
        """Its longer side as a share of the frame's, at `scale` shares for a point (x, y)."""
        return _longer(self.values.shape[1], self.values.shape[0], scale)


def _finer(values: Values) -> Values:
    height, width = values.shape
    size = (width * FINER, height * FINER)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _regions(values: Values, level: float, x: int = 0, y: int = 0) -> Iterator[_Region]:
    """Connected points of at least that value, diagonal neighbours included; (x, y) is added."""
    cells = (values >= level).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    for index in range(1, count):
        left, top, wide, high = (int(value) for value in stats[index, :4])
        part = np.s_[top : top + high, left : left + wide]
        inside = np.where(labels[part] == index, values[part], np.float32(0))
        yield _Region(inside, x + left, y + top, float(inside.max()))


def _things(region: _Region, level: float, scale: tuple[float, float]) -> list[_Region]:
    """Part a region that is connected at `level` wherever two of its peaks stand apart."""
    valley = _share(VALLEYS, region.width(scale))
    level *= STEP
    while level < region.peak * valley:
        found = list(_regions(region.values, level, region.x, region.y))
        peaks = [one for one in found if level <= one.peak * valley]
        if len(peaks) > 1:
            return [thing for peak in peaks for thing in _things(peak, level, scale)]
        level *= STEP
    return [region]


def _cut(thing: _Region, scale: tuple[float, float]) -> tuple[int, int, int, int]:
    """What of a thing (x1, y1, x2, y2) reaches the share of its peak that suits its width."""
    left, top, right, bottom = _reach(thing.values, 0.5 * thing.peak)
    share = _share(CUTS, _longer(right - left, bottom - top, scale))
    left, top, right, bottom = _reach(thing.values, share * thing.peak)
    return thing.x + left, thing.y + top, thing.x + right, thing.y + bottom


def _reach(values: Values, level: float) -> tuple[int, int, int, int]:
    """The box (x1, y1, x2, y2) of all points of at least that value; of others there are none."""
    ys, xs = np.nonzero(values >= level)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def _longer(across: int, down: int, scale: tuple[float, float]) -> float:
    return max(across * scale[0], down * scale[1])


def _share(table: tuple[tuple[float, float], ...], width: float) -> float:
    """The row's value that suits a width."""
    return next((share for limit, share in table if width < limit), table[-1][1])
