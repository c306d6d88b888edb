"""Checkpoints of the released models' shapes, and tokenizers to read them, made of random parts.

Written without a look at `novic.upstream`, so that its reading is checked against novic_spec §4.3,
§5.2 and §7.5 and not against itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor

from novic.tokenizers import CLIP_ENTRIES, clip_tokenizer

T5_ENTRIES = 32_000
T5_END = 1


@dataclass(frozen=True)
class Shape:
    """A released model's sizes; V and the nouns' number as known (novic_spec §5.3, §1.5)."""

    embedder: str
    width: int
    vocabulary: int
    max_tokens: int
    nouns: int


RELEASED = {
    "ta4": Shape("openclip:timm/ViT-B-16-SigLIP", 768, 5_350, 10, 11_897),
    "yb3": Shape("openclip:timm/ViT-SO400M-14-SigLIP", 1152, 5_350, 10, 11_897),
    "ya2": Shape("openclip:apple/DFN5B-CLIP-ViT-H-14-378", 1024, 8_300, 9, 11_897),
    "ye2": Shape("openclip:apple/DFN5B-CLIP-ViT-H-14-378", 1024, 15_100, 12, 42_919),
}


def write_t5_tokenizer(folder: Path) -> Tokenizer:
    """A sentencepiece-like tokenizer of T5's size, as tokenizer.json: words `ka0`, `ke1`, ..."""
    words = [f"▁{'bcdfgklmnp'[n % 10]}{'aeiou'[n // 10 % 5]}{n}" for n in range(T5_ENTRIES - 3)]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((word, -5.0) for word in words)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", T5_END)]
    )
    tokenizer.enable_padding(pad_id=T5_END, pad_token="</s>", length=64)  # noqa: S106
    tokenizer.enable_truncation(64)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    # Files from the hub pad and cut; the nouns below must not be.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def make_nouns(tokenizer: Tokenizer, shape: Shape) -> tuple[list[str], Callable[[str], list[int]]]:
    """Nouns that use exactly V - 1 pieces, the longest of Cmax - 1; and their tokenizer."""
    plain = "▁" if tokenizer.get_vocab_size() == T5_ENTRIES else "</w>"

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    words = []
    for piece, number in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]):
        word = piece.replace(plain, "")
        if plain in piece and word.isascii() and word.isalnum() and encode(word) == [number]:
            words.append(word)
    used = words[: shape.vocabulary - 1]
    nouns = dict.fromkeys([*used, " ".join(used[: shape.max_tokens - 1])])
    first, second = np.random.default_rng(0).integers(len(used), size=(2, 2 * shape.nouns))
    pairs = (f"{used[one]} {used[two]}" for one, two in zip(first, second, strict=True))
    nouns |= dict.fromkeys(pairs)
    return list(islice(nouns, shape.nouns)), encode


def released(tag: str, folder: Path) -> tuple[Path, list[str], Path]:
    """A random checkpoint of a released model's shape: file, nouns, tokenizer folder."""
    shape = RELEASED[tag]
    clip = shape.embedder.startswith("openclip:apple/")
    tokenizer = clip_tokenizer() if clip else write_t5_tokenizer(folder / "tokenizer")
    nouns, encode = make_nouns(tokenizer, shape)
    entries, end = (CLIP_ENTRIES, CLIP_ENTRIES - 1) if clip else (T5_ENTRIES, T5_END)
    contents = checkpoint_contents(shape, nouns, encode, entries, end)
    torch.save(contents, folder / f"{tag}.train")
    return folder / f"{tag}.train", nouns, folder / "tokenizer"


