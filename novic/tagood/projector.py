"""The network of TagOOD: tokens of a tagged thing in, one vector and a class out (tagood_spec §3).

A class token and the projected tokens go through two pre-norm transformer blocks. A token's
position is its rank among those that were kept, not its place in the picture. Weights are called
as in the authors' checkpoints.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.vision_transformer import EncoderBlock

from novic.errors import UsageError

PAD = -1000.0
"""Added to the attention of every pair that touches padding."""
NORM = 1e-6


@dataclass(frozen=True, slots=True)
class ProjectorSizes:
    """Sizes; the defaults are those of the released checkpoints."""

    classes: int = 1000
    """C."""
    width: int = 512
    """W, of the tokens and of the vector that comes out."""
    places: int = 145
    """Tokens of a picture at most."""
    layers: int = 2
    heads: int = 8
    hidden: int = 2048
    """Inside a block."""
    patterns: int = 4
    """P, equal parts of the vector that are compared one by one."""

    def __post_init__(self) -> None:
        """Refuse sizes that are none.

        Raises:
            UsageError: If one is below 1, or heads or patterns do not divide the width.
        """
        sizes = (self.classes, self.width, self.places, self.layers, self.heads, self.hidden)
        if min(*sizes, self.patterns) < 1:
            raise UsageError(f"sizes of a TagOOD must be at least 1, got {self}")
        if self.width % self.heads or self.width % self.patterns:
            raise UsageError(
                f"tokens of {self.width} components cannot be parted into {self.heads} heads and "
                f"{self.patterns} patterns; choose divisors of the width"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """What comes out for B pictures."""

    features: Tensor
    """z [B, W]: each of variance about 1, by the last norm."""
    logits: Tensor
    """Of the classes [B, C]."""


class Projector(nn.Module):
    """From tokens to a vector and the logits of the classes.

    Args:
        sizes: Of all parts.
        dropout: Share dropped in training mode, in the blocks and of their attention.
    """

    def __init__(self, sizes: ProjectorSizes, dropout: float = 0.1) -> None:
        super().__init__()
        self.sizes = sizes
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.image_proj = nn.Linear(sizes.width, sizes.width)
        self.layers = _Blocks(sizes, dropout)
        self.classifier = nn.Linear(sizes.width, sizes.classes)
        self.w_layer = _Unused(sizes)

    def forward(self, tokens: Tensor, padding: Tensor) -> Projected:
        """Look at pictures.

        Args:
            tokens: Kept tokens of each picture in their order, then padding [B, L, W]; L may be 0.
            padding: Which are padding, bool [B, L].

        Raises:
            UsageError: If there are more tokens than places, or they have another width.
        """
        count, most, width = tokens.shape
        if width != self.sizes.width or most > self.sizes.places:
            raise UsageError(
                f"this TagOOD reads at most {self.sizes.places} tokens of {self.sizes.width} "
                f"components, got {most} of {width}; use the tokens that it was trained on"
            )
        first = self.cls_token.expand(count, -1, -1)
        states = torch.cat([first, self.image_proj(tokens)], dim=1)
        mask = attention_mask(padding, self.sizes.heads, states.dtype)
        features = self.layers(states, mask)[:, 0]
        return Projected(features, self.classifier(features))


class _Blocks(nn.Module):
    """Positions, blocks and the last norm."""

    def __init__(self, sizes: ProjectorSizes, dropout: float) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, sizes.places + 1, sizes.width))
        nn.init.normal_(self.pos_embedding, std=0.02)
        self.dropout = nn.Dropout(dropout)
        blocks = (
            _Block(sizes.heads, sizes.width, sizes.hidden, dropout, dropout)
            for _ in range(sizes.layers)
        )
        named = ((f"encoder_layer_{number}", block) for number, block in enumerate(blocks))
        self.layers = nn.Sequential(OrderedDict(named))
        self.ln = nn.LayerNorm(sizes.width, eps=NORM)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        states = self.dropout(states + self.pos_embedding[:, : states.shape[1]])
        for block in self.layers:
            states = block(states, mask)
        return self.ln(states)


class _Block(EncoderBlock):
    """torchvision's block, whose attention gets a mask."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        states = self.ln_1(input)
        states, _ = self.self_attention(states, states, states, attn_mask=mask, need_weights=False)
        states = self.dropout(states) + input
        return states + self.mlp(self.ln_2(states))


class _Unused(nn.Module):
    """Weights of the patterns, which the authors' checkpoints hold and nothing reads."""

    def __init__(self, sizes: ProjectorSizes) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(sizes.patterns, sizes.width))
        self.register_buffer("bias", torch.zeros(sizes.patterns))


def attention_mask(padding: Tensor, heads: int, dtype: torch.dtype) -> Tensor | None:
    """What is added to the attention of the class token and the tokens.

    Args:
        padding: Which tokens are padding, bool [B, L].
        heads: H.
        dtype: Of the attention.

    Returns:
        [B * H, L + 1, L + 1]: `PAD` where either of a pair is padding, else 0; None if none is.
    """
    if not padding.any():
        return None
    whole = torch.cat([torch.zeros_like(padding[:, :1]), padding], dim=1)
    touched = whole[:, :, None] | whole[:, None, :]
    return (touched.to(dtype) * PAD).repeat_interleave(heads, dim=0)
