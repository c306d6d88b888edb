"""What a shell proposes while one types: events, cameras and scenarios. Light, and never fails."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import typer

MOST = 200
"""Newest events of a store that are proposed."""
_WAIT_S = 0.2
_STORE = "events.sqlite"
type Proposed = list[tuple[str, str]]
"""Words, and what they mean; shells that can show both."""


def events(ctx: typer.Context, incomplete: str) -> Proposed:
    """Ids of events of the place that stands before, the newest first."""
    asked = (
        "SELECT id, camera || ': ' || (SELECT noun FROM candidate WHERE event_id = id "
        "ORDER BY rank LIMIT 1) FROM event WHERE id LIKE ? || '%' ORDER BY start_us DESC LIMIT ?"
    )
    return [
        (event_id, meaning or "")
        for store in _stores(ctx)
        for event_id, meaning in _rows(store, asked, (incomplete, MOST))
    ]


def cameras(ctx: typer.Context, incomplete: str) -> Proposed:
    """Cameras of the place that stands before."""
    asked = "SELECT DISTINCT camera, '' FROM event WHERE camera LIKE ? || '%' ORDER BY camera"
    found = {name for store in _stores(ctx) for name, _ in _rows(store, asked, (incomplete,))}
    return [(name, "") for name in sorted(found)]


def scenarios(ctx: typer.Context, incomplete: str) -> Proposed:
    """Scenarios of the folder that is meant, and presets."""
    root = ctx.params.get("root") or os.environ.get("NOMALY_SCENARIOS") or "nomaly-scenarios"
    try:
        own = {path.parent.name for path in Path(root).glob("*/scenario.yaml")}
        library = files("scenarios") / "library"
        presets = {one.name for one in library.iterdir() if (one / "scenario.yaml").is_file()}
    except OSError:
        return []
    told = {**dict.fromkeys(sorted(presets), "preset"), **dict.fromkeys(sorted(own), "yours")}
    return [(name, said) for name, said in told.items() if name.startswith(incomplete)]


def _stores(ctx: typer.Context) -> Iterator[Path]:
    """Stores of the first argument: of one run, or of all cameras of a site."""
    # Behind an option that waits for its value, nothing before it has been read yet.
    words = [*ctx.params.values(), *map(Path, ctx.args)]
    place = next((one for one in words if isinstance(one, Path) and one.is_dir()), None)
    if place is None:
        return
    if (place / _STORE).is_file():
        yield place / _STORE
    else:
        yield from sorted(place.glob(f"*/{_STORE}"))


def _rows(store: Path, asked: str, values: tuple[object, ...]) -> list[tuple[str, str]]:
    """What a store answers; nothing if it cannot be read just now."""
    try:
        address = f"{store.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_S)) as database:
            return database.execute(asked, values).fetchall()
    except sqlite3.Error:
        return []
