"""What of a wish cannot work, told before any model is loaded: nothing here needs torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.paths import shown_path, uri_of
from app.sources.base import SourceError
from app.sources.glance import ends_before
from app.sources.open import check_recording, open_recording
from app.watching.sizes import same_shape
from detectors.files import read_facts

SAY_NORMAL = (
    "say what is normal: exactly one of --normal VIDEO, --normal-first SECONDS, "
    "--normal-from with --normal-for, and --detector FOLDER"
)


@dataclass(frozen=True, slots=True)
class NormalStretch:
    """The part of a recording that shows nothing unusual."""

    from_s: float
    for_s: float

    @property
    def until_s(self) -> float:
        """Its end, in seconds from the start of the recording."""
        return self.from_s + self.for_s


def normal_stretch(
    first_s: float | None, from_s: float | None, for_s: float | None
) -> NormalStretch | None:
    """What --normal-first, or --normal-from and --normal-for, say; None if nothing.

    Raises:
        UsageError: If they contradict each other or are no stretch.
    """
    if first_s is not None and (from_s is not None or for_s is not None):
        raise UsageError("--normal-first says from the start; give it, or --normal-from and -for")
    if first_s is not None:
        _check_seconds("--normal-first", first_s)
        return NormalStretch(0.0, first_s)
    if from_s is None and for_s is None:
        return None
    if from_s is None or for_s is None:
        raise UsageError("--normal-from SECONDS and --normal-for SECONDS belong together")
    if not (math.isfinite(from_s) and from_s >= 0):
        raise UsageError(f"--normal-from {from_s:g}: must be 0 seconds or more")
    _check_seconds("--normal-for", for_s)
    return NormalStretch(from_s, for_s)


def check_audit(
    videos: Sequence[Path],
    normal: Sequence[Path],
    stretch: NormalStretch | None,
    detector: Path | None,
    fps: float | None,
    assume_fps: float | None,
) -> None:
    """Refuse what cannot work before anything is loaded.

    Raises:
        UsageError: If so; the text says what to change.
        app.sources.base.SourceError: If the normal footage cannot be read.
        detectors.base.DetectorError: If the detector is none.
    """
    check_videos(videos)
    if sum(value is not None for value in (normal or None, stretch, detector)) != 1:
        raise UsageError(SAY_NORMAL)
    check_pace(fps)
    check_assumed(assume_fps)
    for video in normal:
        check_recording(video)
    if stretch is not None:
        check_recording(videos[0])
        option = (
            "--normal-first" if stretch.from_s == 0 else "--normal-from and --normal-for, until"
        )
        check_length(videos[0], stretch, option, assume_fps)
    if detector is not None:
        check_detector(detector, videos)


def check_videos(videos: Sequence[Path]) -> None:
    """Refuse videos that are named twice, and those none of which is there.

    Raises:
        UsageError: If so; one of several that is missing is told when its turn comes.
    """
    if len(set(videos)) != len(videos):
        raise UsageError("a video is named twice")
    faults = []
    for video in videos:
        try:
            check_recording(video)
        except UsageError as error:
            faults.append(error)
    if len(faults) == len(videos):
        raise faults[0]


def check_length(
    video: Path, stretch: NormalStretch, option: str, assume_fps: float | None = None
) -> None:
    """Refuse normal footage beyond the end of its recording.

    Raises:
        UsageError: If the recording surely ends before the stretch does.
    """
    end_s = ends_before(video, stretch.until_s, assume_fps)
    if end_s is not None:
        raise UsageError(
            f"{option} {stretch.until_s:g}: {video} ends after {end_s:.1f} s; name fewer seconds"
        )


def check_detector(detector: Path, videos: Sequence[Path]) -> None:
    """Refuse a detector that is none, or that learned another view than a video shows.

    Raises:
        UsageError: If there is no such folder, or all videos' pictures have another shape; one of
            several that has is told when its turn comes.
        detectors.base.DetectorError: If there is no detector in the folder.
    """
    if not detector.exists():
        raise UsageError(f"--detector {detector}: there is no such folder")
    height, width = (int(side) for side in read_facts(detector).get("frame_size") or (0, 0))
    others = [size for video in videos if (size := _other_shape(video, (height, width)))]
    if len(others) == len(videos):
        (high, wide), name = others[0], shown_path(videos[0])
        raise UsageError(
            f"{name}: its pictures of {wide}x{high} pixels have another shape than "
            f"the {width}x{height} that --detector {detector} was fitted on: fit one for this view"
        )


def check_pace(fps: float | None) -> None:
    """Refuse a pace that is none.

    Raises:
        UsageError: If it is not above 0.
    """
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise UsageError(f"--fps {fps:g}: must be above 0; use --every-frame for all")


def check_assumed(assume_fps: float | None) -> None:
    """Refuse a rate of frames that is none.

    Raises:
        UsageError: If it is not above 0.
    """
    if assume_fps is not None and not (math.isfinite(assume_fps) and assume_fps > 0):
        raise UsageError(f"--assume-fps {assume_fps:g}: must be above 0 frames a second")


def _check_seconds(option: str, seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds > 0):
        raise UsageError(f"{option} {seconds:g}: must be above 0 seconds")


def _other_shape(video: Path, fitted: tuple[int, int]) -> tuple[int, int] | None:
    """(height, width) of a video's first picture; None if it fits or cannot be read."""
    try:
        with open_recording(uri_of(video)) as recording:
            size = recording.info.size
    except SourceError:
        return None
    return size if fitted[1] and not same_shape(size, fitted) else None
