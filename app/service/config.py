"""What stands in a site's file, and what it must be."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.service.values import (
    Area,
    Beat,
    CommandText,
    DetectorKind,
    Kind,
    Pace,
    Promised,
    Seconds,
    Settings,
    Several,
    SinkText,
    Source,
    detector_config,
)
from app.watching.clip_rule import ClipRule
from calibration.promise import BARS
from novic.device import check_device
from novic.errors import NomalyError

VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = ("con", "nul", "aux", "prn")


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
    )


def check_name(name: str) -> Iterator[str]:
    """Why a camera or a site cannot be called so, if it cannot."""
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
        yield f"{name} is no name; use letters, digits, - and _, as its folder is called so"


def _name(value: object) -> object:
    for why in check_name(value) if isinstance(value, str) else ("must be text",):
        raise ValueError(why)
    return value


def _device(value: object) -> object:
    try:
        return check_device(str(value))
    except NomalyError as error:
        raise ValueError(str(error)) from error


type Name = Annotated[str, BeforeValidator(_name)]


class Looking(_Part):
    """How a camera is looked at, as the options of `nomaly watch` say it."""

    learn: Seconds | None = None
    """The first seconds show nothing unusual; the detector learns from them."""
    detector: str | None = None
    """Folder of a detector that was fitted before, instead."""
    detector_model: DetectorKind | None = None
    """Kind of detector that learns; padim if none is named."""
    detector_settings: Settings | None = None
    """Settings of it, by their names."""
    fps: Pace | None = None
    """Frames a second to look at, or all; 5 if it is not said."""
    zones: Several[Area] | None = None
    """Polygons outside which nothing is watched."""
    exclude: Several[Area] | None = None
    """Polygons that are not watched."""
    tell: Several[Kind] | None = None
    """Only such things are told; others are kept, but silent."""
    false_events: Promised | None = None
    """How many false events the camera may tell, as 1/hour."""
    bar: Annotated[float, Field(ge=BARS[0], le=BARS[1])] | None = None
    """How unusual a thing must be to be told, in place of what false_events chooses."""
    heartbeat: Beat | None = None
    """Pause between signs of life; 0 for none."""
    stationary: Beat | None = None
    """What has not moved for so long is told to stand, and never rings again; 60s if it is not
    said, 0 to never say so."""
    remind: Beat | None = None
    """From one reminder that it still stands to the next; 8h if it is not said, 0 for none."""
    blur_people: bool | None = None
    """Whether people are made unrecognisable in every picture that is kept or shown."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.learn is not None and self.detector is not None:
            raise ValueError("say what is normal once: either learn or detector")
        try:
            detector_config(self.detector_model, self.detector_settings)
        except NomalyError as error:
            raise ValueError(str(error)) from error
        return self

    def over(self, defaults: "Looking") -> "Looking":
        """The same, with what is not said here from `defaults`.

        What is normal is said once: who names a detector does not learn because others do.
        """
        said = {name: getattr(self, name) for name in Looking.model_fields}
        normal = self.learn is not None or self.detector is not None
        for name, value in said.items():
            if value is None and not (normal and name in ("learn", "detector")):
                said[name] = getattr(defaults, name)
        return Looking.model_construct(**said)


class Camera(Looking):
    """One camera."""

    source: Source
    """Webcam number, rtsp:// or http:// address, a folder into which a camera puts
    images or videos, or a video file."""


class Model(_Part):
    """What names things."""

    decoder: str | None = None
    """A bundle or an upstream .train file; what Nomaly ships if none is named."""
    embedder: str | None = None
    """Spec of the same embedder from elsewhere."""
    wrong_names: Annotated[float, Field(ge=0.01, le=0.99)] | None = None
    """How many of the names told as facts may be wrong at the line."""
    device: Annotated[str, BeforeValidator(_device)] = "auto"
    """auto, cpu, cuda or cuda:N."""


class Retention(_Part):
    """How much is kept."""

    days: Annotated[float, Field(gt=0)] | None = None
    """Events older than that go."""
    gigabytes: Annotated[float, Field(gt=0)] | None = None
    """The oldest pictures of any camera go when all cameras together take more."""


class Clips(_Part):
    """Short videos of events; they show people as they are, none with blur_people."""

    before: Seconds = 5.0
    """How much before the event."""
    after: Seconds = 5.0
    """How much behind its end."""

    @model_validator(mode="after")
    def _short(self) -> Self:
        longest_s = ClipRule().longest_s
        if self.before + self.after >= longest_s:
            raise ValueError(f"before and after together must be less than {longest_s:.0f} s")
        return self


class Page(_Part):
    """The page for people."""

    host: str = "127.0.0.1"
    """Address to listen at; another than this machine's own needs a password or a token."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port to listen at."""
    password_hash: str | None = Field(default=None, repr=False)
    """argon2 hash of the password, best as ${NAME}."""
    token: str | None = Field(default=None, repr=False)
    """What programs name themselves by, best as ${NAME}."""
    names: Several[str] = ()
    """Names by which others reach it, besides this machine's own: cameras.home.lan."""
    https: bool = False
    """Whether a proxy before it speaks HTTPS."""


class SiteConfig(_Part):
    """A site: its cameras, and what becomes of what they see."""

    version: Literal[1]
    """Of this file's format: 1."""
    site: Name
    """The site's name."""
    folder: str | None = None
    """Where results go, a folder for each camera below; by default the site's name beside this
    file."""
    scenario: str | None = None
    """Name things with the decoder that was built for a site, and take its zones."""
    ft: Annotated[int, Field(ge=0)] | None = None
    """Which of the scenario's decoders; by default the one that knows most."""
    model: Model = Model()
    """What names things."""
    defaults: Looking = Looking()
    """What holds for cameras that do not say otherwise."""
    cameras: Annotated[Mapping[str, Camera], Field(min_length=1)]
    """The cameras by their names."""
    sinks: Several[SinkText] = ()
    """Where every event state goes besides: jsonl:FILE, mqtt:mqtt://BROKER/nomaly,
    webhook:https://ADDRESS."""
    on_event: Several[CommandText] = ()
    """Commands that are run for every event state, with its JSON on stdin."""
    group: Beat | None = None
    """What rings within so long of a notification is told together, by on_event, apprise and
    webhook, which then tell nothing but what rings; 60s for apprise if it is not said."""
    retention: Retention | None = None
    """How much is kept; all if it is not said."""
    clips: Clips | None = None
    """Short videos of events; none if it is not said."""
    page: Page | None = None
    """The page for people; none if it is not said."""
    metrics: bool = False
    """Whether /metrics on the page's port answers every program of this machine; else, and from
    elsewhere, it wants the token."""
