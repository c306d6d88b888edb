"""Vectors in files."""

from pathlib import Path

import numpy as np

from app.errors import UsageError
from novic.embedder import Vectors


def read_vectors(path: Path) -> Vectors:
    """Read vectors [N, F] from a NumPy file as float32.

    Raises:
        UsageError: If the file is missing, is no plain array of numbers, or has another shape.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read as a NumPy array: {error}") from error
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{path}: holds several arrays; save one with numpy.save")
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        raise UsageError(
            f"{path}: must hold real vectors [N, F], holds {array.dtype} {list(array.shape)}"
        )
    return array.astype(np.float32)
