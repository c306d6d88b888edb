"""Fills the report's template from the store, so that all outputs tell the same numbers."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from PIL import Image

from app.events.event import Event
from app.events.outputs import write_text
from app.events.store import Run, SourceProgress, Store

SNAPSHOT_WIDTH = 640
"""Pixels; keeps a report of a hundred events within a few megabytes."""
CROP_SIDE = 220
LETTER = 0.75
"""Width of a letter on the timeline, per cent."""


@dataclass(frozen=True, slots=True)
class Card:
    """One event as the page shows it."""

    number: int
    event: Event
    start: str
    end: str
    taken: str
    """When its picture was taken."""
    clock: str
    snapshot: str
    heat: str
    crop: str
    left: float
    """The box in per cent of the frame."""
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One source on the timeline; positions are per cent of its length."""

    name: str
    uri: str
    length: str
    warning: str
    curve: str
    """Points of the score curve in a 1000 by 60 box."""
    line: float
    """Height of the threshold in that box."""
    bars: list[tuple[float, float, int, str]]
    """(left, width, card number, noun); the noun is empty where it would cover another's."""
    ticks: list[tuple[float, str]]


def write_report(store: Store, run: Run) -> Path:
    """Write `report.html` into the store's folder.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    events = store.events(run.id)
    sources = store.sources(run.id)
    cards = [_card(store, number, event) for number, event in enumerate(events, start=1)]
    page = Environment(
        loader=PackageLoader("app.report", "."), autoescape=True, trim_blocks=True
    ).get_template("report.html.j2")
    path = store.folder / "report.html"
    write_text(
        path,
        page.render(
            run=run,
            cards=cards,
            lanes=[_lane(store, run, source, cards) for source in sources],
            frames=sum(source.frames for source in sources),
            footage=clock(sum(max(s.seen_s - s.from_s, 0.0) for s in sources)),
            speed=_speed(run),
            started=day(run.started_us),
            gaps=[_gap(gap) for gap in store.gaps(run.id)],
            videos=sorted(file.name for file in store.folder.glob("annotated*.mp4")),
        ),
    )
    return path


def clock(seconds: float) -> str:
    """Seconds as m:ss.d, or h:mm:ss from one hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"
    return f"{minutes}:{rest // 10:02d}.{rest % 10}"


def day(time_us: int) -> str:
    """A UTC time for people."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _card(store: Store, number: int, event: Event) -> Card:
    height, width = event.frame_size
    box = event.box
    return Card(
        number,
        event,
        clock(event.start_s),
        clock(event.end_s),
        clock(event.snapshot_s),
        day(event.start_us),
        _embedded(store.media("snapshots", event), SNAPSHOT_WIDTH),
        _embedded(store.media("heat", event), SNAPSHOT_WIDTH),
        _embedded(store.media("crops", event), CROP_SIDE),
        100 * box.x1 / width,
        100 * box.y1 / height,
        100 * box.width / width,
        100 * box.height / height,
    )


def _embedded(path: Path, side: int) -> str:
    """A picture as a data address, at most `side` pixels long; empty if it is gone."""
    if not path.exists():
        return ""
    with Image.open(path) as image:
        image.thumbnail((side, side))
        data = BytesIO()
        kind = "png" if path.suffix == ".png" else "jpeg"
        image.save(data, kind, quality=82)
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode()}"


def _lane(store: Store, run: Run, source: SourceProgress, cards: Sequence[Card]) -> Lane:
    start, length = source.from_s, max(source.seen_s - source.from_s, 1e-3)

    def place(pts_s: float) -> float:
        return 100 * min(max((pts_s - start) / length, 0.0), 1.0)

    bars, free = [], 0.0
    for card in cards:
        event = card.event
        if event.camera != source.camera or event.video not in ("", source.uri):
            continue
        left, noun = place(event.start_s), event.name or event.noun + ("" if event.sure else "?")
        width = max(place(event.end_s) - left, 0.4)
        bars.append((left, width, card.number, noun if left >= free else ""))
        free = left + LETTER * len(noun) if left >= free else free
    seconds = store.seconds(run.id, source.uri)
    ceiling = max([2.0, *(peak for _, peak in seconds)])
    curve = " ".join(
        f"{10 * place(second + 0.5):.1f},{60 - 58 * min(peak, ceiling) / ceiling:.1f}"
        for second, peak in _thinned(seconds)
    )
    step = next((s for s in (10, 30, 60, 300, 600, 1800, 3600) if length / s <= 12), 14400)
    first = int(start // step + 1) * step
    ticks = [(place(t), clock(t)) for t in range(first, int(start + length) + 1, step)]
    return Lane(
        source.camera,
        source.uri,
        clock(length),
        source.warning,
        curve,
        60 - 58 / ceiling,
        bars,
        ticks,
    )


def _thinned(seconds: Sequence[tuple[int, float]], most: int = 1500) -> list[tuple[int, float]]:
    """At most `most` points, each the peak of its stretch."""
    stride = -(-len(seconds) // most) or 1
    return [
        (seconds[first][0], max(peak for _, peak in seconds[first : first + stride]))
        for first in range(0, len(seconds), stride)
    ]


def _speed(run: Run) -> str:
    seconds = run.facts.get("seconds", 0.0)
    return f"{run.facts.get('analysed', 0) / seconds:.1f} frames/s" if seconds else ""


def _gap(gap: dict[str, Any]) -> dict[str, str]:
    end = gap["end_us"]
    lasted = f"{(end - gap['start_us']) / 1e6:.1f} s" if end else "still going on"
    return {
        "camera": gap["camera"],
        "start": day(gap["start_us"]),
        "lasted": lasted,
        "reason": f"{gap['reason']} {gap['detail']}".strip(),
    }
