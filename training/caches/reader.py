"""Streams batches out of a cache of either format, also of one that is larger than memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from novic.embedder import Embedder
from training.batches import Batch, BatchSource
from training.caches.cache import CacheError, EmbeddingCache
from training.caches.prefetch import one_ahead
from training.caches.shards import Shard, unpack_vectors
from training.caches.v1 import CacheV1
from training.caches.v1_writing import embedder_hash, is_of_hash, token_difference

WINDOW_BYTES = 2**27
"""Shards whose samples are shuffled together; while they are used, as much again is read ahead.
Every shard is a random part of the data set already, so this only spreads a text's repeats."""

_OF_THE_MODEL = ("model_id", "model_config", "class")
"""What of an embedder's identity must agree; the device and the precision turn vectors by less than
rounding them to float16 does."""


def open_cache(path: Path) -> EmbeddingCache | CacheV1:
    """Open a cache: a folder of Nomaly's own format or a version-1 file.

    Raises:
        CacheError: If it is neither, or cannot be read.
    """
    if path.is_dir():
        return EmbeddingCache(path)
    if not path.exists():
        raise CacheError(f"{path}: there is no such cache")
    return CacheV1(path)


def open_samples(path: Path) -> BatchSource:
    """Open a cache of either format for training.

    Raises:
        CacheError: If it cannot be read or its samples have no targets.
    """
    cache = open_cache(path)
    if not cache.max_targets:
        raise CacheError(f"{path}: holds no targets, so nothing can be trained on it")
    return CachedSamples(cache) if isinstance(cache, EmbeddingCache) else cache


@dataclass(frozen=True, slots=True)
class Maker:
    """The embedder that made a cache, as far as the cache knows it."""

    spec: str
    """Empty if only a hash is known."""
    identity: Mapping[str, Any]
    """`Embedder.identity()`; empty if not known."""
    hash: bytes = b""
    """Version 1's hash of it; empty if not known."""

    def __str__(self) -> str:
        return f"'{self.spec}'" if self.spec else f"the one of hash {self.hash.hex()[:16]}…"


def maker_of(cache: EmbeddingCache | CacheV1) -> Maker:
    """What a cache knows of its embedder."""
    if isinstance(cache, CacheV1):
        return Maker("", {}, cache.header.embedder_hash if cache.header.strict else b"")
    if cache.identity:
        return Maker(cache.embedder, cache.identity)
    # Converted from a version-1 file, which knows a hash at most.
    return Maker(cache.embedder, {}, bytes.fromhex(cache.card["v1"]["embedder_hash"]))


def difference_of(one: Maker, other: Maker) -> str:
    """In words, why two models are not the same; empty if they are or nobody knows.

    The device and the precision may differ.
    """
    if one.identity and other.identity:
        names = [key for key in _OF_THE_MODEL if one.identity[key] != other.identity[key]]
        return f"{one} and {other} differ in {', '.join(names)}" if names else ""
    if one.hash and other.hash:
        return f"{one} and {other}" if one.hash != other.hash else ""
    known, hashed = (one, other) if one.identity else (other, one)
    if known.identity and hashed.hash and not is_of_hash(hashed.hash, known.identity):
        own = embedder_hash(known.identity).hex()[:16]
        return f"{hashed} and {known}, whose hash is {own}…"
    return ""


def check_embedder(
    cache: EmbeddingCache | CacheV1,
    embedder: Embedder,
    nouns: Sequence[str] | None = None,
    *,
    trust: bool = False,
) -> None:
    """Make sure that a cache's vectors are this embedder's, on whatever device they were made.

    For a version-1 file, its tokens must also be those of the embedder's tokenizer.

    Args:
        cache: Of either format.
        embedder: What its vectors are to be used with.
        nouns: What its target nouns must be; None if any will do.
        trust: Believe the user that it is the same model; only the vectors' width and the nouns are
            compared.

    Raises:
        CacheError: If they are not; both are named.
    """
    if nouns is not None:
        check_nouns(cache, nouns)
    if cache.width != embedder.width:
        raise CacheError(
            f"{cache.path}: its vectors have {cache.width} components, those of "
            f"'{embedder.spec}' {embedder.width}; use the embedder that made it"
        )
    if trust:
        return
    asked = Maker(embedder.spec, embedder.identity())
    difference = difference_of(maker_of(cache), asked)
    if not difference and isinstance(cache, CacheV1):
        difference = token_difference(cache, embedder)
    if difference:
        raise CacheError(
            f"{cache.path}: was made by another embedder: {difference}; use the one that made it, "
            "or pass --trust if you know that it is the same"
        )


