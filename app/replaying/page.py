"""The page of what would have rung: what is lost, new, renamed, silent, with pictures."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader

from app.events.media import CONTEXT_MARGIN, media_path
from app.events.outputs import write_text
from app.replaying.outcome import KINDS, Different, Kind, Outcome
from app.report.cards import Share
from app.report.pictures import Room, embedded
from app.report.times import day, local
from detectors.types import Box

TITLES: dict[Kind, tuple[str, str]] = {
    "lost": ("Would have been lost", "These rang, and would not have."),
    "new": ("Would have been new", "These did not ring, and would have. Nothing has named them."),
    "renamed": ("Would get another name", "These would ring all the same, under another name."),
    "silent": ("Would have been silent", "These would be kept, and not told."),
    "told": ("Would have been told", "These were kept and not told, and would be told."),
    "belongs": ("Would belong otherwise", "These would ring all the same."),
}
_FEW, _MANY = Room(420, 16_000), Room(260, 4_000)
_MOST_FEW = 60
MOST = 400
"""Cards of a kind; the page says how many more there are."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One card."""

    one: Different
    title: str
    was: str
    """What it was called, where that would be otherwise; else empty."""
    when: str
    lasted: str
    picture: str
    """As a data address; empty if there is none."""
    box: Share | None
    """Where it is in the picture; None where the picture is of it alone."""
    shape: float
    """Width of the picture over its height."""


@dataclass(frozen=True, slots=True)
class Group:
    """All cards of one kind."""

    kind: Kind
    title: str
    said: str
    cards: tuple[Shown, ...]
    more: int
    """Those that are left out."""


def write_page(outcome: Outcome, path: Path) -> Path:
    """Write the page, which needs nothing beside it.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    loader = ChoiceLoader([PackageLoader("app.replaying", "."), PackageLoader("app.report", ".")])
    template = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "would.html.j2"
    )
    groups = [_group(outcome, kind) for kind in KINDS if outcome.of(kind)]
    text = template.render(
        outcome=outcome,
        groups=groups,
        since=day(outcome.since_us),
        until=day(outcome.until_us),
        unsure=sum(bool(one.uncertain) for one in outcome.different),
    )
    write_text(path, text)
    return path


def _group(outcome: Outcome, kind: Kind) -> Group:
    of = outcome.of(kind)
    room = _FEW if len(outcome.different) <= _MOST_FEW else _MANY
    title, said = TITLES[kind]
    cards = tuple(_shown(one, room) for one in of[:MOST])
    return Group(kind, title, said, cards, max(0, len(of) - MOST))


def _shown(one: Different, room: Room) -> Shown:
    height, width = one.size
    whole = Box(0, 0, width, height)
    event = one.event
    if event is not None:
        crop = media_path(one.folder, "crops", event.id, event.snapshot_s)
        seen = event.box.grown(CONTEXT_MARGIN, event.frame_size)
        picture, inside = embedded(crop, room), None
        shape = max(seen.width, 1) / max(seen.height, 1)
    else:
        picture, inside = embedded(_view(one.folder), room), _share(one.box, whole)
        shape = width / max(height, 1)
    title = one.after_said or one.before_said or "not named"
    was = one.before_said if one.kind == "renamed" else ""
    return Shown(
        one,
        title,
        was,
        f"{local(one.start_us):%a %d %b %H:%M:%S}",
        f"{one.end_s - one.start_s:.1f} s",
        picture,
        inside,
        shape,
    )


def _view(folder: Path) -> Path:
    """A picture of the view, as it was learned or as some event shows it."""
    learned = folder / "normal.jpg"
    return learned if learned.is_file() else next((folder / "snapshots").glob("*.jpg"), learned)


def _share(inner: Box, outer: Box) -> Share:
    wide, high = max(outer.width, 1), max(outer.height, 1)
    return Share(
        100 * inner.x1 / wide, 100 * inner.y1 / high,
        100 * inner.width / wide, 100 * inner.height / high,
    )  # fmt: skip


def names_of(outcome: Outcome) -> list[tuple[str, str, int]]:
    """From which name to which, and how often, the most frequent first."""
    pairs = Counter((one.before_said, one.after_said) for one in outcome.of("renamed"))
    return [(before, after, count) for (before, after), count in pairs.most_common()]
