"""What was found in frames and followed, kept so that it can be followed again otherwise."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.events.moment import KEPT_US
from app.events.packing import packed, unpacked
from detectors.types import Box, Detection


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The map around a thing: by it a box can be found again where a part is not watched."""

    x: int
    """Its first column of cells in the map."""
    y: int
    """Its first row."""
    values: NDArray[np.float32]
    """[h, w], over the bar; 0 below 1."""
    shape: tuple[int, int]
    """(h, w) of the whole map."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenThing:
    """A thing in one frame."""

    shown: Detection
    """Box in pixels of the view, score over the bar."""
    look: NDArray[np.float32] | None
    """Its colours [3, 3]; see `detectors.linking.look_of`."""
    patch: Patch | None
    """The map around it; None where it is much as it was in a frame before."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """All things that were followed in one frame."""

    pts_s: float
    things: tuple[SeenThing, ...]
    until_s: float
    """The frames up to here showed the same; its own time if none did."""
    level: float = 1.0
    """At a bar so many times as high this, and no longer the entry before it, is what is found;
    1 of what was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A stretch of frames."""

    camera: str
    start_us: int
    """Of its first frame, UTC in microseconds."""
    frames: tuple[SeenFrame, ...]
    """In order; none if nothing of it could be kept."""
    end_s: float
    """Of its last frame, in seconds of the source."""
    start_s: float
    size: tuple[int, int]
    """(height, width) of the view in pixels."""
    bar: float
    """What maps were divided by."""
    joined: bool
    """Whether it goes on where the one before ended."""

    @property
    def end_us(self) -> int:
        """Of its last frame, UTC in microseconds."""
        return self.start_us + round(1e6 * (self.end_s - self.start_s))

    @property
    def peak(self) -> float:
        """The highest score in it, over the bar; 0 if nothing is in it."""
        return max((one.shown.score for frame in self.frames for one in frame.things), default=0.0)

    @property
    def extent(self) -> Box:
        """Around all that is in it, with the map around each; without a side if nothing is."""
        boxes = [
            box for frame in self.frames for one in frame.things for box in reach(one, self.size)
        ]
        if not boxes:
            return Box(0, 0, 0, 0)
        return Box(
            min(box.x1 for box in boxes),
            min(box.y1 for box in boxes),
            max(box.x2 for box in boxes),
            max(box.y2 for box in boxes),
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """A trace as the store lists it, not unpacked."""

    rowid: int
    uri: str
    camera: str
    start_s: float
    end_s: float
    start_us: int
    end_us: int
    joined: bool
    frames: int
    size: tuple[int, int]
    bar: float
    peak: float
    extent: Box


def reach(thing: SeenThing, size: tuple[int, int]) -> Sequence[Box]:
    """The box of a thing, and of the map around it, in pixels of a view of (height, width)."""
    patch = thing.patch
    if patch is None:
        return (thing.shown.box,)
    down, across = size[0] / patch.shape[0], size[1] / patch.shape[1]
    high, wide = patch.values.shape
    around = Box(
        patch.x * across, patch.y * down, (patch.x + wide) * across, (patch.y + high) * down
    )
    return thing.shown.box, around


def save(database: sqlite3.Connection, run_id: int, uri: str, traces: Iterable[Trace]) -> None:
    """Keep traces of a source (inside a transaction); very old ones of it are dropped."""
    newest_us, newest_s = 0, 0.0
    for one in traces:
        newest_us, newest_s = max(newest_us, one.end_us), max(newest_s, one.end_s)
        box = one.extent
        database.execute(
            "INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run_id, uri, one.camera, one.start_s, one.end_s, one.start_us, one.end_us,
                one.joined, len(one.frames), *one.size, one.bar, one.peak,
                box.x1, box.y1, box.x2, box.y2, packed(columns_of(one.frames)),
            ),
        )  # fmt: skip
    if newest_us:
        database.execute(
            # By both: a clock that jumps ahead makes nothing old.
            "DELETE FROM trace WHERE run_id = ? AND uri = ? AND end_us < ? AND end_s < ?",
            (run_id, uri, newest_us - KEPT_US, newest_s - KEPT_US / 1e6),
        )


def drop_since(database: sqlite3.Connection, run_id: int, uri: str, from_s: float) -> None:
    """Drop what is looked at again (inside a transaction)."""
    database.execute(
        "DELETE FROM trace WHERE run_id = ? AND uri = ? AND start_s >= ?", (run_id, uri, from_s)
    )


def stretches(database: sqlite3.Connection, run_id: int, since_us: int) -> list[Stretch]:
    """What is kept of a run from a time on, UTC in microseconds, by source in order."""
    rows = database.execute(
        "SELECT rowid, uri, camera, start_s, end_s, start_us, end_us, joined, frames, height,"
        " width, bar, peak, x1, y1, x2, y2 FROM trace WHERE run_id = ? AND end_us >= ?"
        " ORDER BY uri, start_us, rowid",
        (run_id, since_us),
    )
    return [_stretch(dict(row)) for row in rows]


def frames_of(database: sqlite3.Connection, stretch: Stretch) -> list[SeenFrame]:
    """The frames of a stretch.

    Raises:
        ValueError: If they are damaged.
    """
    (blob,) = database.execute(
        "SELECT packed FROM trace WHERE rowid = ?", (stretch.rowid,)
    ).fetchone()
    return frames_from(unpacked(blob), stretch.start_s)


def _stretch(row: dict[str, Any]) -> Stretch:
    size = (row.pop("height"), row.pop("width"))
    extent = Box(*(row.pop(side) for side in ("x1", "y1", "x2", "y2")))
    joined = bool(row.pop("joined"))
    return Stretch(**row, joined=joined, size=size, extent=extent)


PIXEL = 8
"""Boxes are kept in steps of one over this of a pixel, ..."""
_SCORE = 4096.0
"""... scores in steps of one over this of their logarithm, ..."""
_LOOK = 4
"""... colours in steps of so many of 255, and maps in steps of ..."""
_CELL = 16.0
"""... one over this of their logarithm."""


def columns_of(frames: Sequence[SeenFrame]) -> dict[str, NDArray[np.generic]]:
    """Frames as columns of numbers, near to those before them so that they pack well."""
    things = [thing for frame in frames for thing in frame.things]
    patches = [thing.patch for thing in things if thing.patch is not None]
    boxes = [(b.x1, b.y1, b.x2, b.y2) for b in (thing.shown.box for thing in things)]
    at_us = np.array([round(1e6 * frame.pts_s) for frame in frames], np.int64)
    held_us = np.array([round(1e6 * (one.until_s - one.pts_s)) for one in frames], np.int64)
    scores = np.array([thing.shown.score for thing in things])
    looks = [np.zeros((3, 3)) if one.look is None else one.look for one in things]
    flags = [_flags(thing) for thing in things]
    cells = [patch.values.ravel() for patch in patches]
    return {
        "at_us": np.diff(at_us, prepend=at_us[:1]).astype(np.int32),
        "held_us": held_us.astype(np.int32),
        "levels": np.array([frame.level for frame in frames], np.float32),
        "counts": np.array([len(frame.things) for frame in frames], np.uint8),
        "boxes": _steps(np.round(np.array(boxes).reshape(-1, 4).clip(0, 8191) * PIXEL)),
        "scores": _steps(np.round(_SCORE * np.log(scores.clip(1e-3, 2900)))[:, None]),
        "looks": (np.array(looks).reshape(-1, 9).clip(0, 255) // _LOOK).astype(np.uint8),
        "flags": np.array(flags, np.uint8),
        "places": np.array(
            [(p.x, p.y, p.values.shape[1], p.values.shape[0], *p.shape) for p in patches], np.int16
        ).reshape(-1, 6),
        "cells": _cells(np.concatenate(cells) if cells else np.zeros(0)),
    }


def frames_from(columns: dict[str, NDArray[np.generic]], start_s: float) -> list[SeenFrame]:
    """The frames of columns, of which the first is at `start_s`.

    Raises:
        ValueError: If they do not fit each other.
    """
    try:
        things = _things(columns)
        at_s = start_s + np.cumsum(columns["at_us"].astype(np.int64)) / 1e6
        held_s = columns["held_us"].astype(np.int64) / 1e6
        levels = columns["levels"].astype(np.float64).tolist()
        ends = np.cumsum(columns["counts"].astype(np.int64)).tolist()
        begins = [0, *ends[:-1]]
        return [
            SeenFrame(round(at, 6), tuple(things[begin:end]), round(at + held, 6), level)
            for at, held, level, begin, end in zip(
                at_s.tolist(), held_s.tolist(), levels, begins, ends, strict=True
            )
        ]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"what was found in frames is damaged: {error}") from error


def _things(columns: dict[str, NDArray[np.generic]]) -> list[SeenThing]:
    boxes = (_summed(columns["boxes"]).astype(np.uint16) / PIXEL).tolist()
    scores = np.exp(_summed(columns["scores"])[:, 0] / _SCORE).tolist()
    looks = columns["looks"].astype(np.float32).reshape(-1, 3, 3) * _LOOK + _LOOK / 2
    patches, number = _patches(columns), 0
    things = []
    for row, flag in enumerate(columns["flags"].tolist()):
        patch = None
        if flag & 4:
            patch, number = patches[number], number + 1
        shown = Detection(Box(*boxes[row]), scores[row], bool(flag & 1))
        things.append(SeenThing(shown, looks[row] if flag & 2 else None, patch))
    return things


def _patches(columns: dict[str, NDArray[np.generic]]) -> list[Patch]:
    raw = columns["cells"].astype(np.float32)
    values = np.where(raw > 0, np.exp((raw - 1) / _CELL), 0).astype(np.float32)
    patches, first = [], 0
    for x, y, wide, high, rows, across in columns["places"].tolist():
        part = values[first : first + wide * high].reshape(high, wide)
        patches.append(Patch(x, y, part, (rows, across)))
        first += wide * high
    return patches


def _flags(thing: SeenThing) -> int:
    return thing.shown.doubted + 2 * (thing.look is not None) + 4 * (thing.patch is not None)


def _steps(values: NDArray[np.float64]) -> NDArray[np.int16]:
    """Whole numbers as what they differ by from those before, which wraps around."""
    whole = values.astype(np.int64).astype(np.uint16).view(np.int16)
    return np.diff(whole, axis=0, prepend=np.zeros((1, whole.shape[1]), np.int16))


def _summed(steps: NDArray[np.generic]) -> NDArray[np.int16]:
    return np.cumsum(steps, axis=0, dtype=np.int16)


def _cells(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Values from 1 on by their logarithm, smaller ones as 0."""
    clear = values >= 1
    logs = _CELL * np.log(np.where(clear, values, 1).astype(np.float64)) + 1
    return np.where(clear, np.round(logs).clip(1, 255), 0).astype(np.uint8)
