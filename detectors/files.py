"""A fitted detector as a folder: detector.json beside detector.safetensors."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from detectors.base import DetectorError, NoDetectorError
from novic.json_files import CARD_BYTES, read_json
from novic.whole_files import write_whole

if TYPE_CHECKING:  # who only reads the facts needs no torch
    import torch

FORMAT = "nomaly-detector"
VERSION = 2
_READ = (1, VERSION)
"""The first had no learned picture."""
MOST_BYTES = 4 << 30
"""Of the tensors; 100 channels of a view of 4096 x 2304 pixels, the largest, take 1.6 GB."""
_FACTS = "detector.json"
_WEIGHTS = "detector.safetensors"
PROMISE = "promise.json"
"""What is known of how often its normal footage would ring; beside it once that is known."""
CALIBRATION, CALIBRATION_ARRAYS = "calibration.json", "calibration.npz"
"""What its camera's numbers mean (`calibration.site`); beside it once that was measured."""
CALIBRATION_PAGE = "calibration.html"
FILES = (_FACTS, _WEIGHTS, PROMISE, CALIBRATION, CALIBRATION_ARRAYS, CALIBRATION_PAGE)
"""All that a detector's folder may hold."""


def write_folder(path: Path, facts: Mapping[str, Any], tensors: "dict[str, torch.Tensor]") -> None:
    """Write a detector so that it is either whole and on the disk, or not there.

    Args:
        path: A folder that does not exist yet or is empty.
        facts: What JSON can hold.
        tensors: Everything else, of any shape and type.

    Raises:
        DetectorError: If the folder holds something or cannot be written.
    """
    from safetensors.torch import save  # noqa: PLC0415

    weights = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    head = {
        "format": FORMAT,
        "version": VERSION,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.is_dir() and any(path.iterdir()):
            raise DetectorError(f"{path}: the folder is not empty; save into a new one")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_whole(partial / _WEIGHTS, weights)
        card = json.dumps({**head, **facts}, indent=2) + "\n"
        write_whole(partial / _FACTS, card.encode())
        partial.replace(path)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise DetectorError(f"{path}: cannot write the detector: {error.strerror}") from error


def read_facts(path: Path) -> dict[str, Any]:
    """The checked content of detector.json.

    Raises:
        NoDetectorError: If there is none.
        DetectorError: If it is damaged, foreign or of another version.
    """
    file = path / _FACTS
    try:
        facts = read_json(file, CARD_BYTES)
    except FileNotFoundError as error:
        raise NoDetectorError(f"{path}: no detector here ({_FACTS} is missing)") from error
    except OSError as error:
        raise DetectorError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DetectorError(f"{file}: damaged: {error}") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise DetectorError(f"{file}: not a detector of nomaly")
    if facts.get("version") not in _READ:
        raise DetectorError(
            f"{file}: version {facts.get('version')}, this nomaly reads {_READ[0]} and {_READ[1]}; "
            "fit it again"
        )
    return facts


def read_tensors(path: Path, facts: Mapping[str, Any]) -> "dict[str, torch.Tensor]":
    """The tensors that belong to `facts`.

    Raises:
        DetectorError: If the file is missing, truncated or not the one that was written.
    """
    file = path / _WEIGHTS
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise DetectorError(
                f"{file}: has {size:,} bytes, more than {MOST_BYTES:,} are not read"
            )
        content = file.read_bytes()
    except OSError as error:
        raise DetectorError(f"{file}: cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != facts.get("weights_sha256"):
        raise DetectorError(
            f"{file}: truncated or changed since it was written; copy it again or fit again"
        )
    from safetensors.torch import load  # noqa: PLC0415

    try:
        return load(content)
    except SafetensorError as error:
        raise DetectorError(f"{file}: damaged: {error}") from error
