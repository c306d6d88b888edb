"""The audited video once more, with boxes, names and the time drawn in.

Its clock is the recording's own: what an event's times say is where a player finds it. The part
that was learned from is not drawn again; one still picture stands for it.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from app.events.event import Event
from app.events.outputs import drawn_name
from app.events.reading import SourceProgress, StoreReader
from app.media.video import VideoError, VideoWriter
from app.progress import Reporter
from app.report.times import clock, wall
from app.sources.base import Recording
from app.watching.sizes import SizeCheck
from detectors.types import Box, Pixels

BOX_COLOUR = (255, 84, 48)
FONT = cv2.FONT_HERSHEY_DUPLEX
type Sighting = tuple[float, Box, float]
"""When something was seen, in seconds, where, in pixels of the frame, and its score."""

HOLD_S = 0.5
"""A box stays so long after a sighting, so that it doesn't flicker over single missed frames."""


def annotate(
    opened: Recording,
    source: SourceProgress,
    sightings: Mapping[Event, Sequence[Sighting]],
    path: Path,
    sample_fps: float | None,
    reporter: Reporter,
    check: Callable[[], None],
) -> None:
    """Write the frames that were analysed, each with its time and the boxes it was found to hold.

    Boxes and frames have the size that the detector learned; see `SizeCheck`.

    Args:
        opened: The recording from where the audit began, with the frames that it took.
        source: How far it was audited.
        sightings: The events that were found in it, and where they were seen.
        path: The file to write.
        sample_fps: Frames a second that were taken; None for all.
        reporter: Told how far the drawing is.
        check: Raises if the user wants to stop.

    Raises:
        app.media.video.VideoError: If it cannot be written.
    """
    paths = [(event, list(path)) for event, path in sightings.items()]
    times = [[pts_s for pts_s, _, _ in path] for _, path in paths]
    sizes, begun = SizeCheck(source.size), False
    length_s = max(source.seen_s - source.from_s, 0.0)
    with (
        opened as video,
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
            image = np.array(frame.image)
            if not begun and source.from_s > 0:
                writer.write(_still(image, source.from_s), 0.0)
            begun = True
            for (event, seen_at), seen in zip(paths, times, strict=True):
                box = box_at(seen_at, seen, frame.pts_s)
                if box is not None:
                    draw_box(image, box, label(event))
            draw_text(image, _time(source, frame.pts_s))
            writer.write(image, frame.pts_s)
            meter.to(frame.pts_s - source.from_s)


def label(event: Event) -> str:
    """What is written at an event's box."""
    p = event.headline_p
    return event.headline if p is None else f"{event.headline} {100 * p:.0f}%"


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
    wide, high = _text_size(label, scale)
    top = round(box.y1) - high
    top = top if top >= 0 else min(round(box.y2), height - high)
    _write_text(image, label, (max(0, min(corner[0], width - wide)), top), scale, BOX_COLOUR)


def draw_text(image: Pixels, text: str) -> None:
    """Write a line of ASCII into the lower left corner of an image, in place.

    Args:
        image: RGB uint8 [H, W, 3], writable.
        text: What is written.
    """
    height, width = image.shape[:2]
    scale = max(height, width) / 1500
    wide, high = _text_size(text, scale)
    scale *= min(1.0, width / wide)
    _write_text(image, text, (0, height - high), scale, (0, 0, 0))


def _write_text(
    image: Pixels, text: str, corner: tuple[int, int], scale: float, ground: tuple[int, int, int]
) -> None:
    """White letters on a filled rectangle whose left upper corner is given."""
    (_, high), _ = cv2.getTextSize(text, FONT, scale, 1)
    (left, top), (wide, tall) = corner, _text_size(text, scale)
    cv2.rectangle(image, corner, (left + wide, top + tall), ground, -1)
    place = (left + 2, top + high + 1)
    cv2.putText(image, text, place, FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)


def _text_size(text: str, scale: float) -> tuple[int, int]:
    """Width and height of a line with its ground, pixels."""
    (wide, high), base = cv2.getTextSize(text, FONT, scale, 1)
    return wide + 4, high + base + 2


def _time(source: SourceProgress, pts_s: float) -> str:
    """What the clock of a frame says: the recording's, and the wall's as far as it is known."""
    if source.start_us is None:
        return clock(pts_s)
    return (
        f"{clock(pts_s)}  {wall(source.start_us + round(pts_s * 1e6), source.time_from)}".rstrip()
    )


def _still(image: Pixels, until_s: float) -> Pixels:
    """What stands for the time that was learned from."""
    still = (image // 3).astype(np.uint8)
    draw_text(still, f"0:00.0 - {clock(until_s)}  learned as normal, not looked at")
    return still


def draw_all(
    store: StoreReader,
    run_id: int,
    opened: Callable[[SourceProgress], Recording],
    out: Path,
    fps: float | None,
    reporter: Reporter,
    check: Callable[[], None],
) -> list[str]:
    """Write the annotated video of each source of a run.

    Args:
        store: What was found.
        run_id: Of the run.
        opened: Opens a source where it was looked at from.
        out: Where the videos go.
        fps: Frames a second that were looked at.
        reporter: Shows how far it is.
        check: Raises to stop.

    Returns:
        Why some could not be written, a sentence each: the findings are worth more than their
        drawing.
    """
    failed: list[str] = []
    sources, events = store.sources(run_id), store.events(run_id)
    for number, source in enumerate(sources, start=1):
        seen = {
            event: store.sightings(event.id)
            for event in events
            if event.video == source.uri and not event.muted
        }
        video = out / drawn_name(number, len(sources))
        try:
            annotate(opened(source), source, seen, video, fps, reporter, check)
        except VideoError as error:
            failed.append(str(error))
    return failed
