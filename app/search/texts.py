"""Vectors of texts by the text model of an embedder, each made once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from novic.embedder import Embedder, Vectors

_STARTER = "starter"
_known: dict[tuple[str, str], NDArray[np.float32]] = {}


def text_vectors(spec: str, texts: Sequence[str], *, keep: bool = False) -> "Vectors":
    """Unit vectors of texts, float32 [N, F].

    Args:
        spec: Of the embedder.
        texts: One or more.
        keep: They are nouns, which are asked for again: those of the starter's text model are kept
            in the user's cache, as those that sites are rated by.

    Raises:
        novic.errors.NomalyError: If there is no text model here, or the cache cannot be used.
    """
    new = [text for text in dict.fromkeys(texts) if (spec, text) not in _known]
    if new:
        found = _kept(new) if keep and spec == _STARTER else _embedder(spec).embed_texts(new)
        _known.update(((spec, text), vector) for text, vector in zip(new, found, strict=True))
    return np.stack([_known[spec, text] for text in texts])


def _kept(texts: Sequence[str]) -> "Vectors":
    from scenarios.paths import vectors_folder  # noqa: PLC0415 - only who searches waits for it
    from scenarios.raters.vectors import nouns  # noqa: PLC0415 - the same

    return nouns.text_vectors(texts, vectors_folder(), embed=_embedder(_STARTER).embed_texts)


@lru_cache(maxsize=4)
def _embedder(spec: str) -> "Embedder":
    import torch  # noqa: PLC0415 - the same

    from novic.embedders.kinds import build_embedder  # noqa: PLC0415 - the same

    return build_embedder(spec, torch.device("cpu"))
