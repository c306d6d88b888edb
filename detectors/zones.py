"""Which parts of a view are watched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Polygon = Sequence[tuple[float, float]]
"""Corners (x, y) as shares of the frame's width and height, 0 to 1; closed by itself."""
type _Shares = NDArray[np.float64] | np.float64
_ON_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Zones:
    """Polygons that are watched and polygons that are not; the latter win."""

    include: tuple[Polygon, ...] = ()
    """Nothing else is watched; empty means the whole frame."""
    exclude: tuple[Polygon, ...] = ()

    def __post_init__(self) -> None:
        """Refuse shapes without an inside and coordinates that are not shares.

        Raises:
            ValueError: If a polygon has fewer than 3 corners or leaves 0..1.
        """
        for polygon in (*self.include, *self.exclude):
            if len(polygon) < 3:
                raise ValueError(f"a polygon needs at least 3 corners, got {len(polygon)}")
            for x, y in polygon:
                if not (0 <= x <= 1 and 0 <= y <= 1):
                    raise ValueError(
                        f"corner ({x}, {y}) is outside the frame: corners are shares of its "
                        "width and height, from 0 to 1"
                    )

    def grid(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Cells of a map whose centre is watched.

        Args:
            shape: (h, w) of the map.

        Returns:
            True where watched [h, w].
        """
        watched = np.ones(shape, np.bool_)
        if self.include:
            watched = np.logical_or.reduce([_cells(p, shape) for p in self.include])
        for polygon in self.exclude:
            watched &= ~_cells(polygon, shape)
        return watched


def contains(polygon: Polygon, x: float, y: float, *, edge: bool = False) -> bool:
    """Whether a point lies in a polygon.

    Args:
        polygon: Its corners.
        x: As share of the frame's width.
        y: As share of the frame's height.
        edge: Whether all edges belong to it; otherwise only some do, so that of two zones side by
            side each point is in one.
    """
    return bool(_inside(polygon, np.float64(x), np.float64(y))) or (edge and _on(polygon, x, y))


def _inside(polygon: Polygon, x: _Shares, y: _Shares) -> NDArray[np.bool_]:
    """Points that a ray to the left leaves through an odd number of edges; x and y broadcast."""
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.bool_)
    for index, (x1, y1) in enumerate(polygon):
        x2, y2 = polygon[index - 1]
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        inside = inside ^ (crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1)))
    return inside


def _cells(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells whose centre lies in a polygon [h, w]."""
    height, width = shape
    x = (np.arange(width) + 0.5)[None, :] / width
    y = (np.arange(height) + 0.5)[:, None] / height
    return _inside(polygon, x, y)


def _on(polygon: Polygon, x: float, y: float) -> bool:
    """Whether a point lies on an edge, as closely as corners are typed."""
    for index, (x1, y1) in enumerate(polygon):
        x2, y2 = polygon[index - 1]
        length2 = (x2 - x1) ** 2 + (y2 - y1) ** 2
        along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length2 if length2 else 0.0
        along = min(1.0, max(0.0, along))
        away = (x1 + along * (x2 - x1) - x, y1 + along * (y2 - y1) - y)
        if max(map(abs, away)) <= _ON_EDGE:
            return True
    return False
