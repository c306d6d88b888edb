"""Verdicts and events of known vectors, for tests of what goes silent."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.events.event import Finding
from app.events.store import Changes, SourceProgress, Store
from app.feedback.verdicts import Verdict
from detectors.laying import SIDE, Sight
from tests.app.events.findings import a_finding

EMBEDDER = "starter"
NAMES = (("cat", 0.5), ("dog", 0.25))


def a_vector(degrees: float) -> NDArray[np.float32]:
    """A unit vector; two of them are as like as the cosine of the angle between them."""
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle), 0, 0], np.float32)


def a_signature(degrees: float) -> NDArray[np.float32]:
    """Of a thing before grey, whose hue is the angle: those of two are as far apart as it says."""
    angle = np.radians(degrees)
    seen = np.zeros((SIDE, SIDE, 3), np.float32)
    seen[..., 1:] = 40 * np.cos(angle), 40 * np.sin(angle)
    sight = Sight(seen, np.zeros_like(seen), np.ones((SIDE, SIDE), np.float32))
    return np.concatenate([np.zeros(1, np.float32), sight.numbers])


def seen(number: int, degrees: float, noun: str = "cat", start_s: float | None = None) -> Finding:
    """An event of a thing that looks like this."""
    at_s = float(number) if start_s is None else start_s
    finding = a_finding(number, at_s, noun)
    return replace(finding, vector=a_vector(degrees), signature=a_signature(degrees))


def a_verdict(degrees: float, *, keep_s: float | None = None) -> Verdict:
    """It matches what is less than about 15 degrees away."""
    return Verdict(
        0, "normal", "x", "hall", "arrived", "cat", NAMES, "", 0, keep_s, EMBEDDER,
        a_vector(degrees), a_signature(degrees), 2.0,
    )  # fmt: skip


def a_run_of(folder: Path, *findings: Finding, **settings: object) -> None:
    """A finished watch with these events and a detector of its own, of which the folder is left."""
    (folder / "detector").mkdir()
    with Store(folder, sinks=["a"]) as store:
        run = store.begin_run("watch", {"detector": None, **settings})
        source = SourceProgress("hall", "a.mp4", (60, 80), 0.0, 0.0, seen_s=30.0)
        store.save(run.id, Changes(source, findings, embedder=EMBEDDER))
        store.end_run(run.id, "finished", {})
