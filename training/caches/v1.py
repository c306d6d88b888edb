"""Upstream's embedding cache, version 1 (novic_spec §3.2 to §3.5): its layout, and reading it.

One file, everything in float32; `training.caches.v1_writing` makes it and
`training.caches.v1_check` tells which rules it breaks.

    header 128 bytes | target strings | token ids | padding masks | target ids | weights | vectors

Blocks follow each other without padding, so all of them lie at odd places. Target id 0 means no
target and string 0 is empty; everywhere else in Nomaly nouns are numbered from 0.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from novic.embedder import Vectors
from training.batches import NO_TARGET, Batch
from training.caches.cache import CacheError, Flags, SampleTable

MAGIC = bytes.fromhex("a9fd4b142a9ab8136d1537cae82bef824219db4ab893b226a01a3de4ad52b199")
"""First bytes of a finished file; zeros while it is being written."""
VERSION = 1
HEADER = struct.Struct("<32sB5?32s32sIIHHHIHHHH")
"""Magic, version, five flags, two hashes, and the sizes and dtypes of the blocks; 128 bytes."""

_TOKEN_DTYPES = {0: "<i1", 1: "<i2", 2: "<i4", 3: "<i8"}
_VECTOR_DTYPES = {0: "<f2", 1: "bfloat16", 2: "<f4", 3: "<f8"}
_MASK_BOOL, _ID_INT32, _FLOAT32 = 0, 2, 2
NO_HASH = bytes(32)

type TargetIds = NDArray[np.int32]
"""Ids as the file has them, from 1; 0 is no target."""


@dataclass(frozen=True, slots=True)
class V1Header:
    """What the first 128 bytes say."""

    use_targets: bool
    flags: Flags
    """All false in a file without targets."""
    strict: bool
    """Whether the hashes mean anything."""
    embedder_hash: bytes
    target_hash: bytes
    strings: int
    """R, target strings with the empty one."""
    strings_bytes: int
    token_dim: int
    """C, tokens of the longest noun with its end."""
    token_dtype: int
    vectors: int
    """N."""
    targets: int
    """M."""
    width: int
    """F."""
    vector_dtype: int = _FLOAT32
    """Of vectors and weights."""

    def pack(self) -> bytes:
        """The 128 bytes, magic included."""
        flags = self.flags
        return HEADER.pack(
            MAGIC,
            VERSION,
            self.use_targets,
            flags.full_targets,
            flags.default_weights,
            flags.unit_weights,
            self.strict,
            self.embedder_hash,
            self.target_hash,
            self.strings,
            self.strings_bytes,
            self.token_dim,
            self.token_dtype,
            _MASK_BOOL,
            self.vectors,
            self.targets,
            _ID_INT32,
            self.width,
            self.vector_dtype,
        )

    def blocks(self) -> dict[str, "_Block"]:
        """Where everything lies."""
        float_dtype = _VECTOR_DTYPES[self.vector_dtype].replace("bfloat16", "<u2")
        token_dtype = _TOKEN_DTYPES.get(self.token_dtype, "<i8")
        tables = {
            "strings": ("u1", self.strings_bytes, 1),
            "tokens": (token_dtype, self.strings, self.token_dim),
            "masks": ("?", self.strings, self.token_dim),
            "ids": ("<i4", self.vectors, self.targets),
            "weights": (float_dtype, self.vectors, self.targets),
            "vectors": (float_dtype, self.vectors, self.width),
        }
        blocks, offset = {}, HEADER.size
        for name, (dtype, rows, columns) in tables.items():
            blocks[name] = _Block(offset, np.dtype(dtype), rows, columns)
            offset = blocks[name].end
        return blocks

    def size(self) -> int:
        """Bytes of the whole file."""
        return self.blocks()["vectors"].end


@dataclass(frozen=True, slots=True)
class _Block:
    """A table in the file."""

    offset: int
    dtype: np.dtype
    rows: int
    columns: int

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * self.columns

    @property
    def end(self) -> int:
        return self.offset + self.rows * self.row_bytes

    def read(self, file: BinaryIO, first: int, last: int) -> NDArray[Any]:
        """Rows first up to last, in memory of their own; a memory map would be read-only."""
        count = (last - first) * self.columns
        offset = self.offset + first * self.row_bytes - file.tell()
        return np.fromfile(file, self.dtype, count, offset=offset).reshape(-1, self.columns)

    def view(self, path: Path) -> NDArray[Any]:
        """All rows as a view of the file, for picking some here and there."""
        if not self.rows * self.columns:
            return np.empty((self.rows, self.columns), dtype=self.dtype)
        return np.memmap(path, self.dtype, "r", self.offset, (self.rows, self.columns))


@dataclass(frozen=True, slots=True, eq=False)
class V1Targets:
    """The nouns of a file and how its embedder writes them."""

    nouns: tuple[str, ...]
    tokens: NDArray[np.integer]
    """Compact ids [R, C]; row 0 is all padding."""
    masks: NDArray[np.bool_]
    """True for padding [R, C], which begins behind the end token; row 0 is all True."""
    hash: bytes
    """Of the target configuration."""

    def strings(self) -> bytes:
        """The string block."""
        return "\0".join(["", *self.nouns]).encode()


class CacheV1:
    """A version-1 file, opened for reading; a `BatchSource` if it has targets.

    Args:
        path: The file.

    Raises:
        CacheError: If it is missing, unfinished, cut off, or breaks a rule of its format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.header = read_header(path, file.read(HEADER.size), path.stat().st_size)
                self._blocks = self.header.blocks()
                raw = self._blocks["strings"].read(file, 0, self.header.strings_bytes)
        except OSError as error:
            raise CacheError(f"{path}: cannot be read: {error.strerror or error}") from error
        self.nouns = _nouns(path, raw.tobytes(), self.header)
        self.width = self.header.width
        self.max_targets = self.header.targets
        self.flags = self.header.flags

    def __len__(self) -> int:
        return self.header.vectors

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return self.header.size()

    def batches(self, batch_size: int, *, seed: int, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Full batches of one epoch, as upstream takes them (novic_spec §3.5).

        A batch is a slice of the file, which was shuffled when it was written. The slices begin at
        a random place, wrap round the end, and come in a random order.

        Args:
            batch_size: Samples in a batch.
            seed: Of the order.
            epoch: From 0.
            first: Batches to skip.

        Raises:
            CacheError: If the file has no targets, or a batch of it is damaged.
        """
        if not self.max_targets:
            raise CacheError(f"{self.path}: holds no targets, so nothing can be trained on it")
        chance = np.random.default_rng([seed, epoch])
        start = int(chance.integers(len(self)))
        order = chance.permutation(len(self) // batch_size)
        with self.path.open("rb", buffering=0) as file:
            for slice_ in order[first:].tolist():
                begin = (start + slice_ * batch_size) % len(self)
                yield self._batch(file, begin, batch_size)

    def table(self) -> SampleTable:
        """All samples, a row each."""
        ids = np.array(self._blocks["ids"].view(self.path))
        self._check_ids(ids, 0)
        weights = as_float32(self._blocks["weights"].view(self.path), self.header.vector_dtype)
        return SampleTable(
            np.arange(len(self), dtype=np.int64),
            np.ones(len(self), dtype=np.int64),
            (ids - 1).astype(np.int32),
            weights,
        )

    def vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Vectors of some rows in any order [R, F]."""
        return as_float32(self._blocks["vectors"].view(self.path)[rows], self.header.vector_dtype)

    def targets(self) -> V1Targets | None:
        """The nouns with their tokens; None for a file without targets."""
        if not self.max_targets:
            return None
        with self.path.open("rb") as file:
            tokens = self._blocks["tokens"].read(file, 0, self.header.strings)
            masks = self._blocks["masks"].read(file, 0, self.header.strings)
        return V1Targets(self.nouns, tokens, masks, self.header.target_hash)

    def _batch(self, file: BinaryIO, begin: int, batch_size: int) -> Batch:
        rows = min(batch_size, len(self) - begin)
        spans = [(begin, begin + rows), (0, batch_size - rows)]

        def read(name: str) -> NDArray[Any]:
            block = self._blocks[name]
            return np.concatenate([block.read(file, *span) for span in spans if span[1]])

        ids = read("ids")
        vectors = as_float32(read("vectors"), self.header.vector_dtype)
        self._check_ids(ids, begin)
        broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(broken):
            raise CacheError(
                f"{self.path}: vector {(begin + broken[0]) % len(self)} is not finite; the file is "
                "damaged or its embedder was, make it again"
            )
        weights = as_float32(read("weights"), self.header.vector_dtype)
        return Batch(
            torch.from_numpy(vectors),
            torch.from_numpy(ids.astype(np.int64) + NO_TARGET),
            torch.from_numpy(weights),
        )

    def _check_ids(self, ids: TargetIds, begin: int) -> None:
        wrong = (ids < 0).any(axis=1) | (ids >= self.header.strings).any(axis=1)
        if self.max_targets:
            wrong |= ids[:, 0] == 0
        rows = np.flatnonzero(wrong)
        if len(rows):
            raise CacheError(
                f"{self.path}: sample {(begin + rows[0]) % len(self)} has target ids "
                f"{ids[rows[0]].tolist()}, but they must be numbers of the {len(self.nouns)} "
                "nouns from 1 with zeros behind; the file is damaged"
            )


def read_header(path: Path, raw: bytes, size: int) -> V1Header:
    """Read the first 128 bytes of a file of some size.

    Raises:
        CacheError: If it is no such file, unfinished, or not as long as it says.
    """
    if len(raw) < HEADER.size:
        raise CacheError(f"{path}: has {size} bytes, too few for a version-1 cache")
    magic, version, *fields = HEADER.unpack(raw)
    _check_magic(path, magic, version)
    header, sensible = _unpacked(fields)
    if not sensible:
        raise CacheError(f"{path}: its header is damaged: sizes or dtypes that cannot be")
    if size != header.size():
        raise CacheError(
            f"{path}: has {size} bytes, but its header speaks of {header.size()}; it was cut off "
            "or changed, copy it again or make it again"
        )
    return header


def _check_magic(path: Path, magic: bytes, version: int) -> None:
    if magic == bytes(len(MAGIC)):
        raise CacheError(
            f"{path}: this cache was not written to its end (its magic is missing); make it again"
        )
    if magic != MAGIC:
        raise CacheError(f"{path}: not an embedding cache")
    if version != VERSION:
        raise CacheError(f"{path}: cache version {version}; only version 1 is known")


def _unpacked(fields: Sequence[Any]) -> tuple[V1Header, bool]:
    """What the fields behind magic and version say, and whether their sizes and dtypes can be."""
    use_targets, full, default, unit, strict, *rest = fields
    embedder, target, strings, strings_bytes, token_dim, token_dtype, mask_dtype, *rest = rest
    vectors, targets, id_dtype, width, vector_dtype = rest
    header = V1Header(
        use_targets=use_targets,
        flags=Flags(full, default, unit),
        strict=strict,
        embedder_hash=embedder,
        target_hash=target,
        strings=strings,
        strings_bytes=strings_bytes,
        token_dim=token_dim,
        token_dtype=token_dtype,
        vectors=vectors,
        targets=targets,
        width=width,
        vector_dtype=vector_dtype,
    )
    known = vector_dtype in _VECTOR_DTYPES
    if targets or use_targets:
        known = known and token_dtype in _TOKEN_DTYPES
        known = known and mask_dtype == _MASK_BOOL and id_dtype == _ID_INT32
    return header, bool(known and bool(targets) == use_targets and vectors and width)


def _nouns(path: Path, raw: bytes, header: V1Header) -> tuple[str, ...]:
    """The target nouns, without the empty one."""
    if not header.use_targets:
        return ()
    try:
        first, *nouns = raw.decode("utf-8").split("\0")
    except UnicodeDecodeError as error:
        raise CacheError(f"{path}: its target strings are damaged: {error}") from error
    if first or len(nouns) + 1 != header.strings or len(set(nouns)) != len(nouns):
        raise CacheError(
            f"{path}: its target strings are damaged: they must be an empty one and "
            f"{header.strings - 1} distinct others"
        )
    return tuple(nouns)


def as_float32(values: NDArray[Any], dtype: int) -> NDArray[np.float32]:
    """Values of the file as float32, always a copy."""
    if _VECTOR_DTYPES[dtype] == "bfloat16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32)
