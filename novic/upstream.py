"""Checkpoints of the upstream project: `.train` files, read without ever running their pickle.

A checkpoint holds the decoder's weights, the list of its nouns, the compact vocabulary and the
settings of its training (novic_spec §5.1, §5.2, §7.5). Sizes follow from the shapes of the weights;
only the number of heads and the activation stand in the settings alone. It does not hold the
nouns' tokens: those are made anew by the embedder's tokenizer and checked against the vocabulary.
What its settings and weights must be is in `novic.upstream_layout`.
"""

import math
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from novic.bundle import Bundle, BundleError, load_bundle
from novic.decoder import PrefixedDecoder
from novic.digest import file_sha256
from novic.tokenizers import (
    STARTER,
    STARTER_ENTRIES,
    CompactTokenizer,
    TokenizerError,
    tokenizer_for,
)
from novic.tokens import NounTokens
from novic.upstream_layout import (
    CheckpointError,
    check_layout,
    checked_part,
    compact_vocabulary,
    decoder_sizes,
    fill_decoder,
    vocabulary_nouns,
)

SUFFIXES = (".train", ".model")
"""What upstream calls its files; a `.model` holds no state of the training."""

ENTRIES = "tokenizer_entries"
"""Where a bundle from a checkpoint keeps the size of its tokenizer, in `preprocessing`."""

TRAINING = (
    "embedding_dataset",
    "vocab_path",
    "vocab_thres",
    "multi_target",
    "multi_target_freq",
    "multi_first",
    "use_weights",
    "noise_scheme",
    "noise_vec_norm",
    "noise_angle_min",
    "noise_angle_max",
    "noise_angle_std",
    "noise_mix_ratio",
    "mean_shift",
    "batch_size",
    "accum_factor",
    "optimizer",
    "init_lr",
    "final_lr",
    "lr_scheduler",
    "lr_warmup",
    "beta1",
    "beta2",
    "weight_decay",
    "gradient_clip",
    "label_smoothing",
    "input_dropout",
    "layer_dropout",
    "chunk_scale",
    "max_epochs",
    "max_chunks",
    "amp",
    "determ",
    "determ_seed",
)
"""Settings of the training that are worth remembering."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What a checkpoint says, before its nouns have tokens."""

    path: Path
    sha256: str
    """Of the whole file."""
    decoder: PrefixedDecoder
    """In eval mode, float32, on the CPU."""
    nouns: tuple[str, ...]
    source_ids: NDArray[np.int64]
    """[V], the tokenizer's id of each compact id; entry 0 is its end or pad id."""
    entries: int
    """Size of the tokenizer's whole vocabulary."""
    embedder: str
    preprocessing: Mapping[str, Any]
    provenance: Mapping[str, Any]
    metrics: Mapping[str, Any]


def is_checkpoint(path: Path) -> bool:
    """Whether a path means a checkpoint; a bundle is a folder."""
    return not path.is_dir() and (path.is_file() or path.suffix in SUFFIXES)


def read_model_file(
    path: Path, device: torch.device | None = None, *, tokenizer: Path | None = None
) -> Bundle:
    """Read a decoder, whichever form it has.

    Args:
        path: Folder of a bundle, or a checkpoint.
        device: Where the decoder goes; CPU by default.
        tokenizer: See `load_checkpoint`.

    Raises:
        BundleError: If there is nothing, or a bundle cannot be read.
        CheckpointError: If a checkpoint cannot be used.
    """
    if not is_checkpoint(path):
        if not path.is_dir():
            raise BundleError(f"{path}: there is no bundle or checkpoint here")
        return load_bundle(path, device)
    bundle = load_checkpoint(path, tokenizer=tokenizer)
    bundle.decoder.to(device or torch.device("cpu"))
    return bundle


def load_checkpoint(path: Path, *, tokenizer: Path | None = None) -> Bundle:
    """Read a checkpoint as the bundle that it can be converted to.

    Args:
        path: A `.train` file.
        tokenizer: Folder of its embedder's tokenizer.json, where neither Nomaly nor the hub's
            cache has it.

    Returns:
        The bundle, its decoder on the CPU in eval mode with float32 weights.

    Raises:
        CheckpointError: If the file is damaged, of another layout, or its tokenizer is missing.
    """
    return with_tokens(read_checkpoint(path), tokenizer)


