"""What normal footage shows of a promise: all of it looked at in the order of time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Any

from app.paths import uri_of
from app.progress import Reporter
from app.sources.base import Recording
from app.sources.open import open_recording
from app.watching.keeper import keeper_of, lowest_level, told, write_evidence
from calibration.evidence import Evidence
from calibration.levels import OpeningLevels
from calibration.promise import Promise
from detectors.base import Detector
from detectors.files import PROMISE
from detectors.finding import Finder
from detectors.frames import BATCH
from detectors.scaling import resized
from detectors.tracks import TrackRule
from detectors.types import Frame
from detectors.zones import Zones

AMPLE = 1.25
"""Times the footage that a promise needs; more is not looked at."""
BLOCK_S = 60.0
"""Where there is more, it is looked at in stretches of so many seconds, evenly spread."""


@dataclass(frozen=True, slots=True)
class Footage:
    """Recordings that hold nothing unusual, all of one view."""

    videos: tuple[Path, ...]
    from_s: float = 0.0
    for_s: float | None = None
    """How much of each; None for all."""
    fps: float | None = 5.0
    """Frames a second that are looked at; None for every one."""
    assume_fps: float | None = None

    def open(self, video: Path) -> Recording:
        """One of them, at its pace."""
        return open_recording(
            uri_of(video), sample_fps=self.fps, start_s=self.from_s, assume_fps=self.assume_fps
        )

    def lasts_s(self, video: Path) -> float:
        """How many seconds of one are normal, as far as it announces its length; else 0."""
        with self.open(video) as recording:
            left_s = max(0.0, recording.info.duration_s - self.from_s)
        return left_s if self.for_s is None else min(left_s, self.for_s)


@dataclass(frozen=True, slots=True)
class Following:
    """How the camera will follow what it sees."""

    rule: TrackRule = field(default_factory=TrackRule)
    zones: Zones = field(default_factory=Zones)


def measured(
    detector: Detector,
    folder: Path,
    footage: Footage,
    promise: Promise,
    reporter: Reporter,
    check: Callable[[], None],
    following: Following | None = None,
) -> dict[str, Any]:
    """Keep beside a detector what its normal footage shows of a promise, and say it.

    Args:
        detector: Fitted to the footage.
        folder: Where it was saved.
        footage: All that is normal.
        promise: What shall be shown.
        reporter: Told how far it is, and what is shown.
        check: Raises if the user wants to stop.
        following: As the camera will follow; the defaults if not given.

    Returns:
        What is kept, as scripts read it.

    Raises:
        app.sources.base.SourceError: If a file cannot be read.
        detectors.base.DetectorError: If frames do not fit the detector.
    """
    how = following or Following()
    evidence = normal_evidence(detector, footage, promise, how, reporter, check)
    write_evidence(folder / PROMISE, evidence, folder, reporter.say)
    kept = keeper_of(detector, folder, promise, reporter.say).kept
    reporter.say(told(kept))
    return kept.as_json()


def normal_evidence(
    detector: Detector,
    footage: Footage,
    promise: Promise,
    following: Following,
    reporter: Reporter,
    check: Callable[[], None],
) -> Evidence:
    """Look at normal footage in the order of time, and note at which level it would have rung.

    Args:
        detector: Fitted to it.
        footage: What to look at.
        promise: Decides how much is looked at: nothing where all of it would not show it.
        following: As the camera will follow.
        reporter: Told how far it is.
        check: Raises if the user wants to stop.

    Raises:
        app.sources.base.SourceError: If a file cannot be read.
        detectors.base.DetectorError: If frames do not fit the detector.
    """
    evidence = Evidence(lowest_level(detector.peak))
    lengths = [footage.lasts_s(video) for video in footage.videos]
    needed_s, total_s = 3600 * promise.needs_hours, sum(lengths)
    if total_s < 0.99 * needed_s:
        return evidence
    wanted = min(1.0, AMPLE * needed_s / total_s)
    levels = OpeningLevels(Finder(detector.view), following.rule, evidence.lowest)
    last_s = 0.0
    with reporter.task("Measuring what is normal", wanted * total_s) as meter:
        for frames in batched(_frames(footage, detector, wanted), BATCH):
            check()
            maps = detector.detect([frame.image for frame in frames]).maps
            mask = following.zones.grid((maps.shape[1], maps.shape[2]))
            for frame, heat in zip(frames, maps, strict=True):
                levels.see(frame, heat, mask)
                last_s = frame.time_us / 1e6
            meter.to(levels.watched_s)
    levels.finish()
    evidence.add(levels.take(), last_s)
    return evidence


def _frames(footage: Footage, detector: Detector, wanted: float) -> Iterator[Frame]:
    """The frames of a share of the footage, in blocks that lie evenly over it."""
    size = detector.frame_size
    for video in footage.videos:
        with footage.open(video) as recording:
            for frame in recording.frames():
                at_s = frame.pts_s - footage.from_s
                if footage.for_s is not None and at_s >= footage.for_s:
                    break
                block = int(at_s // BLOCK_S)
                if size is None or int((block + 1) * wanted) == int(block * wanted):
                    continue
                image = resized(frame.image, size)
                yield Frame(frame.camera, frame.index, frame.pts_s, frame.time_us, image)
