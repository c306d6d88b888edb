"""A thing with what is around it: a person is known by more than what fills its box."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from novic.embedder import Pixels

CONTEXT = 1.4
"""Side of the square around a thing, of its longer side, ..."""
WIDE = 2.5
"""... and of the wide one, which shows of whom a part is all that stands out."""
WIDE_SIDE = 300
"""Most pixels of the wide one's side: all that is looked at of it."""

type Edges = tuple[float, float, float, float]
"""(x1, y1, x2, y2), x2 and y2 excluded."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of several things is in a square."""

    edges: Edges
    """0 to 1 of the square's side."""
    p: float
    """Probability that it is one, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Surrounded:
    """A thing in the middle of a square piece of its picture."""

    square: Pixels
    """RGB uint8 [S, S, 3]; beyond the picture its edge is repeated."""
    thing: Edges
    """Where it is, 0 to 1 of the square's side."""
    wide: Pixels | None = None
    """The wide square, the thing in its middle, too, RGB uint8 [W, W, 3] of at most WIDE_SIDE; None
    where nothing is known of what lies farther around."""

    @classmethod
    def of(cls, image: Pixels, thing: Edges) -> "Surrounded":
        """Cut it out.

        Args:
            image: RGB uint8 [H, W, 3].
            thing: Its box in the picture, pixels; at least one wide and high.
        """
        square, edges = _square(image, thing, CONTEXT)
        return cls(square, edges, _square(image, thing, WIDE, WIDE_SIDE)[0])

    @classmethod
    def whole(cls, image: Pixels) -> "Surrounded":
        """A picture that shows nothing but the thing."""
        height, width = image.shape[:2]
        square, edges = _square(image, (0.0, 0.0, float(width), float(height)), CONTEXT)
        return cls(square, edges)

    @property
    def thing_in_wide(self) -> Edges:
        """Where the thing is in the wide square, 0 to 1 of its side."""
        x1, y1, x2, y2 = self.thing
        high, across = (y2 - y1) * CONTEXT / WIDE / 2, (x2 - x1) * CONTEXT / WIDE / 2
        return 0.5 - across, 0.5 - high, 0.5 + across, 0.5 + high

    def in_picture(self, place: Edges, thing: Edges) -> Edges:
        """Edges in the square, 0 to 1 of its side, as they lie in the picture.

        Args:
            place: The edges.
            thing: Where the thing is in the picture, pixels.
        """
        x1, y1, x2, y2 = self.thing
        across, down = x2 - x1, y2 - y1
        # By the longer side, which tells the scale best.
        side = (thing[2] - thing[0]) / across if across > down else (thing[3] - thing[1]) / down
        left, top = thing[0] - x1 * side, thing[1] - y1 * side
        return (
            left + place[0] * side,
            top + place[1] * side,
            left + place[2] * side,
            top + place[3] * side,
        )

    def piece(self, margin: float) -> Pixels:
        """The thing with so much of its longer side around it, as far as that is known."""
        side = self.square.shape[0]
        x1, y1, x2, y2 = self.thing
        more = margin * max(x2 - x1, y2 - y1)
        left, top = (max(0, int(side * (edge - more))) for edge in (x1, y1))
        right, bottom = (min(side, int(np.ceil(side * (edge + more)))) for edge in (x2, y2))
        return self.square[top : max(bottom, top + 1), left : max(right, left + 1)]


def _square(
    image: Pixels, thing: Edges, context: float, most: int | None = None
) -> tuple[Pixels, Edges]:
    """A square of so many times the longer side of a thing, and where the thing is in it.

    Args:
        image: RGB uint8 [H, W, 3].
        thing: Its box in it, pixels.
        context: Of the longer side.
        most: Pixels of the square's side, at most.
    """
    x1, y1, x2, y2 = thing
    half = max(1.0, context * max(x2 - x1, y2 - y1) / 2)
    left, top = round((x1 + x2) / 2 - half), round((y1 + y2) / 2 - half)
    side = max(2, round(2 * half))
    inside = image[max(0, top) : top + side, max(0, left) : left + side]
    above, before = max(0, -top), max(0, -left)
    edges = ((x1 - left) / side, (y1 - top) / side, (x2 - left) / side, (y2 - top) / side)
    if most is not None and side > most:
        # Made smaller before it is filled up: a large thing's would be larger than its picture.
        scale, side = most / side, most
        above, before = min(round(above * scale), side - 1), min(round(before * scale), side - 1)
        high, wide = (max(1, round(length * scale)) for length in inside.shape[:2])
        size = (min(wide, side - before), min(high, side - above))
        # Not by OpenCV: whoever only reads events imports this, too.
        inside = np.asarray(Image.fromarray(inside).resize(size, Image.Resampling.BOX))
    below, behind = side - above - inside.shape[0], side - before - inside.shape[1]
    return np.pad(inside, ((above, below), (before, behind), (0, 0)), mode="edge"), edges
