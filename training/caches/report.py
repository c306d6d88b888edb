"""What a cache of either format is, and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from training.batches import NO_TARGET
from training.caches.cache import CacheError, EmbeddingCache, check_file
from training.caches.embedding import UNIT_TOLERANCE, Tell
from training.caches.reader import open_cache
from training.caches.shards import Shard, unpack_vectors
from training.caches.v1 import CacheV1
from training.caches.v1_check import v1_faults


def cache_info(path: Path) -> dict[str, Any]:
    """What a cache of either format is.

    Raises:
        CacheError: If it cannot be read.
    """
    cache = open_cache(path)
    samples = len(cache)
    same_as_v1 = samples * (4 * cache.width + 8 * cache.max_targets)
    common = {
        "cache": str(path),
        "samples": samples,
        "nouns": len(cache.nouns),
        "max_targets": cache.max_targets,
        "width": cache.width,
        **asdict(cache.flags),
        "bytes": cache.bytes,
        "bytes_per_sample": round(cache.bytes / samples, 1),
        "share_of_v1": round(cache.bytes / same_as_v1, 4),
    }
    if isinstance(cache, CacheV1):
        header = cache.header
        return {
            "format": "v1",
            **common,
            "strict": header.strict,
            "embedder_hash": header.embedder_hash.hex(),
            "target_hash": header.target_hash.hex(),
            "token_dim": header.token_dim,
        }
    card = cache.card
    return {
        "format": "nomaly",
        "kind": card["kind"],
        **common,
        "texts": card["texts"],
        "vectors": card["vectors"],
        "shards": len(cache.shards),
        "embedder": cache.embedder,
        "skipped": card.get("skipped", []),
        "provenance": card["provenance"],
    }


def cache_faults(path: Path, tell: Tell) -> Iterator[str]:
    """Everything that is wrong with a cache of either format, a sentence each; reads all of it."""
    try:
        cache = open_cache(path)
    except CacheError as error:
        yield str(error)
        return
    if isinstance(cache, CacheV1):
        yield from (f"{path}: {fault}" for fault in v1_faults(cache))
        return
    for number, record in enumerate(cache.shards):
        file = path / record.file
        try:
            check_file(file, record.bytes, record.sha256)
            shard = cache.map_shard(number, check=False)
        except CacheError as error:
            yield str(error)
        else:
            yield from (f"{file}: {fault}" for fault in _shard_faults(cache, shard, record.samples))
        tell("Checking", number + 1, len(cache.shards), "shards")


def _shard_faults(cache: EmbeddingCache, shard: Shard, samples: int) -> Iterator[str]:
    lengths = np.linalg.norm(unpack_vectors(shard.vectors), axis=1)
    for row in np.flatnonzero(~(np.abs(lengths - 1) <= UNIT_TOLERANCE)):
        yield f"vector {row} has length {lengths[row]:.7g} instead of 1"
    targets = shard.targets
    real = targets != NO_TARGET
    outside = real & ((targets < 0) | (targets >= len(cache.nouns)))
    rules = {
        "names no vector of its shard": (shard.row < 0) | (shard.row >= len(shard.vectors)),
        "stands for no sample": shard.count < 1,
        "has a target that is no noun": outside.any(axis=1),
        "has a target behind an empty one": (real[:, 1:] & ~real[:, :-1]).any(axis=1),
        "has weights where there are no targets": ((shard.target_weights() > 0) != real).any(
            axis=1
        ),
    }
    if cache.max_targets:
        rules["has no target"] = ~real[:, 0]
    for fault, entries in rules.items():
        for entry in np.flatnonzero(entries):
            yield f"entry {entry} {fault}"
    if (found := int(shard.count.sum())) != samples:
        yield f"holds {found} samples, the card says {samples}"