def with_tokens(checkpoint: Checkpoint, tokenizer: Path | None = None) -> Bundle:
    """Give the nouns of a checkpoint their tokens.

    Two nouns that the tokenizer reads alike, such as "3d" and "3 d", are one to the decoder: the
    first stays, the others are listed in the provenance.

    Raises:
        CheckpointError: If the tokenizer is missing or not the one the decoder was trained with.
    """
    try:
        text = tokenizer_for(checkpoint.embedder, checkpoint.entries, tokenizer)
    except TokenizerError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    rows = _compact_rows(checkpoint, CompactTokenizer(text, checkpoint.source_ids))
    first_of: dict[tuple[int, ...], str] = {}
    for noun, row in zip(checkpoint.nouns, rows, strict=True):
        first_of.setdefault(row, noun)
    tokens = np.zeros((len(first_of), checkpoint.decoder.config.max_tokens), dtype=np.int64)
    for number, row in enumerate(first_of):
        tokens[number, : len(row)] = row
    alike = {
        noun: first_of[row]
        for noun, row in zip(checkpoint.nouns, rows, strict=True)
        if first_of[row] != noun
    }
    return Bundle(
        checkpoint.decoder,
        NounTokens(tuple(first_of.values()), tokens, checkpoint.source_ids),
        checkpoint.embedder,
        checkpoint.preprocessing,
        provenance={**checkpoint.provenance, **({"same_tokens_as": alike} if alike else {})},
        metrics=checkpoint.metrics,
    )


