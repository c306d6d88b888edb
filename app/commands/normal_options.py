"""Options that say what is normal in a recording."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.progress import Reporter

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Normal:
    """What --normal and its like say; one of them, or a detector that has learned."""

    normal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VIDEO|auto",
            help="A video that holds nothing unusual, to learn from; several may be named, for "
            "example by day and by night. auto takes the calmest part of the first video and says "
            "which.",
        ),
    ] = None
    normal_first: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Or: so much of the start of the first video is normal, and is not audited.",
        ),
    ] = None
    normal_from: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Or: a part of the first video is normal, from here on ...",
        ),
    ] = None
    normal_for: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="... for so long; all of the video is audited.",
        ),
    ] = None

    @property
    def videos(self) -> tuple[Path, ...]:
        """The files that --normal names."""
        return tuple(Path(video) for video in self.normal or ())

    @property
    def said(self) -> bool:
        """Whether anything is said."""
        options = (self.normal, self.normal_first, self.normal_from, self.normal_for)
        return any(option is not None for option in options)

    def resolved(self, videos: Sequence[Path], reporter: "Reporter") -> "Normal":
        """The same with the files of folders, or with the calmest part if that is asked for.

        Raises:
            UsageError: If there is no calm part, or no video in a folder.
            app.sources.base.SourceError: If the first video cannot be read.
        """
        from app.sources.folder import find_videos
        from app.sources.open import check_recording
        from app.watching.first_look import choose

        if self.normal != [AUTO]:
            found = find_videos(self.videos, reporter.say)
            return replace(self, normal=[str(video) for video in found] or None)
        check_recording(videos[0])
        calmest = choose(videos[0], reporter)
        if calmest.from_s == 0:
            return Normal(normal_first=calmest.for_s)
        return Normal(normal_from=calmest.from_s, normal_for=calmest.for_s)

    def check(
        self,
        videos: Sequence[Path],
        detector: Path | None,
        fps: float | None,
        assume_fps: float | None,
    ) -> None:
        """Refuse what cannot work, and answer who does not say what is normal.

        Raises:
            UsageError: If something must be said otherwise; the text says how.
            app.sources.base.SourceError: If a video that is needed cannot be read.
            detectors.base.DetectorError: If the detector is none.
        """
        from app.sources.open import check_recording
        from app.watching.checks import check_audit, normal_stretch
        from app.watching.first_look import advise

        if not self.said and detector is None:
            check_recording(videos[0])
            typed = sys.argv[1:] if sys.argv[1:2] == ["audit"] else ["audit", *map(str, videos)]
            raise advise(videos[0], typed)
        stretch = normal_stretch(self.normal_first, self.normal_from, self.normal_for)
        check_audit(videos, self.videos, stretch, detector, fps, assume_fps)
