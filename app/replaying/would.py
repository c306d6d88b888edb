"""What a change would have made of what was stored: the one question that command and page ask."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.errors import UsageError
from app.events.event import Event
from app.events.folders import watched_folders
from app.events.reading import Run, StoreReader, snapshot
from app.feedback.heeding import UNWANTED, Wanted
from app.feedback.saying import detector_of
from app.replaying.change import Change
from app.replaying.coarse import coarse
from app.replaying.naming import Renamed, Renamer
from app.replaying.outcome import KINDS, Different, Kind, Outcome, of_event, of_new
from app.replaying.rings import LOWEST, Asked, Rings, rings
from app.watching.keeper import STEP, Keeper, read_evidence
from detectors.files import PROMISE, read_facts
from detectors.tracks import TrackRule
from novic.certainty import Certainty
from novic.errors import NomalyError
from novic.model import model_certainty, model_sha256

WEEK_S = 7 * 24 * 3600.0
_MOVED = "it has moved: event "


def would(
    place: Path,
    change: Change,
    since_s: float = WEEK_S,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Replay what was stored under a change; nothing is saved.

    Args:
        place: The --out of an audit or watch, or the folder of a site with one for each camera.
        change: What would be otherwise.
        since_s: How far back, in seconds before the newest that was seen of each camera.
        say: Told what it does, in sentences.

    Raises:
        UsageError: If nothing changes, or there is nothing stored.
        NomalyError: If a store or a decoder cannot be read, or a promise has no detector.
    """
    if change.empty:
        raise UsageError(
            "nothing would be otherwise: name what you think of, as --bar 1.3, --false-events "
            '1/day, --exclude "x,y x,y x,y", --tell KINDS, --model DIR or --scenario NAME'
        )
    renamer = None
    if change.renames:
        say("Opening the decoder")
        renamer = Renamer(change.model, change.wrong_names)
    sites = []
    for one in watched_folders(place):
        say(f"Replaying {one.name}")
        with snapshot(one.folder) as store:
            until_us = _until_us(store, store.required_run())
            since_us = until_us - round(1e6 * since_s)
            for run in store.runs():
                if _until_us(store, run) >= since_us:
                    sites.append(_Site(store, run, change, renamer, since_us).asked())
    return _joined(change, sites)


@dataclass(slots=True)
class _Told:
    """What would have been of one camera."""

    camera: str
    since_us: int
    until_us: int
    before: int = 0
    after: int = 0
    different: list[Different] = field(default_factory=list)
    bar: tuple[float, float] | None = None
    notes: list[str] = field(default_factory=list)


