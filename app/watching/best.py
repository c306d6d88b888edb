"""The few pictures of a track that are kept: what it is named by and what people see of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.events.event import Picture
from app.events.media import CONTEXT_MARGIN, SNAPSHOT_SIDE
from detectors.learned import LearnedView
from detectors.types import Box, Detection, Frame, Pixels
from novic.surrounded import Surrounded

KEPT = 3
"""Pictures kept for each track; each is named by two crops."""
SLOT_S = 0.4
"""One picture is kept of each such stretch of time, or they would all be the same one."""
CROP_SIDE = 512
"""Longest side of a kept crop in pixels."""
EDGE_WEIGHT = 0.3
"""Weight of a picture whose box touches the frame's edge: the thing may be cut off."""

STILL_IOU = 0.5
"""Sightings whose boxes agree so much with a picture's show the thing in the same place."""
MOVING_WEIGHT = 0.3
"""Weight of a picture in which the thing has moved on since the one before."""


@dataclass(slots=True, eq=False)
class BestPictures:
    """The best pictures of one track, in the order they were taken."""

    pictures: list[Picture] = field(default_factory=list)
    view: LearnedView | None = None
    """What is usually there; None if that is not known."""

    def offer(
        self,
        frame: Frame,
        detection: Detection,
        heat: NDArray[np.float32],
        before: Box | None = None,
        place: Box | None = None,
    ) -> None:
        """Keep this picture if it beats one of those kept.

        Args:
            frame: The whole picture.
            detection: Where the thing is in it.
            heat: The frame's anomaly map [h, w].
            before: Where it was in the sighting before, if there was one.
            place: Where it is in the learned view, if that is elsewhere than in the frame.
        """
        quality = _quality(frame, detection) * _stillness(detection.box, before)
        rival = self._rival(frame.pts_s)
        if rival is not None:
            if quality <= rival.quality:
                return
            self.pictures.remove(rival)
        self.pictures.append(
            _picture(frame, detection, heat, quality, self._learned(frame, place or detection.box))
        )

    def _learned(self, frame: Frame, place: Box) -> tuple[Pixels, ...]:
        if self.view is None:
            return ()
        boxes = _crop_boxes(place, (frame.image.shape[0], frame.image.shape[1]))
        return tuple(at_most(self.view.part(box), CROP_SIDE) for box in boxes)

    def best(self) -> Picture:
        """The most typical picture: whose box agrees best with the others'."""
        return max(
            self.pictures,
            key=lambda one: (
                sum(one.box.iou(other.box) * other.quality for other in self.pictures),
                one.quality,
            ),
        )

    def _rival(self, pts_s: float) -> Picture | None:
        """The kept picture whose place a new one could take; None while there is room."""
        for picture in self.pictures:
            if picture.pts_s // SLOT_S == pts_s // SLOT_S:
                return picture
        if len(self.pictures) < KEPT:
            return None
        return min(self.pictures, key=lambda picture: picture.quality)


def settled(path: Sequence[tuple[float, Box, float]], at: Box) -> Box:
    """Where a thing is, by all sightings of it in the place of one: the median of each side.

    Args:
        path: (pts_s, box, score) of its sightings, in pixels of the frame.
        at: Its box in one of them.
    """
    there = [(b.x1, b.y1, b.x2, b.y2) for _, b, _ in path if b.iou(at) >= STILL_IOU]
    if not there:
        return at
    x1, y1, x2, y2 = np.median(there, axis=0).tolist()
    return Box(x1, y1, x2, y2)


def _quality(frame: Frame, detection: Detection) -> float:
    """How good a view this is: large, clearly unusual, and not cut off by the frame's edge."""
    height, width = frame.image.shape[:2]
    box = detection.box
    margin = 0.01 * max(height, width)
    cut_off = (
        box.x1 < margin or box.y1 < margin or box.x2 > width - margin or box.y2 > height - margin
    )
    # Past a few times the threshold, a higher score says nothing about the view.
    return box.area**0.5 * min(detection.score, 4.0) * (EDGE_WEIGHT if cut_off else 1.0)


def _stillness(box: Box, before: Box | None) -> float:
    """1 for a thing at rest, down to MOVING_WEIGHT for one that has moved on: motion blurs."""
    overlap = box.iou(before) if before is not None else 0.0
    return MOVING_WEIGHT + (1 - MOVING_WEIGHT) * overlap**2


def _picture(
    frame: Frame,
    detection: Detection,
    heat: NDArray[np.float32],
    quality: float,
    learned: tuple[Pixels, ...],
) -> Picture:
    size = frame.image.shape[:2]
    box = detection.box
    boxes = _crop_boxes(box, size)
    return Picture(
        frame.pts_s,
        detection.box,
        size,
        tuple(at_most(box.cut(frame.image), CROP_SIDE).copy() for box in boxes),
        at_most(frame.image, SNAPSHOT_SIDE),
        heat,
        quality,
        learned,
        _surrounded(box, frame.image),
    )


def _crop_boxes(box: Box, size: tuple[int, int]) -> tuple[Box, Box]:
    """What is named: the box, and the box with a margin, in a frame of (height, width)."""
    return box, box.grown(CONTEXT_MARGIN, size)


def _surrounded(box: Box, image: Pixels) -> Surrounded:
    seen = Surrounded.of(image, (box.x1, box.y1, box.x2, box.y2))
    return replace(seen, square=at_most(seen.square, CROP_SIDE))


def at_most(image: Pixels, side: int) -> Pixels:
    """The image, made smaller if its longer side is longer than `side`."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
