"""Checkpoints in the layout of CLIPN's authors: a CLIP model and its "no" tower in one file.

Read is a state dict, bare or under `state_dict`, with or without `module.` before each name, beside
whatever else the file holds; as torch's own file, from which no program is ever run, or as
safetensors. Where no weight of a "no" tower is in the file, it is copied from the text tower; where
only some are, the file is refused: the authors' own program goes on with random weights then
(clipn_spec §1.1).

The released weights themselves could not be had here: the layout was checked against its
description (452 tensors for ViT-B/16), with random weights.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from novic.clipn.errors import ClipnError
from novic.clipn.tower import COPIED, PROMPT, NoTextTower
from novic.weight_files import check_weights, read_saved, write_saved

_MODULE = "module."
_NO = tuple(f"{part}_no" for part in COPIED)


def is_no_weight(name: str) -> bool:
    """Whether a weight is the "no" tower's; `_no` elsewhere in a name, as in q_norm, is not."""
    return name == PROMPT or name.split(".")[0] in _NO


def read_released(path: Path) -> dict[str, Tensor]:
    """All weights of a checkpoint by their bare names.

    Raises:
        ClipnError: If it cannot be read or holds no state dict.
    """
    try:
        safe = path.suffix == ".safetensors"
        found: Any = load_file(path) if safe else read_saved(path, ClipnError)
    except OSError as error:
        raise ClipnError(f"{path}: cannot be read: {error}") from error
    except SafetensorError as error:
        raise ClipnError(f"{path}: is damaged or no file of weights alone") from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(weight, Tensor) for name, weight in found.items()
    ):
        raise ClipnError(f"{path}: holds no state dict of weights by name")
    return {name.removeprefix(_MODULE): weight for name, weight in found.items()}


def load_released(path: Path, clip: Any, *, learnable: bool = True) -> NoTextTower:  # noqa: ANN401
    """Read a checkpoint into a model.

    Args:
        path: The checkpoint.
        clip: A model of open_clip of its architecture (`novic.embedders.openclip.new_clip`); gets
            the file's weights.
        learnable: Whether a "no" tower that is copied gets prompts; one that is in the file has
            them or not.

    Returns:
        The "no" tower, in eval mode.

    Raises:
        ClipnError: If the file holds other weights than that model has, or a part of a "no" tower.
    """
    weights = read_released(path)
    own = {name: weight for name, weight in weights.items() if is_no_weight(name)}
    others = {name: weight for name, weight in weights.items() if name not in own}
    check_weights(path, others, clip.state_dict(), "of this model", ClipnError)
    tower = NoTextTower(clip, learnable=PROMPT in own if own else learnable)
    if own:
        check_weights(
            path,
            own,
            tower.state_dict(),
            'of a "no" tower; such a file would go on at random',
            ClipnError,
        )
    clip.load_state_dict(others)
    # After the model has its weights: a copy is a copy of those.
    tower = NoTextTower(clip, learnable=tower.learnable)
    if own:
        tower.load_state_dict(own)
    return tower.eval()


def released_weights(clip: Any, tower: NoTextTower) -> dict[str, Tensor]:  # noqa: ANN401
    """Weights of a CLIP model and its "no" tower by the names of the released checkpoints."""
    return {**clip.state_dict(), **tower.state_dict()}


def write_released(path: Path, clip: Any, tower: NoTextTower, epoch: int = 0) -> None:  # noqa: ANN401
    """Write a checkpoint as the authors' program does, whole or not at all.

    Args:
        path: The file; there may be one.
        clip: The CLIP model.
        tower: Its "no" tower.
        epoch: Told in the file.

    Raises:
        ClipnError: If it cannot be written; what was there stays.
    """
    weights = {name: one.detach().cpu() for name, one in released_weights(clip, tower).items()}
    content = {"epoch": epoch, "name": "nomaly", "state_dict": weights}
    write_saved(path, content, ClipnError)
