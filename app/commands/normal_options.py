"""Options that say what is normal in a recording."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
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
        str | None,
        typer.Option(
            metavar="VIDEO|auto",
            help="A video that holds nothing unusual, to learn from; auto takes the calmest part "
            "of the first video and says which.",
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
    def said(self) -> bool:
        """Whether anything is said."""
        options = (self.normal, self.normal_first, self.normal_from, self.normal_for)
        return any(option is not None for option in options)

    def resolved(self, videos: Sequence[Path], reporter: "Reporter") -> "Normal":
        """The same with the calmest part found, if that is asked for.

        Raises:
            UsageError: If there is no calm part.
            app.sources.base.SourceError: If the first video cannot be read.
        """
        from app.sources.open import check_recording
        from app.watching.first_look import choose

        if self.normal != AUTO:
            return self
        check_recording(videos[0])
        found = choose(videos[0], reporter)
        if found.from_s == 0:
            return Normal(normal_first=found.for_s)
        return Normal(normal_from=found.from_s, normal_for=found.for_s)

    def check(self, videos: Sequence[Path], detector: Path | None, fps: float | None) -> None:
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
        normal = Path(self.normal) if self.normal is not None else None
        check_audit(videos, normal, stretch, detector, fps)
