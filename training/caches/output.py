"""Where a cache goes, in which format, and what its card tells of its making."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

from novic.embedder import Embedder
from novic.errors import UsageError
from training.caches.cache import CARD
from training.caches.embedding import Tell
from training.caches.shards import VectorKind

type Build = Callable[[], Embedder]
"""Builds the embedder: seconds, so inputs are checked first."""

type CacheFormat = Literal["nomaly", "v1"]
CACHE_FORMATS: tuple[CacheFormat, ...] = get_args(CacheFormat.__value__)


@dataclass(frozen=True, slots=True)
class Making:
    """What all ways of making a cache have in common."""

    out: Path
    """A folder, or a file for version 1."""
    tell: Tell
    format: CacheFormat = "nomaly"
    vectors: VectorKind | None = None
    """How vectors are stored. None for float16, or for what joined caches have; version 1 has
    float32 only."""
    seed: int = 0
    """Of what is drawn at random, and of the order of a version-1 file."""
    overwrite: bool = False
    command: str = ""
    """The command line, for the record."""

    @property
    def folder(self) -> Path:
        """Where shards are made; beside a version-1 file until it is written."""
        return self.out if self.format == "nomaly" else self.out.with_name(f"{self.out.name}.parts")

    def check(self) -> None:
        """Make sure that nothing finished is in the way, before any work is done.

        Raises:
            UsageError: If something is.
        """
        v1 = self.format == "v1"
        if v1 and self.out.is_dir():
            raise UsageError(f"--out {self.out}: is a folder; a version-1 cache is one file")
        finished = self.out.exists() if v1 else (self.out / CARD).is_file()
        if finished and not self.overwrite:
            raise UsageError(
                f"--out {self.out}: holds a finished cache; name another place, or replace it "
                "with --overwrite"
            )


def provenance(making: Making, sources: Mapping[str, Any]) -> dict[str, Any]:
    """When, how and from what a cache is made, for its card."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": making.command,
        "seed": making.seed,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("nomaly", "numpy", "torch")},
        },
        **sources,
    }
