"""A decoder bundle: one folder that names nouns without tokenizer, hub or pickle.

    bundle.json           format, sizes, embedder id, provenance, metrics, SHA-256 of the weights
    nouns.json            the noun table: nouns in order, and for each the kinds that it is one of
    decoder.safetensors   the decoder's weights and the nouns' compact tokens

The trie is built from the tokens on loading, in milliseconds; storing it would store them twice.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.tokens import NounTokens
from novic.trie import Trie, build_trie

FORMAT = "nomaly-decoder"
VERSION = 1
WEIGHTS = "decoder.safetensors"
_TABLES = ("nouns.tokens", "nouns.source_ids")


class BundleError(RuntimeError):
    """A bundle cannot be read or written; the text names the file and the fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A decoder and everything that turns its tokens into nouns."""

    decoder: PrefixedDecoder
    tokens: NounTokens
    embedder: str
    """Spec of the embedder whose vectors it reads, for example `starter`."""
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    """How that embedder prepared its images and texts, for people and for checks."""
    hypernyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a noun the kinds it is one of, nearest first."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def trie(self) -> Trie:
        """The tree of all nouns, on the decoder's device."""
        return build_trie(self.tokens.tokens).to(self.decoder.token_table.weight.device)


def save_bundle(path: Path, bundle: Bundle, *, half: bool = True) -> None:
    """Write a bundle into a folder.

    Args:
        path: The folder; made if missing, its bundle files replaced.
        bundle: What to write.
        half: Store weights as float16: half the size, loaded back as float32.
    """
    path.mkdir(parents=True, exist_ok=True)
    dtype = torch.float16 if half else torch.float32
    tensors = {
        name: weight.detach().to("cpu", dtype).contiguous()
        for name, weight in bundle.decoder.state_dict().items()
    }
    tensors["nouns.tokens"] = torch.from_numpy(bundle.tokens.tokens).to(torch.int32)
    tensors["nouns.source_ids"] = torch.from_numpy(bundle.tokens.source_ids).to(torch.int32)
    save_file(tensors, path / WEIGHTS)
    table = [[noun, list(bundle.hypernyms.get(noun, ()))] for noun in bundle.tokens.nouns]
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in table)
    (path / "nouns.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    card = {
        "format": FORMAT,
        "version": VERSION,
        "embedder": bundle.embedder,
        "preprocessing": dict(bundle.preprocessing),
        "decoder": asdict(bundle.decoder.config),
        "nouns": len(table),
        "parameters": sum(weight.numel() for weight in bundle.decoder.parameters()),
        "weights_sha256": _sha256(path / WEIGHTS),
        "provenance": dict(bundle.provenance),
        "metrics": dict(bundle.metrics),
    }
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (path / "bundle.json").write_text(f"{text}\n", encoding="utf-8")


def load_bundle(path: Path, device: torch.device | None = None) -> Bundle:
    """Read a bundle.

    Args:
        path: The bundle's folder.
        device: Where the decoder goes; CPU by default.

    Returns:
        The bundle, its decoder in eval mode with float32 weights.

    Raises:
        BundleError: If a file is missing, damaged, or of another format.
    """
    card = read_card(path)
    weights = path / WEIGHTS
    try:
        if _sha256(weights) != card["weights_sha256"]:
            raise BundleError(
                f"{weights}: its SHA-256 is not the one in bundle.json; "
                "the file is damaged or from another bundle, copy the whole folder again"
            )
        with safe_open(weights, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        table = json.loads((path / "nouns.json").read_text(encoding="utf-8"))
        nouns = tuple(noun for noun, _ in table)
        tokens = NounTokens(nouns, *(tensors.pop(name).long().numpy() for name in _TABLES))
        if len(nouns) != len(tokens.tokens):
            raise BundleError(
                f"{path}: nouns.json holds {len(nouns)} nouns and {WEIGHTS} {len(tokens.tokens)}; "
                "copy the whole folder again"
            )
        decoder = PrefixedDecoder(DecoderConfig(**card["decoder"]))
        decoder.load_state_dict({name: weight.float() for name, weight in tensors.items()})
    except (OSError, KeyError, TypeError, ValueError, SafetensorError, RuntimeError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{path}: not a readable decoder bundle: {error}") from error
    return Bundle(
        decoder.to(device or torch.device("cpu")).eval(),
        tokens,
        card["embedder"],
        card["preprocessing"],
        {noun: tuple(kinds) for noun, kinds in table if kinds},
        card["provenance"],
        card["metrics"],
    )


def read_card(path: Path) -> dict[str, Any]:
    """Read a bundle's bundle.json without its weights.

    Raises:
        BundleError: If it is missing, damaged, or of another format or version.
    """
    file = path / "bundle.json"
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"{path}: no decoder bundle here (bundle.json is missing)") from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: cannot be read: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BundleError(f"{file}: not a Nomaly decoder bundle")
    if card.get("version") != VERSION:
        raise BundleError(
            f"{file}: bundle version {card.get('version')}, this Nomaly reads version {VERSION}; "
            "update Nomaly or train the bundle again"
        )
    return card


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
