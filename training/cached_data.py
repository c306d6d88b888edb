"""What a cache holds, made ready for training: its nouns as tokens, and what tells it from others.

A version-1 file knows neither its embedder's name nor a checksum of itself.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from novic.digest import file_sha256
from novic.embedder import Embedder
from novic.errors import UsageError
from novic.tokens import build_noun_tokens
from training.caches.cache import CARD, CacheError, EmbeddingCache
from training.caches.reader import check_embedder, open_cache, open_samples
from training.loop_config import TrainingData

_END_BYTES = 2**20


def open_training_data(
    path: Path, build: Callable[[str], Embedder], *, spec: str = "", trust: bool = False
) -> TrainingData:
    """Open a cache for training.

    Args:
        path: Folder of a cache, or a version-1 file.
        build: Makes the embedder of a spec, whose tokenizer writes the nouns.
        spec: Of the embedder; needed for a version-1 file, by default what the cache says.
        trust: Believe the user that it is the embedder that made the cache.

    Raises:
        CacheError: If the cache cannot be read, is empty, or was made by another embedder.
        EmbedderError: If the embedder cannot be built here.
        UsageError: If a version-1 file comes without a spec, or two nouns have the same tokens.
    """
    cache, source = open_cache(path), open_samples(path)
    if not len(source):
        raise CacheError(f"{path}: holds no samples, so nothing can be trained on it")
    spec = spec or (cache.embedder if isinstance(cache, EmbeddingCache) else "")
    if not spec:
        raise UsageError(
            f"{path}: this cache does not name its embedder; name it with --embedder SPEC"
        )
    embedder = build(spec)
    check_embedder(cache, embedder, trust=trust)
    tokens = build_noun_tokens(source.nouns, embedder.encode_noun, embedder.end_id)
    return TrainingData(source, tokens, embedder.spec, cache_digest(path))


def cache_digest(path: Path) -> str:
    """What tells a cache from others.

    Returns:
        SHA-256 of the card, which holds those of all shards; for a version-1 file, which may be
        hundreds of gigabytes, of its size and its first and last MiB.
    """
    if path.is_dir():
        return file_sha256(path / CARD)
    digest = hashlib.sha256(str(path.stat().st_size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_END_BYTES))
        file.seek(max(path.stat().st_size - _END_BYTES, 0))
        digest.update(file.read())
    return digest.hexdigest()
