"""What single values of a site's file mean: durations, promises, polygons, kinds."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from app.address import is_address, split_address
from app.redact import redact, remember
from app.sinks.build import parse_sinks
from calibration.promise import Promise
from detectors.configs import CONFIGS, DetectorConfig, PadimConfig, parse_config, read_config
from detectors.zones import Polygon
from novic.errors import NomalyError
from novic.kind_rules import KindRule

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|m|h|d)?")
_OPTION = re.compile(r"^--[\w-]+ (?:.*?: )?")


def duration_s(value: object) -> float:
    """Seconds of `8h`, `90s`, `500ms`, `2 min` or a plain number.

    Raises:
        ValueError: If it is none, or not above 0.
    """
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        number = float(found[1]) * _UNITS_S[found[2] or "s"]
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{value} is no length of time; write 90s, 8h, 500ms or seconds")
    return number


def _beat(value: object) -> object:
    return 0.0 if value == 0 and not isinstance(value, bool) else duration_s(value)


def corners(text: str) -> Polygon:
    """A polygon of `0,0 1,0 1,.2 0,.2`.

    Raises:
        ValueError: If it is none.
    """
    found = []
    for word in text.split():
        try:
            x, y = map(float, word.split(","))
        except ValueError as error:
            raise ValueError(f"{word} is no corner; write corners as 0,0 1,0 1,.2 0,.2") from error
        found.append((x, y))
    if len(found) < 3:
        raise ValueError(f"{text or 'nothing'} is no polygon: it needs 3 corners, as 0,0 1,0 1,.2")
    if not all(0 <= side <= 1 for corner in found for side in corner):
        raise ValueError(f"{text}: corners are shares of width and height, from 0 to 1")
    return tuple(found)


def _parsed[T](parse: Callable[[str], T], example: str) -> Callable[[object], object]:
    """A validator that reads texts as the command line does, without the option in its words."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"{value} is no text; write for example {example}")
        try:
            return parse(value)
        except NomalyError as error:
            raise ValueError(_OPTION.sub("", str(error))) from error

    return read


def _listed(value: object) -> object:
    """One text as a list of it."""
    return [value] if isinstance(value, str) else value


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _pace(value: object) -> object:
    if value == "all":
        return math.inf
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < float(str(value)) < math.inf:
        raise ValueError(f"{value} is no rate; write frames a second, as 5, or all")
    return value


def detector_config(
    kind: str | None, settings: Mapping[str, Any] | None, base: DetectorConfig | None = None
) -> DetectorConfig:
    """What a detector that learns is made of.

    Args:
        kind: Of detector, if one is named.
        settings: Of it, by their names.
        base: What holds where a kind is not named; by default the usual one.

    Raises:
        detectors.configs.DetectorConfigError: If there is no such detector or setting.
    """
    said = {name: str(value) for name, value in (settings or {}).items()}
    usual = base or PadimConfig()
    told = parse_config(kind or usual.kind, said)
    if kind is not None:
        return told
    return read_config(usual.model_dump() | told.model_dump(include=told.model_fields_set))


def _source(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("names no camera; write a webcam's number, an address, a folder or a file")
    if value.startswith("env:"):
        raise ValueError(f"write ${{{value.removeprefix('env:')}}} in the place of {value}")
    if value == "-" or value.startswith("@"):
        raise ValueError(f"{value} is for the command line; write ${{NAME}}")
    if is_address(value):
        remember(value)
        if not split_address(value).host:
            raise ValueError(f"{split_address(value).shown}: the address names no host")
    return value


def _sink(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{value} is no text; write for example jsonl:events.jsonl")
    if ":env:" in value or ":@" in value:
        raise ValueError(f"{value} is for the command line; write KIND:${{NAME}}")
    return _as_sinks(value, [value], [])


def _command(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{value} is no text; write a command")
    return _as_sinks(value, [], [value])


def _as_sinks(value: str, sinks: list[str], commands: list[str]) -> str:
    try:
        parse_sinks(sinks, commands)
    except NomalyError as error:
        raise ValueError(redact(str(error).removeprefix("--sink "))) from error
    return value


def _kind(value: object) -> object:
    if value not in CONFIGS:
        raise ValueError(f"there is no detector {value}; there are {', '.join(CONFIGS)}")
    return value


_SECONDS = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": r"^(\d+(\.\d*)?|\.\d+)\s*(ms|s|min|m|h|d)?$"},
        ],
        "examples": ["90s", "8h", "500ms"],
    }
)
type Seconds = Annotated[float, BeforeValidator(duration_s), _SECONDS]
"""A length of time: `8h`, `90s`, `500ms`, plain seconds."""
type Beat = Annotated[float, BeforeValidator(_beat), _SECONDS]
"""The same, or 0 for never."""
type Promised = Annotated[
    Promise,
    BeforeValidator(_parsed(Promise.parse, "1/day")),
    WithJsonSchema({"type": "string", "examples": ["1/hour", "1/day"]}),
]
type Kind = Annotated[
    KindRule,
    BeforeValidator(_parsed(KindRule.parse, "any animal but the cat")),
    WithJsonSchema({"type": "string", "examples": ["person or vehicle"]}),
]
type Area = Annotated[
    Polygon,
    BeforeValidator(_parsed(corners, "0,0 1,0 1,.2 0,.2")),
    WithJsonSchema({"type": "string", "examples": ["0,0 1,0 1,.2 0,.2"]}),
]
type Source = Annotated[str, BeforeValidator(_source)]
type SinkText = Annotated[str, BeforeValidator(_sink)]
type CommandText = Annotated[str, BeforeValidator(_command)]
type Several[T] = Annotated[
    tuple[T, ...],
    BeforeValidator(_as_tuple),
    BeforeValidator(_listed),
]
"""A list, or one of it alone."""
type Pace = Annotated[
    float,
    BeforeValidator(_pace),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": "all"}]}),
]
"""Frames a second; infinite for all."""
type DetectorKind = Annotated[
    str, BeforeValidator(_kind), WithJsonSchema({"enum": sorted(CONFIGS)})
]
type Settings = Mapping[str, str | int | float | bool]
