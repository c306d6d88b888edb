"""An embedder without a model: every text and every image gets a direction of its own."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from novic.embedder import Pixels, TokenIds, Vectors


class HashedEmbedder:
    """Vectors drawn from a hash of what is embedded; a tokenizer that spells."""

    spec = "hashed"
    end_id = 1
    token_ids = TokenIds(vocabulary=300, start=None, end=1, pad=0)

    def __init__(self, width: int = 16, model: str = "hashed") -> None:
        self.width = width
        self.model = model
        self.asked: list[str] = []

    def warm_up(self) -> None:
        """Nothing to prepare."""

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        return self._directions([image.tobytes() for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._directions([self.clean_text(text).encode() for text in texts])

    def clean_text(self, text: str) -> str:
        return text.lower()

    def encode_noun(self, noun: str) -> list[int]:
        return [ord(letter) for letter in noun]

    def identity(self) -> Mapping[str, Any]:
        return {
            "model_id": self.model,
            "model_config": {"width": self.width},
            "class": "HashedEmbedder",
            "device_type": "cpu",
            "amp_dtype": "None",
        }

    def _directions(self, contents: Sequence[bytes]) -> Vectors:
        rows = np.empty((len(contents), self.width))
        for row, content in zip(rows, contents, strict=True):
            seed = int.from_bytes(blake2b(content, digest_size=8).digest())
            row[:] = np.random.default_rng(seed).standard_normal(self.width)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
