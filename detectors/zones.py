"""Which parts of a view are watched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Polygon = Sequence[tuple[float, float]]
"""Corners (x, y) as shares of the frame's width and height, 0 to 1; closed by itself."""


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
            watched = np.logical_or.reduce([_inside(p, shape) for p in self.include])
        for polygon in self.exclude:
            watched &= ~_inside(polygon, shape)
        return watched


def _inside(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells whose centre a ray to the left leaves through an odd number of edges [h, w]."""
    height, width = shape
    x = (np.arange(width) + 0.5)[None, :] / width
    y = (np.arange(height) + 0.5)[:, None] / height
    inside = np.zeros(shape, np.bool_)
    for index, (x1, y1) in enumerate(polygon):
        x2, y2 = polygon[index - 1]
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        inside ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside
