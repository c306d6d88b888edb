"""Files that other programs saved with torch, read without running anything in them."""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from novic.errors import NomalyError
from novic.whole_files import NEW


def read_saved(path: Path, fault: type[NomalyError]) -> Any:  # noqa: ANN401 - whatever it holds
    """What `torch.save` wrote: tensors, numbers, texts, lists and tables of them.

    Raises:
        NomalyError: `fault`, if it cannot be read, is damaged, or holds anything else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise fault(f"{path}: is damaged or no file of weights alone") from error
    # torch checks few of the steps in which it reads: of a damaged file it raises IndexError,
    # AssertionError, struct.error and others, and its next version may raise more.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise fault(f"{path}: cannot be read: {reason}") from error


def write_saved(path: Path, content: object, fault: type[NomalyError]) -> None:
    """Write such a file, whole or not at all.

    Raises:
        NomalyError: `fault`, if it cannot be written; what was there stays.
    """
    fresh = path.with_name(f"{path.name}{NEW}")
    try:
        with fresh.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except (OSError, RuntimeError) as error:
        raise fault(f"{path}: cannot be written: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)


def check_weights(
    path: Path,
    given: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    whose: str,
    fault: type[NomalyError],
) -> None:
    """Refuse weights that are not exactly those that are wanted.

    Raises:
        NomalyError: `fault`, if one is missing, too many, or of another shape.
    """
    lacking = sorted(set(wanted) - set(given))
    if lacking:
        raise fault(
            f"{path}: lacks {len(lacking)} of {len(wanted)} weights {whose}, the first {lacking[0]}"
        )
    for name in sorted(given):
        if name not in wanted:
            raise fault(f"{path}: {name} is no weight {whose}")
        if given[name].shape != wanted[name].shape:
            shape, other = tuple(given[name].shape), tuple(wanted[name].shape)
            raise fault(f"{path}: {name} has the shape {shape} and should have {other}")
