"""Checkpoints in the layout of TagOOD's authors (tagood_spec §3.1).

    checkpoint_EPOCH.pth    {projector, ema, optimizer, scheduler}; `ema` holds the centres
    checkpoint_init.pth     {projector}: no centres yet

Read as torch's own files, from which nothing is ever run. The released checkpoints themselves could
not be had here: the layout was checked against its description, with random weights.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from novic.tagood.errors import TagoodError
from novic.tagood.files import SavedTagood, projector_of
from novic.weight_files import read_saved, write_saved

_MODULE = "module."
_UNUSED = "w_layer."


def read_released(path: Path, classes: tuple[str, ...] = ()) -> SavedTagood:
    """Read a checkpoint.

    Args:
        path: The file.
        classes: Names of its classes in their order; by default their numbers.

    Raises:
        TagoodError: If it cannot be read, has no centres, or lacks weights of the projector.
    """
    found = read_saved(path, TagoodError)
    if not isinstance(found, Mapping) or not _weights(found.get("projector")):
        raise TagoodError(f"{path}: holds no weights under 'projector', so it is no TagOOD's")
    if "ema" not in found:
        raise TagoodError(
            f"{path}: has no centres ('ema'), as checkpoint_init.pth, which was written before the "
            "training; take one of a later epoch"
        )
    weights = {name.removeprefix(_MODULE): one for name, one in found["projector"].items()}
    centres = _centres(path, found["ema"])
    _fill_unused(weights, centres)
    projector = projector_of(path, weights, tuple(centres.shape))
    names = classes or tuple(str(number) for number in range(len(centres)))
    if len(names) != len(centres):
        raise TagoodError(f"{path}: has {len(centres)} classes, {len(names)} names were given")
    return SavedTagood(projector, centres.float().numpy(), names)


def write_released(path: Path, saved: SavedTagood) -> None:
    """Write a checkpoint as the authors' program does, with nothing to go on training from.

    Raises:
        TagoodError: If it cannot be written; what was there stays.
    """
    content = {
        "projector": {name: one.cpu() for name, one in saved.projector.state_dict().items()},
        "ema": {"centers": torch.from_numpy(saved.centres)},
        "optimizer": {},
        "scheduler": {},
    }
    write_saved(path, content, TagoodError)


def _weights(found: Any) -> bool:  # noqa: ANN401 - as it lies in the file
    return (
        isinstance(found, Mapping)
        and bool(found)
        and all(isinstance(name, str) and isinstance(one, Tensor) for name, one in found.items())
    )


def _centres(path: Path, ema: Any) -> Tensor:  # noqa: ANN401 - as it lies in the file
    """Centres [C, P, W / P]: the only tensor of that form, bare or in a table."""
    listed = list(ema.values()) if isinstance(ema, Mapping) else [ema]
    fitting = [one for one in listed if isinstance(one, Tensor) and one.ndim == 3]
    if len(fitting) != 1 or not torch.isfinite(fitting[0]).all():
        raise TagoodError(
            f"{path}: 'ema' must hold one finite tensor of centres [C, P, W / P], there are "
            f"{len(fitting)}"
        )
    return fitting[0]


def _fill_unused(weights: dict[str, Tensor], centres: Tensor) -> None:
    """Put zeros for weights that nothing reads where a file lacks them."""
    _, patterns, part = centres.shape
    weights.setdefault(f"{_UNUSED}weight", torch.zeros(patterns, patterns * part))
    weights.setdefault(f"{_UNUSED}bias", torch.zeros(patterns))
