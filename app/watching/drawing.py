"""The audited video once more, with boxes and names drawn in."""

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from app.events.event import Event
from app.events.store import SourceProgress, Store
from app.media.video import VideoWriter
from app.progress import Reporter
from app.sources.open import open_recording
from app.watching.sizes import SizeCheck
from detectors.types import Box, Pixels

BOX_COLOUR = (255, 84, 48)
HOLD_S = 0.5
"""A box stays so long after a sighting, so that it doesn't flicker over single missed frames."""


def annotate(
    store: Store,
    source: SourceProgress,
    events: list[Event],
    path: Path,
    sample_fps: float | None,
    reporter: Reporter,
    check: Callable[[], None],
) -> None:
    """Write the frames that were analysed, each with the boxes it was found to hold.

    Boxes and frames have the size that the detector learned; see `SizeCheck`.

    Raises:
        app.media.video.VideoError: If it cannot be written.
    """
    paths = [(event, store.sightings(event.id)) for event in events]
    times = [[pts_s for pts_s, _, _ in path] for _, path in paths]
    sizes = SizeCheck(source.size)
    length_s = max(source.seen_s - source.from_s, 0.0)
    with (
        open_recording(source.uri, sample_fps=sample_fps, start_s=source.from_s) as video,
        VideoWriter(path, source.size, sample_fps or video.info.fps or 25.0) as writer,
        reporter.task("Drawing the video", length_s) as meter,
    ):
        for taken in video.frames():
            check()
            if taken.pts_s > source.seen_s:
                break
            frame = sizes.fitted(taken)
            if frame is None:
                continue
            shown = [
                (event, box)
                for (event, path), seen in zip(paths, times, strict=True)
                if (box := box_at(path, seen, frame.pts_s)) is not None
            ]
            image = np.array(frame.image) if shown else frame.image
            for event, box in shown:
                draw_box(image, box, label(event))
            writer.write(image, frame.pts_s - source.from_s)
            meter.to(frame.pts_s - source.from_s)


def label(event: Event) -> str:
    """What is written at an event's box."""
    if event.kind == "camera":
        return event.name
    return f"{event.noun}{'' if event.sure else '?'} {100 * event.p:.0f}%" if event.noun else "?"


def box_at(path: list[tuple[float, Box, float]], times: list[float], pts_s: float) -> Box | None:
    """Where something was at a time: its newest sighting, if that is recent.

    Args:
        path: (pts_s, box, score) of its sightings in order, boxes in pixels of the frame.
        times: The first of each.
        pts_s: The time asked for, in seconds.
    """
    index = bisect_right(times, pts_s + 1e-6) - 1
    if index < 0 or pts_s - times[index] > HOLD_S:
        return None
    return path[index][1]


def draw_box(image: Pixels, box: Box, label: str) -> None:
    """Draw a box with its label into an image, in place.

    Args:
        image: RGB uint8 [H, W, 3], writable.
        box: In pixels of the image.
        label: What is written at it; nothing if empty.
    """
    height, width = image.shape[:2]
    thick = max(1, round(max(height, width) / 400))
    scale = max(height, width) / 1300
    corner = (round(box.x1), round(box.y1))
    cv2.rectangle(image, corner, (round(box.x2) - 1, round(box.y2) - 1), BOX_COLOUR, thick)
    if not label:
        return
    font = cv2.FONT_HERSHEY_DUPLEX
    (wide, high), base = cv2.getTextSize(label, font, scale, 1)
    top = round(box.y1) - high - base - 2
    top = top if top >= 0 else min(round(box.y2), height - high - base - 2)
    left = max(0, min(corner[0], width - wide - 4))
    cv2.rectangle(image, (left, top), (left + wide + 4, top + high + base + 2), BOX_COLOUR, -1)
    cv2.putText(
        image, label, (left + 2, top + high + 1), font, scale, (255, 255, 255), 1, cv2.LINE_AA
    )
