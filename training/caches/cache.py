"""Nomaly's own embedding cache: a folder of shards, each of them a random part of the data set.

    cache.json             card: what the cache holds, how it was made, SHA-256 of every other file
    nouns.json             target nouns in the order of their numbers
    shard-….safetensors    vectors, each text's once, and the samples that they stand for
    v1-targets.safetensors only after a conversion: the tokens of a version-1 file

A shard holds U vectors and E entries. An entry is a vector with target nouns and how many samples
of the data set are exactly that; a text that names different nouns in different samples has an
entry for each. The card is written last, so a folder without it is a cache in the making.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from novic.digest import file_sha256
from novic.embedder import Vectors
from novic.errors import NomalyError
from novic.json_files import read_json
from novic.whole_files import write_whole
from training.caches.shards import (
    VECTOR_KINDS,
    Shard,
    ShardRecord,
    VectorKind,
    unpack_vectors,
    views,
)

FORMAT = "nomaly-cache"
VERSION = 1
CARD = "cache.json"
NOUNS = "nouns.json"
PLAN = "plan.json"
"""Stands in a folder until its cache is finished (`training.caches.writer`)."""
V1_TARGETS = "v1-targets.safetensors"


class CacheError(NomalyError):
    """A cache cannot be read or written; the text names the file, the fault and what to do."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What holds for all samples of a cache; version-1 files carry the same (novic_spec §3.2)."""

    full_targets: bool
    """Every sample has M targets."""
    default_weights: bool
    """The targets of a sample weigh the same."""
    unit_weights: bool
    """The weights of a sample sum to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """All entries of a cache of either format, without their vectors."""

    rows: NDArray[np.int64]
    """Number of each entry's vector in the cache [E]."""
    counts: NDArray[np.int64]
    """Samples that an entry stands for [E]."""
    targets: NDArray[np.int32]
    """[E, M], NO_TARGET behind the last."""
    weights: NDArray[np.float32]
    """[E, M]."""


