"""Which tokens of a picture show what is tagged (tagood_spec §2).

One rule for all pictures: known ones and others get their tags in the same way. The published
program does not keep to that: a known picture without a tag gets its likeliest one, any other
stays empty and scores 0, which gives away what is to be found out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

THRESHOLD = 0.5
"""Of a tag's probability, and of the mask."""

type Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TagRule:
    """When a picture has a tag."""

    threshold: float = THRESHOLD
    """Tags above it are chosen, of those that mean something known."""
    fallback: bool = True
    """Choose the likeliest where none is above; else such a picture has none and scores 0."""


ONE_RULE = TagRule()
"""Ours, for all pictures."""
EMPTY = TagRule(fallback=False)
"""An option for all pictures. The published protocol takes `ONE_RULE` for those that are known and
this for the others."""


@dataclass(frozen=True, slots=True, eq=False)
class TaggedTokens:
    """What is kept of a picture."""

    tags: tuple[int, ...]
    """Numbers of the chosen tags; empty for a picture without one."""
    probabilities: tuple[float, ...]
    """Of each chosen tag."""
    attention: Floats
    """How much each place shows what is tagged [T], 0 to 1."""
    tokens: Floats
    """Of the places that show it, in their order [n, W]."""
    fallback: bool = False
    """Whether the tag was only the likeliest."""

    @property
    def tag_p(self) -> float:
        """Probability of the likeliest chosen tag; 0 without one."""
        return max(self.probabilities, default=0.0)


def chosen_tags(
    probabilities: NDArray[np.floating], known: Sequence[int], rule: TagRule = ONE_RULE
) -> tuple[tuple[int, ...], bool]:
    """The tags of a picture, and whether they are only the likeliest.

    Args:
        probabilities: Of all tags [K], 0 to 1.
        known: Numbers of the tags that mean something known, at least one.
        rule: See `TagRule`.
    """
    numbers = np.unique(np.asarray(known, np.int64))
    own = probabilities[numbers]
    above = numbers[own > rule.threshold]
    if len(above):
        return tuple(above.tolist()), False
    if not rule.fallback:
        return (), False
    return (int(numbers[own.argmax()]),), True


def object_mask(rows: NDArray[np.floating]) -> Floats:
    """Where the tagged things are: each tag's attention from 0 to 1, the largest of all tags.

    Args:
        rows: Attention of the chosen tags to the places [K, T], K at least 1, of several heads
            their sum. A row that is the same everywhere marks every place.

    Returns:
        [T].
    """
    values = np.asarray(rows, np.float32)
    low = values.min(axis=1, keepdims=True)
    range_ = values.max(axis=1, keepdims=True) - low
    flat = range_ <= 0
    scaled = np.where(flat, 1, (values - low) / np.where(flat, 1, range_))
    return scaled.max(axis=0).astype(np.float32)


def tagged_tokens(
    tokens: NDArray[np.floating],
    rows: NDArray[np.floating],
    probabilities: NDArray[np.floating],
    known: Sequence[int],
    rule: TagRule = ONE_RULE,
) -> TaggedTokens:
    """Keep of a picture what shows its tags.

    Args:
        tokens: Of all places [T, W].
        rows: Attention of each tag to the places [K, T], of several heads their sum.
        probabilities: Of the tags [K].
        known: Numbers of the tags that mean something known.
        rule: See `TagRule`.
    """
    tags, fallback = chosen_tags(probabilities, known, rule)
    if not tags:
        nothing = np.zeros(len(tokens), np.float32)
        return TaggedTokens((), (), nothing, np.zeros((0, tokens.shape[1]), np.float32))
    mask = object_mask(rows[list(tags)])
    kept = np.asarray(tokens[mask > THRESHOLD], np.float32)
    return TaggedTokens(tags, tuple(probabilities[list(tags)].tolist()), mask, kept, fallback)


def padded(pictures: Sequence[NDArray[np.floating]], width: int) -> tuple[Tensor, Tensor]:
    """Tokens of several pictures, filled up to the longest.

    Args:
        pictures: [n, W] each; one without tokens may be of any width, as it is in a file.
        width: W.

    Returns:
        Tokens float32 [B, L, W] and which are padding, bool [B, L].
    """
    longest = max((len(one) for one in pictures), default=0)
    tokens = torch.zeros(len(pictures), longest, width)
    padding = torch.ones(len(pictures), longest, dtype=torch.bool)
    for row, one in enumerate(pictures):
        if not len(one):
            continue
        tokens[row, : len(one)] = torch.from_numpy(np.ascontiguousarray(one, np.float32))
        padding[row, : len(one)] = False
    return tokens, padding
