"""Tells which rules of its format a version-1 cache breaks (`training.caches.v1` reads it)."""

from collections.abc import Iterator

import numpy as np

from training.caches.v1 import CacheV1, as_float32

LENGTH_TOLERANCE = 1e-6
"""How far a vector's length may be from 1; upstream asks for 4 float32 roundings, 5e-7."""


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


def _target_faults(cache: CacheV1) -> Iterator[str]:
    blocks, header = cache.header.blocks(), cache.header
    ids = np.array(blocks["ids"].view(cache.path))
    weights = as_float32(blocks["weights"].view(cache.path), header.vector_dtype)
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
