"""What a decoder is, from a bundle or a checkpoint: for scripts and for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from novic.bundle import file_hashes, load_bundle
from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.upstream import is_checkpoint, read_checkpoint

EXAMPLES = 8
"""Nouns shown of a vocabulary, spread over it."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A decoder in figures and words."""

    path: str
    form: str
    """`bundle` or `checkpoint`."""
    nouns: tuple[str, ...]
    embedder: str
    sizes: DecoderConfig
    parameters: int
    hashes: Mapping[str, str]
    """SHA-256 by file name."""
    preprocessing: Mapping[str, Any]
    provenance: Mapping[str, Any]
    metrics: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The card for scripts; sizes under the names that they rely on."""
        return {
            "path": self.path,
            "form": self.form,
            "nouns": len(self.nouns),
            "embedder": self.embedder,
            "width": self.sizes.width,
            "hidden": self.sizes.hidden,
            "feedforward": self.sizes.feedforward,
            "layers": self.sizes.layers,
            "heads": self.sizes.heads,
            "prefix": self.sizes.prefix,
            "vocab": self.sizes.vocabulary,
            "max_tokens": self.sizes.max_tokens,
            "params": self.parameters,
            "hashes": dict(self.hashes),
            "preprocessing": dict(self.preprocessing),
            "provenance": dict(self.provenance),
            "metrics": dict(self.metrics),
        }


def read_model_card(path: Path) -> ModelCard:
    """The card of a bundle or a checkpoint, whose contents are checked on the way.

    Raises:
        BundleError: If a bundle cannot be read.
        CheckpointError: If a checkpoint cannot be read; its tokenizer is not needed.
    """
    if is_checkpoint(path):
        model = read_checkpoint(path)
        nouns, form, hashes = model.nouns, "checkpoint", {path.name: model.sha256}
    else:
        model = load_bundle(path)
        nouns, form, hashes = model.tokens.nouns, "bundle", file_hashes(path)
    return ModelCard(
        path=str(path),
        form=form,
        nouns=nouns,
        embedder=model.embedder,
        sizes=model.decoder.config,
        parameters=_parameters(model.decoder),
        hashes=hashes,
        preprocessing=model.preprocessing,
        provenance=model.provenance,
        metrics=model.metrics,
    )


def print_model_card(card: ModelCard) -> None:
    """The card for people."""
    sizes = card.sizes
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        card.form: card.path,
        "embedder": f"{card.embedder}, {sizes.width} components",
        "nouns": f"{len(card.nouns):,}: {', '.join(_examples(card.nouns))}",
        "parameters": f"{card.parameters:,}",
        "layers": f"{sizes.layers} of {sizes.hidden} components, {sizes.heads} heads, "
        f"feed-forward {sizes.feedforward}",
        "prefix": f"{sizes.prefix} positions",
        "tokens": f"{sizes.vocabulary:,} in the vocabulary, {sizes.max_tokens} in the longest "
        "noun with its end",
        **_flat(card.preprocessing),
        **_flat(card.metrics),
        **_flat(card.provenance),
        **{f"SHA-256 {name}": value for name, value in card.hashes.items()},
    }
    for name, value in rows.items():
        table.add_row(escape(name), escape(str(value)))
    Console().print(table, highlight=False)


def _parameters(decoder: PrefixedDecoder) -> int:
    return sum(weight.numel() for weight in decoder.parameters())


def _examples(nouns: Sequence[str]) -> list[str]:
    """Some nouns, evenly spread over the list."""
    if len(nouns) <= EXAMPLES:
        return list(nouns)
    return [*(nouns[place * len(nouns) // EXAMPLES] for place in range(EXAMPLES)), "..."]


def _flat(facts: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Nested facts as lines: `training.seed` 0."""
    lines: dict[str, str] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            lines |= _flat(value, f"{above}{name}.")
        elif isinstance(value, list | tuple):
            lines[f"{above}{name}"] = ", ".join(map(str, value))
        else:
            lines[f"{above}{name}"] = f"{value:.4g}" if isinstance(value, float) else str(value)
    return lines
