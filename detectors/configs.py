"""What can be set in this room: plain values, checked when they are made, never changed."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from detectors.base import DetectorError


class Config(BaseModel):
    """A group of settings; a wrong value or an unknown name is a `pydantic.ValidationError`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


_Share = Annotated[float, Field(gt=0, lt=1)]
_Count = Annotated[int, Field(ge=1)]


def _known_backbone(name: str) -> str:
    kind, _, which = name.partition(":")
    if bool(which) != (kind in ("timm", "local-dir")) or kind not in BACKBONES:
        said = "should be lite0, lite2, dinov2-s, timm:NAME or local-dir:FOLDER"
        raise PydanticCustomError("backbone", said)
    return name


BACKBONES = ("lite0", "lite2", "dinov2-s", "timm", "local-dir")
"""Names of backbones, or what stands before the colon of one."""
_BackboneName = Annotated[str, AfterValidator(_known_backbone)]


class ViewConfig(Config):
    """What every detector of a fixed view has to be told; saved with it."""

    longer_side: Annotated[int, Field(ge=32, le=4096)] = 640
    """Frames are scaled to this many pixels on their longer side."""
    blur: Annotated[float, Field(ge=0)] = 0.5
    """Spread of the Gaussian blur of a map, in cells (anomalib: 4 pixels, half a cell)."""
    passes: _Count = 160
    """Pictures that the model is fitted to, at least: the frames and variations of them."""
    held_out_passes: _Count = 60
    """Pictures that the threshold is chosen on, at least."""
    largest_fit: Annotated[int, Field(ge=8)] = 64
    """More frames than this are thinned out evenly."""
    held_out: _Share = 1 / 3
    """Share of the frames, the latest, that only the threshold sees."""
    false_rate: _Share = 1e-3
    """Share of the varied held-out pictures that may exceed the threshold. They are harsher than
    real frames: of those far fewer do (benchmarks/detector.py)."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of everything that is drawn by chance."""


class CellConfig(ViewConfig):
    """What every detector has to be told that judges features of a pretrained network."""

    backbone: _BackboneName = "lite0"
    """The pretrained network whose features it looks at: lite0, lite2 or dinov2-s (packages),
    timm:NAME (from the hub) or local-dir:FOLDER (as timm saves it)."""
    channels: _Count = 100
    """Channels drawn from all that the backbone gives."""


class PadimConfig(CellConfig):
    """One Gaussian of features per cell of the view; the defaults suit a fixed camera."""

    kind: Literal["padim"] = "padim"
    """Which detector it is."""
    shrinkage: Annotated[float, Field(gt=0)] = 0.1
    """Ridge of every covariance over the channel's mean variance."""


class DiagonalConfig(CellConfig):
    """As padim, but channels are taken as independent: a 50th of the memory."""

    kind: Literal["diagonal"] = "diagonal"
    """Which detector it is."""
    shrinkage: Annotated[float, Field(gt=0)] = 0.1
    """Added to every cell's variance of a channel, over the channel's mean variance."""


DetectorConfig = Annotated[PadimConfig | DiagonalConfig, Field(discriminator="kind")]
"""The settings of any detector, told apart by `kind`. A new detector joins by `|`; the type checker
then asks for its case in detectors/build.py, and the contract test runs it."""

_UNION = get_args(DetectorConfig)[0]
CONFIGS: dict[str, type[Config]] = {
    config.model_fields["kind"].default: config for config in get_args(_UNION) or (_UNION,)
}
"""The settings of every detector by its kind."""
_READER: TypeAdapter[DetectorConfig] = TypeAdapter(DetectorConfig)


class DetectorConfigError(DetectorError):
    """There is no such detector, or a setting of it is wrong; the text names the setting."""

    exit_code = 2


def read_config(values: Mapping[str, Any]) -> DetectorConfig:
    """Settings from what JSON or YAML gave.

    Args:
        values: `kind` and whatever differs from the kind's defaults.

    Raises:
        DetectorConfigError: If the kind is unknown, or a setting is unknown or wrong.
    """
    try:
        return _READER.validate_python(values)
    except ValidationError as error:
        raise DetectorConfigError(_sentence(values.get("kind"), error)) from error


def parse_config(kind: str, settings: Mapping[str, str]) -> DetectorConfig:
    """Settings from words, as a command line gives them.

    Args:
        kind: Which detector.
        settings: Values by the settings' names, as text.

    Raises:
        DetectorConfigError: If the kind is unknown, or a setting is unknown or wrong.
    """
    try:
        return _READER.validate_strings({**settings, "kind": kind})
    except ValidationError as error:
        raise DetectorConfigError(_sentence(kind, error)) from error


def _sentence(kind: object, error: ValidationError) -> str:
    """The first fault in words."""
    if kind is None:
        return f"'kind' must say which detector; there are {', '.join(CONFIGS)}"
    if kind not in CONFIGS:
        return f"unknown detector '{kind}'; there are {', '.join(CONFIGS)}"
    first = error.errors()[0]
    # The place of a fault starts with the kind, the tag of the union.
    name = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "extra_forbidden":
        known = (known for known in CONFIGS[str(kind)].model_fields if known != "kind")
        return f"{kind} has no setting '{name}'; there are {', '.join(known)}"
    said = first["msg"].removeprefix("Input ")
    return f"{kind}'s setting {name}={first['input']} {said[0].lower()}{said[1:]}"