def check_nouns(cache: EmbeddingCache | CacheV1, nouns: Sequence[str]) -> None:
    """Make sure that a cache's target nouns are these, in this order.

    Raises:
        CacheError: If they are not; the first difference is named.
    """
    if len(cache.nouns) != len(nouns):
        raise CacheError(
            f"{cache.path}: has {len(cache.nouns)} target nouns instead of {len(nouns)}; "
            "use the dictionary and the threshold that made it"
        )
    for number, (own, other) in enumerate(zip(cache.nouns, nouns, strict=True)):
        if own != other:
            raise CacheError(
                f"{cache.path}: its target noun {number} is '{own}' instead of '{other}'; "
                "use the dictionary that made it"
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Shards in memory, and the order in which their samples come."""

    shard: Shard
    weights: NDArray[np.float32]
    entries: NDArray[np.int64]
    """The entry of each sample; a repeat is a number here, never a copy of its vector."""

    def take(self, first: int, last: int) -> tuple[NDArray[Any], ...]:
        """Vectors, targets and weights of samples first up to last, as copies."""
        entries = self.entries[first:last]
        packed = self.shard.vectors[self.shard.row[entries]]
        return unpack_vectors(packed), self.shard.targets[entries], self.weights[entries]


class CachedSamples:
    """Nomaly's own cache as a `BatchSource`.

    An epoch goes through the shards in a random order, a window of them at a time, and through the
    samples of a window in a random order. Memory holds two windows, however large the cache is. A
    shard's SHA-256 is checked when it is first read.

    Args:
        cache: An opened cache with targets.
        window_bytes: Size of a window; the order of the samples depends on it.
    """

    def __init__(self, cache: EmbeddingCache, window_bytes: int = WINDOW_BYTES) -> None:
        self.nouns = cache.nouns
        self.width = cache.width
        self._cache = cache
        self._window_bytes = window_bytes
        self._checked: set[int] = set()

    def __len__(self) -> int:
        return len(self._cache)

    def batches(self, batch_size: int, *, seed: int, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Full batches of one epoch.

        Args:
            batch_size: Samples in a batch.
            seed: Of the order.
            epoch: From 0.
            first: Batches to skip; their shards are not read.

        Raises:
            CacheError: If a shard is missing or damaged.
        """
        held: list[tuple[NDArray[Any], ...]] = []
        count = 0
        for window in one_ahead(self._windows(seed, epoch, first * batch_size)):
            at, end = 0, len(window.entries)
            while at < end:
                taken = min(batch_size - count, end - at)
                held.append(window.take(at, at + taken))
                at, count = at + taken, count + taken
                if count == batch_size:
                    yield _batch(held)
                    held, count = [], 0

    def _windows(self, seed: int, epoch: int, skip: int) -> Iterator[_Window]:
        order = np.random.default_rng([seed, epoch]).permutation(len(self._cache.shards))
        for number, shards in enumerate(self._split(order.tolist())):
            samples = sum(self._cache.shards[shard].samples for shard in shards)
            if skip < samples:
                chance = np.random.default_rng([seed, epoch, number])
                yield self._window(shards, chance, skip)
            skip = max(skip - samples, 0)

    def _split(self, order: list[int]) -> Iterator[list[int]]:
        window, held = [], 0
        for shard in order:
            size = self._cache.shards[shard].bytes
            if window and held + size > self._window_bytes:
                yield window
                window, held = [], 0
            window.append(shard)
            held += size
        yield window

    def _window(self, numbers: list[int], chance: np.random.Generator, skip: int) -> _Window:
        shards = []
        for number in numbers:
            shards.append(self._cache.map_shard(number, check=number not in self._checked))
            self._checked.add(number)
        first = np.cumsum([0, *(len(shard.vectors) for shard in shards)])
        rows = [shard.row + start for shard, start in zip(shards, first, strict=False)]
        count = np.concatenate([shard.count for shard in shards])
        entries = chance.permutation(np.repeat(np.arange(len(count)), count))
        whole = Shard(
            np.concatenate([shard.vectors for shard in shards]),
            np.concatenate(rows),
            count,
            np.concatenate([shard.targets for shard in shards]),
        )
        weights = np.concatenate([shard.target_weights() for shard in shards])
        return _Window(whole, weights, entries[skip:])


def _batch(pieces: list[tuple[NDArray[Any], ...]]) -> Batch:
    vectors, targets, weights = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Batch(
        torch.from_numpy(vectors),
        torch.from_numpy(targets.astype(np.int64)),
        torch.from_numpy(weights),
    )
