"""What normal footage shows of a promise: all of it looked at in the order of time."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import batched
from pathlib import Path
from typing import Any

from app.paths import uri_of
from app.progress import Reporter
from app.sources.base import Recording, TimeFrom
from app.sources.open import open_recording
from app.watching.keeper import keeper_of, lowest_level, told, write_evidence
from app.watching.stirring import tolerating
from calibration.levels import OpeningLevels
from calibration.promise import Promise
from calibration.remembered import RememberedLevels
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
SHORT_S = 600.0
"""Footage in which what moves is looked for."""
BLOCK_S = 60.0
"""Longer footage is looked at in stretches of so many seconds, evenly spread."""


@dataclass(frozen=True)
class Footage:
    """Recordings that hold nothing unusual, all of one view."""

    videos: tuple[Path, ...]
    from_s: float = 0.0
    for_s: float | None = None
    """How much of each; None for all."""
    fps: float | None = 5.0
    """Frames a second that are looked at; None for every one."""
    assume_fps: float | None = None

    @cached_property
    def length_s(self) -> float:
        """How many seconds of it are normal, as far as the files announce their lengths."""
        return sum(self._lasts_s(video) for video in self.videos)

    @property
    def time_from(self) -> TimeFrom:
        """What the clock of its first file rests on."""
        with self._open(self.videos[0]) as recording:
            return recording.info.time_from

    def frames(
        self, size: tuple[int, int], share: float = 1.0, behind_s: float = 0.0
    ) -> Iterator[Frame]:
        """Its frames in the order of time, one file behind the other.

        Args:
            size: (height, width) that they are scaled to, in pixels.
            share: Of it that is looked at, in blocks that lie evenly over it.
            behind_s: Seconds of other footage that came before; blocks are counted from its start.

        Raises:
            app.sources.base.SourceError: If a file cannot be read.
        """
        before_s = 0.0
        for number, video in enumerate(self.videos):
            at_s = 0.0
            with self._open(video) as recording:
                for frame in recording.frames():
                    at_s = frame.pts_s - self.from_s
                    if self.for_s is not None and at_s >= self.for_s:
                        break
                    block = int((behind_s + before_s + at_s) // BLOCK_S)
                    if int((block + 1) * share) > int(block * share):
                        image = resized(frame.image, size)
                        # Films lie further apart than frames of one film ever do.
                        pts_s = before_s + at_s + number * BLOCK_S
                        yield replace(frame, pts_s=pts_s, image=image)
            before_s += at_s

    def _open(self, video: Path) -> Recording:
        return open_recording(
            uri_of(video), sample_fps=self.fps, start_s=self.from_s, assume_fps=self.assume_fps
        )

    def _lasts_s(self, video: Path) -> float:
        with self._open(video) as recording:
            announced_s = recording.info.duration_s or math.inf
        lasts_s = min(max(0.0, announced_s - self.from_s), self.for_s or math.inf)
        return lasts_s if math.isfinite(lasts_s) else 0.0


@dataclass(frozen=True, slots=True)
class Following:
    """How the camera will follow what it sees."""

    rule: TrackRule = field(default_factory=TrackRule)
    zones: Zones = field(default_factory=Zones)


def tolerant(
    detector: Detector, footage: Footage, reporter: Reporter, check: Callable[[], None]
) -> Detector:
    """A detector that bears what moves again and again in footage; see `tolerating`.

    Raises:
        app.sources.base.SourceError: If a file cannot be read.
        detectors.base.DetectorError: If frames do not fit the detector.
    """
    if detector.frame_size is None or footage.length_s <= 0:
        return detector
    share = min(1.0, SHORT_S / footage.length_s)
    frames = footage.frames(detector.frame_size, share)
    return tolerating(detector, frames, footage.length_s, reporter, check)


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
    kept = keeper_of(detector, folder, promise, reporter.say, rule=how.rule).kept
    reporter.say(told(kept))
    return kept.as_json()


def normal_evidence(
    detector: Detector,
    footage: Footage,
    promise: Promise,
    following: Following,
    reporter: Reporter,
    check: Callable[[], None],
) -> RememberedLevels:
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
    evidence = RememberedLevels(lowest_level(detector.peak))
    needed_s, total_s = 3600 * promise.needs_hours, footage.length_s
    if total_s < 0.99 * needed_s or detector.frame_size is None:
        return evidence
    wanted = 1.0 if total_s < 5 * BLOCK_S else min(1.0, AMPLE * needed_s / total_s)
    levels = OpeningLevels(Finder(detector.view), following.rule, evidence.lowest)
    last_s = 0.0
    with reporter.task("Measuring what is normal", wanted * total_s) as meter:
        for frames in batched(footage.frames(detector.frame_size, wanted), BATCH):
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
