"""Writes version-1 caches (`training.caches.v1` has their layout and reads them).

Also makes what a file says of its embedder: how that writes the nouns, and the hashes by which the
file is known to be of it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Embedder, TokenIds, Vectors
from novic.tokens import END, NounTokens, build_noun_tokens
from training.caches.cache import CacheError, write_fault
from training.caches.v1 import MAGIC, CacheV1, TargetIds, V1Header, V1Targets


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


def v1_targets(nouns: Sequence[str], embedder: Embedder) -> V1Targets:
    """Nouns with their tokens by the embedder's tokenizer (novic_spec §4.3).

    Raises:
        EmbedderError: If the embedder has no text model here.
        UsageError: If a noun has no tokens.
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
