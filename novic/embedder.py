"""What the decoder needs of a CLIP-like model: images and text in one space of unit vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

type Pixels = NDArray[np.uint8]
"""One RGB image, uint8 [H, W, 3]."""

type Vectors = NDArray[np.float32]
"""Unit vectors, float32 [N, F], on the CPU."""


class EmbedderError(RuntimeError):
    """An embedder cannot be built or used; the text says what is missing and how to get it."""


class Embedder(Protocol):
    """Maps images and texts into one space, so that a decoder trained on text reads images."""

    @property
    def spec(self) -> str:
        """The id that rebuilds this embedder, for example `starter` or `openclip:hub/repo`."""
        ...

    @property
    def width(self) -> int:
        """F, the number of components of every vector."""
        ...

    def warm_up(self) -> None:
        """Make ready for many images; worth its seconds before a long run, not for one image."""
        ...

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """Embed images of any sizes.

        Args:
            images: N images, RGB uint8 [H, W, 3].

        Returns:
            Unit vectors float32 [N, F]; [0, F] for no images.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts.

        Returns:
            Unit vectors float32 [N, F]; [0, F] for no texts.

        Raises:
            EmbedderError: If this installation has no text model.
        """
        ...
