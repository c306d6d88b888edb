"""Columns of small numbers in as few bytes as may be."""

import json
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_LEVEL = 6


def packed(columns: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Columns as bytes: a line that names them, then theirs, the high bytes of each apart."""
    about = {name: [column.dtype.str, list(column.shape)] for name, column in columns.items()}
    planes = [_planes(column) for column in columns.values()]
    head = json.dumps(about, separators=(",", ":")).encode()
    return zlib.compress(b"\n".join([head, b"".join(planes)]), _LEVEL)


def unpacked(data: bytes) -> dict[str, NDArray[np.generic]]:
    """What `packed` made bytes of.

    Raises:
        ValueError: If they are damaged.
    """
    try:
        head, _, rest = zlib.decompress(data).partition(b"\n")
        columns, first = {}, 0
        for name, (kind, shape) in json.loads(head).items():
            dtype = np.dtype(kind)
            size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
            planes = np.frombuffer(rest[first : first + size], np.uint8)
            columns[name] = planes.reshape(dtype.itemsize, -1).T.copy().view(dtype).reshape(shape)
            first += size
        return columns
    except (zlib.error, TypeError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"packed columns are damaged: {error}") from error


def _planes(column: NDArray[np.generic]) -> bytes:
    flat = np.ascontiguousarray(column).reshape(-1)
    return flat.view(np.uint8).reshape(-1, flat.dtype.itemsize).T.tobytes()
