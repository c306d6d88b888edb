"""Stores of events that were seen at known times, called by known names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.events.event import Finding
from app.events.store import Changes, Store
from novic.vocabulary import ThingKind
from tests.app.report.runs import a_seen, a_source

ANIMAL = ThingKind("animal", 0.9, sure=True, maybe="cat")


def called(
    number: int, noun: str, *, vector: NDArray[np.float32] | None = None, **other: object
) -> Finding:
    """An event of a camera called hall, five seconds after the one before, called so."""
    finding = a_seen(number, ((noun, 0.8), ("shoe", 0.05)))
    event = replace(finding.event, **other)  # pyright: ignore[reportArgumentType]
    return replace(finding, event=event, vector=vector)


@contextmanager
def kept(
    folder: Path, *findings: Finding, embedder: str = "none", namer: str = "f" * 64
) -> Iterator[Store]:
    """A watch with these events that still goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    with Store(folder) as store:
        run = store.last_run() or store.begin_run("watch", {"namer": namer})
        store.save(run.id, Changes(a_source(), findings, embedder=embedder))
        yield store


def keep(folder: Path, *findings: Finding, embedder: str = "none", namer: str = "f" * 64) -> Path:
    """The same, left by its watch; gives the folder."""
    with kept(folder, *findings, embedder=embedder, namer=namer):
        pass
    return folder


def site(folder: Path) -> Path:
    """A cat and a fault of the camera at the gate, a wrench and an open ladder in the hall."""
    cat = called(0, "cat", camera="gate", thing=ANIMAL)
    keep(folder / "gate", cat, called(1, "lamp", camera="gate", muted="verdict 1: it is normal"))
    keep(folder / "hall", called(2, "wrench"), called(3, "ladder", state="opened"))
    return folder


def ids(found: Sequence[object]) -> list[str]:
    """The first digits of the ids, which number the events."""
    return [str(int(one.event.id[:14], 16)) for one in found]  # pyright: ignore
