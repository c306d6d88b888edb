"""Fills the report's template from the store, so that all outputs tell the same numbers."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from app.events.belonging import HERE, of_site
from app.events.event import voids
from app.events.media import SNAPSHOT_SIDE
from app.events.outputs import REPORT, write_text
from app.events.reading import Run, SourceProgress, StoreReader
from app.events.watched import watched_s
from app.report.about import about
from app.report.by_file import MANY, file_rows, of_sources
from app.report.cards import Card, cards
from app.report.export import COLUMNS, rows
from app.report.timeline import gap_row, lane
from app.report.times import basis, clock, day, is_fact, local, zone

OPEN_LANES = 3
"""So many timelines are shown at once; of more, the rest is folded."""


def write_report(store: StoreReader, run: Run) -> Path:
    """Write `report.html` into the store's folder: one file that needs nothing else.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    path = store.folder / REPORT
    write_text(path, render_report(store, run))
    return path


def render_report(store: StoreReader, run: Run) -> str:
    """The whole page."""
    events, sources, gaps = store.events(run.id), store.sources(run.id), store.gaps(run.id)
    shown = cards(store, run, events)
    told = [card for card in shown if card.group != "muted"]
    pairs = of_sources(sources, told)
    page = Environment(
        loader=PackageLoader("app.report", "."), autoescape=True, trim_blocks=True
    ).get_template("report.html.j2")
    return page.render(
        run=run,
        title=_title(run, sources),
        counts=_counts(told),
        groups=_groups(shown),
        belong=of_site(events),
        here=_here(told),
        cards=shown,
        told=told,
        lanes=[
            lane(store, run, source, [(card.number, card.event) for card in inside])
            for source, inside in pairs
        ],
        files=file_rows(pairs) if len(sources) > MANY else [],
        quiet=len(sources) - len(pairs),
        warnings=[source.warning for source in sources if source.warning],
        open_lanes=OPEN_LANES,
        frames=sum(source.frames for source in sources),
        looked=clock(sum(watched_s(source, gaps) for source in sources)),
        speed=_speed(run),
        started=day(run.started_us),
        zone=zone(run.started_us),
        notes=[*voids(events), *_notes(store, run)],
        gaps=[gap_row(gap) for gap in gaps],
        videos=sorted(file.name for file in store.folder.glob("annotated*.mp4")),
        about=about(store, run, events),
        data=_data(store, run),
    )


def _notes(store: StoreReader, run: Run) -> list[str]:
    return [f"{day(note.time_us)}: {note.text}" for note in store.notes(run.id)]


def _title(run: Run, sources: Sequence[SourceProgress]) -> str:
    """The cameras, and the day on which they recorded."""
    cameras = list(dict.fromkeys(source.camera for source in sources))
    named = ", ".join(cameras[:3]) + (f" and {len(cameras) - 3} more" if len(cameras) > 3 else "")
    return " · ".join(part for part in (named or run.kind, _date(run, sources)) if part)


def _date(run: Run, sources: Sequence[SourceProgress]) -> str:
    known = [source for source in sources if source.start_us is not None and basis(run, source)]
    if not known:
        return f"{local(run.started_us):%Y-%m-%d}"
    first = min(known, key=lambda source: source.start_us or 0)
    days = f"{local(first.start_us or 0):%Y-%m-%d}"
    return days if is_fact(basis(run, first)) else f"about {days}"


def _groups(shown: Sequence[Card]) -> list[tuple[str, str, list[Card]]]:
    """Key, heading and events of each section of the page, those without events left out."""
    headings = {
        "sure": "Named",
        "kind": "Of a sure kind",
        "unsure": "Something unnamed",
        "camera": "The camera itself",
        "muted": "Not told",
    }
    groups = [
        (key, heading, [card for card in shown if card.group == key])
        for key, heading in headings.items()
    ]
    return [group for group in groups if group[2]]


def _counts(shown: Sequence[Card]) -> list[tuple[str, int]]:
    """Headlines with how often they stand there, the commonest first."""
    return Counter(card.event.category for card in shown).most_common()


def _here(shown: Sequence[Card]) -> list[tuple[str, int]]:
    """How many events belong and how many do not, in the order of HERE."""
    counts = Counter(card.here for card in shown)
    return [(word, counts[word]) for word in HERE.values() if counts[word]]


def _speed(run: Run) -> str:
    seconds = run.facts.get("seconds", 0.0)
    return f"{run.facts.get('analysed', 0) / seconds:.1f} frames/s" if seconds else ""


def _data(store: StoreReader, run: Run) -> dict[str, Any]:
    """What the page's exports are made of."""
    table = rows(store, run)
    return {
        "columns": COLUMNS,
        "rows": [[row[column] for column in COLUMNS] for row in table],
        "snapshot_side": SNAPSHOT_SIDE,
        "description": f"Nomaly {run.app_version}, {run.kind} {run.id}",
    }