class _Site:
    """The store of one run, asked."""

    def __init__(
        self,
        store: StoreReader,
        run: Run,
        change: Change,
        renamer: Renamer | None,
        since_us: int,
    ) -> None:
        self._store, self._run, self._change, self._renamer = store, run, change, renamer
        until_us = _until_us(store, run)
        first_us = min([one.start_us or 0 for one in store.sources(run.id)], default=until_us)
        self._since_us = max(first_us, since_us)
        self._events = sorted(
            (
                one
                for one in store.events(run.id)
                if one.kind == "object" and one.end_us >= self._since_us
            ),
            key=lambda one: (one.start_us, one.id),
        )
        name = next((one.camera for one in store.sources(run.id)), store.folder.name)
        self._told = _Told(name, self._since_us, until_us)

    def asked(self) -> _Told:
        """What would have been."""
        told = self._told
        told.before = sum(not one.muted for one in self._events)
        lost = self._rung()
        renamed = self._renamed([one for one in self._events if one.id not in lost])
        wanted = self._wanted()
        for event in self._events:
            if event.id in lost:
                if not event.muted:
                    told.different.append(lost[event.id])
                continue
            self._compare(event, renamed, wanted, lost)
        told.after = told.before + sum(_COUNTS.get(one.kind, 0) for one in told.different)
        return told

    def _rung(self) -> dict[str, Different]:
        """Events that would not have rung, by id; what would be new is noted."""
        change, folder = self._change, self._store.folder
        if not change.follows:
            return {}
        asked = self._asked()
        found = rings(self._store, self._run, self._events, asked, self._since_us)
        bare = [one for one in self._events if one.id not in found.covered]
        rough = coarse(self._store, self._run, bare, asked, self._since_us, found.spans)
        self._note(found, len(bare), asked)
        why = self._why(asked)
        for one, unsure in found.new:
            self._told.different.append(of_new(folder, one, why[1], unsure))
        self._told.different += rough.new
        lost = {key: (unsure, why[0]) for key, unsure in found.lost.items()}
        lost |= {key: (unsure, why[0]) for key, unsure in rough.lost.items()}
        return {
            event.id: of_event("lost", folder, event, lost[event.id][1], unsure=lost[event.id][0])
            for event in self._events
            if event.id in lost
        }

    def _asked(self) -> Asked:
        """How the run is followed again."""
        change, settings = self._change, self._run.settings
        before = TrackRule.model_validate(settings.get("rule") or {})
        rule = change.rule or before
        bar = change.bar if change.promise is None else self._promised(rule)
        zones = change.zones
        if zones is not None:
            gone = (settings.get("zones") or {}).get("exclude") or []
            kept = [[list(corner) for corner in polygon] for polygon in zones.exclude]
            if any([list(corner) for corner in polygon] not in kept for polygon in gone):
                self._told.notes.append(
                    f"{self._told.camera}: what is left out now was not looked at, so nothing is "
                    "known of what would ring there."
                )
        was = next((one.bar for one in reversed(self._events) if one.bar is not None), None)
        if bar is not None and was is not None:
            self._told.bar = was, bar
        return Asked(bar, zones, rule, changed_rule=rule != before)

    def _promised(self, rule: TrackRule) -> float:
        """The bar that a promise chooses, by the normal footage that the detector learned from.

        Raises:
            UsageError: If there is no such footage.
        """
        promise, store = self._change.promise, self._store
        folder = detector_of(store, self._run)
        evidence = read_evidence(store.folder / PROMISE, folder, lambda _: None)
        evidence = evidence or read_evidence(folder / PROMISE, folder, lambda _: None)
        if evidence is None or promise is None:
            raise UsageError(
                f"{folder}: keeps nothing of its normal footage, by which a promise chooses the "
                "bar; ask with --bar"
            )
        peak = read_facts(folder).get("peak")
        keeper = Keeper(promise, math.nan if peak is None else float(peak), evidence, rule=rule)
        if self._run.kind == "audit":
            return keeper.factor
        return math.ceil(keeper.factor / STEP - 1e-9) * STEP

    def _why(self, asked: Asked) -> tuple[str, str]:
        """Why something is lost, and why something is new."""
        parts = [] if asked.bar is None else [f"the bar would be {asked.bar:.3g}"]
        parts += [] if asked.zones is None else ["other parts are watched"]
        parts += ["other rules tell what is an event"] if asked.changed_rule else []
        said = " and ".join(parts)
        return said, said

    def _note(self, found: Rings, bare: int, asked: Asked) -> None:
        """Say what cannot be told."""
        name, notes = self._told.camera, self._told.notes
        if bare:
            notes.append(
                f"{name}: of {bare} of {len(self._events)} events no frames are kept, as an older "
                "Nomaly saw them or there was no room; of them it is told by how far they were "
                "from the bar, or by their boxes."
            )
        if found.blank_s >= 1:
            notes.append(
                f"{name}: of {found.blank_s / 60:.0f} min in which much stirred nothing is kept: "
                "what would be new there is not known."
            )
        if found.too_low and asked.bar is not None:
            notes.append(
                f"{name}: below {LOWEST:g} of the bar that was in force nothing was looked for, so "
                f"more may be new at {asked.bar:.3g} than is told."
            )

    def _renamed(self, events: Sequence[Event]) -> Renamed:
        """The events as another decoder names them; without one as they are."""
        named = [one for one in events if one.candidates or one.state == "closed"]
        if self._renamer is None:
            return Renamed({}, {})
        found = self._renamer.renamed(
            self._store, self._run.id, named, self._since_us, self._change.belonging
        )
        name, notes = self._told.camera, self._told.notes
        if found.other_embedder:
            notes.append(
                f"{name}: {found.other_embedder} events were looked at by another embedder than "
                "this decoder reads; what it would call them is not known."
            )
        if found.bare:
            notes.append(f"{name}: of {found.bare} events nothing is kept to name them by.")
        if found.unsure:
            notes.append(
                f"{name}: of {len(found.unsure)} events only one crop is kept, by an older Nomaly; "
                "their names are uncertain."
            )
        return found

    def _wanted(self) -> Wanted | None:
        """What would be told, if that may be other events; None if all is told, or as before."""
        change = self._change
        if change.tell is None and self._renamer is None:
            return None
        before = Wanted.of(self._run.settings)
        rules = change.tell if change.tell is not None else (before.rules if before else ())
        if not rules:
            return None
        if self._renamer is not None:
            return Wanted(rules, self._renamer.certainty)
        return Wanted(rules, before.certainty if before is not None else self._certainty())

    def _certainty(self) -> Certainty:
        """What p of kinds are worth, of the decoder that named the run's events."""
        with suppress(NomalyError, OSError, ValueError):
            if model_sha256(None) == self._run.settings.get("namer"):
                return model_certainty(None)
        return Certainty()

    def _compare(
        self,
        event: Event,
        renamed: Renamed,
        wanted: Wanted | None,
        lost: Mapping[str, Different],
    ) -> None:
        """Note how an event that rings all the same would be otherwise."""
        after = renamed.events.get(event.id, event)
        if self._change.belonging is not None:
            after = replace(after, belonging=self._change.belonging)
        after = replace(after, muted=self._muted(event, after, wanted, lost))
        kind = _kind(event, after)
        if kind is None:
            return
        unsure = renamed.unsure.get(event.id, "")
        whys = {
            "renamed": "another name",
            "silent": after.muted,
            "told": "it was silent: " + event.muted,
            "belongs": _belongs(event, after),
        }
        folder = self._store.folder
        self._told.different.append(of_event(kind, folder, event, whys[kind], after, unsure))

    def _muted(
        self,
        event: Event,
        after: Event,
        wanted: Wanted | None,
        lost: Mapping[str, Different],
    ) -> str:
        """Why it would be silent; empty if it would be told."""
        if event.muted.startswith(_MOVED):
            partner = event.muted.removeprefix(_MOVED).split(" ")[0]
            return "" if partner in lost else event.muted
        if event.muted and not event.muted.startswith(UNWANTED):
            return event.muted
        if self._change.tell is None and self._renamer is None:
            return event.muted
        return "" if wanted is None else wanted.marked(replace(after, muted="")).muted


