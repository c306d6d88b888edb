"""A trained TagOOD's view of pictures, for the score `tagood`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from novic.tagood.files import SavedTagood, load_tagood
from novic.tagood.model import features_of
from training.tagood.sources import kept_tokens, patch_source
from training.tagood.tags import NounTags

if TYPE_CHECKING:
    import torch

    from novic.embedder import Embedder, Pixels


class TagoodEyes:
    """Sees pictures as a TagOOD was trained to, all by its one rule of tags.

    Args:
        folder: That `nomaly train tagood` made.
        embedder: Whose vectors the decoder names.
        device: Where the cells are seen.

    Raises:
        TagoodError: If it cannot be read, or was trained otherwise than on pictures with this
            embedder.
        NomalyError: If the network of its tokens is not here.
    """

    def __init__(self, folder: Path, embedder: "Embedder", device: "torch.device") -> None:
        self.saved: SavedTagood = load_tagood(folder)
        self.saved.tokens.check(embedder)
        self._source = patch_source(self.saved.tokens.source, device)
        self._tags = NounTags(self.saved.classes)

    def see(
        self,
        images: "Sequence[Pixels]",
        said: Sequence[Sequence[str]],
        log_p: Sequence[Sequence[float]],
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Vectors of pictures, and the probability of each one's likeliest tag.

        Args:
            images: N of them.
            said: The decoder's likeliest nouns of each.
            log_p: Their log-probabilities.

        Returns:
            [N, W] and [N]; 0 without a tag.
        """
        how = self.saved.tokens
        chances = self._tags.probabilities(said, log_p)
        kept = kept_tokens(images, self._source, how.mask, self.saved.texts, chances, how.rule)
        return features_of(self.saved.projector, kept), np.array([one.tag_p for one in kept])
