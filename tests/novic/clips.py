"""Small models of the released architectures, with random weights.

What their configurations say about texts and images (tokenizer, cleaning, context, padding,
pooling, activation, resize mode, normalisation) is kept; widths, depths and vocabularies are small.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import default_bpe
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from torch.nn import functional

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)

WORDS = ("a", "photo", "of", "cat", "dog", "traffic", "light", "and", "the", "bird", "s", "ing")


def siglip_config(context: int) -> dict[str, Any]:
    """ViT-B-16-SigLIP (context 64) or ViT-SO400M-14-SigLIP (context 16) as the hub has them."""
    name = "ViT-B-16-SigLIP" if context == 64 else "ViT-SO400M-14-SigLIP"
    model = open_clip.get_model_config(name)
    assert model is not None
    # timm's smallest model that pools as SigLIP does; it has one size of image only.
    model["embed_dim"] = 96
    model["vision_cfg"] |= {"timm_model_name": "test_vit3", "image_size": 160}
    model["text_cfg"] |= {"width": 96, "heads": 2, "layers": 2, "vocab_size": 300}
    half = [0.5, 0.5, 0.5]
    preprocess = {"mean": half, "std": half, "interpolation": "bicubic", "resize_mode": "squash"}
    return {"model_cfg": model, "preprocess_cfg": preprocess}


def clip_config(image_size: int, resize_mode: str, *, quick: bool) -> dict[str, Any]:
    """OpenAI's and DFN5B's kind: byte pairs, causal text, its end looked at."""
    model = {
        "embed_dim": 24,
        "quick_gelu": quick,
        "vision_cfg": {"image_size": image_size, "layers": 2, "width": 64, "patch_size": 14},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 64,
            "heads": 2,
            "layers": 2,
        },
    }
    preprocess = {
        "mean": list(OPENAI_MEAN),
        "std": list(OPENAI_STD),
        "interpolation": "bicubic",
        "resize_mode": resize_mode,
    }
    return {"model_cfg": model, "preprocess_cfg": preprocess}


def save_model(folder: Path, config: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    """Write a folder as the hub has it, without tokenizer; returns its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = random_weights(config["model_cfg"], seed)
    save_file(weights, folder / "open_clip_model.safetensors")
    return weights


def random_weights(model_config: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    """Weights of a new model, strong enough that every word and pixel counts."""
    torch.manual_seed(seed)
    config = json.loads(json.dumps(model_config))
    kind: Any = open_clip.CustomTextCLIP if config.pop("custom_text", False) else open_clip.CLIP
    weights = kind(**config).state_dict()
    draw = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(weight.shape, generator=draw) * 0.1 + ("ln" in name and "weight" in name)
        for name, weight in weights.items()
        if weight.is_floating_point()
    }


def save_t5_tokenizer(folder: Path, entries: int = 300) -> Tokenizer:
    """SigLIP's kind of tokenizer, as its repository has it: unigrams, no start, pad = end = 1."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [f"▁{word}" for word in WORDS] + list(WORDS)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + [*"0123456789", "▁"]
    pieces += [letter for letter in letters if letter not in pieces]
    pieces += [f"▁filler{number}" for number in range(entries - 3 - len(pieces))]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(piece, -2.0 if len(piece) > 1 else -6.0) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(" {2,}", " ")])  # type: ignore[assignment]
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()  # type: ignore[assignment]
    tokenizer.decoder = decoders.Metaspace()  # type: ignore[assignment]
    tokenizer.post_processor = processors.TemplateProcessing(  # type: ignore[assignment]
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "T5Tokenizer",
        "eos_token": "</s>",
        "pad_token": "</s>",
        "unk_token": "<unk>",
        "extra_ids": 0,
        "additional_special_tokens": [],
        "legacy": False,
        "model_max_length": 64,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return tokenizer


def save_clip_tokenizer(folder: Path) -> None:
    """CLIP's own tokenizer in the hub's form, made from the merges that open_clip ships."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = gzip.decompress(Path(default_bpe()).read_bytes()).decode().split("\n")
    merges = lines[1 : 49152 - 256 - 2 + 1]
    letters = list(open_clip.tokenizer.bytes_to_unicode().values())
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(merge.split()) for merge in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: id for id, word in enumerate(words)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 77,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def save_bert_tokenizer(folder: Path) -> None:
    """BERT's kind of tokenizer, as CLIPA's models have it: padding 0, a start and a separator."""
    folder.mkdir(parents=True, exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*special, *WORDS, "##s", "##ing"]))
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def cached(cache: Path, repository: str) -> Path:
    """The folder of a repository in a hub's cache, made as a download would make it."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0123abc")
    snapshot = folder / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    return snapshot


def text_by_hand(
    weights: dict[str, Tensor], tokens: list[int], heads: int, *, siglip: bool, quick: bool = False
) -> Tensor:
    """A text's unit vector, written out: transformer, place that is looked at, projection.

    Args:
        weights: As open_clip names them.
        tokens: The text's ids with start, end and padding.
        heads: Of every layer.
        siglip: No causal mask, last place, projection with bias, eps 1e-6; else CLIP's: causal,
            place of the highest id, matrix without bias, eps 1e-5.
        quick: QuickGELU, x * sigmoid(1.702 x), instead of the exact one.
    """
    prefix, eps = ("text.", 1e-6) if siglip else ("", 1e-5)
    given = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}

    def norm(x: Tensor, name: str) -> Tensor:
        spread = x.var(dim=-1, keepdim=True, correction=0)
        x = (x - x.mean(dim=-1, keepdim=True)) / (spread + eps).sqrt()
        return x * given[f"{name}.weight"] + given[f"{name}.bias"]

    def linear(x: Tensor, name: str, kind: str = ".") -> Tensor:
        return x @ given[f"{name}{kind}weight"].T + given[f"{name}{kind}bias"]

    x = given["token_embedding.weight"][tokens] + given["positional_embedding"]
    mask = torch.zeros(len(tokens), len(tokens))
    if not siglip:
        mask = mask.masked_fill(torch.ones_like(mask).triu(1).bool(), -torch.inf)
    layer = 0
    while f"transformer.resblocks.{layer}.ln_1.weight" in given:
        name = f"transformer.resblocks.{layer}"
        mixed = linear(norm(x, f"{name}.ln_1"), f"{name}.attn.in_proj", "_")
        query, key, value = (
            part.reshape(len(tokens), heads, -1).transpose(0, 1) for part in mixed.chunk(3, dim=-1)
        )
        scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5 + mask
        joined = (scores.softmax(-1) @ value).transpose(0, 1).reshape(len(tokens), -1)
        x = x + linear(joined, f"{name}.attn.out_proj")
        inner = linear(norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc")
        inner = inner * (1.702 * inner).sigmoid() if quick else functional.gelu(inner)
        x = x + linear(inner, f"{name}.mlp.c_proj")
        layer += 1
    place = len(tokens) - 1 if siglip else tokens.index(max(tokens))
    looked_at = norm(x, "ln_final")[place]
    if siglip:
        return functional.normalize(linear(looked_at, "text_projection"), dim=0)
    return functional.normalize(looked_at @ given["text_projection"], dim=0)
