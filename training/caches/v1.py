"""Upstream's embedding cache, version 1 (novic_spec §3.2 to §3.5): one file, everything in float32.

    header 128 bytes | target strings | token ids | padding masks | target ids | weights | vectors

Blocks follow each other without padding, so all of them lie at odd places. Target id 0 means no
target and string 0 is empty; everywhere else in Nomaly nouns are numbered from 0.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from novic.embedder import Embedder, TokenIds, Vectors
from novic.tokens import END, NounTokens, build_noun_tokens
from training.batches import NO_TARGET, Batch
from training.caches.own import CacheError, Flags, SampleTable, write_fault

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
        weights = _float32(self._blocks["weights"].view(self.path), self.header.vector_dtype)
        return SampleTable(
            np.arange(len(self), dtype=np.int64),
            np.ones(len(self), dtype=np.int64),
            (ids - 1).astype(np.int32),
            weights,
        )

    def vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Vectors of some rows in any order [R, F]."""
        return _float32(self._blocks["vectors"].view(self.path)[rows], self.header.vector_dtype)

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
        vectors = _float32(read("vectors"), self.header.vector_dtype)
        self._check_ids(ids, begin)
        broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(broken):
            raise CacheError(
                f"{self.path}: vector {(begin + broken[0]) % len(self)} is not finite; the file is "
                "damaged or its embedder was, make it again"
            )
        weights = _float32(read("weights"), self.header.vector_dtype)
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
    magic, version, use_targets, full, default, unit, strict, *rest = HEADER.unpack(raw)
    if magic == bytes(len(MAGIC)):
        raise CacheError(
            f"{path}: this cache was not written to its end (its magic is missing); make it again"
        )
    if magic != MAGIC:
        raise CacheError(f"{path}: not an embedding cache")
    if version != VERSION:
        raise CacheError(f"{path}: cache version {version}; only version 1 is known")
    embedder, target, strings, strings_bytes, token_dim, token_dtype, mask_dtype, *rest = rest
    vectors, targets, id_dtype, width, vector_dtype = rest
    flags = Flags(full, default, unit)
    header = V1Header(
        use_targets=use_targets,
        flags=flags,
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
    if not known or bool(targets) != use_targets or not vectors or not width:
        raise CacheError(f"{path}: its header is damaged: sizes or dtypes that cannot be")
    if size != header.size():
        raise CacheError(
            f"{path}: has {size} bytes, but its header speaks of {header.size()}; it was cut off "
            "or changed, copy it again or make it again"
        )
    return header


def write_v1(
    path: Path,
    header: V1Header,
    targets: V1Targets | None,
    rows: Iterable[tuple[TargetIds, NDArray[np.float32], Vectors]],
) -> None:
    """Write a file whole or not at all; the magic is written last.

    Args:
        path: The file; replaced if it exists.
        header: Its sizes and flags; vectors must be float32.
        targets: Nouns and their tokens; None for a file without targets.
        rows: Target ids [n, M], weights [n, M] and unit vectors [n, F] of some samples at a time,
            in the order of the file. The reader relies on that order being a random one.

    Raises:
        CacheError: If the disk is full, or the rows are not as many as the header says.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                # Claimed at once, so that a disk that is too small is noticed before the work.
                os.posix_fallocate(file.fileno(), 0, header.size())
            file.write(bytes(len(MAGIC)) + header.pack()[len(MAGIC) :])
            if targets is not None:
                file.write(targets.strings())
                file.write(np.ascontiguousarray(targets.tokens).tobytes())
                file.write(targets.masks.tobytes())
            _write_rows(file, header, rows)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            file.write(MAGIC)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise write_fault(path, error) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def v1_targets(nouns: Sequence[str], embedder: Embedder) -> V1Targets:
    """Nouns with their tokens by the embedder's tokenizer (novic_spec §4.3).

    Raises:
        EmbedderError: If the embedder has no text model here.
        ValueError: If a noun has no tokens.
    """
    ids = embedder.token_ids
    short = embedder.spec.startswith("openai:")
    noun_tokens = build_noun_tokens(nouns, embedder.encode_noun, ids.end)
    rows = np.zeros((len(nouns) + 1, noun_tokens.max_tokens), dtype="<i4" if short else "<i8")
    rows[1:] = noun_tokens.tokens
    lengths = np.concatenate([[0], noun_tokens.lengths()])
    masks = np.arange(noun_tokens.max_tokens) >= lengths[:, None]
    configuration = target_configuration(noun_tokens, ids, f"torch.int{32 if short else 64}")
    return V1Targets(tuple(nouns), rows, masks, json_hash(configuration))


def target_configuration(tokens: NounTokens, ids: TokenIds, dtype: str) -> dict[str, Any]:
    """What the target hash is made of."""
    source = tokens.source_ids.copy()
    source[END] = ids.pad
    compact = np.full(ids.vocabulary, -1, dtype=np.int64)
    compact[source] = np.arange(len(source))
    compact[ids.end] = END
    return {
        "target_config": {
            "vocab_size": tokens.vocabulary,
            "token_dtype": dtype,
            "mask_dtype": "torch.bool",
            "start_token_id": None,
            "end_token_id": END,
            "pad_token_id": END,
            "compact_ids": True,
            "compact_map": compact.tolist(),
            "compact_unmap": source.tolist(),
            "token_length": tokens.max_tokens,
            "use_masks": True,
        }
    }


_IDENTITY = ("model_id", "model_config", "class", "device_type", "amp_dtype")


def embedder_hash(identity: Mapping[str, Any]) -> bytes:
    """The hash by which a file knows its embedder, of `Embedder.identity()`."""
    return json_hash({key: identity[key] for key in _IDENTITY})


def json_hash(value: object) -> bytes:
    """SHA-256 of a value as JSON without spaces, keys sorted."""
    return hashlib.sha256(
        json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    ).digest()


def is_of_hash(expected: bytes, identity: Mapping[str, Any]) -> bool:
    """Whether a hash is this model's, on whatever device and in whatever precision.

    The hash also covers those two, whose effect is tiny; so all that upstream knows are tried.
    """
    kinds = product(("cuda", "cpu"), ("None", "torch.float16", "torch.bfloat16"))
    variants = [{**identity, "device_type": device, "amp_dtype": amp} for device, amp in kinds]
    return expected in {embedder_hash(variant) for variant in (identity, *variants)}


def token_difference(cache: CacheV1, embedder: Embedder) -> str:
    """In words, how a file's token hash is not the embedder's; empty if it is or has none.

    Raises:
        EmbedderError: If the embedder has no text model here.
    """
    if not cache.max_targets or not cache.header.strict:
        return ""
    found = v1_targets(cache.nouns, embedder).hash
    if found == cache.header.target_hash:
        return ""
    known = cache.header.target_hash.hex()[:16]
    return f"its nouns have the token hash {known}…, by '{embedder.spec}' {found.hex()[:16]}…"


def v1_faults(cache: CacheV1, rows_at_once: int = 65_536) -> Iterator[str]:
    """Every rule of the format that a file breaks, a sentence each; reads all of it."""
    header, targets = cache.header, cache.targets()
    if targets is not None:
        if not targets.masks[0].all() or targets.tokens[0].any():
            yield "row 0 of the token table is not all padding"
        lengths = (~targets.masks).sum(axis=1)
        if not (targets.masks == (np.arange(header.token_dim) >= lengths[:, None])).all():
            yield "a padding mask has holes"
    for first in range(0, header.vectors, rows_at_once):
        rows = np.arange(first, min(first + rows_at_once, header.vectors))
        lengths = np.linalg.norm(cache.vectors(rows).astype(np.float64), axis=1)
        for row in np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)):
            yield f"vector {first + row} has length {lengths[row]:.7g} instead of 1"
    if targets is not None:
        yield from _target_faults(cache)


LENGTH_TOLERANCE = 1e-6
"""How far a vector's length may be from 1; upstream asks for 4 float32 roundings, 5e-7."""


def _target_faults(cache: CacheV1) -> Iterator[str]:
    blocks, header = cache.header.blocks(), cache.header
    ids = np.array(blocks["ids"].view(cache.path))
    weights = _float32(blocks["weights"].view(cache.path), header.vector_dtype)
    real = ids > 0
    rules = {
        "target ids that are no nouns": (ids < 0).any(1) | (ids >= header.strings).any(1),
        "no first target": ids[:, 0] <= 0,
        "a target behind an empty one": (real[:, 1:] & ~real[:, :-1]).any(1),
        "weights that are not 0 exactly where there is no target": ((weights > 0) != real).any(1),
        "weights that grow": (np.diff(weights, axis=1) > 0).any(1),
    }
    if header.flags.unit_weights:
        rules["weights that do not sum to 1"] = np.abs(weights.sum(1) - 1) > 1e-5
    if header.flags.full_targets:
        rules["fewer targets than the header's full_targets says"] = ~real.all(1)
    for fault, rows in rules.items():
        for row in np.flatnonzero(rows):
            yield f"sample {row} has {fault}"


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


def _write_rows(
    file: BinaryIO,
    header: V1Header,
    rows: Iterable[tuple[TargetIds, NDArray[np.float32], Vectors]],
) -> None:
    blocks, done = header.blocks(), 0
    for ids, weights, vectors in rows:
        for name, table in (("ids", ids), ("weights", weights), ("vectors", vectors)):
            block = blocks[name]
            if done + len(table) > block.rows or table.shape[1] != block.columns:
                raise CacheError(f"rows {table.shape} do not fit into {name} of the header's sizes")
            file.seek(block.offset + done * block.row_bytes)
            file.write(np.ascontiguousarray(table, dtype=block.dtype).tobytes())
        done += len(vectors)
    if done != header.vectors:
        raise CacheError(f"{done} samples came for a cache of {header.vectors}")


def _float32(values: NDArray[Any], dtype: int) -> NDArray[np.float32]:
    """Values of the file as float32, always a copy."""
    if _VECTOR_DTYPES[dtype] == "bfloat16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32)
