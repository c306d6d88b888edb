"""What of CLIPN is trained, on texts of three kinds: vectors, captions, and pairs of templates.

Each side gives for some rows of its texts the vectors of the texts and of their "no". Only the
latter carry gradients.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from novic.clipn.head import NoHead
from novic.clipn.templates import PAIRS, filled
from novic.clipn.tower import NoTextTower, TowerEmbedder


class Side(Protocol):
    """A "no" side with its texts."""

    @property
    def module(self) -> nn.Module:
        """What is trained, all its parameters."""
        ...

    @property
    def vectors(self) -> Tensor:
        """Unit vectors of the texts [M, F], on the device: they tell which texts are close."""
        ...

    def both(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Texts and their "no".

        Args:
            rows: Numbers of texts [B], on the CPU.
            generator: Source of chance, on the CPU.

        Returns:
            Unit vectors [B, F] of each, on the device.
        """
        ...


class HeadSide:
    """A head on finished vectors [M, F]."""

    def __init__(self, head: NoHead, vectors: Tensor) -> None:
        self.module, self.vectors = head, vectors

    def both(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """See `Side`."""
        texts = self.vectors[rows.to(self.vectors.device)]
        return texts, self.module(texts, generator)


class CaptionSide:
    """A tower with prompts; the texts are captions, the same for both towers."""

    def __init__(self, tower: NoTextTower, embedder: TowerEmbedder, texts: Sequence[str]) -> None:
        self.module = tower
        self.vectors = torch.from_numpy(embedder.embed_texts(texts)).to(embedder.device)
        self._ids = embedder.tokenise(texts)

    def both(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """See `Side`."""
        ids = self._ids[rows].to(self.vectors.device)
        return self.vectors[rows.to(self.vectors.device)], self.module(ids, generator)


class TemplateSide:
    """A tower without prompts; the texts are nouns, put into a pair of templates by chance."""

    def __init__(self, tower: NoTextTower, embedder: TowerEmbedder, nouns: Sequence[str]) -> None:
        self.module = tower
        self.vectors = torch.from_numpy(embedder.embed_texts(nouns)).to(embedder.device)
        self._embedder, self._nouns = embedder, tuple(nouns)

    def both(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """See `Side`."""
        drawn = torch.randint(len(PAIRS), (len(rows),), generator=generator).tolist()
        nouns = [self._nouns[row] for row in rows.tolist()]
        yes, no = (
            [filled(PAIRS[pair][which], [noun])[0] for pair, noun in zip(drawn, nouns, strict=True)]
            for which in (0, 1)
        )
        device = self.vectors.device
        with torch.no_grad():
            texts = self._embedder.clip.encode_text(self._embedder.tokenise(yes).to(device))
        ids = self._embedder.tokenise(no).to(device)
        return functional.normalize(texts.float(), dim=1), self.module(ids)
