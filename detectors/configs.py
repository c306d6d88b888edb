"""What can be set in this room: plain values, checked when they are made, never changed."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from detectors.base import DetectorError
from detectors.kinds import NICKNAMES


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
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What the backbone computes in, at the fit and ever after. auto: bfloat16 where the CPU has
    instructions for it, half precision on CUDA, else float32."""


class PadimConfig(CellConfig):
    """One Gaussian of features per cell of the view; the defaults suit a fixed camera."""

    kind: Literal["padim"] = "padim"
    """Which detector it is."""
    shrinkage: Annotated[float, Field(gt=0)] = 0.1
    """Ridge of every covariance over the channel's mean variance."""


class DiagonalConfig(CellConfig):
    """As padim, but channels are taken as independent."""

    kind: Literal["diagonal"] = "diagonal"
    """Which detector it is."""
    shrinkage: Annotated[float, Field(gt=0)] = 0.1
    """Added to every cell's variance of a channel, over the channel's mean variance."""


class LowRankConfig(CellConfig):
    """As padim, with a few principal axes per cell instead of a covariance."""

    kind: Literal["lowrank"] = "lowrank"
    """Which detector it is."""
    rank: _Count = 16
    """Axes per cell."""
    shrinkage: Annotated[float, Field(gt=0)] = 0.1
    """Added to every variance, over the channel's mean variance."""


class PatchCoreConfig(CellConfig):
    """A bank of normal features, wherever they were: for parts that lie anyhow."""

    kind: Literal["patchcore"] = "patchcore"
    """Which detector it is."""
    vectors: Annotated[int, Field(ge=1, le=50_000)] = 2000
    """Size of the bank."""
    candidates: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    """Vectors that these are picked from, drawn by chance from all cells."""


class BankConfig(CellConfig):
    """As patchcore, smaller: principal axes, whitened, and at most 1,000 vectors."""

    kind: Literal["bank"] = "bank"
    """Which detector it is."""
    vectors: Annotated[int, Field(ge=1, le=50_000)] = 1000
    """Size of the bank."""
    candidates: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    """Vectors that these are picked from, drawn by chance from all cells."""
    variance: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Share of the variance that the axes hold."""
    shrinkage: Annotated[float, Field(ge=0, le=1)] = 0.07
    """Part of the mean variance in each variance that whitens."""


class SubspaceConfig(CellConfig):
    """Principal axes of DINOv2-S's features, wherever they were: learns from a few frames."""

    kind: Literal["subspace"] = "subspace"
    """Which detector it is."""
    backbone: _BackboneName = "dinov2-s"
    """As of padim; `make weights` brings dinov2-s."""
    channels: _Count = 384
    """Channels drawn from all that the backbone gives."""
    longer_side: Annotated[int, Field(ge=32, le=4096)] = 448
    """Frames are scaled to this many pixels on their longer side; its cells have 14 of them."""
    passes: _Count = 64
    """Pictures that the axes are found in, at least: the frames and variations of them."""
    variance: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Share of the variance that the axes hold."""


class ReconstructionConfig(CellConfig):
    """A small masked autoencoder over the cells' features, trained for a minute."""

    kind: Literal["reconstruction"] = "reconstruction"
    """Which detector it is."""
    width: Annotated[int, Field(ge=1, le=1024)] = 64
    """Channels of its layers."""
    layers: Annotated[int, Field(ge=1, le=32)] = 3
    """How many it has."""
    steps: _Count = 300
    """Steps of training, of four pictures each."""
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """The largest of the training."""
    shrinkage: Annotated[float, Field(gt=0)] = 0.1
    """Added to the variance of every cell's errors, over the channel's mean."""


class Mog2Config(ViewConfig):
    """The colours of every pixel, without a network: the floor for all others."""

    kind: Literal["mog2"] = "mog2"
    """Which detector it is."""
    longer_side: Annotated[int, Field(ge=32, le=4096)] = 320
    """Frames are scaled to this many pixels on their longer side."""
    passes: Annotated[int, Field(ge=1, le=128)] = 64
    """Pictures that it learns from, at least: the frames and variations of them."""


class AnomalibConfig(ViewConfig):
    """Any image model of anomalib, as anomalib:NAME: efficientad, supersimplenet, dinomaly, ..."""

    kind: Literal["anomalib"] = "anomalib"
    """Which detector it is."""
    model: Annotated[str, Field(pattern=r"^\w{1,64}$")] = "Supersimplenet"
    """Its class in anomalib, in any case."""
    backbone: _BackboneName = "lite0"
    """What it looks through, if it can choose; transformers look through dinov2-s."""
    longer_side: Annotated[int, Field(ge=32, le=4096)] = 256
    """Frames are scaled to a square of so many pixels."""
    step: Annotated[int, Field(ge=8, le=512)] = 32
    """The square's side is a multiple of this; transformers of DINOv2 want 14 or 28."""
    passes: _Count = 64
    """Pictures that it learns from, at least: the frames and variations of them."""
    steps: Annotated[int, Field(ge=1, le=100_000)] = 300
    """Steps of training at most, for models that are trained."""
    batch: Annotated[int, Field(ge=1, le=64)] = 4
    """Pictures of a step."""


DetectorConfig = Annotated[
    PadimConfig
    | DiagonalConfig
    | LowRankConfig
    | PatchCoreConfig
    | BankConfig
    | SubspaceConfig
    | ReconstructionConfig
    | Mog2Config
    | AnomalibConfig,
    Field(discriminator="kind"),
]
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
        return _READER.validate_python(_spelled_out(values))
    except ValidationError as error:
        kind = _spelled_out(values).get("kind")
        raise DetectorConfigError(_sentence(kind, error)) from error


def parse_config(kind: str, settings: Mapping[str, str]) -> DetectorConfig:
    """Settings from words, as a command line gives them.

    Args:
        kind: Which detector.
        settings: Values by the settings' names, as text.

    Raises:
        DetectorConfigError: If the kind is unknown, or a setting is unknown or wrong.
    """
    try:
        return _READER.validate_strings(_spelled_out({**settings, "kind": kind}))
    except ValidationError as error:
        family = _spelled_out({"kind": kind})["kind"]
        raise DetectorConfigError(_sentence(family, error)) from error


def _spelled_out(values: Mapping[str, Any]) -> dict[str, Any]:
    """`anomalib:NAME`, or a nickname of such a model, as kind and model."""
    kind = str(values.get("kind"))
    family, _, model = kind.partition(":")
    if kind in NICKNAMES:
        family, model = "anomalib", kind
    return {**values, "kind": family, "model": model} if model else dict(values)


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
