"""Findings, and a store with some of them, for tests of all that stands on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.events.event import Event, Finding, Picture
from app.events.media import MEDIA
from app.events.store import Changes, SourceProgress, Store
from app.sources.base import Gap
from detectors.types import Box

ARRIVED = ("crops", "snapshots", "heat")
"""The kinds of pictures that are kept of a thing that has arrived."""
BOX = Box(10.5, 5, 30, 25)
RED = np.full((24, 16, 3), (200, 0, 0), np.uint8)


def a_finding(
    number: int = 0, start_s: float = 1.0, noun: str = "cat", surprise_bits: float | None = None
) -> Finding:
    event = Event(
        id=f"{number:014x}-abc",
        camera="hall",
        state="closed",
        start_s=start_s,
        end_s=start_s + 2,
        start_us=int(start_s * 1e6),
        end_us=int(start_s * 1e6) + 2_000_000,
        box=BOX,
        frame_size=(60, 80),
        score=2.5,
        frames=11,
        video="a.mp4",
        candidates=((noun, 0.5), ("dog", 0.25)),
        snapshot_s=start_s + 1,
        surprise_bits=surprise_bits,
    )
    image = np.full((60, 80, 3), 90, np.uint8)
    picture = Picture(
        start_s + 1, BOX, (60, 80), (BOX.cut(image),), image, np.ones((6, 8), np.float32), 1.0
    )
    return Finding(event, picture, ((start_s, BOX, 2.5), (start_s + 0.2, BOX, 2.0)))


def a_camera_finding(number: int = 0, name: str = "black picture") -> Finding:
    """What is told of a camera, which has no noun."""
    finding = a_finding(number)
    whole, image = Box(0, 0, 80, 60), picture_of(finding).snapshot
    told = replace(finding.event, kind="camera", name=name, candidates=(), box=whole, score=0.0)
    picture = Picture(2.0, whole, (60, 80), (), image, np.zeros((1, 1), np.float32), 1.0)
    return Finding(told, picture, ())


def picture_of(finding: Finding) -> Picture:
    """The picture that it brings."""
    assert finding.picture is not None
    return finding.picture


def seen_later(finding: Finding) -> Finding:
    """The same event with a better picture of a second later."""
    before = picture_of(finding)
    picture = replace(before, pts_s=before.pts_s + 1)
    return replace(finding, picture=picture, event=replace(finding.event, snapshot_s=picture.pts_s))


def begin(store: Store, *findings: Finding) -> int:
    run = store.begin_run("audit", {"fps": 5})
    store.save(run.id, changes(*findings))
    return run.id


def changes(
    *findings: Finding, peaks: Mapping[int, float] | None = None, gaps: Sequence[Gap] = ()
) -> Changes:
    source = SourceProgress("hall", "a.mp4", (60, 80), 0.0, 0.0, seen_s=30.0)
    return Changes(source, findings, peaks=peaks or {}, gaps=gaps)


def pictures(store: Store) -> list[Path]:
    return sorted(file for kind in MEDIA for file in (store.folder / kind).iterdir())
