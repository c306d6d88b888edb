"""What an audit is told: which videos, what of them is normal, and what decides the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.paths import uri_of
from app.sources.sequence import sequence_files
from app.watching.checks import NormalStretch, check_audit, normal_stretch
from app.watching.clip_rule import ClipRule
from app.watching.request import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest(RunRequest):
    """What to audit and how."""

    videos: tuple[Path, ...]
    normal: tuple[Path, ...] = ()
    """Footage that holds nothing unusual, all of one view."""
    normal_first_s: float | None = None
    """Or: so many seconds at the start of the first video hold nothing unusual."""
    normal_from_s: float | None = None
    """Or: from so many seconds on,"""
    normal_for_s: float | None = None
    """for so many, the first video holds nothing unusual; all of it is audited."""
    start: datetime | None = None
    """When the recording began, with its zone; None where the file must tell."""
    assume_fps: float | None = None
    """Frames a second that count instead of the videos' time stamps; None to go by these."""
    draw: bool = True
    """Write the annotated video."""
    clips: ClipRule | None = None
    """How long the clips of events are; None for none."""
    each: bool = False
    """Whether every video is a recording of its own, whatever their times say."""

    @property
    def normal_stretch(self) -> NormalStretch | None:
        """The part of the first video that is normal, if one is said.

        Raises:
            UsageError: If what is said is no stretch.
        """
        return normal_stretch(self.normal_first_s, self.normal_from_s, self.normal_for_s)

    def unsaid(self) -> dict[str, Any]:
        """See `RunRequest.unsaid`."""
        later = dict.fromkeys(("start", "normal_from_s", "normal_for_s", "assume_fps"))
        return {**later, "each": False, **RunRequest.unsaid(self)}

    def check(self) -> None:
        """Refuse what cannot work before anything is loaded.

        Raises:
            UsageError: If so.
            app.sources.base.SourceError: If footage to learn from cannot be read.
            detectors.base.DetectorError: If the detector is none.
        """
        if self.clips is not None and self.assume_fps is not None:
            raise UsageError("--clips goes by the videos' time stamps; leave out --assume-fps")
        if self.clips is not None and self.blur_people:
            raise UsageError("--clips and --blur-people are given; clips show people as they are")
        if self.start is not None and len(self.videos) > 1:
            raise UsageError("--start says when one recording began; audit several one by one")
        check_audit(
            self.videos,
            self.normal,
            self.normal_stretch,
            self.detector,
            self.fps,
            self.assume_fps,
        )

    def settings(self) -> dict[str, Any]:
        """What decides the result of an audit, as it comes back from the store."""
        return {
            "videos": [_identity(video) for video in self.videos],
            "normal": _identities(self.normal),
            "normal_first_s": self.normal_first_s,
            "normal_from_s": self.normal_from_s,
            "normal_for_s": self.normal_for_s,
            "start": self.start.astimezone(UTC).isoformat() if self.start else None,
            "assume_fps": self.assume_fps,
            "each": self.each,
            **RunRequest.settings(self),
        }


def _identities(normal: Sequence[Path]) -> list[Any] | None:
    """None, that of the one video (as stores of before December 2026 have it), or those of all."""
    known = [_identity(video) for video in normal]
    return known[0] if len(known) == 1 else known or None


def _identity(video: Path) -> list[Any]:
    if images := sequence_files(video):
        facts = [image.stat() for image in images]
        newest = max(fact.st_mtime_ns for fact in facts)
        return [uri_of(video), sum(fact.st_size for fact in facts), newest]
    try:
        facts = video.stat()
    except FileNotFoundError:  # one of several: told when its turn comes
        return [uri_of(video), None, None]
    return [uri_of(video), facts.st_size, facts.st_mtime_ns]
