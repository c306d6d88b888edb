"""A shard of Nomaly's own cache: vectors as they are packed, entries, and views of its file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from novic.embedder import Vectors
from training.batches import NO_TARGET

type VectorKind = Literal["float16", "float32", "int8"]
"""How vectors are stored. Rounding to float16 turns a vector by 0.01 degrees, to int8 by 0.4 to 0.6
and by 1.5 at most (tests/training/caches/test_cache.py); the noise of training turns it by 73."""
VECTOR_KINDS: tuple[VectorKind, ...] = get_args(VectorKind.__value__)


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """What the card says of a shard."""

    file: str
    sha256: str
    bytes: int
    vectors: int
    """U."""
    entries: int
    """E."""
    samples: int
    """Sum of the entries' counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """A part of the data set."""

    vectors: NDArray[Any]
    """Packed unit vectors [U, F] in the cache's kind."""
    row: NDArray[np.int32]
    """Which vector an entry has [E], ascending."""
    count: NDArray[np.int32]
    """How many samples it stands for [E], at least 1."""
    targets: NDArray[np.int32]
    """Its nouns [E, M], NO_TARGET behind the last."""
    weights: NDArray[np.float32] | None = None
    """Of the targets [E, M]; None where the targets of an entry share a weight of 1 equally."""

    def target_weights(self) -> NDArray[np.float32]:
        """Weights of the targets [E, M]; 0 where there is none."""
        return equal_weights(self.targets) if self.weights is None else self.weights


def equal_weights(targets: NDArray[np.integer]) -> NDArray[np.float32]:
    """1 / m for the m real targets of every row [E, M]."""
    real = targets != NO_TARGET
    return (real / np.maximum(real.sum(axis=1, keepdims=True), 1)).astype(np.float32)


def pack_vectors(vectors: Vectors, kind: VectorKind) -> NDArray[Any]:
    """Unit vectors [U, F] as they are stored.

    Each int8 row is scaled so that its largest component is 127. The scale is not stored: the
    vector has length 1.
    """
    if kind != "int8":
        return vectors.astype(kind)
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    return np.rint(vectors * (127 / largest)).astype(np.int8)


def unpack_vectors(packed: NDArray[Any]) -> Vectors:
    """Unit vectors float32 [U, F] of what `pack_vectors` gave; a copy."""
    vectors = packed.astype(np.float32)
    if packed.dtype != np.float32:
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def views(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file as views of the file, for picking rows here and there.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        with safe_open(file, "np"):
            pass  # The library checks the header and that the file is as long as it says.
    except SafetensorError as error:
        raise ValueError(f"{error}") from error
    content = np.memmap(file, mode="r")
    size = int.from_bytes(content[:8].tobytes(), "little")
    header = json.loads(content[8 : 8 + size].tobytes())
    arrays = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        raw = content[8 + size + first : 8 + size + last]
        arrays[name] = raw.view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


_DTYPES = {"F32": "<f4", "F16": "<f2", "I8": "i1", "I32": "<i4"}
"""safetensors' names of the dtypes that a shard may have."""
