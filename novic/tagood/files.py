"""A trained TagOOD in a folder.

tagood.json            format, classes, where the tokens come from, provenance, metrics, SHA-256
tagood.safetensors     the projector's weights, `centres` of the classes, and `texts`, vectors of
                       their nouns, where these mark the tokens
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from novic.embedder import Embedder, Vectors
from novic.errors import UsageError
from novic.tagood.errors import TagoodError
from novic.tagood.patches import MASKS, Mask
from novic.tagood.projector import Projector, ProjectorSizes
from novic.tagood.tokens import TagRule
from novic.trained_folders import Layout, identity_sha256
from novic.weight_files import check_weights

LAYOUT = Layout("TagOOD", "tagood", TagoodError)
CARD, WEIGHTS = LAYOUT.card, LAYOUT.weights
CENTRES, TEXTS = "centres", "texts"
FILES = "files"
"""Source of tokens that were extracted before, by whatever program."""


@dataclass(frozen=True, slots=True)
class TokensFrom:
    """Where the tokens come from; other pictures must be seen in the same way."""

    source: str = FILES
    """Name of the network, or `FILES`."""
    mask: Mask = "all"
    """What marks those that are kept."""
    rule: TagRule = TagRule()  # noqa: RUF009 - it is frozen
    embedder: str = ""
    """Spec of the embedder whose vectors the decoder names, for tokens of a network."""
    embedder_sha256: str = ""

    def check(self, embedder: Embedder) -> None:
        """Refuse another embedder than it was trained with.

        Raises:
            TagoodError: If it is another, or tokens were extracted by another program.
        """
        if self.source == FILES:
            raise TagoodError(
                "this TagOOD was trained on extracted tokens (--tokens), so it cannot look at "
                "pictures; train one on pictures (--images)"
            )
        if self.embedder_sha256 != identity_sha256(embedder):
            raise TagoodError(
                f"this TagOOD was trained with '{self.embedder}', not with this "
                f"'{embedder.spec}'; use that embedder or train another"
            )


@dataclass(frozen=True, slots=True, eq=False)
class SavedTagood:
    """What a folder holds."""

    projector: Projector
    """In eval mode, on the CPU."""
    centres: NDArray[np.float32]
    """Of the classes, parted into patterns [C, P, W / P]."""
    classes: tuple[str, ...]
    """Their nouns, C."""
    tokens: TokensFrom = field(default_factory=TokensFrom)
    texts: Vectors | None = None
    """Vectors of the nouns [C, F], where they mark the tokens."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


def save_tagood(folder: Path, saved: SavedTagood) -> None:
    """Write a TagOOD; one that is there is replaced.

    Args:
        folder: Made if missing.
        saved: What to write.

    Raises:
        TagoodError: If it cannot be written.
    """
    tensors = dict(saved.projector.state_dict())
    tensors[CENTRES] = torch.from_numpy(saved.centres)
    if saved.texts is not None:
        tensors[TEXTS] = torch.from_numpy(saved.texts)
    how = saved.tokens
    card = {
        "classes": list(saved.classes),
        "heads": saved.projector.sizes.heads,
        "source": how.source,
        "mask": how.mask,
        "threshold": how.rule.threshold,
        "fallback": how.rule.fallback,
        "embedder": how.embedder,
        "embedder_sha256": how.embedder_sha256,
        "provenance": dict(saved.provenance),
        "metrics": dict(saved.metrics),
    }
    LAYOUT.write(folder, card, tensors)


def load_tagood(folder: Path) -> SavedTagood:
    """Read a TagOOD.

    Raises:
        TagoodError: If it is missing or damaged.
    """
    card = LAYOUT.read_card(folder)
    tensors = LAYOUT.read_weights(folder, card)
    file = folder / WEIGHTS
    try:
        centres = tensors.pop(CENTRES).float().numpy()
        texts = tensors.pop(TEXTS).float().numpy() if TEXTS in tensors else None
        classes = tuple(str(name) for name in card["classes"])
        heads = int(card["heads"])
        mask = MASKS[MASKS.index(card["mask"])]
        rule = TagRule(float(card["threshold"]), bool(card["fallback"]))
        if len(classes) != len(centres):
            raise ValueError(f"it has {len(classes)} classes and {len(centres)} centres")
        how = TokensFrom(
            str(card["source"]), mask, rule, str(card["embedder"]), str(card["embedder_sha256"])
        )
        projector = projector_of(file, tensors, centres.shape, heads=heads)
    except (KeyError, TypeError, ValueError) as error:
        raise TagoodError(f"{folder}: not a readable TagOOD: {error}") from error
    told = card.get("provenance", {}), card.get("metrics", {})
    return SavedTagood(projector, centres, classes, how, texts, *told)


def projector_of(
    file: Path, weights: Mapping[str, Tensor], centres: tuple[int, ...], *, heads: int = 8
) -> Projector:
    """A projector of the sizes that its weights and centres have.

    Args:
        file: Named in messages.
        weights: By the names of a `Projector`.
        centres: Shape of the centres, (C, P, W / P).
        heads: Of attention, which the weights do not tell.

    Raises:
        TagoodError: If a weight is missing, too many or of another shape.
    """
    if len(centres) != 3:
        raise TagoodError(f"{file}: its centres must be [C, P, W / P], these are {list(centres)}")
    positions, inner = "layers.pos_embedding", "layers.layers.encoder_layer_0.mlp.0.weight"
    lacking = next((name for name in (positions, inner) if name not in weights), None)
    if lacking is not None:
        raise TagoodError(f"{file}: lacks weights of a projector, {lacking} among them")
    blocks = {name.split(".")[2] for name in weights if name.startswith("layers.layers.")}
    if weights[positions].ndim != 3 or weights[inner].ndim != 2:
        raise TagoodError(f"{file}: {positions} or {inner} has the shape of no projector's")
    count, patterns, part = centres
    try:
        sizes = ProjectorSizes(
            count,
            patterns * part,
            weights[positions].shape[1] - 1,
            len(blocks),
            heads,
            len(weights[inner]),
            patterns,
        )
    except UsageError as error:
        raise TagoodError(f"{file}: {error}") from error
    with torch.device("meta"):
        wanted = Projector(sizes).state_dict()
    check_weights(file, weights, wanted, "of a projector", TagoodError)
    projector = Projector(sizes)
    projector.load_state_dict(dict(weights))
    return projector.eval()
