"""Folders of what was trained on an embedder's vectors: a card and its weights.

    NAME.json            format, version, what it is of, SHA-256 of the weights, provenance, metrics
    NAME.safetensors     the weights

Both are written whole or not at all, and nothing in them is ever run.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from novic.embedder import Embedder
from novic.errors import NomalyError
from novic.json_files import CARD_BYTES, read_json
from novic.whole_files import write_whole

VERSION = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of such folders."""

    what: str
    """In messages, for example `CLIPN`."""
    name: str
    """Of both files, without ending."""
    error: type[NomalyError]
    """Raised for all that is wrong."""

    @property
    def card(self) -> str:
        """Name of the card."""
        return f"{self.name}.json"

    @property
    def weights(self) -> str:
        """Name of the weights."""
        return f"{self.name}.safetensors"

    @property
    def format(self) -> str:
        """What the card calls it."""
        return f"nomaly-{self.name}"

    def write(self, folder: Path, card: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Write a folder; one that is there is replaced.

        Args:
            folder: Made if missing.
            card: What it says besides format, version and SHA-256, as JSON values.
            tensors: By name.

        Raises:
            NomalyError: `error`, if it cannot be written.
        """
        # Tensors that are one in the model must be two in the file.
        own = {name: one.detach().cpu().clone().contiguous() for name, one in tensors.items()}
        content = save(own)
        told = {
            "format": self.format,
            "version": VERSION,
            **card,
            "weights_sha256": hashlib.sha256(content).hexdigest(),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / self.weights, content)
            text = json.dumps(told, indent=2, ensure_ascii=False)
            write_whole(folder / self.card, f"{text}\n".encode())
        except OSError as error:
            raise self.error(f"{folder}: the {self.what} cannot be written: {error}") from error

    def read_card(self, folder: Path) -> dict[str, Any]:
        """What a folder's card says, without its weights.

        Raises:
            NomalyError: `error`, if it is missing, damaged, or of another format or version.
        """
        file = folder / self.card
        try:
            card = read_json(file, CARD_BYTES)
        except FileNotFoundError as error:
            raise self.error(
                f"{folder}: there is no {self.what} here ({self.card} is missing)"
            ) from error
        except (OSError, ValueError) as error:
            raise self.error(f"{file}: cannot be read: {error}") from error
        if not isinstance(card, dict) or card.get("format") != self.format:
            raise self.error(f"{file}: is not a {self.what}'s")
        if card.get("version") != VERSION:
            raise self.error(
                f"{file}: version {card.get('version')}, this Nomaly reads version {VERSION}; "
                "update Nomaly or train it again"
            )
        return card

    def read_weights(self, folder: Path, card: Mapping[str, Any]) -> dict[str, Tensor]:
        """The weights that belong to a card.

        Raises:
            NomalyError: `error`, if they are missing, damaged, another card's, or not finite.
        """
        file = folder / self.weights
        try:
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() != card.get("weights_sha256"):
                raise self.error(
                    f"{file}: its SHA-256 is not the one in {self.card}; the file is damaged or "
                    f"of another {self.what}, copy the whole folder again"
                )
            tensors = load(content)
        except (OSError, SafetensorError) as error:
            raise self.error(f"{file}: cannot be read: {error}") from error
        for name, tensor in tensors.items():
            if not torch.isfinite(tensor).all():
                raise self.error(
                    f"{file}: {name} holds numbers that are not finite; train it again"
                )
        return tensors


def identity_sha256(embedder: Embedder) -> str:
    """What the vectors of an embedder depend on, but for where they are computed."""
    known = embedder.identity()
    told = {key: known.get(key) for key in ("model_id", "model_config", "class")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
