"""What stretches noted of frames, joined, is what one notes that sees them all."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.archive import traced
from app.archive.traced import Left, Noted, StretchTracing, as_one
from app.events.schema import STORE, open_database
from app.events.trace import save
from app.watching import tracing
from app.watching.tracing import Tracing
from detectors.finding import Finder
from detectors.types import Detection, Frame
from tests.app.builders import a_detection, a_frame, a_map

FPS = 5
POINT = 50
"""Frames from one point to the next."""
CUT, MET, END = 400, 500, 700
"""The second stretch begins at the first, they meet at the second."""

type Shown = tuple[Frame, Sequence[Detection], np.ndarray]


def restless() -> list[Shown]:
    """Something is always there, never at rest, and falls apart in every tenth frame."""
    rng, shown = np.random.default_rng(6), list[Shown]()
    for number in range(END):
        heat = a_map((3, 2, 3))
        if number % 10 == 0:
            for column in range(2, 2 + 2 * int(rng.integers(2, 5)), 2):
                heat[2:6, column] = rng.uniform(1.5, 3)
        things = [a_detection(number * 7 % 40, 10, 30, float(heat.max()))]
        shown.append((a_frame(number / FPS), things, heat))
    return shown


def day() -> list[Shown]:
    """Somebody comes now and then, and falls apart at higher bars in nearly every frame."""
    rng, shown = np.random.default_rng(5), list[Shown]()
    for number in range(END):
        there = number % 100 in range(10, 24)
        heat = a_map()
        if there:
            heat[2:6, 2:9] = 1.2
            # More is seen of two or three parts of it.
            for column in rng.permutation(3)[: int(rng.integers(2, 4))]:
                heat[2:6, 2 + 3 * column] = rng.uniform(1.5, 3)
        things = [a_detection(10, 10, 30, float(heat.max()))] if there else []
        shown.append((a_frame(number / FPS), things, heat))
    return shown


def see(notes: Tracing, shown: Sequence[Shown], folder: Path, first: int) -> None:
    """Show frames, and keep what was noted as an audit does: at points, and at the end."""
    with closing(open_database(folder, 5)) as database:
        database.execute("PRAGMA foreign_keys=OFF")
        for number, (frame, things, heat) in enumerate(shown, first):
            notes.see(frame, things, heat, 1.0)
            if number % POINT == POINT - 1:
                save(database, 1, "day", notes.take(whole=True))
        notes.finish()
        save(database, 1, "day", notes.take())


def rows(folder: Path, since_s: float = -1.0) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / STORE)) as database:
        database.row_factory = sqlite3.Row
        found = database.execute("SELECT * FROM trace WHERE end_s > ? ORDER BY rowid", [since_s])
        return [dict(row) for row in found]


def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in ("whole", "first", "second")]
    for folder in made:
        folder.mkdir()
    return made


def check_joined(shown: Sequence[Shown], tmp_path: Path) -> list[dict[str, Any]]:
    """Look at a day as one and as two, and join the two; returns what one kept."""
    whole, first, second = folders(tmp_path)
    see(Tracing(Finder(None)), shown, whole, 0)
    early, late = StretchTracing(Finder(None)), StretchTracing(Finder(None))
    see(early, shown[:MET], first, 0)
    see(late, shown[CUT:], second, CUT)
    at_s = shown[MET - 1][0].pts_s
    kept, left = as_one(rows(first), early.noted(at_s), 0, Left())
    noted = late.noted(shown[-1][0].pts_s)
    behind, _ = as_one(rows(second, at_s), noted, MET - CUT, left)
    one = rows(whole)
    names = ("start_s", "end_s", "start_us", "end_us", "joined", "frames", "packed")
    assert [[row[name] for name in names] for row in [*kept, *behind]] == [
        [row[name] for name in names] for row in one
    ]
    # More was noted than one process may note.
    assert sum(row["frames"] for row in rows(first)) > sum(row["frames"] for row in kept)
    return one


@pytest.mark.parametrize("shown", [day(), restless()], ids=["day", "restless"])
def test_looks_are_counted_over_a_border(shown: Sequence[Shown], tmp_path: Path):
    one = check_joined(shown, tmp_path)
    assert all(row["frames"] for row in one)


def test_bytes_are_counted_over_a_border(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in (tracing, traced):
        monkeypatch.setattr(module, "SPARE_BYTES", 3_000)
    one = check_joined(day(), tmp_path)
    assert any(not row["frames"] for row in one)


def test_a_stretch_goes_on_from_a_point_as_if_it_had_never_stopped(tmp_path: Path):
    shown, (whole, first, _) = day(), folders(tmp_path)
    see(StretchTracing(Finder(None)), shown[:MET], whole, 0)
    before, again = StretchTracing(Finder(None)), StretchTracing(Finder(None))
    # Shortly after somebody was there.
    stop = 7 * POINT
    with closing(open_database(first, 5)) as database:
        database.execute("PRAGMA foreign_keys=OFF")
        for number, (frame, things, heat) in enumerate(shown[:stop]):
            before.see(frame, things, heat, 1.0)
            if number % POINT == POINT - 1:
                save(database, 1, "day", before.take(whole=True))
    at_s = shown[stop - 1][0].pts_s
    before.noted(at_s).write(first)
    again.take_up(Noted.read(first), at_s, stop)
    assert again.mark() == before.mark()
    see(again, shown[stop:MET], first, stop)
    assert [row["packed"] for row in rows(first)] == [row["packed"] for row in rows(whole)]
    fresh = StretchTracing(Finder(None))
    fresh.take_up(Noted.read(first), at_s + 1, stop)
    assert fresh.mark() != before.mark()


def test_stretches_that_saw_other_things_of_late_do_not_know_the_same():
    notes, other = StretchTracing(), StretchTracing()
    for number in range(100):
        things = [a_detection()] if number < 80 else []
        notes.see(a_frame(number / FPS), things, a_map(), 1.0)
        if number >= 85:
            other.see(a_frame(number / FPS), [], a_map(), 1.0)
    for one in (notes, other):
        one.take(whole=True)
    assert notes.mark() != other.mark()
    # Until what followed the last thing has been noted.
    for number in range(100, 160):
        for one in (notes, other):
            one.see(a_frame(number / FPS), [], a_map(), 1.0)
            one.take(whole=True)
    assert notes.mark() == other.mark()
