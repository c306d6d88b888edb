"""The words that every room above speaks: a frame, a box in it, a detection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Pixels = NDArray[np.uint8]
"""One RGB image, uint8 [H, W, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of one camera, with both of its times."""

    camera: str
    index: int
    """Number of the frame in its source, from 0, counting frames that were dropped."""
    pts_s: float
    """Presentation time within the source, in seconds from its start."""
    time_us: int
    """UTC, in microseconds since 1970."""
    image: Pixels

    def after_us(self, start_s: float, start_us: int) -> int:
        """When it was taken, UTC in microseconds, for something that began earlier.

        Args:
            start_s: When that began, in seconds from the start of the source.
            start_us: The same as UTC in microseconds.

        Returns:
            `time_us`, unless the clock was set back behind the beginning; then so much later than
            that as passed.
        """
        if self.time_us >= start_us:
            return self.time_us
        return start_us + round(1e6 * max(0.0, self.pts_s - start_s))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the full frame; x2 and y2 are excluded."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Pixels from left to right, never negative."""
        return self.x2 - self.x1 if self.x2 > self.x1 else 0.0

    @property
    def height(self) -> float:
        """Pixels from top to bottom, never negative."""
        return self.y2 - self.y1 if self.y2 > self.y1 else 0.0

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def overlap(self, other: "Box") -> float:
        """Area that both boxes cover, in square pixels."""
        # Asked some thousand times a frame, mostly of boxes that lie apart.
        if self.x1 >= other.x2 or other.x1 >= self.x2:
            return 0.0
        if self.y1 >= other.y2 or other.y1 >= self.y2:
            return 0.0
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        both = self.overlap(other)
        union = self.area + other.area - both
        return both / union if union > 0 else 0.0

    def gap(self, other: "Box") -> float:
        """Pixels between the two, the larger of across and down; negative where they overlap."""
        return max(
            max(self.x1, other.x1) - min(self.x2, other.x2),
            max(self.y1, other.y1) - min(self.y2, other.y2),
        )

    def union(self, other: "Box") -> "Box":
        """The smallest box around both, in the same pixels."""
        return Box(
            min(self.x1, other.x1),
            min(self.y1, other.y1),
            max(self.x2, other.x2),
            max(self.y2, other.y2),
        )

    def grown(self, share: float, size: tuple[int, int]) -> "Box":
        """This box with a margin of `share` of its longer side, cut at the frame's edges.

        Args:
            share: Margin on every side, 0.1 for 10% of the longer side.
            size: (height, width) of the frame in pixels.
        """
        margin = share * max(self.width, self.height)
        height, width = size
        return Box(
            max(0.0, self.x1 - margin),
            max(0.0, self.y1 - margin),
            min(float(width), self.x2 + margin),
            min(float(height), self.y2 + margin),
        )

    def scaled(self, across: float, down: float) -> "Box":
        """This box in a picture so many times as wide and as high."""
        return Box(self.x1 * across, self.y1 * down, self.x2 * across, self.y2 * down)

    def within(self, part: "Box") -> "Box":
        """This box in pixels of what `part.cut` gives of an image that holds `part`."""
        left, top = int(part.x1), int(part.y1)
        return Box(self.x1 - left, self.y1 - top, self.x2 - left, self.y2 - top)

    def cut(self, image: Pixels) -> Pixels:
        """The pixels of `image` inside this box, at least one pixel."""
        height, width = image.shape[:2]
        x1 = min(max(int(self.x1), 0), width - 1)
        y1 = min(max(int(self.y1), 0), height - 1)
        x2 = min(max(int(np.ceil(self.x2)), x1 + 1), width)
        y2 = min(max(int(np.ceil(self.y2)), y1 + 1), height)
        return image[y1:y2, x1:x2]


@dataclass(frozen=True, slots=True)
class Detection:
    """A region of one frame that does not belong."""

    box: Box
    score: float
    """Peak of the anomaly map inside the box over the detector's threshold: 1.0 is just unusual."""
    doubted: bool = False
    """Whether it may be of something else that was seen there just before, as of light."""