def checkpoint_contents(
    shape: Shape, nouns: Sequence[str], encode: Callable[[str], list[int]], entries: int, end: int
) -> dict[str, Any]:
    """All 14 parts of a checkpoint."""
    weights = random_weights(shape)
    return {
        "cfg_flat": settings(shape),
        "target_config": target_config(shape, nouns, encode, entries, end),
        "data_config": {"use_weights": True, "multi_target": True, "multi_length": 3},
        "model_state_dict": weights,
        "target_nouns": ("", *nouns),
        "num_invalid_target_nouns": 1,
        "train_loop_config": {"run_dir": "outputs/ovod", "max_chunks": 899, "chunk_batches": 1162},
        "train_loop_state": {"chunk_id": 900, "ewa_train_top1": 0.91, "ewa_train_top1_max": 0.92},
        "optimizer_type": "torch.optim.adamw.AdamW",
        # One stored number, seen in every place: the file stays as small as the weights.
        "optimizer_state_dict": {
            "state": {
                number: {"step": torch.tensor(9.0), "exp_avg": torch.zeros(1).expand(weight.shape)}
                for number, weight in enumerate(weights.values())
            }
        },
        "scheduler_warmup_state_dict": None,
        "scheduler_state_dict": {"T_max": 899, "last_epoch": 899},
        "amp_scaler_enabled": False,
        "amp_scaler_state_dict": {},
    }


def random_weights(shape: Shape) -> dict[str, Tensor]:
    """The 41 tensors of novic_spec §5.2 with H 512, 6 layers, K 128, P 4."""
    draw = torch.Generator().manual_seed(0)
    positions = 4 + shape.max_tokens - 1

    def matrix(*size: int) -> Tensor:
        return torch.randn(*size, generator=draw) / 30

    mask = torch.full((positions, positions), -torch.inf).triu(1)
    mask[:4, :4] = 0
    weights = {
        "causality_mask": mask,
        "embed_mlp.mlp.0.weight": matrix(4 * 512, shape.width),
        "logits_linear.weight": matrix(shape.vocabulary, 512),
        "pos_embedding.embedding.weight": matrix(positions, 512),
    }
    for layer in range(6):
        at = f"transformer.layers.{layer}."
        weights[f"{at}self_attn.in_proj_weight"] = matrix(3 * 512, 512)
        weights[f"{at}self_attn.out_proj.weight"] = matrix(512, 512)
        weights[f"{at}linear1.weight"] = matrix(128, 512)
        weights[f"{at}linear2.weight"] = matrix(512, 128)
        weights[f"{at}norm1.weight"] = torch.ones(512)
        weights[f"{at}norm2.weight"] = torch.ones(512)
    return {**weights, "transformer.norm.weight": torch.ones(512)}


def settings(shape: Shape) -> dict[str, Any]:
    """What of `cfg_flat` tells models apart, and some of no use here (novic_spec §6, §7.1)."""
    return {
        "action": "train",
        "model": "PrefixedIterDecoder",
        "embedder_spec": shape.embedder,
        "embedder_amp": True,
        "embedder_amp_bf16": False,
        "hidden_dim": 512,
        "feedfwd_scale": "1/4",
        "num_layers": 6,
        "num_heads": 8,
        "mlp_seq_len": 4,
        "mlp_hidden_layer": "none",
        "layer_activation": "gelu",
        "layer_norm_first": True,
        "weight_tying": True,
        "strictly_causal": False,
        "noise_scheme": "GaussElemUniformAngle",
        "noise_vec_norm": 3.25,
        "noise_angle_min": 45.0,
        "noise_angle_max": 75.0,
        "noise_mix_ratio": 0.15,
        "vocab_thres": 2,
        "gencfg_tau": [0.5, 1, 2],
        "some_later_setting": None,
    }


def target_config(
    shape: Shape, nouns: Sequence[str], encode: Callable[[str], list[int]], entries: int, end: int
) -> dict[str, Any]:
    """The compact vocabulary of novic_spec §4.3."""
    used = sorted({piece for noun in nouns for piece in encode(noun)} - {end})
    forward = torch.full((entries,), -1)
    forward[end] = 0
    forward[torch.tensor(used)] = torch.arange(1, len(used) + 1)
    return {
        "vocab_size": shape.vocabulary,
        "token_dtype": torch.int64,
        "mask_dtype": torch.bool,
        "start_token_id": None,
        "end_token_id": 0,
        "pad_token_id": 0,
        "compact_ids": True,
        "compact_map": forward,
        "compact_unmap": torch.tensor([end, *used]),
        "fixed_token_length": False,
        "token_length": shape.max_tokens,
        "use_masks": True,
    }
