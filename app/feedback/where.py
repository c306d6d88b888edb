"""A part of the view in which something is quiet."""

from dataclasses import dataclass
from typing import Self

from app.errors import UsageError
from detectors.types import Box
from detectors.zones import Polygon, Zones, contains

AROUND = 1.0
"""How far the surroundings of a thing reach on each side, in its own longer side."""


@dataclass(frozen=True, slots=True)
class Where:
    """A polygon of the view, with or without a name; all of the view if it has no corners."""

    name: str = ""
    corners: Polygon = ()
    """(x, y) as shares of the view's width and height."""
    said: str = ""
    """For people, as "at the gate"; empty for all of the view."""

    @classmethod
    def around(cls, box: Box, size: tuple[int, int]) -> Self:
        """Where a thing was, and about its own size around it.

        Args:
            box: Of the thing, pixels.
            size: (height, width) of the frame.
        """
        height, width = size
        far = AROUND * max(box.width, box.height)
        x1, x2 = (box.x1 - far) / width, (box.x2 + far) / width
        y1, y2 = (box.y1 - far) / height, (box.y2 + far) / height
        left, top, right, bottom = (round(min(1.0, max(0.0, side)), 4) for side in (x1, y1, x2, y2))
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        return cls("", corners, "in its place")

    @classmethod
    def parse(cls, text: str, known: "dict[str, Where]") -> Self:
        """From "x,y x,y x,y", "gate=x,y x,y x,y", or the name of one that is known.

        Raises:
            UsageError: If it is none, or nothing is known by this name.
        """
        name, _, given = text.rpartition("=")
        if not name and "," not in given:
            if (same := known.get(given.strip())) is None:
                names = ", ".join(sorted(known)) or "none"
                raise UsageError(
                    f"--zone {text}: is no zone of this camera; there are: {names}. Name one with "
                    f'its corners as shares of the view: --zone "{given.strip() or "gate"}=.1,.5 '
                    '.4,.5 .4,.9"'
                )
            return cls(same.name, same.corners, same.said)
        try:
            x_and_y = [corner.split(",") for corner in given.split()]
            corners = tuple((float(x), float(y)) for x, y in x_and_y)
            Zones(include=(corners,))
        except ValueError as error:
            raise UsageError(f"--zone {text}: is no polygon: {error}") from error
        name = name.strip()
        return cls(name, corners, f"at the {name}" if name else "in its zone")

    def has(self, box: Box, size: tuple[int, int]) -> bool:
        """Whether what is in a box, pixels, stands in it; size is (height, width) of the frame.

        A thing stands where the middle of its lower edge is.
        """
        if not self.corners:
            return True
        height, width = size
        x, y = (box.x1 + box.x2) / 2 / width, box.y2 / height
        x, y = min(1.0, max(0.0, x)), min(1.0, max(0.0, y))
        return contains(self.corners, x, y, edge=True)
