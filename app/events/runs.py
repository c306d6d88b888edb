"""Runs, how far they got with each source, and what people should know about them."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class SourceProgress:
    """How far a source has been watched."""

    camera: str
    uri: str
    size: tuple[int, int]
    """(height, width)"""
    from_s: float
    """Where the watch began, behind the stretch that it learned from."""
    done_s: float
    """A stopped audit goes on from here, with what was followed then (`StoreReader.checkpoint`)."""
    done_frames: int = 0
    """Frames analysed before `done_s`."""
    seen_s: float = 0.0
    """Time of the last frame that was analysed."""
    frames: int = 0
    """All frames analysed."""
    start_us: int | None = None
    time_from: str = ""
    finished: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One audit or watch."""

    id: int
    kind: str
    state: str
    started_us: int
    ended_us: int | None
    settings: dict[str, Any]
    facts: dict[str, Any]
    app_version: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a run that people should know."""

    time_us: int
    """UTC in microseconds."""
    text: str
    """One sentence."""


def run_of(row: dict[str, Any]) -> Run:
    """From its row."""
    settings, facts = json.loads(row.pop("settings")), json.loads(row.pop("facts"))
    return Run(**row, settings=settings, facts=facts)


def source_of(row: dict[str, Any]) -> SourceProgress:
    """From its row."""
    del row["run_id"]
    row["size"] = (row.pop("height"), row.pop("width"))
    row["finished"] = bool(row["finished"])
    return SourceProgress(**row)
