"""Joins caches of either format into one of either format; of one cache, this converts it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save

from novic.digest import file_sha256
from novic.errors import UsageError
from training.caches.cache import CARD, V1_TARGETS, EmbeddingCache
from training.caches.merge import (
    Input,
    TargetCount,
    check_alike,
    merge_into_folder,
    merge_into_v1,
    open_inputs,
    result_flags,
    result_targets,
)
from training.caches.output import Build, Making, provenance
from training.caches.reader import Maker, maker_of
from training.caches.report import cache_info
from training.caches.shards import VectorKind
from training.caches.v1 import NO_HASH, CacheV1, V1Header, V1Targets
from training.caches.v1_writing import embedder_hash, v1_targets
from training.caches.writer import CacheWriter


def merge_caches(
    paths: Sequence[Path],
    making: Making,
    build: Build | None = None,
    *,
    targets: TargetCount = "max",
    trust: bool = False,
) -> dict[str, Any]:
    """Join caches of either format into one of either format.

    Args:
        paths: The caches; one that is named several times counts as often.
        making: Output, format and kind of vectors.
        build: Builds the embedder; needed for version 1 if no input knows its tokens.
        targets: M of the result.
        trust: Believe that all were made with the same embedder.

    Returns:
        What was made.

    Raises:
        CacheError: If they cannot be joined or one is damaged.
        UsageError: If the output holds something else.
    """
    if making.out.resolve() in {path.resolve() for path in paths}:
        raise UsageError(f"--out {making.out}: is one of the caches that are read; name another")
    inputs = open_inputs(paths)
    check_alike(inputs, trust=trust)
    width = result_targets(inputs, targets)
    making.check()
    if making.format == "v1":
        join_into_v1(inputs, width, making, build)
        return cache_info(making.out)
    kind = making.vectors or _common_kind(inputs)
    request = {
        "what": "merge",
        "inputs": [[_fingerprint(item.cache), item.times] for item in inputs],
        "targets": width,
        "vectors": kind,
    }
    writer = CacheWriter(making.out, request, overwrite=making.overwrite)
    merge_into_folder(inputs, writer, width, kind, making.tell)
    maker = _maker(inputs)
    card = _card(inputs, maker, request, making)
    tokens = _known_tokens(inputs)
    extra = {}
    if tokens is not None:
        extra[V1_TARGETS] = save({"tokens": tokens.tokens, "masks": tokens.masks})
        card["v1"] = {"target_hash": tokens.hash.hex(), "embedder_hash": maker.hash.hex()}
    elif not maker.identity:
        card["v1"] = {"target_hash": "", "embedder_hash": maker.hash.hex()}
    writer.finish(inputs[0].cache.nouns, card, extra)
    return cache_info(making.out)


def _maker(inputs: Sequence[Input]) -> Maker:
    """The embedder of all inputs, as the one knows it that knows most."""
    makers = [maker_of(item.cache) for item in inputs]
    return next((maker for maker in makers if maker.identity), makers[0])


def _card(
    inputs: Sequence[Input], maker: Maker, request: Mapping[str, Any], making: Making
) -> dict[str, Any]:
    """What the joined cache says of itself, apart from what version 1 knows of it."""
    first = inputs[0].cache
    return {
        "kind": "merge" if len(inputs) > 1 or inputs[0].times > 1 else _kind(first),
        "embedder": maker.spec,
        "identity": dict(maker.identity),
        "width": first.width,
        "vectors": request["vectors"],
        "max_targets": request["targets"],
        "flags": asdict(result_flags(inputs, request["targets"])),
        "request": request,
        "provenance": provenance(making, {"inputs": [_origin(item) for item in inputs]}),
    }


def join_into_v1(
    inputs: Sequence[Input],
    targets: int,
    making: Making,
    build: Build | None,
) -> None:
    """Write a version-1 file of some caches."""
    first = inputs[0].cache
    tokens = _known_tokens(inputs)
    if tokens is None and targets:
        if build is None:
            raise UsageError(
                f"{first.path}: a version-1 file needs the tokens of its nouns; name its embedder "
                "with --embedder"
            )
        tokens = v1_targets(first.nouns, build())
    makers = [maker_of(item.cache) for item in inputs]
    known = next((maker for maker in makers if maker.hash or maker.identity), makers[0])
    hash_ = known.hash or (embedder_hash(known.identity) if known.identity else b"")
    header = V1Header(
        use_targets=bool(targets),
        flags=result_flags(inputs, targets),
        strict=bool(hash_),
        embedder_hash=hash_ or NO_HASH,
        target_hash=tokens.hash if tokens and hash_ else NO_HASH,
        strings=len(first.nouns) + 1 if targets else 0,
        strings_bytes=len(tokens.strings()) if tokens else 0,
        token_dim=tokens.tokens.shape[1] if tokens else 0,
        token_dtype=_token_dtype(tokens),
        vectors=0,
        targets=targets,
        width=first.width,
    )
    merge_into_v1(inputs, making.out, header, tokens, making.seed, making.tell)


def _token_dtype(tokens: V1Targets | None) -> int:
    """The dtype id of the token table."""
    return {1: 0, 2: 1, 4: 2, 8: 3}[tokens.tokens.itemsize] if tokens else 0


def _known_tokens(inputs: Sequence[Input]) -> V1Targets | None:
    """The noun tokens that an input carries from a version-1 file."""
    for cache in (item.cache for item in inputs):
        if isinstance(cache, CacheV1):
            if tokens := cache.targets():
                return tokens
        elif (cache.path / V1_TARGETS).is_file():
            tables = load_file(cache.path / V1_TARGETS)
            target_hash = bytes.fromhex(cache.card["v1"]["target_hash"])
            return V1Targets(cache.nouns, tables["tokens"], tables["masks"], target_hash)
    return None


def _common_kind(inputs: Sequence[Input]) -> VectorKind:
    """How all inputs store their vectors; float16 if they differ or are of version 1."""
    first = _stored_kind(inputs[0].cache)
    return first if all(_stored_kind(item.cache) == first for item in inputs) else "float16"


def _stored_kind(cache: EmbeddingCache | CacheV1) -> VectorKind:
    return "float16" if isinstance(cache, CacheV1) else cache.kind


def _kind(cache: EmbeddingCache | CacheV1) -> str:
    return "v1" if isinstance(cache, CacheV1) else str(cache.card["kind"])


def _fingerprint(cache: EmbeddingCache | CacheV1) -> str:
    if isinstance(cache, EmbeddingCache):
        return file_sha256(cache.path / CARD)
    stat = cache.path.stat()
    return f"{stat.st_size} bytes of {stat.st_mtime_ns}"


def _origin(item: Input) -> dict[str, Any]:
    origin = {"path": str(item.cache.path), "times": item.times}
    if isinstance(item.cache, EmbeddingCache):
        origin["provenance"] = item.cache.card["provenance"]
    return origin
