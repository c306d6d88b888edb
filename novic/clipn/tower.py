"""The "no" text tower: a trainable copy of a CLIP model's text tower (clipn_spec §1).

Its weights are called as in the released checkpoints: those of the text tower with `_no` behind the
first part of the name, and `prompt_no`, 16 prompts of the tower's context and width, which begin at
zero and are added, place by place, to the tokens' vectors. Without prompts it is the hand-crafted
variant, whose texts say "no" in words.

Where attention is causal and the end of the text is looked at, as in CLIP, the prompts' rows behind
the end change nothing and get no gradient.
"""

import copy
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from novic.clipn.errors import ClipnError
from novic.clipn.head import PROMPTS, chosen_prompts
from novic.embedder import Embedder

PROMPT = "prompt_no"
COPIED = (
    "transformer",
    "token_embedding",
    "positional_embedding",
    "ln_final",
    "text_projection",
)
"""Parts of a text tower that the "no" tower has for itself."""


@runtime_checkable
class TowerEmbedder(Embedder, Protocol):
    """An embedder whose text tower can be copied and trained."""

    @property
    def clip(self) -> Any:  # noqa: ANN401 - open_clip has several classes for it
        """The model of both towers, in eval mode."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it is."""
        ...

    def tokenise(self, texts: Sequence[str]) -> Tensor:
        """Token ids [N, context], on the CPU."""
        ...


def tower_embedder(embedder: Embedder) -> TowerEmbedder:
    """The embedder, if it has a text tower that can be copied.

    Raises:
        ClipnError: If not.
    """
    if not isinstance(embedder, TowerEmbedder):
        raise ClipnError(
            f"embedder '{embedder.spec}' has no text tower that can be trained; use a model of "
            "open_clip (openclip: or openai:), or a CLIPN on the vectors of texts"
        )
    return embedder


class NoTextTower(nn.Module):
    """A text tower that starts as a copy and learns what texts are not.

    Args:
        clip: A model of open_clip, on any device; not changed.
        learnable: With the 16 prompts; without them it is the hand-crafted variant.

    Raises:
        ClipnError: If its text tower works otherwise than CLIP's.
    """

    def __init__(self, clip: Any, *, learnable: bool = True) -> None:  # noqa: ANN401
        super().__init__()
        text = _checked_text(clip)
        self.transformer_no = copy.deepcopy(text.transformer)
        self.token_embedding_no = copy.deepcopy(text.token_embedding)
        self.positional_embedding_no = _copied(text.positional_embedding)
        self.ln_final_no = copy.deepcopy(text.ln_final)
        self.text_projection_no = _copied(text.text_projection)
        context, width = text.positional_embedding.shape
        self.prompt_no = None
        if learnable:
            prompts = text.positional_embedding.new_zeros(PROMPTS, context, width)
            self.prompt_no = nn.Parameter(prompts)
        self.register_buffer("_mask", text.attn_mask, persistent=False)
        self._pool = getattr(clip, "text_pool_type", None) or text.pool_type
        self._end_id = getattr(clip, "text_eos_id", None) or getattr(text, "eos_id", None)
        self.requires_grad_(True)

    @property
    def learnable(self) -> bool:
        """Whether it has prompts of its own."""
        return self.prompt_no is not None

    def forward(self, ids: Tensor, generator: Generator | None = None) -> Tensor:
        """The "no" of texts.

        Args:
            ids: Token ids [B, context], on the tower's device.
            generator: Source of the chance by which prompts are chosen in training mode, on the
                CPU. In eval mode all get the prompts' mean.

        Returns:
            Unit vectors [B, F].
        """
        states = self.token_embedding_no(ids) + self.positional_embedding_no
        if self.prompt_no is not None:
            prompts = chosen_prompts(self.prompt_no, len(ids), generator, chance=self.training)
            states = states + prompts
        states = self.ln_final_no(self.transformer_no(states, attn_mask=self._mask))
        looked_at = states[torch.arange(len(ids), device=ids.device), self._places(ids)]
        if isinstance(self.text_projection_no, nn.Linear):
            looked_at = self.text_projection_no(looked_at)
        elif self.text_projection_no is not None:
            looked_at = looked_at @ self.text_projection_no
        return functional.normalize(looked_at, dim=1)

    def _places(self, ids: Tensor) -> Tensor:
        """Which place of each text is looked at [B]."""
        match self._pool:
            case "argmax":
                return ids.argmax(dim=1)
            case "eos":
                return (ids == self._end_id).int().argmax(dim=1)
            case "first":
                return ids.new_zeros(len(ids))
            case _:
                return ids.new_full((len(ids),), ids.shape[1] - 1)


def _checked_text(clip: Any) -> Any:  # noqa: ANN401
    """The module that holds the parts of the text tower.

    Raises:
        ClipnError: If they are not those of CLIP.
    """
    text = getattr(clip, "text", clip)
    lacking = [part for part in (*COPIED, "attn_mask") if not hasattr(text, part)]
    own = getattr(text, "cls_emb", None) is not None or getattr(text, "use_pad_mask", False)
    if lacking or own or getattr(text, "pool_type", "argmax") == "none":
        raise ClipnError(
            f"a text tower of the class {type(text).__name__} is built otherwise than CLIP's, so "
            "it has no CLIPN; use another model, or a CLIPN on the vectors of texts"
        )
    return text


def _copied(part: Any) -> Any:  # noqa: ANN401 - a tensor, a layer or nothing
    if isinstance(part, Tensor):
        return nn.Parameter(part.detach().clone())
    return copy.deepcopy(part)
