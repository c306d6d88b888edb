"""From a site's file to what is watched: a request for each camera, and what names for all."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.address import is_address
from app.events.life import LifeRule
from app.events.retention import RetentionRule
from app.events.zones import saved_zones
from app.service.config import Camera, Looking, SiteConfig
from app.service.door import guard_of
from app.service.errors import SiteError
from app.service.reading import Loaded
from app.service.values import detector_config
from app.sinks.build import AnySink, parse_sinks
from app.sinks.command import CommandConfig
from app.sinks.mqtt import MqttConfig
from app.sites.model import OpenedSite, open_site
from app.watching.clip_rule import ClipRule
from app.watching.watch_request import WatchRequest
from calibration.promise import DEFAULT
from detectors.configs import PadimConfig
from detectors.zones import Zones
from novic.errors import NomalyError, UsageError

FPS = 5.0
_ROOT, _SCENARIOS = "NOMALY_SCENARIOS", "nomaly-scenarios"


@dataclass(frozen=True, slots=True)
class NamesKey:
    """What names things for all cameras."""

    model: Path | None
    embedder: str | None
    wrong_names: float | None
    device: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a site's file asks for."""

    loaded: Loaded
    cameras: Mapping[str, WatchRequest]
    """By their names, in the file's order."""
    names: NamesKey

    @property
    def folder(self) -> Path:
        """Where results go."""
        return self.loaded.folder


def plan(loaded: Loaded) -> Plan:
    """Make requests of a site's file.

    Raises:
        SiteError: If a scenario, or a folder that is named, is not there, or others reach the page
            and nothing keeps them out.
    """
    config, base = loaded.config, loaded.base
    model = config.model
    try:
        if config.page is not None:
            guard_of(config.page)
    except UsageError as error:
        raise SiteError(f"{loaded.path}: page: {error}") from error
    cameras, bundle = {}, _path(base, model.decoder)
    for name, camera in config.cameras.items():
        try:
            site = _opened(loaded, camera, bundle)
            cameras[name] = _request(loaded, name, camera, site)
        except SiteError:
            raise
        except NomalyError as error:
            raise SiteError(f"{loaded.path}: cameras.{name}: {error}") from error
    first = next(iter(cameras.values()))
    key = NamesKey(first.model, model.embedder, model.wrong_names, model.device)
    return Plan(loaded, cameras, key)


def _opened(loaded: Loaded, camera: Camera, bundle: Path | None) -> OpenedSite:
    """What a camera takes of a scenario.

    Raises:
        NomalyError: If there is no such scenario.
    """
    config = loaded.config
    looking = camera.over(config.defaults)
    root = loaded.base / _SCENARIOS
    return open_site(
        config.scenario,
        config.ft,
        root if config.scenario and root.is_dir() and _ROOT not in os.environ else None,
        model=bundle,
        detector=_path(loaded.base, looking.detector),
        taught=looking.learn is not None,
    )


def _request(loaded: Loaded, name: str, camera: Camera, site: OpenedSite) -> WatchRequest:
    """What to watch and how."""
    config = loaded.config
    looking = camera.over(config.defaults)
    if looking.learn is None and site.detector is None:
        raise SiteError(
            f"{loaded.path}: cameras.{name}: the scenario has no detector; say learn: 60s"
        )
    if site.detector is not None and not site.detector.is_dir():
        raise SiteError(
            f"{loaded.path}: cameras.{name}.detector: {site.detector}: there is no such folder"
        )
    fps = FPS if looking.fps is None else looking.fps
    zoned = looking.zones is not None or looking.exclude is not None
    zones = Zones(include=looking.zones or (), exclude=looking.exclude or ())
    if not zoned:
        zones = site.zones if site.zones != Zones() else saved_zones(loaded.folder / name) or zones
    asked = (looking.detector_model, looking.detector_settings, site.detector_config)
    learned = site.detector is not None
    return WatchRequest(
        source=_source(loaded.base, camera.source),
        out=loaded.folder / name,
        learn_s=looking.learn,
        heartbeat_s=looking.heartbeat,
        detector=site.detector,
        fps=None if math.isinf(fps) else float(fps),
        device=config.model.device,
        model=site.bundle,
        embedder=config.model.embedder,
        wrong_names=config.model.wrong_names,
        camera=name,
        zones=zones,
        rule=site.rule,
        promise=looking.false_events or DEFAULT,
        bar=looking.bar,
        belonging=site.belonging,
        tell=looking.tell or (),
        blur_people=bool(looking.blur_people),
        clips=_clips(config, looking),
        life=_life(looking),
        retention=_retention(config),
        sinks=tuple(_sinks(loaded.base, config, name)),
        detector_config=PadimConfig() if learned else detector_config(*asked),
    )


def _clips(config: SiteConfig, looking: Looking) -> ClipRule | None:
    """How long clips are; None for none, as where nobody is to be recognised."""
    said = config.clips
    if said is None or looking.blur_people:
        return None
    return ClipRule(before_s=said.before, after_s=said.after)


def _life(looking: Looking) -> LifeRule:
    said = {"stationary_s": looking.stationary, "reminder_s": looking.remind}
    return LifeRule(**{name: value for name, value in said.items() if value is not None})


def _retention(config: SiteConfig) -> RetentionRule | None:
    """How much of each camera is kept; bytes are those of the site (`app.events.together`)."""
    said = config.retention
    if said is None or said.days is None:
        return None
    return RetentionRule(days=said.days, gigabytes=None)


def _sinks(base: Path, config: SiteConfig, camera: str) -> Iterator[AnySink]:
    texts = [
        f"jsonl:{base / text.removeprefix('jsonl:')}" if text.startswith("jsonl:") else text
        for text in config.sinks
    ]
    for sink in parse_sinks(texts, config.on_event, config.group):
        match sink:
            case CommandConfig(words=(first, *rest)) if first.startswith(("./", "../")):
                yield sink.model_copy(update={"words": (str(base / first), *rest)})
            case MqttConfig():
                yield sink.model_copy(update={"watcher": camera})
            case _:
                yield sink


def _source(base: Path, source: str) -> str:
    plain = source.isdecimal() or is_address(source) or source.startswith("file:")
    return source if plain else str(base / source)


def _path(base: Path, text: str | None) -> Path | None:
    return None if text is None else base / Path(text).expanduser()
