"""Vectors of a decoder's nouns, kept in the user's cache: with the starter they take half a minute.

A file for each embedder, where it computes, and list of texts; damaged ones are made again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from novic.whole_files import write_whole

if TYPE_CHECKING:
    from novic.embedder import Embedder, Vectors

AT_ONCE = 256
"""Texts embedded between two looks at whether to stop."""
VERSION = 1
"""Of the files; another is another file."""
_DIGEST = hashlib.sha256().digest_size


def embed_once(
    texts: Sequence[str],
    embedder: "Embedder",
    folder: Path | None,
    told: Callable[[int, int], None] = lambda *_: None,
) -> "Vectors":
    """Vectors of texts, from the cache if they are there.

    Args:
        texts: One or more.
        embedder: Of the texts.
        folder: The cache, made if missing; None for none.
        told: Called with how many are embedded, and of how many.

    Returns:
        Unit vectors, float32 [N, F].

    Raises:
        novic.embedder.EmbedderError: If they are not there and there is no text model.
    """
    shape = (len(texts), embedder.width)
    file = folder / f"{_key(texts, embedder)}.vectors" if folder is not None else None
    if file is not None:
        with suppress(OSError, ValueError):
            found = _read(file).reshape(shape)
            told(len(texts), len(texts))
            return found
    parts = []
    for some in batched(texts, AT_ONCE):
        told(len(parts) * AT_ONCE, len(texts))
        parts.append(embedder.embed_texts(some))
    vectors = np.concatenate(parts)
    if file is not None:
        # Where they cannot be kept they are made anew the next time.
        with suppress(OSError):
            _write(file, vectors)
    return vectors


def _key(texts: Sequence[str], embedder: "Embedder") -> str:
    made_of = json.dumps([VERSION, embedder.identity(), list(texts)], sort_keys=True)
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]


def _read(file: Path) -> "Vectors":
    """What was written, float32 [N * F].

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is damaged.
    """
    content = file.read_bytes()
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        raise ValueError(f"{file}: damaged")
    return np.frombuffer(content, "<f4", offset=_DIGEST).astype(np.float32)


def _write(file: Path, vectors: "Vectors") -> None:
    """Keep them behind their digest; two processes may do so at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    own = file.with_suffix(f".{os.getpid()}")
    content = np.ascontiguousarray(vectors, "<f4").tobytes()
    write_whole(own, hashlib.sha256(content).digest() + content)
    own.replace(file)
