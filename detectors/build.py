"""From settings to detectors. The one place that knows them all."""

from pathlib import Path
from typing import assert_never

import torch

from detectors.base import Detector, DetectorError
from detectors.configs import (
    CONFIGS,
    AnomalibConfig,
    BankConfig,
    DetectorConfig,
    DetectorConfigError,
    DiagonalConfig,
    LowRankConfig,
    Mog2Config,
    PadimConfig,
    PatchCoreConfig,
    ReconstructionConfig,
    SubspaceConfig,
    read_config,
)
from detectors.features.extractors import Extractors
from detectors.files import read_facts, read_tensors


def build_detector(
    config: DetectorConfig, device: torch.device, extractors: Extractors | None = None
) -> Detector:
    """An unfitted detector.

    Args:
        config: Which, and how it is made.
        device: Where it computes.
        extractors: Shared with other detectors; by default it gets its own.

    Raises:
        DetectorError: If the detector's weights are not installed.
    """
    shared = Extractors() if extractors is None else extractors
    match config:  # each model is imported when it is asked for
        case PadimConfig():
            from detectors.models.padim import PadimDetector  # noqa: PLC0415

            return PadimDetector(config, device, shared)
        case DiagonalConfig():
            from detectors.models.diagonal import DiagonalDetector  # noqa: PLC0415

            return DiagonalDetector(config, device, shared)
        case LowRankConfig():
            from detectors.models.lowrank import LowRankDetector  # noqa: PLC0415

            return LowRankDetector(config, device, shared)
        case PatchCoreConfig():
            from detectors.models.patchcore import PatchCoreDetector  # noqa: PLC0415

            return PatchCoreDetector(config, device, shared)
        case BankConfig():
            from detectors.models.bank import BankDetector  # noqa: PLC0415

            return BankDetector(config, device, shared)
        case SubspaceConfig():
            from detectors.models.subspace import SubspaceDetector  # noqa: PLC0415

            return SubspaceDetector(config, device, shared)
        case ReconstructionConfig():
            from detectors.models.reconstruction import ReconstructionDetector  # noqa: PLC0415

            return ReconstructionDetector(config, device, shared)
        case Mog2Config():
            from detectors.models.mog2 import Mog2Detector  # noqa: PLC0415

            return Mog2Detector(config, device)
        case AnomalibConfig():
            from detectors.models.anomalib_adapter import AnomalibDetector  # noqa: PLC0415

            return AnomalibDetector(config, device)
        case _:
            assert_never(config)


def load_detector(
    path: Path, device: torch.device, extractors: Extractors | None = None
) -> Detector:
    """A fitted detector from the folder that its `save` wrote.

    Args:
        path: The folder.
        device: Where it computes; may differ from where it was fitted.
        extractors: Shared with other detectors; by default it gets its own.

    Raises:
        DetectorError: If the folder holds no whole detector of this version, or its backbone's
            weights are not installed or not those it was fitted with.
    """
    facts = read_facts(path)
    kind = facts.get("kind")
    if kind not in CONFIGS:
        raise DetectorError(f"{path}: holds a '{kind}', this nomaly knows {', '.join(CONFIGS)}")
    try:
        config = read_config({"kind": kind, **facts["settings"]})
        detector = build_detector(config, device, extractors)
        detector.restore(facts, read_tensors(path, facts))
    except (
        DetectorConfigError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        ArithmeticError,
        RuntimeError,
    ) as error:
        raise DetectorError(f"{path}: facts are missing or wrong: {error}") from error
    return detector
