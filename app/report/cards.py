"""What the page shows of each event."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.events.belonging import here
from app.events.event import Event
from app.events.media import CONTEXT_MARGIN
from app.events.outputs import drawn_name
from app.events.reading import Run, SourceProgress, StoreReader
from app.habits.surprise import in_short, in_words
from app.report.export import source_of
from app.report.pictures import Rooms, embedded, rooms
from app.report.times import basis, clock, is_fact, local, wall
from detectors.types import Box

LEAD_S = 1.0
"""Playback begins so much before the event."""


@dataclass(frozen=True, slots=True)
class Share:
    """A rectangle inside a picture, per cent of its sides."""

    left: float
    top: float
    width: float
    height: float

    @property
    def style(self) -> str:
        """As CSS puts it there."""
        return (
            f"left:{self.left:.2f}%;top:{self.top:.2f}%;"
            f"width:{self.width:.2f}%;height:{self.height:.2f}%"
        )


@dataclass(frozen=True, slots=True)
class Card:
    """One event."""

    number: int
    event: Event
    start: str
    end: str
    lasted: str
    wall: str
    """When it began on the wall's clock, with its doubt; empty if that is unknown."""
    at: str
    """The same in short where it is a fact; empty where it is guessed."""
    group: str
    """`sure`, `kind`, `unsure`, `camera`, or `muted` if it is not told."""
    others: tuple[tuple[str, float], ...]
    """Candidates besides the headline."""
    crop: str
    before: str
    """The same place as it was learned, of what has not simply arrived."""
    snapshot: str
    heat: str
    """Pictures as data addresses; empty where there is none."""
    boxes: tuple[Share, ...]
    """The thing in its frame, or each of its parts."""
    parts: tuple[Share, ...]
    """The parts in the crop, if it has any."""
    frame: Share
    """The frame around the crop, in shares of the crop: where the heat lies on it."""
    crop_shape: float
    """Width over height."""
    frame_shape: float
    full: str
    """Address of the whole frame in full size, beside the page."""
    play: str
    """Address of the annotated video at the event, or of its clip; empty if there is neither."""

    @property
    def here(self) -> str:
        """Whether it belongs to its place, for people; empty where nothing tells that."""
        return here(self.event)

    @property
    def usual(self) -> str:
        """How often its like comes there at such an hour; empty where that is not known."""
        return in_words(self.event)

    @property
    def often(self) -> str:
        """The same in a few words."""
        return in_short(self.event)

    @property
    def words(self) -> str:
        """Everything that a search may look for."""
        event = self.event
        nouns = " ".join(noun for noun, _ in event.candidates)
        where = f"{event.camera} {event.video} {self.start} {self.wall}"
        return f"{event.headline} {nouns} {where}".lower()


def cards(store: StoreReader, run: Run, events: Sequence[Event]) -> list[Card]:
    """The events of a run with their pictures, numbered from 1."""
    sources = store.sources(run.id)
    room = rooms(len(events))
    return [
        _card(store, run, number, event, sources, room)
        for number, event in enumerate(events, start=1)
    ]


def _card(
    store: StoreReader,
    run: Run,
    number: int,
    event: Event,
    sources: Sequence[SourceProgress],
    room: Rooms,
) -> Card:
    height, width = event.frame_size
    source = source_of(event, sources)
    rests_on = basis(run, source) if source else ""
    seen = event.box.grown(CONTEXT_MARGIN, event.frame_size)
    snapshot = store.media("snapshots", event)
    return Card(
        number=number,
        event=event,
        start=clock(event.start_s),
        end=clock(event.end_s),
        lasted=f"{event.end_s - event.start_s:.1f} s",
        wall=wall(event.start_us, rests_on),
        at=f"{local(event.start_us):%a %H:%M:%S %Z}" if is_fact(rests_on) else "",
        group=_group(event),
        others=event.guesses,
        crop=embedded(store.media("crops", event), room.crop),
        before=_before(store, event, room),
        snapshot=embedded(snapshot, room.snapshot),
        heat=embedded(store.media("heat", event), room.heat),
        boxes=tuple(
            _share(box, Box(0, 0, width, height))
            for box in [part.box for part in event.parts] or [event.box]
        ),
        parts=tuple(_share(part.box, seen) for part in event.parts),
        frame=_share(Box(0, 0, width, height), seen),
        crop_shape=max(seen.width, 1) / max(seen.height, 1),
        frame_shape=width / height,
        full=f"snapshots/{snapshot.name}" if snapshot.exists() else "",
        play=_play(store, run, event, sources),
    )


def _before(store: StoreReader, event: Event, room: Rooms) -> str:
    if event.change == "arrived":
        return ""
    return embedded(store.media("before", event), room.before)


def _group(event: Event) -> str:
    if event.muted:
        return "muted"
    if event.kind == "camera":
        return "camera"
    return "sure" if event.sure else "kind" if event.of_sure_kind else "unsure"


def _share(inner: Box, outer: Box) -> Share:
    wide, high = max(outer.width, 1), max(outer.height, 1)
    return Share(
        100 * (inner.x1 - outer.x1) / wide,
        100 * (inner.y1 - outer.y1) / high,
        100 * inner.width / wide,
        100 * inner.height / high,
    )


def _play(store: StoreReader, run: Run, event: Event, sources: Sequence[SourceProgress]) -> str:
    """Where the annotated video shows an event, or else its clip."""
    source = source_of(event, sources)
    if source is None:
        return _clip(event)
    name = drawn_name(sources.index(source) + 1, len(sources))
    if not (store.folder / name).exists():
        return _clip(event)
    # Videos of before December 2026 began where the audit began.
    skipped_s = 0.0 if run.facts.get("drawn_clock") == "recording" else source.from_s
    return f"{name}#t={max(event.start_s - skipped_s - LEAD_S, 0.0):.1f}"


def _clip(event: Event) -> str:
    """Where an event's clip shows it."""
    if event.clip_from_us is None:
        return ""
    begins_s = (event.start_us - event.clip_from_us) / 1e6
    return f"{event.clip}#t={max(begins_s - LEAD_S, 0.0):.1f}"
