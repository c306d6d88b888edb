"""Detectors by name."""

from pathlib import Path

import torch

from detectors.base import Detector, DetectorError
from detectors.files import read_facts, read_tensors

DEFAULT = "padim"
NAMES = (DEFAULT,)


def build_detector(name: str, device: torch.device) -> Detector:
    """An unfitted detector.

    Args:
        name: One of `NAMES`.
        device: Where it computes.

    Raises:
        DetectorError: If the name is unknown or the detector's weights are not installed.
    """
    match name:
        case "padim":
            from detectors.models.padim import PadimDetector  # noqa: PLC0415  # only what is asked for

            return PadimDetector(device)
        case _:
            raise DetectorError(f"unknown detector '{name}'; there are {', '.join(NAMES)}")


def load_detector(path: Path, device: torch.device) -> Detector:
    """A fitted detector from the folder that its `save` wrote.

    Args:
        path: The folder.
        device: Where it computes; may differ from where it was fitted.

    Raises:
        DetectorError: If the folder holds no whole detector of this version, or its backbone's
            weights are not installed or not those it was fitted with.
    """
    facts = read_facts(path)
    match facts.get("kind"):
        case "padim":
            from detectors.models.padim import PadimDetector  # noqa: PLC0415  # only what is asked for

            try:
                return PadimDetector.from_parts(facts, read_tensors(path, facts), device)
            except (KeyError, TypeError, ValueError) as error:
                raise DetectorError(f"{path}: facts are missing or wrong: {error}") from error
        case kind:
            raise DetectorError(f"{path}: holds a '{kind}', this nomaly knows {', '.join(NAMES)}")
