"""Joins caches of either format into one, or turns one into the other format (novic_spec §3.4).

An input that is named several times counts as often. The entries of all inputs (about 40 bytes
each) are held in memory, vectors are read where they lie.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Vectors
from novic.errors import UsageError
from training.batches import NO_TARGET
from training.caches.cache import CacheError, EmbeddingCache, Flags, SampleTable
from training.caches.embedding import Tell, check_units
from training.caches.reader import difference_of, maker_of, open_cache
from training.caches.shards import Shard, VectorKind, equal_weights, pack_vectors
from training.caches.v1 import CacheV1, TargetIds, V1Header, V1Targets
from training.caches.v1_writing import write_v1
from training.caches.writer import SHARD_TEXTS, CacheWriter

BLOCK_BYTES = 2**27
"""Vectors held at once while a version-1 file is written or read."""

type TargetCount = Literal["max", "min"] | int
"""M of the result: the largest or the smallest of the inputs, or a number."""


@dataclass(frozen=True, slots=True)
class Input:
    """A cache and how many times it is taken."""

    cache: EmbeddingCache | CacheV1
    times: int


def open_inputs(paths: Sequence[Path]) -> list[Input]:
    """Open caches; one that is named several times becomes one input.

    Raises:
        CacheError: If one cannot be read.
    """
    times = Counter(path.resolve() for path in paths)
    named = {path.resolve(): path for path in reversed(paths)}
    return [Input(open_cache(named[path]), number) for path, number in times.items()]


def check_alike(inputs: Sequence[Input], *, trust: bool) -> None:
    """Make sure that caches can be joined: same nouns, same embedder.

    Args:
        inputs: The caches.
        trust: Believe the user that the embedder is the same.

    Raises:
        CacheError: If they cannot; both files are named.
    """
    first = inputs[0].cache
    for other in (item.cache for item in inputs[1:]):
        both = f"{first.path} and {other.path}"
        if bool(first.max_targets) != bool(other.max_targets):
            raise CacheError(f"{both}: one has targets and the other has none; join like with like")
        if first.nouns != other.nouns:
            raise CacheError(
                f"{both}: their target nouns differ ({len(first.nouns)} and {len(other.nouns)}); "
                "make both from one dictionary with one threshold"
            )
        if first.width != other.width:
            raise CacheError(
                f"{both}: their vectors have {first.width} and {other.width} components; make both "
                "with one embedder"
            )
        if not trust and (difference := difference_of(maker_of(first), maker_of(other))):
            raise CacheError(
                f"{both}: were made by different embedders: {difference}; make both with one, or "
                "pass --trust if you know that it is the same"
            )


def result_targets(inputs: Sequence[Input], wanted: TargetCount) -> int:
    """M of the joined cache.

    Raises:
        UsageError: If it is a number below 1, or above 0 for caches without targets.
    """
    counts = [item.cache.max_targets for item in inputs]
    if isinstance(wanted, str):
        return max(counts) if wanted == "max" else min(counts)
    if wanted < 1 or not any(counts):
        raise UsageError(f"--targets {wanted}: must be max, min or 1 and more, of caches with any")
    return wanted


def result_flags(inputs: Sequence[Input], targets: int) -> Flags:
    """Flags of the joined cache; a single one, taken once, keeps its own."""
    caches = [item.cache for item in inputs]
    kept = len(inputs) == 1 and targets == caches[0].max_targets
    return Flags(
        full_targets=all(c.flags.full_targets and targets <= c.max_targets for c in caches),
        default_weights=kept and caches[0].flags.default_weights,
        unit_weights=all(c.flags.unit_weights and targets >= c.max_targets for c in caches),
    )


def merge_into_folder(
    inputs: Sequence[Input], writer: CacheWriter, targets: int, kind: VectorKind, tell: Tell
) -> None:
    """Write the shards of a joined cache, those that are not there yet.

    Every shard gets its share of every input, so that it is a random part of the whole. Samples of
    a version-1 file that are equal to the bit become one entry.

    Args:
        inputs: Caches that can be joined.
        writer: Where the shards go.
        targets: M.
        kind: How vectors are stored.
        tell: Progress.

    Raises:
        CacheError: If an input is damaged or the disk is full.
    """
    tables = []
    for item in inputs:
        whole = _unique(item.cache, tell) if isinstance(item.cache, CacheV1) else item.cache.table()
        tables.append(_taken(whole, item.times, targets))
    vectors = sum(len(np.unique(table.rows)) for table in tables)
    of = math.ceil(vectors / SHARD_TEXTS)
    for number in range(of):
        if not writer.has(f"{number:05d}"):
            writer.write(f"{number:05d}", _shard(inputs, tables, number, of, kind))
        tell("Writing shards", number + 1, of, "")


def merge_into_v1(
    inputs: Sequence[Input],
    path: Path,
    header: V1Header,
    targets: V1Targets | None,
    seed: int | None,
    tell: Tell,
) -> None:
    """Write a joined version-1 file in a random order, every repeat a row of its own.

    Args:
        inputs: Caches that can be joined.
        path: The file.
        header: Of the result; the number of vectors is filled in here.
        targets: Nouns with tokens.
        seed: Of the order; None for another one every time, as upstream does it.
        tell: Progress.

    Raises:
        CacheError: If an input is damaged or the disk is full.
    """
    tables = [_taken(item.cache.table(), item.times, header.targets) for item in inputs]
    whole = replace(header, vectors=sum(int(table.counts.sum()) for table in tables))
    write_v1(path, whole, targets, _shuffled(inputs, tables, whole, seed, tell))


def _shuffled(
    inputs: Sequence[Input],
    tables: Sequence[SampleTable],
    header: V1Header,
    seed: int | None,
    tell: Tell,
) -> Iterator[tuple[TargetIds, NDArray[np.float32], Vectors]]:
    """Rows of a version-1 file, a block at a time: reads jump about, writes go straight on."""
    ends = np.cumsum(np.concatenate([table.counts for table in tables]))
    targets = np.concatenate([table.targets for table in tables])
    weights = np.concatenate([table.weights for table in tables])
    source = np.repeat(np.arange(len(tables)), [len(table.rows) for table in tables])
    rows = np.concatenate([table.rows for table in tables])
    order = np.random.default_rng(seed).permutation(header.vectors)
    block = max(BLOCK_BYTES // (4 * header.width), 1)
    for first in range(0, header.vectors, block):
        entries = np.searchsorted(ends, order[first : first + block], side="right")
        vectors = np.empty((len(entries), header.width), dtype=np.float32)
        for number, item in enumerate(inputs):
            chosen = np.flatnonzero(source[entries] == number)
            vectors[chosen] = item.cache.vectors(rows[entries[chosen]])
            _check_finite(item.cache, vectors[chosen])
        yield targets[entries] + 1, weights[entries], vectors
        tell("Writing", first + len(entries), header.vectors, "samples")


def _shard(
    inputs: Sequence[Input], tables: Sequence[SampleTable], number: int, of: int, kind: VectorKind
) -> Shard:
    """The share of a shard in every input."""
    vectors, rows, counts, targets, weights = [], [], [], [], []
    before = 0
    for item, table in zip(inputs, tables, strict=True):
        total = len(table.rows)
        share = slice(total * number // of, total * (number + 1) // of)
        unique, row = np.unique(table.rows[share], return_inverse=True)
        found = item.cache.vectors(unique)
        _check_finite(item.cache, found)
        # Rows ascend in a shard.
        order = np.argsort(row, kind="stable")
        vectors.append(pack_vectors(found, kind))
        rows.append((row[order] + before).astype(np.int32))
        counts.append(table.counts[share][order].astype(np.int32))
        targets.append(table.targets[share][order])
        weights.append(table.weights[share][order])
        before += len(unique)
    all_targets, all_weights = np.concatenate(targets), np.concatenate(weights)
    equal = np.array_equal(all_weights, equal_weights(all_targets))
    return Shard(
        np.concatenate(vectors),
        np.concatenate(rows),
        np.concatenate(counts),
        all_targets,
        None if equal else all_weights,
    )


def _taken(table: SampleTable, times: int, targets: int) -> SampleTable:
    """A table repeated, its targets cut or padded to M; cut weights stay as they are."""
    padding = max(targets - table.targets.shape[1], 0)
    return SampleTable(
        table.rows,
        table.counts * times,
        np.pad(table.targets, ((0, 0), (0, padding)), constant_values=NO_TARGET)[:, :targets],
        np.pad(table.weights, ((0, 0), (0, padding)))[:, :targets],
    )


def _unique(cache: CacheV1, tell: Tell) -> SampleTable:
    """The samples of a version-1 file, equal ones counted instead of repeated, in random order."""
    digests = np.empty(len(cache), dtype=np.uint64)
    block = max(BLOCK_BYTES // (4 * cache.width), 1)
    for first in range(0, len(cache), block):
        vectors = cache.vectors(np.arange(first, min(first + block, len(cache))))
        for row, vector in enumerate(vectors, start=first):
            digest = blake2b(vector.tobytes(), digest_size=8).digest()
            digests[row] = int.from_bytes(digest)
        tell("Looking for repeats", first + len(vectors), len(cache), "samples")
    table = cache.table()
    keys = np.concatenate([table.weights.T.view(np.int32), table.targets.T])
    order = np.lexsort((*keys, digests))
    new_vector = np.diff(digests[order], prepend=digests[order[0]] + np.uint64(1)) != 0
    new_entry = new_vector.copy()
    new_entry[1:] |= (np.diff(keys[:, order], axis=1) != 0).any(axis=0)
    starts = np.flatnonzero(new_entry)
    kept = order[starts]
    representative = order[np.flatnonzero(new_vector)][np.cumsum(new_vector) - 1]
    return SampleTable(
        representative[starts],
        np.diff(starts, append=len(order)),
        table.targets[kept],
        table.weights[kept],
    )


def _check_finite(cache: EmbeddingCache | CacheV1, vectors: Vectors) -> None:
    check_units(vectors, lambda row: f"{cache.path}, vector {row} of those read", "of the cache")
