"""What the decoder needs of a CLIP-like model: images and text in one space of unit vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from novic.errors import NomalyError

type Pixels = NDArray[np.uint8]
"""One RGB image, uint8 [H, W, 3]."""

type Vectors = NDArray[np.float32]
"""Unit vectors, float32 [N, F], on the CPU."""


type PatchVectors = NDArray[np.float32]
"""Unit vectors of the patches of images, float32 [N, P, F], on the CPU."""


class EmbedderError(NomalyError):
    """An embedder cannot be built or used; the text says what is missing and how to get it."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class TokenIds:
    """The special ids of a text model's tokenizer."""

    vocabulary: int
    """How many ids there are."""
    start: int | None
    """Begins every text; None where no token does."""
    end: int
    """Ends every text."""
    pad: int
    """Fills up behind the end."""


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

    @property
    def token_ids(self) -> TokenIds:
        """The special ids of its tokenizer.

        Raises:
            EmbedderError: If this installation has no text model.
        """
        ...

    @property
    def end_id(self) -> int:
        """The tokenizer's id of the end of a text.

        Raises:
            EmbedderError: If this installation has no text model.
        """
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

        Raises:
            ValueError: If an image is not of that form or has no pixels.
            EmbedderError: If the model gives vectors that are not finite.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts.

        Returns:
            Unit vectors float32 [N, F]; [0, F] for no texts.

        Raises:
            EmbedderError: If this installation has no text model, or the model gives vectors that
                are not finite.
        """
        ...

    def clean_text(self, text: str) -> str:
        """A text as its tokenizer reads it, lower-cased or without punctuation where that is so.

        Texts that are cleaned alike have the same vector, so that one embedding serves them all.

        Raises:
            EmbedderError: If this installation has no text model.
        """
        ...

    def encode_noun(self, noun: str) -> list[int]:
        """A noun's tokens as the text model reads them, without those of start and end.

        Raises:
            EmbedderError: If this installation has no text model.
        """
        ...

    def identity(self) -> Mapping[str, Any]:
        """What its vectors depend on, for files that hold vectors; JSON values only.

        The keys `model_id`, `model_config`, `class`, `device_type` and `amp_dtype` are those that
        the hash in a version-1 cache is made of (novic_spec §3.2).
        """
        ...


@runtime_checkable
class PatchEmbedder(Protocol):
    """What an `Embedder` may also do: see the patches of images in the space of its texts."""

    def embed_with_patches(self, images: Sequence[Pixels]) -> tuple[Vectors, PatchVectors]:
        """Embed images of any sizes, and each of their patches.

        Args:
            images: N images, RGB uint8 [H, W, 3].

        Returns:
            What `embed_images` gives, and unit vectors float32 [N, P, F], patches row by row;
            [0, F] and [0, 0, F] for no images.

        Raises:
            ValueError: If an image is not of that form or has no pixels.
            EmbedderError: If the image tower of this model gives none, or vectors that are not
                finite.
        """
        ...
