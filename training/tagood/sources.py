"""Networks whose map gives the tokens, by name, and what is kept of their tokens."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from detectors.features.extractors import ExtractorKey, Extractors
from novic.embedder import Pixels, Vectors
from novic.errors import UsageError
from novic.tagood.patches import Mask, Patches, PatchSource, StarterPatches, attention_rows
from novic.tagood.tokens import TaggedTokens, TagRule, tagged_tokens

STARTER = "starter"
SIDE = 224
"""Pixels of the pictures that a detector's backbone sees: 16 x 16 cells of DINOv2-S."""
MOST_PLACES = 512
AT_ONCE = 16


class BackbonePatches:
    """The map of a backbone of the detectors, for example `dinov2-s`.

    Args:
        name: As detectors call it.
        device: Where it runs.

    Raises:
        DetectorError: If there is none, or its weights are not here; the text says what to do.
        UsageError: If its map is too fine to be read cell by cell.
    """

    joint_with = None

    def __init__(self, name: str, device: torch.device) -> None:
        self.name = name
        self._owner = Extractors()
        backbone = self._owner.backbone(name)
        side = SIDE // backbone.stride
        if side * side > MOST_PLACES:
            raise UsageError(
                f"--source {name}: its map has {side * side} cells, at most {MOST_PLACES} are "
                "read; use starter, dinov2-s or another transformer"
            )
        self.grid, self.width = (side, side), backbone.channels
        size = side * backbone.stride, side * backbone.stride
        channels = tuple(range(backbone.channels))
        self._extractor = self._owner.extractor(ExtractorKey(name, channels, size, device))

    def see(self, images: Sequence[Pixels]) -> Patches:
        """See `PatchSource`."""
        height, width = self.grid
        found = np.empty((len(images), height * width, self.width), np.float32)
        for start in range(0, len(images), AT_ONCE):
            batch = np.stack(
                [_square(one, self._extractor.size) for one in images[start:][:AT_ONCE]]
            )
            features = self._extractor.features(batch).flatten(2).transpose(1, 2)
            found[start : start + len(batch)] = features.float().cpu().numpy()
        return Patches(found, None)


def patch_source(name: str, device: torch.device) -> PatchSource:
    """The source of that name: `starter`, or a backbone of the detectors.

    Raises:
        NomalyError: If there is none, or its weights are not here.
    """
    return StarterPatches(device) if name == STARTER else BackbonePatches(name, device)


def kept_tokens(
    images: Sequence[Pixels],
    source: PatchSource,
    mask: Mask,
    texts: Vectors | None,
    chances: NDArray[np.floating],
    rule: TagRule,
) -> list[TaggedTokens]:
    """Keep of each picture the cells that show its tags.

    Args:
        images: N of them.
        source: Sees their cells.
        mask: What marks those that are kept.
        texts: Vectors of the classes' nouns [C, F], for the mask `text`.
        chances: Probability of each class's tag [N, C].
        rule: The same for all pictures.

    Raises:
        TagoodError: If `text` is asked for where cells and texts lie in no common space.
    """
    return kept_of_patches(source.see(images), source.grid, mask, texts, chances, rule)


def kept_of_patches(
    patches: Patches,
    grid: tuple[int, int],
    mask: Mask,
    texts: Vectors | None,
    chances: NDArray[np.floating],
    rule: TagRule,
) -> list[TaggedTokens]:
    """Keep of N pictures that were seen the cells that show their tags.

    Args:
        patches: What was seen.
        grid: Cells of a picture (rows, columns).
        mask: See `kept_tokens`, as `texts`, `chances` and `rule`.
        texts: Vectors of the classes' nouns [C, F], for the mask `text`.
        chances: Probability of each class's tag [N, C].
        rule: The same for all pictures.

    Raises:
        TagoodError: If `text` is asked for where cells and texts lie in no common space.
    """
    rows = attention_rows(patches, mask, texts, grid)
    classes = chances.shape[1]
    every = range(classes)
    return [
        tagged_tokens(tokens, np.broadcast_to(row, (classes, row.shape[1])), chance, every, rule)
        for tokens, row, chance in zip(patches.tokens, rows, chances, strict=True)
    ]


def _square(image: Pixels, size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)
