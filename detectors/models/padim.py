"""PaDiM for a fixed camera: one Gaussian of pretrained features per cell of the view."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from detectors.base import AnomalyMaps, DetectorError, Progress
from detectors.features.backbones import (
    STRIDE,
    FeatureNet,
    choose_channels,
    find_spec,
    load_backbone,
)
from detectors.files import write_folder
from detectors.models.gaussians import CellGaussians
from detectors.tails import gumbel_threshold
from detectors.types import Pixels
from detectors.variations import vary
from novic.runtime import Runtime, build_runtime

_log = logging.getLogger(__name__)

MINIMUM_FRAMES = 8
_BATCH = 8
_BLOCK = 4
"""Held-out pictures per block maximum: about one frame and its variations."""


@dataclass(frozen=True, slots=True)
class PadimSettings:
    """What a PaDiM detector is made of; saved with it."""

    backbone: str = "lite0"
    channels: int = 100
    """Channels drawn from all that the backbone gives."""
    longer_side: int = 640
    """Frames are scaled to this many pixels on their longer side."""
    shrinkage: float = 0.1
    """Ridge of every covariance over the channel's mean variance."""
    blur: float = 0.5
    """Spread of the Gaussian blur of a map, in cells (anomalib: 4 pixels, half a cell)."""
    passes: int = 160
    """Pictures that the Gaussians are fitted to, at least: the frames and variations of them."""
    held_out_passes: int = 60
    """Pictures that the threshold is chosen on, at least."""
    largest_fit: int = 64
    """More frames than this are thinned out evenly."""
    held_out: float = 1 / 3
    """Share of the frames, the latest, that only the threshold sees."""
    false_rate: float = 1e-3
    """Share of the varied held-out pictures that may exceed the threshold. They are harsher than
    real frames: of those far fewer do (benchmarks/detector.py)."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """Frames, and how many pictures are made of each: itself and variations."""

    frames: Sequence[Pixels]
    copies: int


class PadimDetector:
    """Learns every cell's normal features; scores by Mahalanobis distance (Defard et al. 2021).

    The model never changes while it looks: an object left behind stays unusual for as long as it
    lies there.
    """

    def __init__(self, device: torch.device, settings: PadimSettings | None = None) -> None:
        """Prepare an unfitted detector.

        Args:
            device: Where the backbone and the distances are computed.
            settings: The defaults suit a fixed camera.

        Raises:
            DetectorError: If the backbone's weights are not installed or damaged.
        """
        self.settings = settings or PadimSettings()
        self.device = device
        self._spec = find_spec(self.settings.backbone)
        self._network = load_backbone(self._spec)
        self._chosen = choose_channels(self._spec, self.settings.channels, self.settings.seed)
        self._runtime: Runtime | None = None
        self._frame_size: tuple[int, int] | None = None
        self._gaussians: CellGaussians | None = None
        self._threshold = math.nan

    @property
    def threshold(self) -> float:
        """Raw map value that counts as 1.0; NaN before the fit."""
        return self._threshold

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) of the frames it was fitted on."""
        return self._frame_size

    def fit(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Learn from normal frames; see `Detector.fit`.

        The latest third of the frames only chooses the threshold: drift between the two parts is
        drift that the threshold has to bear. Both parts are also varied (light, shadow, shake),
        so that a minute of footage stands for more weather than it saw.
        """
        frame_size = _common_size(frames)
        if len(frames) < MINIMUM_FRAMES:
            raise DetectorError(
                f"{len(frames)} normal frames are too few: at least {MINIMUM_FRAMES} are needed"
            )
        settings = self.settings
        runtime = self._start(frame_size)
        kept = _thin(frames, settings.largest_fit)
        cut = len(kept) - max(2, round(len(kept) * settings.held_out))
        parts = (
            _Part(kept[:cut], math.ceil(settings.passes / cut)),
            _Part(kept[cut:], math.ceil(settings.held_out_passes / (len(kept) - cut))),
        )
        rng = np.random.default_rng(settings.seed)
        total = sum(len(part.frames) * part.copies for part in parts)
        done = 0

        def features(part: _Part) -> Iterator[torch.Tensor]:
            nonlocal done
            for batch in _batches(self._varied(part, rng)):
                yield runtime.run(batch)
                done += len(batch)
                if progress is not None:
                    progress(done, total)

        gaussians = self._learn(torch.cat(list(features(parts[0]))))
        scores = [self._map(one, gaussians).amax(dim=(1, 2)) for one in features(parts[1])]
        self._threshold = _threshold(torch.cat(scores).cpu().numpy(), settings.false_rate)
        self._gaussians, self._frame_size, self._runtime = gaussians, frame_size, runtime

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        """Map what is unusual in each frame; see `Detector.detect`."""
        if self._gaussians is None or self._frame_size is None:
            raise DetectorError("the detector has not learned a view yet: call fit or load one")
        if not frames:
            height, width = self._gaussians.grid
            empty = np.zeros((0, height, width), np.float32)
            return AnomalyMaps(empty, np.zeros(0, np.float32))
        found = _common_size(frames)
        if found != self._frame_size:
            raise DetectorError(
                f"frames of {found[1]}x{found[0]} pixels given to a detector fitted on "
                f"{self._frame_size[1]}x{self._frame_size[0]}: fit it again for this view"
            )
        if self._runtime is None:
            self._runtime = self._start(self._frame_size)
        size = input_size(self._frame_size, self.settings.longer_side)
        maps = [
            self._map(self._runtime.run(batch), self._gaussians) / self._threshold
            for batch in _batches(_resize(frame, size) for frame in frames)
        ]
        joined = torch.cat(maps).cpu().numpy()
        return AnomalyMaps(joined, joined.max(axis=(1, 2)))

    def save(self, path: Path) -> None:
        """Write the fitted detector into a new folder; see `Detector.save`.

        Raises:
            DetectorError: If it is not fitted, or the folder is not empty or cannot be written.
        """
        if self._gaussians is None or self._frame_size is None:
            raise DetectorError("the detector has not learned a view yet: nothing to save")
        facts = {
            "kind": "padim",
            "settings": asdict(self.settings),
            "backbone_sha256": self._spec.weights.sha256,
            "frame_size": self._frame_size,
            "threshold": self._threshold,
        }
        write_folder(path, facts, self._gaussians.tensors() | {"chosen": self._chosen})

    @classmethod
    def from_parts(
        cls, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], device: torch.device
    ) -> "PadimDetector":
        """What `save` wrote, ready to detect.

        Raises:
            DetectorError: If the backbone is missing or not the one it was fitted with.
            KeyError: If a part is missing; a TypeError or ValueError if one is wrong.
        """
        detector = cls(device, PadimSettings(**facts["settings"]))
        if facts["backbone_sha256"] != detector._spec.weights.sha256:
            raise DetectorError(
                "the detector was fitted with other backbone weights than this nomaly's; fit again"
            )
        height, width = facts["frame_size"]
        detector._frame_size = (int(height), int(width))
        rows, columns = input_size(detector._frame_size, detector.settings.longer_side)
        grid = (rows // STRIDE, columns // STRIDE)
        detector._gaussians = CellGaussians.from_tensors(tensors, grid).to(device)
        detector._chosen = tensors["chosen"]
        detector._threshold = float(facts["threshold"])
        if not detector._threshold > 0:
            raise ValueError(f"threshold {detector._threshold:g}")
        return detector

    def _start(self, frame_size: tuple[int, int]) -> Runtime:
        net = FeatureNet(self._network, self._spec, self._chosen).eval()
        return build_runtime(net, input_size(frame_size, self.settings.longer_side), self.device)

    def _varied(self, part: _Part, rng: np.random.Generator) -> Iterator[Pixels]:
        """Every frame in the network's size, followed by variations of it."""
        for frame in part.frames:
            image = _resize(frame, input_size(frame.shape[:2], self.settings.longer_side))
            yield image
            for _ in range(part.copies - 1):
                yield vary(image, rng)

    def _learn(self, features: torch.Tensor) -> CellGaussians:
        # anomalib takes 9 to 24 s to import; a detector that was loaded never needs it.
        from detectors.models.anomalib_models import build_padim, fit_padim  # noqa: PLC0415

        layers = [f"blocks.{block}" for block in self._spec.blocks]
        model = build_padim(self._network, layers, self._chosen)
        # Thousands of small matrices: the CPU is no slower than a GPU, and gives the same anywhere.
        fit_padim(model, features.cpu(), self.settings.shrinkage)
        grid = (features.shape[2], features.shape[3])
        gaussian = model.gaussian
        fitted = CellGaussians.from_inverse(gaussian.mean, gaussian.inv_covariance, grid)
        return fitted.to(self.device)

    def _map(self, features: torch.Tensor, gaussians: CellGaussians) -> torch.Tensor:
        """Raw maps [B, h, w]."""
        return blur(gaussians.distances(features), self.settings.blur)


def _threshold(scores: NDArray[np.float32], false_rate: float) -> float:
    """From the largest distance of every held-out picture, in the order of the frames."""
    blocks = np.array_split(scores, max(2, len(scores) // _BLOCK))
    maxima = np.array([block.max() for block in blocks])
    return gumbel_threshold(maxima, len(scores) / len(blocks), false_rate)


def blur(maps: torch.Tensor, spread: float) -> torch.Tensor:
    """Gaussian blur at the map's own resolution, edges mirrored.

    Args:
        maps: [B, h, w].
        spread: Standard deviation in cells; 0 leaves the maps as they are.
    """
    if spread <= 0:
        return maps
    reach = min(math.ceil(3 * spread), maps.shape[1] - 1, maps.shape[2] - 1)
    steps = torch.arange(-reach, reach + 1, device=maps.device, dtype=maps.dtype)
    kernel = torch.exp(-0.5 * (steps / spread) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(maps[:, None], (reach, reach, reach, reach), mode="reflect")
    rows = functional.conv2d(padded, kernel[None, None, None, :])
    return functional.conv2d(rows, kernel[None, None, :, None])[:, 0]


def input_size(frame_size: tuple[int, int], longer_side: int) -> tuple[int, int]:
    """(H, W) that a frame is scaled to: its shape, in multiples of two cells of 8 pixels.

    Args:
        frame_size: (height, width) of the frame.
        longer_side: Wanted longer side in pixels; frames are enlarged at most twofold.
    """
    step = 2 * STRIDE
    scale = min(2.0, longer_side / max(frame_size))
    height, width = (max(step * 2, round(side * scale / step) * step) for side in frame_size)
    return height, width


def _resize(frame: Pixels, size: tuple[int, int]) -> Pixels:
    height, width = size
    if frame.shape[:2] == size:
        return frame
    shrinking = frame.shape[0] * frame.shape[1] > height * width
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (width, height), interpolation=method), np.uint8)


def _common_size(frames: Sequence[Pixels]) -> tuple[int, int]:
    sizes = {frame.shape for frame in frames}
    for shape in sizes:
        if len(shape) != 3 or shape[2] != 3:
            raise DetectorError(f"a frame is RGB [H, W, 3], got an array of shape {shape}")
    if len(sizes) > 1:
        listed = ", ".join(f"{w}x{h}" for h, w, _ in sorted(sizes))
        raise DetectorError(f"frames of different sizes given together: {listed}")
    if not sizes:
        raise DetectorError(f"no normal frames: at least {MINIMUM_FRAMES} are needed")
    height, width, _ = sizes.pop()
    return height, width


def _thin(frames: Sequence[Pixels], most: int) -> list[Pixels]:
    if len(frames) <= most:
        return list(frames)
    return [frames[i] for i in np.linspace(0, len(frames) - 1, most).round().astype(int)]


def _batches(images: Iterator[Pixels]) -> Iterator[NDArray[np.uint8]]:
    batch: list[Pixels] = []
    for image in images:
        batch.append(image)
        if len(batch) == _BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
