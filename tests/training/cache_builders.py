"""Small caches of either format for tests."""

from collections.abc import Iterable
from pathlib import Path

from tests.training.hashed import HashedEmbedder
from training.caches.cache import EmbeddingCache
from training.caches.embedding import Tell, embed_captions
from training.caches.shards import VectorKind
from training.caches.writer import CacheWriter
from training.texts.samples import Caption

NOUNS = ("ant", "bee", "bumblebee", "cat")


def quiet(*_: object) -> None:
    """Tell nobody."""


def some_captions(count: int = 60) -> list[Caption]:
    """Captions about one to three nouns, with counts of 1 to 5."""
    targets = [(0,), (1, 2), (3, 0, 1), (2,)]
    return [Caption(f"text {n}.", targets[n % 4], 1 + n % 5) for n in range(count)]


def make_cache(
    folder: Path,
    captions: Iterable[Caption],
    embedder: HashedEmbedder | None = None,
    kind: VectorKind = "float32",
    tell: Tell = quiet,
) -> EmbeddingCache:
    """A finished cache of captions; goes on where an earlier run with them was stopped."""
    embedder = embedder or HashedEmbedder()
    writer = CacheWriter(folder, {"what": "test", "vectors": kind}, overwrite=False)
    filled = embed_captions(writer, captions, 0, len(NOUNS), embedder, kind, tell)
    card = {
        "kind": "nouns",
        "embedder": embedder.spec,
        "identity": embedder.identity(),
        "width": embedder.width,
        "vectors": kind,
        "max_targets": filled.max_targets,
        "flags": {
            "full_targets": filled.flags.full_targets,
            "default_weights": True,
            "unit_weights": True,
        },
        "request": {},
        "provenance": {},
    }
    writer.finish(NOUNS, card)
    return EmbeddingCache(folder)
