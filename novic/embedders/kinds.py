"""The kinds of embedders there are: the one place that names them. Imports nothing heavy itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from novic.errors import UsageError

if TYPE_CHECKING:
    import torch

    from novic.embedder import Embedder
    from novic.embedders.catalog import ListedEmbedder


@dataclass(frozen=True, slots=True)
class EmbedderKind:
    """Embedders whose specs begin alike."""

    prefix: str
    """A spec is `prefix` alone or `prefix:NAME`."""
    name: str
    """What the name is called in help texts; empty where a spec has none."""
    places: tuple[str, ...]
    """What else the name may be, for help texts."""
    build: Callable[[str, "torch.device", str], "Embedder"]
    """From name, device and precision; errors as `build_embedder`."""
    listed: Callable[[], Iterable["ListedEmbedder"]]
    """Those that are known or lie here; loads no model."""

    def spec(self, name: str) -> str:
        """How one is asked for."""
        return f"{self.prefix}:{name}" if name else self.prefix


def _build_starter(name: str, device: "torch.device", precision: str) -> "Embedder":
    from novic.embedders.starter import StarterEmbedder

    if precision != "auto":
        raise UsageError(f"precision '{precision}' asked for, but the starter has its own")
    return StarterEmbedder(device)


def _build_openclip(name: str, device: "torch.device", precision: str) -> "Embedder":
    from novic.embedders.openclip import OpenClipEmbedder, openclip_source

    return OpenClipEmbedder(openclip_source(name), device, precision)


def _build_transformers(name: str, device: "torch.device", precision: str) -> "Embedder":
    from novic.embedders.transformers_clip import TransformersEmbedder

    return TransformersEmbedder(name, device, precision)


def _build_openai(name: str, device: "torch.device", precision: str) -> "Embedder":
    from novic.embedders.openclip import OpenClipEmbedder, openai_source

    return OpenClipEmbedder(openai_source(name), device, precision)


def _list_starter() -> Iterable["ListedEmbedder"]:
    from novic.embedders.catalog import list_starter

    return list_starter()


def _list_openclip() -> Iterable["ListedEmbedder"]:
    from novic.embedders.catalog import list_openclip

    return list_openclip()


def _list_transformers() -> Iterable["ListedEmbedder"]:
    from novic.embedders.catalog import list_transformers

    return list_transformers()


def _list_openai() -> Iterable["ListedEmbedder"]:
    from novic.embedders.catalog import list_openai

    return list_openai()


KINDS = (
    EmbedderKind("starter", "", (), _build_starter, _list_starter),
    EmbedderKind(
        "openclip", "MODEL", ("FOLDER", "ARCHITECTURE@FILE"), _build_openclip, _list_openclip
    ),
    EmbedderKind("transformers", "MODEL", ("FOLDER",), _build_transformers, _list_transformers),
    EmbedderKind("openai", "MODEL", ("NAME@FILE",), _build_openai, _list_openai),
)
"""A new kind needs its own file and its line here."""

_forms = [kind.spec(kind.name) for kind in KINDS]
SPECS = f"{', '.join(_forms[:-1])} or {_forms[-1]}"
"""How specs look, for help texts and errors."""
PLACES = ", ".join(kind.spec(place) for kind in KINDS for place in kind.places)
"""How embedders are asked for that lie elsewhere, for help texts."""


def build_embedder(spec: str, device: "torch.device", precision: str = "auto") -> "Embedder":
    """Build the embedder that a spec names.

    Args:
        spec: `starter`; `openclip:` and a hub id, a local folder or `ARCHITECTURE@FILE`;
            `transformers:` and a hub id or a local folder; `openai:` and a model's name or
            `NAME@FILE`.
        device: Where it runs.
        precision: `auto`, `fp16`, `bf16` or `fp32`; half precision on CUDA only.

    Raises:
        ValueError: If the precision is unknown or not to be had for that embedder or device.
        EmbedderError: If no embedder has that name, or its weights or packages are missing.
    """
    prefix, _, name = spec.partition(":")
    for kind in KINDS:
        if kind.prefix == prefix and bool(kind.name) == bool(name):
            return kind.build(name, device, precision)
    from novic.embedder import EmbedderError

    raise EmbedderError(
        f"unknown embedder '{spec}'; use {SPECS} (`nomaly embedder list` shows them)"
    )


def list_embedders() -> list["ListedEmbedder"]:
    """The starter, the embedders of released decoders, and what else the caches hold."""
    return [one for kind in KINDS for one in kind.listed()]
