"""A CLIPN in use: logits of known things and of their "no" for images.

Scores and decisions of these logits are in `calibration.clipn`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from novic.clipn.errors import ClipnError
from novic.clipn.files import SavedClipn, load_clipn
from novic.clipn.head import NoHead
from novic.clipn.templates import NEGATIVE, POSITIVE, filled
from novic.clipn.tower import tower_embedder
from novic.embedder import Embedder, Vectors

BARE = ("{}",)
TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class KnownThings:
    """What an image may show, as the scores compare it."""

    nouns: tuple[str, ...]
    yes: Vectors
    """Unit vectors [C, F], less the centre where there is one."""
    no: Vectors
    """Of their "no" [C, F]."""


class Clipn:
    """A CLIPN with the embedder that it was trained on.

    Args:
        saved: What was trained.
        embedder: Whose vectors it reads.
    """

    def __init__(self, saved: SavedClipn, embedder: Embedder) -> None:
        self.saved, self.embedder = saved, embedder

    @classmethod
    def load(cls, folder: Path, embedder: Embedder) -> "Clipn":
        """Read one that `nomaly train clipn` made.

        Raises:
            ClipnError: If it cannot be read or was trained on another embedder's vectors.
        """
        return cls(load_clipn(folder, embedder), embedder)

    def known(self, nouns: Sequence[str], templates: Sequence[str] = ()) -> KnownThings:
        """Prepare the things that images may show.

        Args:
            nouns: Their names, at least one.
            templates: Texts with {} for the noun that are averaged; by default the noun alone for
                a head and `novic.clipn.templates.POSITIVE` for a tower. A hand-crafted tower reads
                the lists of pairs and no others.

        Raises:
            ClipnError: If there are no nouns, or templates for a hand-crafted tower.
        """
        if not nouns:
            raise ClipnError("a CLIPN needs at least one known thing to compare images with")
        module = self.saved.module
        if isinstance(module, NoHead):
            yes = self.centred(self._averaged(nouns, templates or BARE))
            with torch.inference_mode():
                no = module(torch.from_numpy(yes)).numpy()
            return KnownThings(tuple(nouns), yes, no)
        if not module.learnable and templates:
            raise ClipnError("a hand-crafted CLIPN has templates of its own; give none")
        positive = templates or POSITIVE
        yes = self._averaged(nouns, positive)
        no = self._averaged_no(nouns, positive if module.learnable else NEGATIVE)
        return KnownThings(tuple(nouns), yes, no)

    def logits(
        self, vectors: Vectors, known: KnownThings
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logits of the known things and of their "no".

        Args:
            vectors: Unit vectors of images [N, F], as the embedder gives them.
            known: C things.

        Returns:
            l and m [N, C] each.
        """
        images = self.centred(vectors).astype(np.float64)
        scale = self.saved.scale
        return scale * images @ known.yes.T, scale * images @ known.no.T

    def centred(self, vectors: Vectors) -> Vectors:
        """Unit vectors [N, F] of the space that the "no" was learnt in."""
        if self.saved.centre is None:
            return vectors
        return unit(vectors - self.saved.centre)

    def _averaged(self, nouns: Sequence[str], templates: Sequence[str]) -> Vectors:
        each = [self.embedder.embed_texts(filled(template, nouns)) for template in templates]
        return unit(np.sum(each, axis=0, dtype=np.float32))

    def _averaged_no(self, nouns: Sequence[str], templates: Sequence[str]) -> Vectors:
        tower = tower_embedder(self.embedder)
        found = np.zeros((len(nouns), self.embedder.width), np.float32)
        with torch.inference_mode():
            for template in templates:
                ids = tower.tokenise(filled(template, nouns))
                parts = [
                    self.saved.module(part.to(tower.device)) for part in ids.split(TEXTS_AT_ONCE)
                ]
                found += torch.cat(parts).float().cpu().numpy()
        return unit(found)


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
