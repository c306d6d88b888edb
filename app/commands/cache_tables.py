"""Caches for people in a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_SHOWN_SKIPPED = 10
"""Images that could not be read, told in full; the rest is only counted."""


def print_cache(info: Mapping[str, Any]) -> None:
    """What a cache is."""
    table = Table(box=None, show_header=False)
    for name, value in _lines(info):
        table.add_row(name, f"[bold]{escape(value)}[/bold]")
    console = Console()
    console.print(table)
    skipped = info.get("skipped", [])
    for path, reason in skipped[:_SHOWN_SKIPPED]:
        _say(console, f"Left out: {path}: {reason}")
    if len(skipped) > _SHOWN_SKIPPED:
        _say(console, f"and {len(skipped) - _SHOWN_SKIPPED} more; --json lists all")
    for name in info.get("classes_without_noun", []):
        _say(console, f"No noun for the class '{name}': its images were left out")
    if lacking := info.get("nouns_without_captions"):
        _say(console, f"{lacking} nouns have no captions in one of their numbers")


def _lines(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of every line."""
    size = f"{_bytes(info['bytes'])}, {info['bytes_per_sample']:,.1f} bytes a sample"
    lines = [("cache", info["cache"])]
    if info["format"] == "v1":
        lines += [("format", "upstream's version 1"), ("embedder", _hash(info))]
    else:
        size += f", {info['share_of_v1']:.0%} of version 1"
        lines += [
            ("format", f"Nomaly's own, of {info['kind']}, {info['shards']} shards"),
            ("embedder", info["embedder"] or "known by its hash only"),
        ]
    lines.append(("samples", f"{info['samples']:,}"))
    if "texts" in info:
        lines.append(("vectors", f"{info['texts']:,} of {info['width']} {info['vectors']}"))
    else:
        lines.append(("vectors", f"{info['samples']:,} of {info['width']} float32"))
    lines.append(("target nouns", f"{info['nouns']:,}, up to {info['max_targets']} a sample"))
    lines.append(("size", size))
    if info.get("embedded"):
        busy = f"{info['embedded']:,} in this run, embedder busy {info['embedder_busy']:.0%}"
        lines.append(("embedded", busy))
    if made := info.get("provenance", {}).get("made"):
        lines.append(("made", made))
    return lines


def _hash(info: Mapping[str, Any]) -> str:
    return f"hash {info['embedder_hash'][:16]}…" if info["strict"] else "not recorded"


def _bytes(count: int) -> str:
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "KB")):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{count} bytes"


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