class EmbeddingCache:
    """A finished cache, opened for reading.

    Args:
        path: Its folder.

    Raises:
        CacheError: If it is missing, unfinished, damaged or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.card = read_card(path)
        try:
            self.width = int(self.card["width"])
            self.max_targets = int(self.card["max_targets"])
            self.kind: VectorKind = self.card["vectors"]
            self.flags = Flags(**self.card["flags"])
            self.shards = tuple(ShardRecord(**shard) for shard in self.card["shards"])
            self.embedder = str(self.card["embedder"])
            self.identity: Mapping[str, Any] = self.card["identity"]
            if self.kind not in VECTOR_KINDS:
                raise ValueError(f"vectors of {self.kind}")
        except (KeyError, TypeError, ValueError) as error:
            raise CacheError(f"{path / CARD}: damaged: {error!r}; make the cache again") from error
        self.nouns = self._read_nouns()
        self._open: dict[int, Shard] = {}

    def __len__(self) -> int:
        return sum(shard.samples for shard in self.shards)

    @property
    def bytes(self) -> int:
        """Size of all its files."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    def shard(self, number: int) -> Shard:
        """A shard as read-only views of its file, which is checked when first opened.

        Raises:
            CacheError: If the file is missing or not the one that was written.
        """
        if number not in self._open:
            self._open[number] = self.map_shard(number, check=True)
        return self._open[number]

    def map_shard(self, number: int, *, check: bool) -> Shard:
        """A shard as views that are not kept: its memory goes with them.

        Args:
            number: Its place among the shards.
            check: Compare its SHA-256 with the card's.

        Raises:
            CacheError: As `shard`.
        """
        if check:
            record = self.shards[number]
            check_file(self.path / record.file, record.bytes, record.sha256)
        return self._view(number)

    def table(self) -> SampleTable:
        """All entries, shard by shard."""
        parts = [self.shard(number) for number in range(len(self.shards))]
        rows = [part.row + first for part, first in zip(parts, self._first_row, strict=False)]
        return SampleTable(
            np.concatenate(rows),
            np.concatenate([part.count.astype(np.int64) for part in parts]),
            np.concatenate([part.targets for part in parts]),
            np.concatenate([part.target_weights() for part in parts]),
        )

    def vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Unit vectors of some rows in any order [R, F]."""
        found = np.empty((len(rows), self.width), dtype=np.float32)
        order = np.argsort(rows, kind="stable")
        ends = np.searchsorted(rows[order], self._first_row)
        for number in np.flatnonzero(np.diff(ends)):
            chosen = order[ends[number] : ends[number + 1]]
            packed = self.shard(int(number)).vectors[rows[chosen] - self._first_row[number]]
            found[chosen] = unpack_vectors(packed)
        return found

    @cached_property
    def _first_row(self) -> NDArray[np.int64]:
        return np.cumsum([0, *(shard.vectors for shard in self.shards)])

    def _view(self, number: int) -> Shard:
        record = self.shards[number]
        try:
            arrays = views(self.path / record.file)
            shard = Shard(
                arrays["vectors"],
                arrays["row"],
                arrays["count"],
                arrays["targets"],
                arrays.get("weights"),
            )
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CacheError(f"{self.path / record.file}: cannot be read: {error}") from error
        shapes = (shard.vectors.shape, shard.row.shape, shard.count.shape, shard.targets.shape)
        entries = record.entries
        wanted = (record.vectors, self.width), (entries,), (entries,), (entries, self.max_targets)
        if shapes != wanted or shard.vectors.dtype != np.dtype(self.kind):
            raise CacheError(
                f"{self.path / record.file}: its tables have other sizes than the card"
            )
        return shard

    def _read_nouns(self) -> tuple[str, ...]:
        file = self.path / NOUNS
        check_file(file, None, str(self.card.get("nouns_sha256")))
        try:
            return tuple(read_json(file))
        except (OSError, ValueError, TypeError) as error:
            raise CacheError(f"{file}: damaged: {error}; make the cache again") from error


def read_card(path: Path) -> dict[str, Any]:
    """Read a cache's cache.json.

    Raises:
        CacheError: If it is missing, damaged, or of another format or version.
    """
    file = path / CARD
    try:
        card = read_json(file)
    except FileNotFoundError as error:
        if (path / PLAN).is_file():
            raise CacheError(
                f"{path}: this cache is not finished; run the command that began it again"
            ) from error
        raise CacheError(f"{path}: no embedding cache here ({CARD} is missing)") from error
    except (OSError, ValueError) as error:
        raise CacheError(f"{file}: cannot be read: {error}; make the cache again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise CacheError(f"{file}: not a Nomaly embedding cache")
    if card.get("version") != VERSION:
        raise CacheError(
            f"{file}: cache version {card.get('version')}, this Nomaly reads version {VERSION}; "
            "update Nomaly or make the cache again"
        )
    return card


def check_file(file: Path, size: int | None, sha256: str) -> None:
    """Make sure that a file is the one that the card speaks of.

    Raises:
        CacheError: If it is missing, has another size or another SHA-256; the fault is named.
    """
    try:
        found = file.stat().st_size
        if size is not None and found != size:
            raise CacheError(
                f"{file}: has {found} bytes instead of {size}; it was cut off or replaced, copy it "
                "again or make the cache again"
            )
        actual = file_sha256(file)
    except OSError as error:
        raise CacheError(f"{file}: cannot be read: {error.strerror}; copy it again") from error
    if actual != sha256:
        raise CacheError(
            f"{file}: its SHA-256 is {actual[:16]}…, the card says {sha256[:16]}…; the file is "
            "damaged or was changed, copy it again or make the cache again"
        )


def write_shard(folder: Path, name: str, shard: Shard) -> ShardRecord:
    """Write a shard whole or not at all.

    Raises:
        CacheError: If it cannot be written, as when the disk is full.
    """
    arrays = {
        "vectors": shard.vectors,
        "row": shard.row,
        "count": shard.count,
        "targets": shard.targets,
    }
    if shard.weights is not None:
        arrays["weights"] = shard.weights
    content = save({key: np.ascontiguousarray(array) for key, array in arrays.items()})
    file = folder / f"shard-{name}.safetensors"
    write_file(file, content)
    return ShardRecord(
        file.name,
        hashlib.sha256(content).hexdigest(),
        len(content),
        len(shard.vectors),
        len(shard.row),
        int(shard.count.sum()),
    )


def write_file(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole and on the disk, or not at all.

    Raises:
        CacheError: If it cannot be written.
    """
    try:
        write_whole(file, content)
    except OSError as error:
        raise write_fault(file, error) from error


def write_fault(file: Path, error: OSError) -> CacheError:
    """What to tell when a file cannot be written."""
    return CacheError(
        f"{file}: cannot be written: {error.strerror or error}; make room or mend that, and run "
        "the same command again: it goes on from what is finished"
    )


def json_bytes(value: object) -> bytes:
    """A value as the JSON text of our files."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode()


def write_nouns(folder: Path, nouns: tuple[str, ...]) -> str:
    """Write nouns.json and tell its SHA-256.

    Raises:
        CacheError: If it cannot be written.
    """
    content = json_bytes(list(nouns))
    write_file(folder / NOUNS, content)
    return hashlib.sha256(content).hexdigest()