def _until_us(store: StoreReader, run: Run) -> int:
    """When anything was seen last in a run, UTC in microseconds."""
    sources = store.sources(run.id)
    ends = [(one.start_us or 0) + round(1e6 * one.seen_s) for one in sources]
    return max([*ends, *(one.end_us for one in store.events(run.id))], default=0)


_COUNTS = {"lost": -1, "silent": -1, "new": 1, "told": 1}


def _kind(event: Event, after: Event) -> Kind | None:
    """What of an event would be otherwise that its owner would notice first."""
    if bool(event.muted) != bool(after.muted):
        return "silent" if after.muted else "told"
    if after.muted:
        return None
    if event.headline != after.headline:
        return "renamed"
    return "belongs" if _word(event) != _word(after) else None


def _word(event: Event) -> str:
    told = event.belongs
    return "" if told is None else told.word


def _belongs(event: Event, after: Event) -> str:
    return f"{_word(event) or 'not judged'} before, {_word(after) or 'not judged'} then"


def _joined(change: Change, sites: Sequence[_Told]) -> Outcome:
    order = {kind: number for number, kind in enumerate(KINDS)}
    different = [one for site in sites for one in site.different]
    different.sort(key=lambda one: (order[one.kind], one.start_us))
    return Outcome(
        change.said,
        min(one.since_us for one in sites),
        max(one.until_us for one in sites),
        tuple(dict.fromkeys(one.camera for one in sites)),
        sum(one.before for one in sites),
        sum(one.after for one in sites),
        tuple(different),
        tuple({one.camera: (one.camera, *one.bar) for one in sites if one.bar}.values()),
        tuple(dict.fromkeys(note for one in sites for note in one.notes)),
    )
