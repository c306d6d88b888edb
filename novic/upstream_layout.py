"""The layout of upstream's checkpoints: what their settings and weights must be and what they mean.

Settings that compute something else are refused, sizes follow from the shapes of the weights, and
every weight goes to its place in our decoder (novic_spec §4.3, §5.2). Reading the file and giving
its nouns their tokens is `novic.upstream`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from novic.bundle_checks import MOST_POSITIONS
from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.errors import NomalyError, UsageError

LAYOUT: Mapping[str, object] = {
    "model": "PrefixedIterDecoder",
    "weight_tying": True,
    "vocab_quant": False,
    "mlp_hidden_layer": "none",
    "strictly_causal": False,
    "enable_nested": False,
    "layer_activation": "gelu",
    "layer_norm_first": True,
    "layer_bias": False,
    "logits_bias": False,
    "init_rezero_mode": "none",
    "num_end_loss": 1,
}
"""Settings that change what the weights mean, with the only values that Nomaly computes."""


class CheckpointError(NomalyError):
    """A checkpoint cannot be used; the text names the file, the key and what to do."""

    exit_code = 4


def checked_part[T](contents: Mapping[str, Any], key: str, kind: type[T], where: str = "") -> T:
    """A value that must be there and of a kind."""
    if key not in contents:
        raise CheckpointError(f"has no {where}{key}; use a checkpoint in upstream's final format")
    value = contents[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise CheckpointError(
            f"{where}{key} is a {type(value).__name__}, not a {kind.__name__}; the file is damaged"
        )
    return value


def check_layout(settings: Mapping[str, Any]) -> None:
    """Refuse decoders that compute something else."""
    checked_part(settings, "layer_activation", str, "cfg_flat.")
    for key, known in LAYOUT.items():
        # Settings that came later are missing in older files; the names of the weights tell then.
        value = settings.get(key, known)
        if not _same(value, known):
            raise CheckpointError(
                f"cfg_flat.{key} is {value!r}; Nomaly reads only decoders with {key} {known!r}"
            )


def _same(value: object, known: object) -> bool:
    """Equal and of one type: True is not 1, and a tensor equals nothing."""
    return type(value) is type(known) and value == known


def decoder_sizes(settings: Mapping[str, Any], weights: Mapping[str, Any]) -> DecoderConfig:
    """Sizes from the shapes of the weights (novic_spec §5.2), heads from the settings."""
    if not all(isinstance(name, str) for name in weights):
        raise CheckpointError("model_state_dict has names that are not text; the file is damaged")
    for name, weight in weights.items():
        # A view may claim any size; what is made here of that size would be real.
        if isinstance(weight, Tensor) and not _is_stored(weight):
            raise CheckpointError(f"{name} is not stored whole; the file is damaged")
    vocabulary, hidden = _shape(weights, "logits_linear.weight")
    rows, width = _shape(weights, "embed_mlp.mlp.0.weight")
    positions, _ = _shape(weights, "pos_embedding.embedding.weight")
    if positions > MOST_POSITIONS:
        raise CheckpointError(f"has {positions} positions; at most {MOST_POSITIONS} are read")
    layers = len({name.split(".")[2] for name in weights if name.startswith("transformer.layers.")})
    prefix, rest = divmod(rows, max(hidden, 1))
    if rest:
        raise CheckpointError(
            f"embed_mlp.mlp.0.weight has {rows} rows, not a multiple of the hidden size {hidden}"
        )
    for key, size in {"hidden_dim": hidden, "num_layers": layers, "mlp_seq_len": prefix}.items():
        if not _same(settings.get(key, size), size):
            raise CheckpointError(
                f"cfg_flat.{key} is {settings[key]!r}, but the weights have {size}; "
                "the file is damaged"
            )
    try:
        return DecoderConfig(
            width=width,
            vocabulary=vocabulary,
            max_tokens=positions - prefix + 1,
            hidden=hidden,
            feedforward=_shape(weights, "transformer.layers.0.linear1.weight")[0],
            layers=layers,
            heads=checked_part(settings, "num_heads", int, "cfg_flat."),
            prefix=prefix,
        )
    except UsageError as error:
        raise CheckpointError(f"{error} (cfg_flat.num_heads and the weights)") from error


def _is_stored(weight: Tensor) -> bool:
    """Whether every number of a weight is in the file."""
    if weight.layout != torch.strided:
        return True
    return weight.numel() * weight.element_size() <= weight.untyped_storage().nbytes()


def _shape(weights: Mapping[str, Any], name: str) -> tuple[int, int]:
    """Shape of a weight that must be a matrix."""
    weight = checked_part(weights, name, Tensor, "model_state_dict ")
    if weight.ndim != 2:
        raise CheckpointError(f"{name} has shape {tuple(weight.shape)}, not two dimensions")
    return weight.shape[0], weight.shape[1]


def _names(layers: int) -> dict[str, str]:
    """Upstream's name of every weight, by ours."""
    names = {
        "prefix_in.weight": "embed_mlp.mlp.0.weight",
        "token_table.weight": "logits_linear.weight",
        "position_table.weight": "pos_embedding.embedding.weight",
        "final_norm.weight": "transformer.norm.weight",
    }
    in_layer = {
        "attention_norm": "norm1.weight",
        "attention_in": "self_attn.in_proj_weight",
        "attention_out": "self_attn.out_proj.weight",
        "feedforward_norm": "norm2.weight",
        "feedforward_in": "linear1.weight",
        "feedforward_out": "linear2.weight",
    }
    for layer in range(layers):
        for ours, theirs in in_layer.items():
            names[f"layers.{layer}.{ours}.weight"] = f"transformer.layers.{layer}.{theirs}"
    return names


