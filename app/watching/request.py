"""What every run that looks for anomalies is told, recorded or live."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from app.feedback.heeding import Heeding, Wanted
from app.feedback.verdicts import Verdicts
from app.habits.surprise import Habits
from app.sinks.build import AnySink
from app.watching.holding import Holding
from app.watching.namer import Words
from calibration.promise import DEFAULT, Promise
from calibration.site.files import dictionary_sha256, read_calibration
from detectors.configs import DetectorConfig, PadimConfig
from detectors.files import read_facts
from detectors.tracks import TrackRule
from detectors.zones import Zones
from novic.kind_rules import KindRule
from novic.model import (
    ModelOptions,
    NounModel,
    load_model,
    model_certainty,
    model_sha256,
)
from scenarios.belonging_rule import BelongingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Where results go, and what looks."""

    out: Path
    detector: Path | None = None
    """A detector that was fitted before, instead of learning from normal footage."""
    detector_config: DetectorConfig = field(default_factory=PadimConfig)
    """What a detector that learns in this run is made of."""
    fps: float | None = 5.0
    """Frames a second that are looked at; None for every frame, live for as many as can be."""
    device: str = "auto"
    model: Path | None = None
    """Decoder bundle or checkpoint that names things; None for what Nomaly ships."""
    embedder: str | None = None
    """Spec of the model's embedder from elsewhere; None as the model names it."""
    wrong_names: float | None = None
    """See `novic.model.ModelOptions`."""
    camera: str = ""
    zones: Zones = field(default_factory=Zones)
    rule: TrackRule = field(default_factory=TrackRule)
    """When something counts as an event, and when it is over."""
    promise: Promise = DEFAULT
    """How many false events the camera may tell."""
    bar: float | None = None
    """What the detector's maps are divided by, whatever was promised; None to choose."""
    belonging: BelongingRule = field(default_factory=BelongingRule)
    """When a named thing belongs to the site."""
    tell: tuple[KindRule, ...] = ()
    """Which things are told, those that any of them wants; all if there are none."""
    overwrite: bool = False
    blur_people: bool = False
    """Whether people are made unrecognisable in every picture that is kept or shown."""
    sinks: tuple[AnySink, ...] = ()
    """Who is given every event state besides."""

    @property
    def naming(self) -> ModelOptions:
        """How the decoder is used."""
        return ModelOptions(embedder=self.embedder, wrong_names=self.wrong_names)

    @property
    def kept_detector(self) -> Path:
        """Where the detector lies that the run learned."""
        return self.out / "detector"

    @property
    def detector_folder(self) -> Path:
        """Where the detector lies that looks, with its calibration beside it."""
        return self.detector or self.kept_detector

    @property
    def verdicts(self) -> Verdicts:
        """What people said of events that the detector of this run, or of one before, found."""
        return Verdicts(self.detector_folder)

    def heeding(self, names: NounModel, say: Callable[[str], None]) -> Heeding:
        """What silences events: what people said, and what is not wanted; and what is usual.

        Args:
            names: What names things.
            say: Told in a sentence that verdicts cannot be read.
        """
        wanted = Wanted(self.tell, names.certainty) if self.tell else None
        habits = Habits(self.out)
        return Heeding(self.verdicts, names.bundle.embedder, say, wanted, habits.told)

    def holding(self, names: NounModel, say: Callable[[str], None]) -> Holding | None:
        """The calibration of the camera, as long as it holds; None if there is none.

        Args:
            names: What names things.
            say: Told in a sentence that it cannot be used, or holds no longer.
        """
        folder = self.detector_folder
        site = read_calibration(
            folder,
            embedder=names.embedder.spec,
            decoder_sha256=model_sha256(self.model),
            detector_sha256=read_facts(folder)["weights_sha256"],
            dictionary_sha256=dictionary_sha256(names.bundle.tokens.nouns),
            say=say,
        )
        return None if site is None else Holding(site, say, self.belonging)

    def words(self, names: NounModel, holding: Holding | None) -> Words:
        """What is known of the nouns that things are named by, here where the detector looks."""
        return Words.of(names, holding, self.belonging)

    def load_names(self, device: torch.device, *, later: bool = False) -> NounModel:
        """What names things; see `novic.model.load_model` for `later`.

        Raises:
            UsageError: If something is to be told that it never says.
            NomalyError: If it cannot be loaded.
        """
        names = load_model(self.model, device, self.naming, many_images=True, later=later)
        for rule in self.tell:
            rule.check(names.bundle.tokens.nouns)
        return names

    def settings(self) -> dict[str, Any]:
        """What decides the result besides the source, as it comes back from the store."""
        settings = {
            "detector": str(self.detector) if self.detector else None,
            "detector_config": None if self.detector else self.detector_config.model_dump(),
            "fps": self.fps,
            "namer": model_sha256(self.model),
            "embedder": self.embedder,
            "wrong_names": self.wrong_names,
            "camera": self.camera,
            "zones": asdict(self.zones),
            "rule": self.rule.model_dump(),
            "false_events": str(self.promise),
            "bar": self.bar,
            "tell": [rule.text for rule in self.tell],
            "kinds": self._kinds(),
            "belonging": self.belonging.model_dump(),
        }
        return _as_stored(settings)

    def unsaid(self) -> dict[str, Any]:
        """What held in runs of before December 2026, which did not keep it: the defaults."""
        config = None if self.detector else PadimConfig().model_dump()
        said = {
            "rule": TrackRule().model_dump(),
            "false_events": str(DEFAULT),
            "wrong_names": None,
            "bar": None,
            "tell": [],
            "kinds": self._kinds(),
            "belonging": BelongingRule().model_dump(),
        }
        return _as_stored({"detector_config": config, **said})

    def _kinds(self) -> dict[str, float] | None:
        """What p of kinds are worth, by which `--tell` chooses; None where nobody measured it."""
        if not self.tell:
            return None
        try:
            kinds = model_certainty(self.model).kinds
        except (OSError, ValueError):
            # Who opens the decoder to name things tells it.
            return None
        return None if kinds is None else kinds.as_json()


def _as_stored(settings: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(settings))
