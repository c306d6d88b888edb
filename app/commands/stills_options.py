"""Options of the commands that learn from stills."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.looking_options import setting_of
from app.errors import UsageError

if TYPE_CHECKING:
    from app.inspecting.request import FitRequest


@dataclass(frozen=True, slots=True)
class StillsLearning:
    """How a detector of stills is made."""

    detector_model: Annotated[
        str | None, typer.Option(help="Kind of detector that learns; by default what suits stills.")
    ] = None
    detector_setting: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A setting of it, for example longer_side=384; more of them one by one.",
        ),
    ] = None
    false_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of good images that may be called defective; by default 0.01.",
        ),
    ] = None

    def request(self, device: str, *, fitted: Path | None = None) -> "FitRequest":
        """What to learn with.

        Args:
            device: Where.
            fitted: A detector that has learned already, if one is used.

        Raises:
            UsageError: If something is given for a detector that has learned, or makes no sense.
            detectors.configs.DetectorConfigError: If there is no such detector or setting.
        """
        said = (self.detector_model, self.detector_setting, self.false_share)
        if fitted is not None and any(one is not None for one in said):
            raise UsageError(
                "--detector-model, --detector-setting and --false-share are for a detector that "
                f"learns; {fitted} has learned already"
            )
        share = self.false_share
        if share is not None and not 0 < share <= 0.5:
            raise UsageError(f"--false-share {share:g}: must be above 0, and 0.5 at most")

        from app.inspecting.request import SHARE, fit_request

        settings = dict(setting_of(word) for word in self.detector_setting or [])
        return fit_request(self.detector_model, settings, share or SHARE, device)
