"""The only module that knows anomalib.

Importing any torch module of anomalib imports its package files, and those import every model it
has (24 s the first time, 9 s later, measured with `-X importtime`). So it is imported when a
detector learns, never when one only looks.
"""

import inspect
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from detectors.base import DetectorError
from detectors.configs import AnomalibConfig
from detectors.features.backbones import BackboneError
from detectors.features.timm_folders import timm_folder
from detectors.models.tensors import channel_variance, one_thread
from novic.folders import cache_folder

# anomalib imports matplotlib, which would keep a list of fonts elsewhere in the home folder.
os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
with warnings.catch_warnings():
    # anomalib and FrEIA, which it imports, still use old paths of timm and of anomalib itself, and
    # FrEIA has escapes that Python 3.12 frowns at. Nobody who watches a camera can act on that.
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", SyntaxWarning)
    import anomalib.models.image
    from anomalib.data import Folder
    from anomalib.engine import Engine
    from anomalib.models.components import AnomalibModule, MultiVariateGaussian
    from anomalib.models.image import EfficientAd, Supersimplenet
    from anomalib.models.image.efficient_ad.lightning_model import (
        IMAGENETTE_DOWNLOAD_INFO,
        WEIGHTS_DOWNLOAD_INFO,
    )
    from anomalib.pre_processing import PreProcessor
    from anomalib.utils.path import get_datasets_dir, get_pretrained_weights_dir
    from lightning.pytorch import Callback
    from torchvision.transforms.v2 import Compose, Normalize, Resize, Transform

_ANOMALIB_RIDGE = 0.01 + 1e-5
"""What anomalib's MultiVariateGaussian adds to the diagonal of every covariance."""