def compact_tokenizer(bundle: Bundle, tokenizer: Path | None = None) -> CompactTokenizer:
    """The tokenizer of a bundle that came from a checkpoint, or of the starter.

    Naming nouns of the vocabulary needs none; nouns from elsewhere and free generation do.

    Args:
        bundle: What `load_checkpoint` gave, or `load_bundle` of what was converted from one.
        tokenizer: See `load_checkpoint`.

    Raises:
        BundleError: If the bundle is of neither kind, or its tokenizer is missing.
    """
    entries = STARTER_ENTRIES if bundle.embedder == STARTER else bundle.preprocessing.get(ENTRIES)
    if not isinstance(entries, int):
        raise BundleError(
            f"the decoder for '{bundle.embedder}' did not come from a checkpoint, so only nouns "
            "of its own vocabulary can be told from tokens"
        )
    try:
        text = tokenizer_for(bundle.embedder, entries, tokenizer)
    except TokenizerError as error:
        raise BundleError(str(error)) from error
    return CompactTokenizer(text, bundle.tokens.source_ids)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read everything of a checkpoint but the tokens of its nouns; needs no tokenizer.

    Raises:
        CheckpointError: If the file is damaged or of another layout.
    """
    contents = _contents(path)
    try:
        settings = checked_part(contents, "cfg_flat", Mapping)
        check_layout(settings)
        weights = checked_part(contents, "model_state_dict", Mapping)
        decoder = PrefixedDecoder(decoder_sizes(settings, weights))
        fill_decoder(decoder, weights)
        target = checked_part(contents, "target_config", Mapping)
        source_ids, entries = compact_vocabulary(target, decoder.config)
        sha256 = file_sha256(path)
        return Checkpoint(
            path,
            sha256,
            decoder.eval(),
            vocabulary_nouns(contents),
            source_ids,
            entries,
            checked_part(settings, "embedder_spec", str, "cfg_flat."),
            {"precision": _precision(settings), ENTRIES: entries},
            _provenance(path, sha256, settings, contents),
            _metrics(contents),
        )
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _contents(path: Path) -> Mapping[str, Any]:
    """The file's dictionary. Its tensors stay on disk until they are used."""
    _check_file(path)
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        called = re.search(r"GLOBAL (\S+)", str(error))
        raise CheckpointError(
            f"{path}: holds more than tensors and plain values"
            f"{f' ({called[1]})' if called else ''}, and Nomaly runs no code of a checkpoint; "
            "use one that the upstream program saved"
        ) from error
    except (
        OSError,
        RuntimeError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        EOFError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: cannot be read as a checkpoint: {reason}") from error
    if not isinstance(contents, dict):
        raise CheckpointError(
            f"{path}: holds a {type(contents).__name__}, not the dictionary of a checkpoint"
        )
    return contents


def _check_file(path: Path) -> None:
    """Refuse a file that is missing, cut off, or not as it was written."""
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such checkpoint file")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_packing(path, archive)
            damaged = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or cut off (torch.save writes zip files, this is none); "
            "copy or download the file again"
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    if damaged is not None:
        raise CheckpointError(
            f"{path}: its part {damaged} does not match the CRC-32 checksum stored with it; "
            "the file is damaged, copy or download it again"
        )


def _check_packing(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what torch.save never writes: packed parts, which may unpack to anything."""
    for part in archive.infolist():
        if part.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(
                f"{path}: its part {part.filename!r} is compressed; torch.save compresses nothing"
            )


def _compact_rows(checkpoint: Checkpoint, text: CompactTokenizer) -> list[tuple[int, ...]]:
    """Compact tokens of every noun without its end, checked (novic_spec §4.3)."""
    rows = []
    for noun in checkpoint.nouns:
        tokens = text.encode(noun)
        if tokens is None:
            raise CheckpointError(_other_tokenizer(checkpoint, f"it splits '{noun}' otherwise"))
        rows.append(tuple(tokens))
    count = len({token for row in rows for token in row}) + 1
    longest = max(map(len, rows)) + 1
    size = checkpoint.decoder.config
    if count != size.vocabulary or longest != size.max_tokens:
        found = f"the nouns use {count} tokens, at most {longest} each, the decoder has "
        raise CheckpointError(
            _other_tokenizer(checkpoint, f"{found}{size.vocabulary} and {size.max_tokens}")
        )
    return rows


def _other_tokenizer(checkpoint: Checkpoint, reason: str) -> str:
    return (
        f"{checkpoint.path}: the tokenizer is not the one that the decoder was trained with "
        f"({reason}); give the folder of the tokenizer of '{checkpoint.embedder}'"
    )


def _precision(settings: Mapping[str, Any]) -> str:
    """Number format in which the embedder ran on CUDA, as `novic.model.build_embedder` takes it."""
    if not settings.get("embedder_amp", True):
        return "fp32"
    return "bf16" if settings.get("embedder_amp_bf16", False) else "fp16"


def _provenance(
    path: Path, sha256: str, settings: Mapping[str, Any], contents: Mapping[str, Any]
) -> dict[str, Any]:
    plan, state = (
        part if isinstance(part := contents.get(key), Mapping) else {}
        for key in ("train_loop_config", "train_loop_state")
    )
    told = {key: plan.get(key) for key in ("max_chunks", "chunk_batches", "epoch_batches")}
    told |= {key: state.get(key) for key in ("chunk_id", "epoch_id", "sample_id")}
    return {
        "converted_from": {"format": "NOVIC checkpoint", "file": path.name, "sha256": sha256},
        "training": {key: settings[key] for key in TRAINING if _is_plain(settings.get(key))},
        "progress": {key: value for key, value in told.items() if _is_plain(value)},
    }


def _metrics(contents: Mapping[str, Any]) -> dict[str, float]:
    """What upstream's training measured last, on its own noisy texts."""
    state = contents.get("train_loop_state")
    if not isinstance(state, Mapping):
        return {}
    names = {
        "train_token_top1": "ewa_train_top1",
        "train_token_top1_max": "ewa_train_top1_max",
        "train_loss": "ewa_train_loss",
    }
    return {
        ours: value
        for ours, key in names.items()
        if isinstance(value := state.get(key), float) and math.isfinite(value)
    }


def _is_plain(value: object) -> bool:
    """Whether a value can stand in a JSON file and says something."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int)
