"""A trained CLIPN in a folder.

    clipn.json           format, kind, embedder and the hash of what its vectors depend on, scale,
                         provenance, metrics, SHA-256 of the weights
    clipn.safetensors    weights of the "no" side; of a head also `centre`, what was taken off all
                         vectors before

A `head` works on finished vectors of any embedder, a `tower` is a copy of an open_clip model's text
tower. Either is of one embedder: with another's vectors it would mean nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from novic.clipn.errors import ClipnError
from novic.clipn.head import HeadSizes, NoHead
from novic.clipn.tower import PROMPT, NoTextTower, tower_embedder
from novic.embedder import Embedder
from novic.trained_folders import Layout, identity_sha256

LAYOUT = Layout("CLIPN", "clipn", ClipnError)
CARD, WEIGHTS = LAYOUT.card, LAYOUT.weights
CENTRE = "centre"
HEAD, TOWER = "head", "tower"


@dataclass(frozen=True, eq=False)
class SavedClipn:
    """What a folder holds."""

    module: NoHead | NoTextTower
    """In eval mode."""
    scale: float
    """s of its logits."""
    centre: NDArray[np.float32] | None
    """Taken off the vectors of images and texts [F], which then get length 1; None for a tower."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`head` or `tower`."""
        return HEAD if isinstance(self.module, NoHead) else TOWER


def save_clipn(folder: Path, saved: SavedClipn, embedder: Embedder) -> None:
    """Write a CLIPN; one that is there is replaced.

    Args:
        folder: Made if missing.
        saved: What to write.
        embedder: Whose vectors it was trained on.

    Raises:
        ClipnError: If it cannot be written.
    """
    tensors = {name: one.detach().cpu() for name, one in saved.module.state_dict().items()}
    if saved.centre is not None:
        tensors[CENTRE] = torch.from_numpy(saved.centre)
    card = {
        "kind": saved.kind,
        "embedder": embedder.spec,
        "embedder_sha256": identity_sha256(embedder),
        "scale": saved.scale,
        "provenance": dict(saved.provenance),
        "metrics": dict(saved.metrics),
    }
    LAYOUT.write(folder, card, tensors)


def read_card(folder: Path) -> dict[str, Any]:
    """What a folder's clipn.json says, without its weights.

    Raises:
        ClipnError: If it is missing, damaged, or of another format or version.
    """
    return LAYOUT.read_card(folder)


def load_clipn(folder: Path, embedder: Embedder) -> SavedClipn:
    """Read a CLIPN.

    Args:
        folder: Where it is.
        embedder: Whose vectors it will read; a tower goes to where its model is.

    Raises:
        ClipnError: If it is missing, damaged, or was trained on another embedder's vectors.
    """
    card = read_card(folder)
    if card.get("embedder_sha256") != identity_sha256(embedder):
        raise ClipnError(
            f"{folder}: was trained on vectors of '{card.get('embedder')}', not on those of this "
            f"'{embedder.spec}'; use that embedder or train another CLIPN"
        )
    tensors = LAYOUT.read_weights(folder, card)
    try:
        scale = float(card["scale"])
        if not 0 < scale < np.inf:
            raise ValueError(f"its scale is {scale}")
        centre = None
        if card["kind"] == HEAD:
            centre = tensors.pop(CENTRE).float().numpy()
            module = _head(tensors, embedder.width)
        else:
            tower = tower_embedder(embedder)
            module = NoTextTower(tower.clip, learnable=PROMPT in tensors)
            module.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ClipnError(f"{folder}: not a readable CLIPN: {error}") from error
    provenance, metrics = card.get("provenance", {}), card.get("metrics", {})
    return SavedClipn(module.eval(), scale, centre, provenance, metrics)


def _head(tensors: Mapping[str, Tensor], width: int) -> NoHead:
    """A head of the sizes that its weights have.

    Raises:
        ValueError, KeyError, RuntimeError: If they do not fit each other or the embedder.
    """
    prompts, found = tensors["prompts"].shape
    if found != width:
        raise ValueError(f"its vectors have {found} components, the embedder's {width}")
    head = NoHead(HeadSizes(width, len(tensors["inner.weight"]), prompts))
    head.load_state_dict(dict(tensors))
    return head