def fit_gaussians(
    features: torch.Tensor, shrinkage: float, row_done: Callable[[], None] = lambda: None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit anomalib's Gaussian of every cell, with a ridge that suits the features' scale.

    anomalib adds 0.01 to the diagonal of each covariance whatever the features' scale. Dividing
    channel c by s_c beforehand and undoing it afterwards makes that 0.01 s_c², so s_c is chosen
    to make it `shrinkage` times the channel's mean variance over time. A few frames are then
    enough: detectors_spec §3.

    Args:
        features: Normal embeddings [N, D, h, w], float32.
        shrinkage: Ridge over the mean variance of a channel, above 0.
        row_done: Called after each of the h rows of cells.

    Returns:
        Means [D, h * w] and inverse covariances [h * w, D, D].
    """
    spread = channel_variance(features)  # [D]
    scale = (spread * shrinkage / _ANOMALIB_RIDGE).sqrt()
    gaussian = MultiVariateGaussian()
    with one_thread():
        fitted = []
        for row in features.unbind(2):
            fitted.append(_fit_row(gaussian, row, scale))
            row_done()
    mean = torch.cat([mean for mean, _ in fitted], dim=1) * scale[:, None]
    inverse = torch.cat([inverse for _, inverse in fitted])
    return mean, inverse / torch.outer(scale, scale)


def _fit_row(
    gaussian: MultiVariateGaussian, row: torch.Tensor, scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Means [D, w] and inverse covariances [w, D, D] of one row of cells [N, D, w].

    anomalib walks through the cells one by one. Row by row, and with the frames of a cell side by
    side in memory, this takes a third of the time.
    """
    cells = (row / scale[:, None]).permute(2, 0, 1).contiguous()  # [w, N, D]
    mean, inverse = gaussian.fit(cells.permute(1, 2, 0)[..., None])
    return mean, inverse


def build_model(name: str, backbone: str, side: int) -> AnomalibModule:
    """An untrained model of anomalib on one of our backbones.

    Args:
        name: Its class in `anomalib.models`, in any case.
        backbone: lite0, lite2, dinov2-s, local-dir:FOLDER or timm:NAME. A model that only takes a
            transformer gets dinov2-s for a lite; one that brings a network of its own gets none.
        side: Of its pictures, in pixels; some models are built for one size.

    Raises:
        DetectorError: If there is no such model, or it cannot be built so.
        BackboneError: If weights are missing; the text says which.
    """
    kind = _model_class(name)
    asked = inspect.signature(kind.__init__).parameters
    layers = asked["layers"].default if "layers" in asked else ()
    if layers is None and backbone in _LITE:
        backbone = "dinov2-s"  # blocks of a transformer, which the model chooses
    scaling = PreProcessor(transform=_scaling(kind, side))
    chosen: dict[str, Any] = {"pre_processor": scaling}
    chosen |= dict.fromkeys(("post_processor", "evaluator", "visualizer"), False)
    if "encoder_name" in asked:
        chosen["encoder_name"] = _timm_name("dinov2-s" if backbone in _LITE else backbone)
    elif "backbone" in asked:
        chosen["backbone"] = _timm_name(backbone)
    if layers and backbone in _LITE:
        chosen["layers"] = _LITE_LAYERS[-len(layers) :] if len(layers) < 4 else _LITE_LAYERS
    if "layer" in asked and backbone in _LITE:
        chosen["layer"] = _LITE_LAYERS[-1]
    if "n_features" in asked:
        chosen["n_features"] = _CHANNELS
    if kind is EfficientAd:
        chosen["imagenet_dir"] = _teachers_files()
    with _quiet(), _one_sentence(kind.__name__, "cannot be built"):
        return kind(**chosen)


def train(
    module: AnomalibModule,
    pictures: NDArray[np.uint8],
    config: AnomalibConfig,
    device: torch.device,
) -> None:
    """Train a model by anomalib's Engine on normal pictures.

    Args:
        module: What `build_model` gave.
        pictures: RGB uint8 [N, H, W, 3].
        config: For how many steps, in batches of which size.
        device: Where.

    Raises:
        DetectorError: If anomalib cannot.
    """
    name = type(module).__name__
    with tempfile.TemporaryDirectory() as folder, _quiet(), _one_sentence(name, "cannot learn"):
        good = Path(folder) / "good"
        good.mkdir()
        for number, picture in enumerate(pictures):
            cv2.imwrite(str(good / f"{number:05d}.png"), picture[..., ::-1])
        data = Folder(
            "view",
            good.name,
            root=folder,
            train_batch_size=1 if isinstance(module, EfficientAd) else config.batch,
            eval_batch_size=config.batch,
            num_workers=0,
            test_split_mode="none",
            val_split_mode="from_train",
            val_split_ratio=0.1,
            seed=config.seed,
        )
        batches = max(1, len(pictures) // config.batch)
        engine = Engine(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=1,
            max_epochs=-(-config.steps // batches),
            callbacks=[_StopAfter(config.steps)],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        torch.manual_seed(config.seed)
        engine.fit(module, datamodule=data)
    module.cpu().eval()


def raw_maps(module: AnomalibModule, pictures: torch.Tensor) -> torch.Tensor:
    """Anomaly maps [B, H, W], float32, before any post-processing.

    Args:
        module: Trained, in evaluation mode.
        pictures: RGB uint8 [B, H, W, 3].

    Raises:
        DetectorError: If the model gives no maps.
    """
    device = next(module.parameters()).device
    images = pictures.to(device).permute(0, 3, 1, 2).float() / 255
    name = type(module).__name__
    with _one_sentence(name, "cannot judge a picture"):
        found = module.model(cast(nn.Module, module.pre_processor)(images))
    maps = getattr(found, "anomaly_map", None)
    if maps is None:
        raise DetectorError(f"anomalib's {name} gives a score and no map")
    maps = maps.float().reshape(len(pictures), *maps.shape[-2:])
    return torch.logit(maps, eps=1e-6) if isinstance(module, Supersimplenet) else maps


_CHANNELS = 100
"""Drawn by models that draw some; anomalib knows how many only for its own backbones."""
_LITE = ("lite0", "lite2")
_LITE_LAYERS = ["blocks.1", "blocks.2", "blocks.4"]
"""The last layers at strides 4, 8 and 16."""


class _StopAfter(Callback):
    """Ends a training after a number of steps."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def on_train_batch_end(self, trainer: Any, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401
        """Count a step."""
        self._left -= 1
        if self._left <= 0:
            trainer.should_stop = True


def _model_class(name: str) -> type[AnomalibModule]:
    found = {
        one.lower(): kind
        for one, kind in vars(anomalib.models.image).items()
        if inspect.isclass(kind) and issubclass(kind, AnomalibModule)
    }
    if name.lower() not in found:
        known = ", ".join(sorted(kind.__name__ for kind in found.values()))
        raise DetectorError(f"anomalib has no image model '{name}'; there are {known}")
    return found[name.lower()]


def _scaling(kind: type[AnomalibModule], side: int) -> Transform:
    """How the model wants its pixels scaled; it asks this, too, for the size of its pictures."""
    default = kind.configure_pre_processor().transform
    parts = getattr(default, "transforms", [default])
    return Compose([Resize((side, side)), *(one for one in parts if isinstance(one, Normalize))])


def _timm_name(backbone: str) -> str:
    kind, _, which = backbone.partition(":")
    if kind == "timm":
        return which
    return backbone if which else timm_folder(backbone)


def _teachers_files() -> Path:
    """The folder of ImageNet pictures that EfficientAd learns beside the normal ones.

    Raises:
        BackboneError: If they, or the teacher's weights, are missing.
    """
    weights = get_pretrained_weights_dir() / "efficientad_pretrained_weights"
    pictures = get_datasets_dir() / "imagenette"
    for place, what in (
        (weights / "pretrained_teacher_small.pth", WEIGHTS_DOWNLOAD_INFO),
        (pictures, IMAGENETTE_DOWNLOAD_INFO),
    ):
        if not place.exists():
            raise BackboneError(
                f"anomalib's EfficientAd needs {place}, which is missing; unpack {what.name} "
                f"({what.url}) into {place.parent if place == pictures else weights.parent}"
            )
    return pictures


@contextmanager
def _one_sentence(name: str, what: str) -> Iterator[None]:
    """Tell what anomalib, Lightning and timm raise of all kinds as one sentence."""
    try:
        yield
    except DetectorError:
        raise
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DetectorError(f"anomalib's {name} {what}: {said}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings and logs of libraries to themselves, which nobody here can act on."""
    loggers = [
        logging.getLogger(name) for name in ("anomalib", "lightning", "lightning.pytorch", "timm")
    ]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
