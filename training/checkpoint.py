"""Checkpoints of a run: everything that the next step depends on.

A checkpoint is a folder, `checkpoint-000001200` for the state after 1,200 steps:

    state.json            the run's identity, the step, running sums, SHA-256 of the tensors
    tensors.safetensors   the weights and the optimiser's two moments of each

It is written beside the one before under another name, synced, and renamed; only then the one
before is removed. So a kill or a power cut at any time leaves a whole checkpoint behind. There is
no state of random generators: all chance is drawn anew from the seed and the step.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from novic.digest import file_sha256
from novic.json_files import read_json
from training.step import TrainingError

PREFIX = "checkpoint-"
PART = ".part"
TENSORS, STATE = "tensors.safetensors", "state.json"
MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(
    work: Path,
    step: int,
    state: Mapping[str, Any],
    decoder: nn.Module,
    optimiser: torch.optim.AdamW,
    besides: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Write a checkpoint and remove those before it.

    Args:
        work: Folder of the run's checkpoints; made if missing.
        step: Steps done, at least 1.
        state: What else the run must know, as JSON values.
        decoder: Its weights.
        optimiser: Its moments.
        besides: Other tensors that the next step depends on.

    Raises:
        TrainingError: If it cannot be written; the checkpoint before is still there.
    """
    name = f"{PREFIX}{step:09d}"
    part = work / f"{name}{PART}"
    tensors = {f"besides.{key}": tensor for key, tensor in (besides or {}).items()}
    for key, weight in decoder.named_parameters():
        tensors[f"weight.{key}"] = weight.detach()
        for moment in MOMENTS:
            tensors[f"{moment}.{key}"] = optimiser.state[weight][moment]
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(tensors, part / TENSORS)
        full = {**state, "step": step, "tensors_sha256": file_sha256(part / TENSORS)}
        (part / STATE).write_text(json.dumps(full, indent=2), encoding="utf-8")
        for path in (part / TENSORS, part / STATE, part):
            _sync(path)
        if not (work / name).exists():
            part.rename(work / name)
        _sync(work)
        for old in work.glob(f"{PREFIX}*"):
            if old.name != name:
                shutil.rmtree(old)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise TrainingError(
            f"{work / name}: the checkpoint cannot be written: {error}; the one before is kept, "
            "make room and run the same command again"
        ) from error


def read_state(work: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint's folder and state; None if there is no checkpoint.

    Raises:
        TrainingError: If it is damaged.
    """
    found = sorted(path for path in work.glob(f"{PREFIX}*") if path.suffix != PART)
    if not found:
        return None
    folder = found[-1]
    try:
        state = read_json(folder / STATE)
        sha256 = file_sha256(folder / TENSORS)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder}: {error}; {_advice(folder)}") from error
    if not isinstance(state, dict) or state.get("tensors_sha256") != sha256:
        raise TrainingError(
            f"{folder / TENSORS}: its SHA-256 is not the one in {STATE}; {_advice(folder)}"
        )
    return folder, state


def load_tensors(
    folder: Path,
    step: int,
    decoder: nn.Module,
    optimiser: torch.optim.AdamW,
    besides: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Put a checkpoint's weights and moments in place.

    Args:
        folder: Of the checkpoint.
        step: Steps that were done.
        decoder: Gets the weights.
        optimiser: Of the decoder; gets the moments.
        besides: What else was saved; gets its values.

    Raises:
        TrainingError: If the tensors are not those of such a decoder.
    """
    try:
        tensors = load_file(folder / TENSORS)
        for key, weight in decoder.named_parameters():
            weight.data.copy_(tensors[f"weight.{key}"])
            moments = {name: tensors[f"{name}.{key}"].to(weight.device) for name in MOMENTS}
            count = torch.tensor(float(step), device=weight.device)
            optimiser.state[weight] = {"step": count, **moments}
        for key, tensor in (besides or {}).items():
            tensor.copy_(tensors[f"besides.{key}"])
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise TrainingError(f"{folder / TENSORS}: {error}; {_advice(folder)}") from error


def differences(
    before: Mapping[str, Any], now: Mapping[str, Any], at: str = ""
) -> list[tuple[str, Any, Any]]:
    """Fields of two trees of JSON values that are not the same: name, before and now."""
    found = []
    for key in [*before, *(key for key in now if key not in before)]:
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{at}{key}.")
        elif old != new:
            found.append((f"{at}{key}", old, new))
    return found


def _advice(folder: Path) -> str:
    return f"the checkpoint is damaged, remove {folder} to begin again"


def _sync(path: Path) -> None:
    """Make the disk hold a file's content, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
