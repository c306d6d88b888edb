"""Vectors of the patches of an image in the space of the texts, from open_clip's own towers.

Attention mixes the places of an image in its last step. Where each place keeps its own value
instead, and goes the rest of the way as the whole image does, its vector can be compared with
texts: MaskCLIP (Zhou et al. 2022), as GL-MCM (Miyai et al. 2025) takes it, with the residual and
the MLP of the last block. No weight is added or trained.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from novic.embedder import EmbedderError, PatchVectors, Vectors
from novic.embedders.towers import Inputs

type Encode = Callable[[Inputs], Tensor]
type Local = Callable[[Tensor], Tensor]
"""From the input of a tower's last attention to vectors of its patches [B, P, F]."""


def with_patches(spec: str, visual: Any, encode: Encode) -> Encode:  # noqa: ANN401
    """The image tower with its patches: features [B, 1 + P, F], those of the whole image first.

    Args:
        spec: Of the embedder, named in errors.
        visual: The tower; open_clip has several classes for it.
        encode: Runs it.

    Raises:
        EmbedderError: If it is no ViT that looks at its class token, and no ResNet with CLIP's
            attention at its end.
    """
    watched, local = _path(spec, visual)

    def both(inputs: Inputs) -> Tensor:
        seen: list[Tensor] = []
        watch = watched.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            whole = encode(inputs)
        finally:
            watch.remove()
        return torch.cat([whole[:, None], local(seen[-1])], dim=1)

    return both


def parted(rows: list[Vectors], width: int) -> tuple[Vectors, PatchVectors]:
    """Batches [B, 1 + P, F] as vectors of images [N, F] and of their patches [N, P, F].

    Args:
        rows: One batch after the other; none for no images, P is 0 then.
        width: F.
    """
    both = np.concatenate(rows) if rows else np.empty((0, 1, width), np.float32)
    return both[:, 0], both[:, 1:]


def _path(spec: str, visual: Any) -> tuple[Any, Local]:  # noqa: ANN401
    """The module whose input holds all places of an image, and what makes vectors of them."""
    kind = type(visual).__name__
    if kind == "ModifiedResNet" and visual.attnpool is not None:
        return visual.attnpool, _of_pool(visual.attnpool)
    if kind == "VisionTransformer" and visual.attn_pool is None and visual.pool_type == "tok":
        block = visual.transformer.resblocks[-1]
        if type(block).__name__ == "ResidualAttentionBlock":
            return block, _of_block(visual, block)
    raise EmbedderError(
        f"embedder '{spec}' gives no vectors of patches: its image tower ({kind}) is neither a ViT "
        "with a class token nor a ResNet of CLIP's own form"
    )


def _of_block(visual: Any, block: Any) -> Local:  # noqa: ANN401
    """From the input of a ViT's last block, of which the first place is the class token."""
    batch_first = visual.transformer.batch_first

    def local(places: Tensor) -> Tensor:
        given = (places if batch_first else places.transpose(0, 1))[:, 1:]
        width, attention = given.shape[-1], block.attn
        values = functional.linear(
            block.ln_1(given), attention.in_proj_weight[-width:], attention.in_proj_bias[-width:]
        )
        mixed = given + block.ls_1(attention.out_proj(values))
        mixed = mixed + block.ls_2(block.mlp(block.ln_2(mixed)))
        found = visual.ln_post(mixed)
        return found if visual.proj is None else found @ visual.proj

    return local


def _of_pool(pool: Any) -> Local:  # noqa: ANN401
    """From the last map of a ResNet [B, C, H, W]; without positions, as GL-MCM does."""

    def local(maps: Tensor) -> Tensor:
        return pool.c_proj(pool.v_proj(maps.flatten(2).transpose(1, 2)))

    return local
