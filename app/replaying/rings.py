"""What would have rung in the stretches of one run that a change may touch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.events.event import Event
from app.events.reading import Run, StoreReader
from app.events.trace import SeenFrame, Stretch
from app.replaying.following import Rung, follow
from app.replaying.masking import Masked, watched_share
from app.replaying.matching import Matched, matched
from detectors.linking import Look
from detectors.tracks import TrackRule
from detectors.types import Detection
from detectors.zones import Zones

NEAR = 1.05
"""What would be otherwise at a bar so many times as high or as low is uncertain."""
LOWEST = 0.8
"""Below so much of the bar that was in force nothing is known: nothing was looked for there."""
_AROUND_S = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run is followed again."""

    bar: float | None
    """What maps are divided by; None for what they were divided by."""
    zones: Zones | None
    """What is watched; None for what was."""
    rule: TrackRule
    changed_rule: bool = False

    def ratio(self, stretch: Stretch) -> float:
        """The new bar over the one that was in force."""
        return 1.0 if self.bar is None else self.bar / stretch.bar


@dataclass(slots=True)
class Rings:
    """What would have rung."""

    lost: dict[str, str] = field(default_factory=dict)
    """Ids of events that would not have rung; why that is uncertain, or nothing."""
    kept: dict[str, str] = field(default_factory=dict)
    """Those that were followed again and would have rung all the same."""
    new: list[tuple[Rung, str]] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    """Ids of all events of which the frames are kept."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """When frames are kept, (from, to) in UTC microseconds."""
    blank_s: float = 0.0
    """Seconds of which frames could not be kept."""
    too_low: bool = False
    """Whether the bar is so low that things of which nothing is known would have rung."""
    followed: list[tuple[Event, Rung]] = field(default_factory=list)


def rings(
    store: StoreReader, run: Run, events: Sequence[Event], asked: Asked, since_us: int
) -> Rings:
    """Follow again what a change may touch.

    Args:
        store: That holds the run.
        run: Of which it is.
        events: Of things, muted ones too.
        asked: How.
        since_us: From where on, UTC in microseconds.

    Raises:
        StoreError: If what was kept is damaged.
    """
    told = Rings()
    for spell in spells(store.stretches(run.id, since_us)):
        told.blank_s += sum(one.end_s - one.start_s for one in spell if not one.frames)
        here = [event for event in events if _in(event, spell)]
        if any(not one.frames for one in spell):
            continue
        told.spans.append((spell[0].start_us, spell[-1].end_us))
        told.covered.update(event.id for event in here)
        told.too_low |= any(asked.ratio(one) < LOWEST for one in spell)
        if may_differ(spell, here, asked):
            _follow(store, spell, here, asked, told)
    return told


def spells(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches that go on from one to the next, together."""
    spell: list[Stretch] = []
    for one in stretches:
        if spell and not (one.joined and one.uri == spell[-1].uri):
            yield spell
            spell = []
        spell.append(one)
    if spell:
        yield spell


def may_differ(spell: Sequence[Stretch], events: Sequence[Event], asked: Asked) -> bool:
    """Whether anything may ring otherwise in a spell."""
    if asked.changed_rule:
        return True
    zones = asked.zones
    if zones is not None and any(watched_share(zones, one.extent, one.size) < 1 for one in spell):
        return True
    for one in spell:
        ratio = asked.ratio(one)
        if ratio == 1:
            continue
        if events or (ratio < 1 and one.peak / ratio >= asked.rule.open_score):
            return True
    return False


def _in(event: Event, spell: Sequence[Stretch]) -> bool:
    first, last = spell[0], spell[-1]
    if event.camera != first.camera or (event.video and event.video != first.uri):
        return False
    around_us = _AROUND_S * 1e6
    return event.start_us <= last.end_us + around_us and event.end_us >= first.start_us - around_us


def _follow(
    store: StoreReader,
    spell: Sequence[Stretch],
    events: Sequence[Event],
    asked: Asked,
    told: Rings,
) -> None:
    """Follow one spell, and note what would have been of its events."""
    frames = [(one, store.followed(one)) for one in spell]
    paths = {event.id: store.sightings(event.id) for event in events}

    def again(bar: float, masked: Masked) -> Matched:
        def seen(
            stretch: Stretch, shown: Sequence[SeenFrame]
        ) -> list[tuple[Detection, Look | None]]:
            return masked.found(shown, asked.ratio(stretch) * bar)

        return matched(events, paths, follow(frames, asked.rule, seen))

    zones, size = asked.zones, spell[0].size
    plain = again(1.0, Masked(zones, size))
    others: list[Matched] = []
    if _matters(events, plain, asked):
        others += [again(bar, Masked(zones, size)) for bar in (NEAR, 1 / NEAR)]
    if zones is not None and (plain.lost or plain.new):
        others += [again(1.0, Masked(zones, size, edge)) for edge in ("keep", "drop")]
    for event in events:
        lost = event.id not in plain.pairs
        unsure = any((event.id not in other.pairs) != lost for other in others)
        said = _UNSURE if unsure else ""
        (told.lost if lost else told.kept)[event.id] = said
        if not lost:
            told.followed.append((event, plain.pairs[event.id]))
    for one in plain.new:
        low = any(asked.ratio(stretch) < 1 for stretch in spell)
        unsure = any(not _there(one, other) for other in others)
        told.new.append((one, _LOW if low and unsure else _UNSURE if unsure else ""))


_UNSURE = "it is so near that a little more or less would tell otherwise"
_LOW = "below the bar only a part of it was kept"


def _matters(events: Sequence[Event], plain: Matched, asked: Asked) -> bool:
    """Whether it is worth to look how near it was."""
    if plain.lost or plain.new:
        return True
    if asked.bar is None:
        return False
    levels = [event.level for event in events if event.level is not None]
    return any(1 / NEAR <= level / asked.bar <= NEAR for level in levels)


def _there(one: Rung, other: Matched) -> bool:
    """Whether it is also among what would be new otherwise."""
    return any(
        two.start_s <= one.end_s and two.end_s >= one.start_s and two.box.overlap(one.box) > 0
        for two in other.new
    )
