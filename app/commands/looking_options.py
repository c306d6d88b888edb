"""Groups of options of the commands that look at what a camera saw: how to look, how to learn."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    EmbedderSpec,
    Model,
    ScenarioFt,
    ScenarioName,
    ScenarioRoot,
    WrongNames,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from app.sites.model import OpenedSite
    from calibration.promise import Promise
    from detectors.configs import DetectorConfig
    from novic.kind_rules import KindRule

FalseEvents = Annotated[
    str,
    typer.Option(
        "--false-events",
        metavar="N/TIME",
        help="How many false events a camera may tell at most, as 1/day, 2/hour or 1/week; it says "
        "what the normal footage can show of it.",
    ),
]


def check_bar(bar: float | None) -> float | None:
    """What was typed as --bar, if it makes sense.

    Raises:
        UsageError: If it does not.
    """
    from calibration.promise import BARS

    if bar is not None and not BARS[0] <= bar <= BARS[1]:
        raise UsageError(f"--bar {bar:g}: must lie between {BARS[0]:g} and {BARS[1]:g}")
    return bar


@dataclass(frozen=True, slots=True)
class Looking:
    """Options of every command that looks at what a camera saw."""

    detector: Annotated[
        Path | None, typer.Option("--detector", help="A detector that was fitted before.")
    ] = None
    fps: Annotated[float, typer.Option(help="Frames a second to look at.")] = 5.0
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Look at every frame instead.")
    ] = False
    model: Model = None
    scenario: ScenarioName = None
    ft: ScenarioFt = None
    root: ScenarioRoot = None
    embedder: EmbedderSpec = None
    wrong_names: WrongNames = None
    camera: Annotated[str, typer.Option(help="Name of the camera in the results.")] = ""
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Polygon that is not watched: x,y x,y x,y as shares of width, height."),
    ] = None

    tell: Annotated[
        list[str] | None,
        typer.Option(
            "--tell",
            metavar="KINDS",
            help="Tell only such things, as 'any animal but the cat' or 'person or vehicle'; "
            "others are kept, but silent. Several are joined.",
        ),
    ] = None
    false_events: FalseEvents = "1/hour"
    bar: Annotated[
        float | None,
        typer.Option(
            "--bar",
            metavar="X",
            help="How unusual a thing must be to be told, in place of what --false-events chooses: "
            "1 as the detector learned, less for more events. nomaly events why tells it.",
        ),
    ] = None

    blur_people: Annotated[
        bool,
        typer.Option(
            "--blur-people",
            help="Make people unrecognisable in every picture that is kept or shown; the live "
            "picture is coarse, and no annotated.mp4 is written. Some are missed, see "
            "docs/safety.md.",
        ),
    ] = False

    @property
    def promise(self) -> "Promise":
        """How many false events the camera may tell.

        Raises:
            UsageError: If what was typed is no promise.
        """
        from calibration.promise import Promise

        return Promise.parse(self.false_events)

    @property
    def wanted(self) -> "tuple[KindRule, ...]":
        """What is told; nothing for all.

        Raises:
            UsageError: If what was typed names nothing.
        """
        from novic.kind_rules import KindRule

        return tuple(KindRule.parse(text) for text in self.tell or ())

    @property
    def checked_bar(self) -> float | None:
        """What the detector's maps are divided by; None to keep the promise.

        Raises:
            UsageError: If it is no number that makes sense.
        """
        return check_bar(self.bar)

    @property
    def pace(self) -> float | None:
        """Frames a second to look at; None for every one."""
        return None if self.every_frame else self.fps

    def open_site(self, *, taught: bool) -> "OpenedSite":
        """What the run looks and names with; `taught` if it learns from normal footage."""
        from app.sites.model import open_site

        return open_site(
            self.scenario,
            self.ft,
            self.root,
            model=self.model,
            detector=self.detector,
            exclude=self.exclude or (),
            taught=taught,
        )


@dataclass(frozen=True, slots=True)
class Learning:
    """Options of every command whose detector learns what is normal."""

    detector_model: Annotated[
        str | None,
        typer.Option(
            help="Kind of detector that learns; `nomaly fit --help` lists them.  [default: padim]"
        ),
    ] = None
    detector_setting: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A setting of it, for example passes=320; more of them one by one.",
        ),
    ] = None

    def config(
        self, *, fitted: Path | None = None, site: "DetectorConfig | None" = None
    ) -> "DetectorConfig":
        """What the detector is made of.

        Args:
            fitted: A detector that has learned already, if the run looks with one.
            site: What the scenario says; single settings of the command line come on top of it.

        Raises:
            UsageError: If settings are given for a detector that has learned, or one has no value.
            detectors.configs.DetectorConfigError: If there is no such detector or setting.
        """
        from detectors.configs import PadimConfig, parse_config, read_config

        if fitted is not None and (self.detector_model or self.detector_setting):
            raise UsageError(
                "--detector-model and --detector-setting are for a detector that learns; "
                f"{fitted} has learned already"
            )
        base = site or PadimConfig()
        settings = dict(setting_of(word) for word in self.detector_setting or [])
        told = parse_config(self.detector_model or base.kind, settings)
        if self.detector_model:
            return told
        return read_config(base.model_dump() | told.model_dump(include=told.model_fields_set))


def setting_of(word: str) -> tuple[str, str]:
    """Name and value of a --detector-setting.

    Raises:
        UsageError: If it is no such pair.
    """
    name, _, value = word.partition("=")
    if not (name and value):
        raise UsageError(f"--detector-setting {word}: write NAME=VALUE, for example passes=320")
    return name, value
