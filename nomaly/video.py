"""Frames out of video files."""

from collections.abc import Iterator
from pathlib import Path

from app.sources.open import open_recording
from detectors.types import Frame


def read_frames(
    video: str | Path, *, fps: float | None = 5.0, from_s: float = 0.0, to_s: float | None = None
) -> Iterator[Frame]:
    """Read the frames of a video file, upright and in RGB, in the order they were taken.

    Args:
        video: The file.
        fps: Frames a second, on a grid of the frames' own times; None for every frame.
        from_s: Where to begin, seconds from its start.
        to_s: Where to end, itself excluded; None for the end of the file.

    Raises:
        NomalyError: While frames are read, if the file is no video or breaks.
    """
    with open_recording(str(video), sample_fps=fps, start_s=from_s) as source:
        for frame in source.frames():
            if to_s is not None and frame.pts_s >= to_s:
                return
            yield frame