def fill_decoder(decoder: PrefixedDecoder, weights: Mapping[str, Any]) -> None:
    """Put upstream's weights into our decoder, each checked."""
    names = _names(decoder.config.layers)
    unknown = set(weights) - set(names.values()) - {"causality_mask"}
    if unknown:
        raise CheckpointError(
            f"model_state_dict holds {min(unknown, key=str)}, which no decoder that Nomaly reads "
            "has; its layout is unknown"
        )
    ours = decoder.state_dict()
    for name, upstream in names.items():
        weight = checked_part(weights, upstream, Tensor, "model_state_dict ")
        if weight.shape != ours[name].shape:
            raise CheckpointError(
                f"{upstream} has shape {tuple(weight.shape)}, but the other weights ask for "
                f"{tuple(ours[name].shape)}; the file is damaged"
            )
        if weight.layout != torch.strided or not weight.is_floating_point():
            raise CheckpointError(
                f"{upstream} is stored as {weight.layout} {weight.dtype}; Nomaly reads plain "
                "tensors of floating point numbers"
            )
        if not torch.isfinite(weight).all():
            raise CheckpointError(
                f"{upstream} holds values that are not finite numbers; the training went wrong or "
                "the file is damaged, use another checkpoint"
            )
        ours[name].copy_(weight)
    _check_mask(decoder, weights)


def _check_mask(decoder: PrefixedDecoder, weights: Mapping[str, Any]) -> None:
    """Refuse a decoder whose states see other states than ours."""
    if "causality_mask" not in weights:
        return
    mask = checked_part(weights, "causality_mask", Tensor, "model_state_dict ")
    seen = decoder.get_buffer("seen")
    if mask.shape != seen.shape or not torch.equal(mask == 0, seen):
        raise CheckpointError(
            "causality_mask is not that of an open prefix with causal tokens; its layout is unknown"
        )


def compact_vocabulary(
    target: Mapping[str, Any], sizes: DecoderConfig
) -> tuple[NDArray[np.int64], int]:
    """The tokenizer's id of each compact id, and the size of the tokenizer (novic_spec §4.3)."""
    facts = {
        "compact_ids": True,
        "start_token_id": None,
        "end_token_id": 0,
        "pad_token_id": 0,
        "vocab_size": sizes.vocabulary,
        "token_length": sizes.max_tokens,
    }
    for key, known in facts.items():
        if not _same(target.get(key, known), known):
            raise CheckpointError(
                f"target_config.{key} is {target[key]!r}, but this decoder asks for {known!r}; "
                "its layout is unknown"
            )
    forward = checked_part(target, "compact_map", Tensor, "target_config.")
    back = checked_part(target, "compact_unmap", Tensor, "target_config.")
    if not _is_stored(forward) or not _is_stored(back):
        raise CheckpointError("target_config.compact_map is not stored whole; the file is damaged")
    count = sizes.vocabulary
    fits = forward.ndim == 1 and back.shape == (count,) and forward.dtype == back.dtype
    fits = fits and back.dtype == torch.int64 and int(back.min()) >= 0
    fits = fits and int(back.max()) < len(forward) and int((forward > 0).sum()) == count - 1
    if not fits or not torch.equal(forward[back], torch.arange(count)):
        raise CheckpointError(
            "target_config.compact_map and compact_unmap do not undo each other for the "
            f"{count} tokens of the decoder; the file is damaged"
        )
    return back.numpy().copy(), len(forward)


def vocabulary_nouns(contents: Mapping[str, Any]) -> tuple[str, ...]:
    """The vocabulary: target_nouns without the invalid ones at its beginning."""
    nouns = contents.get("target_nouns")
    if not isinstance(nouns, tuple | list) or not all(isinstance(noun, str) for noun in nouns):
        raise CheckpointError("target_nouns is not a list of nouns; use a released checkpoint")
    invalid = checked_part(contents, "num_invalid_target_nouns", int)
    if not 0 <= invalid < len(nouns):
        raise CheckpointError(
            f"num_invalid_target_nouns is {invalid}, but there are {len(nouns)} target_nouns"
        )
    vocabulary = tuple(nouns[invalid:])
    if not all(noun.isprintable() for noun in vocabulary):
        raise CheckpointError("target_nouns holds a noun with control characters")
    if "" in vocabulary or len(set(vocabulary)) != len(vocabulary):
        raise CheckpointError("target_nouns holds an empty noun, or one twice")
    return vocabulary
