"""A receipt for an event, and for a silence: the gates in order, and what would have flipped it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil, floor
from typing import Any, Literal

from app.events.belonging import HERE
from app.events.event import Event
from app.events.moment import Moment
from app.events.reading import Run, SourceProgress, StoreReader
from app.feedback.heeding import UNWANTED
from app.feedback.verdicts import Verdict
from app.paths import path_of, shown_path
from app.report.times import clock, day
from calibration.belonging import smallest_flip
from calibration.promise import BARS
from detectors.tracks import LEAST_HITS, TrackRule
from novic.certainty import is_sensitive

type Rates = Callable[[float], float | None]
"""False events an hour that the normal footage shows for a bar; None if it shows none."""

type Muting = Callable[[Event], Sequence[Verdict]]
"""All verdicts that silence a muted event and are still there."""

AROUND_US = 5_000_000
"""A moment is looked for so far before and after the time that is asked for."""
_FINE = 1e4
"""Bars are told in steps of one over this, rounded to the side on which they flip: ..."""
CLOSE = 1e-5
"""... so far at least from the level, as a share of it, as maps have seven digits."""
_SHARES = (0.01, 0.99)
"""What --wrong-names takes."""
_SILENT = {
    "bar": "it did not reach the bar",
    "light": "it was taken for light, a shadow or a reflection",
    "tracking": "it did not hold together as one thing of its own",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that was asked."""

    name: Literal["bar", "thing", "feedback", "name", "place"]
    passed: bool
    value: float | None
    """What was measured; None where nothing is."""
    needed: float | None
    """What it takes."""
    said: str
    """The same in a few words."""

    @property
    def margin(self) -> float | None:
        """The value over what it takes: above 1 with room, below 1 short of it."""
        if self.value is None or not self.needed:
            return None
        return self.value / self.needed

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        margin = self.margin
        return asdict(self) | {"margin": None if margin is None else round(margin, 4)}


@dataclass(frozen=True, slots=True)
class Change:
    """What would have been otherwise with another setting, or after a command."""

    setting: str
    """An option or a command, as it is typed."""
    value: float | None
    outcome: str
    """What would have been told."""
    now: float | None = None
    per_hour: float | None = None
    """False events an hour that the normal footage shows for it; None if that is not known."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Why something rang, or did not."""

    outcome: Literal["rang", "silent", "unseen", "quiet"]
    """It was told; it was not; the camera could not see; nothing came near."""
    said: str
    """One sentence."""
    camera: str
    start_us: int
    """UTC in microseconds."""
    end_us: int
    start_s: float | None = None
    """The same in seconds from the start of the source; None where there is no source."""
    end_s: float | None = None
    event_id: str = ""
    headline: str = ""
    gates: tuple[Gate, ...] = ()
    """In the order in which they were asked."""
    flip: Change | None = None
    """The smallest change after which it would have been silent, or would have rung."""
    naming: Change | None = None
    """The smallest change after which its name is told otherwise, as a fact or as a guess."""
    belonging: Change | None = None
    """The smallest change after which it belongs otherwise."""
    uncalibrated: str = ""
    """Why its verdict rests on no calibration although the camera had one; empty if it does."""

    def without_place(self) -> "Receipt":
        """The same where nothing is known of what is usual: nobody asked whether it belongs."""
        gates = tuple(gate for gate in self.gates if gate.name != "place")
        return replace(self, gates=gates, belonging=None)

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        told = {name: getattr(self, name) for name in ("flip", "naming", "belonging")}
        return {
            "outcome": self.outcome,
            "said": self.said,
            "camera": self.camera,
            "start_us": self.start_us,
            "end_us": self.end_us,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "event": self.event_id,
            "headline": self.headline,
            "uncalibrated": self.uncalibrated,
            "gates": [gate.as_json() for gate in self.gates],
            **{name: change and change.as_json() for name, change in told.items()},
        }


def of_event(event: Event, rates: Rates, muting: Muting = lambda _: ()) -> Receipt:
    """The receipt of an event.

    Args:
        event: Told or muted, of a thing or of the camera itself.
        rates: What the normal footage shows.
        muting: Finds what muted it.
    """
    about = Receipt(
        "silent" if event.muted else "rang",
        "",
        event.camera,
        event.start_us,
        event.end_us,
        event.start_s,
        event.end_s,
        event.id,
        event.headline,
    )
    if event.kind == "camera":
        return replace(about, said=f"The camera told of itself: {event.said or event.name}")
    gates = (*_bar_gate(event), *_thing_gates(event))
    said = f"It is silent: {event.muted}." if event.muted else "It rang."
    return replace(
        about,
        said=said,
        gates=gates,
        flip=_unmuted(event, muting) if event.muted else _silenced(event, rates),
        naming=_named_otherwise(event),
        belonging=_belongs_otherwise(event),
        uncalibrated=event.uncalibrated,
    )


def at_time(
    store: StoreReader, run: Run, time_us: int, rates: Rates, muting: Muting = lambda _: ()
) -> list[Receipt]:
    """Receipts of all that was there, or nearly was, at a time: events first.

    Args:
        store: That holds the run.
        run: The run.
        time_us: UTC in microseconds.
        rates: What the normal footage shows.
        muting: Finds what muted an event.

    Returns:
        At least one: where nothing came near, that is said.
    """
    since_us, until_us = time_us - AROUND_US, time_us + AROUND_US
    events = [
        event
        for event in store.events(run.id)
        if event.start_us <= until_us and event.end_us >= since_us
    ]
    near = sorted(store.moments(run.id, since_us, until_us), key=lambda one: -one.level)
    receipts = [of_event(event, rates, muting) for event in events]
    receipts += [of_moment(moment, rates) for moment in near]
    receipts += _unseen(store, run, since_us, until_us)
    return receipts or [_nothing(store, run, time_us)]


def of_moment(moment: Moment, rates: Rates) -> Receipt:
    """The receipt of what came near and was not told."""
    short = moment.level < moment.bar
    gates = [_gate_of_bar(moment.level, moment.bar)]
    if not short:
        gates.append(Gate("thing", passed=False, value=None, needed=None, said=_SILENT[moment.why]))
    bar = floor(moment.level * (1 - CLOSE) * _FINE) / _FINE
    rings = short and bar >= BARS[0]
    flip = _to_bar(bar, moment.bar, "it would have rung", rates) if rings else None
    return Receipt(
        "silent",
        f"Something was silent: {_SILENT[moment.why]}.",
        moment.camera,
        moment.start_us,
        moment.end_us,
        moment.start_s,
        moment.end_s,
        gates=tuple(gates),
        flip=flip,
    )


def _unseen(store: StoreReader, run: Run, since_us: int, until_us: int) -> list[Receipt]:
    """Times about then in which the camera could not see."""
    return [
        Receipt(
            "unseen",
            f"Nothing could be seen then: {gap['detail'] or gap['reason']}.",
            gap["camera"],
            gap["start_us"],
            gap["end_us"] or until_us,
        )
        for gap in store.gaps(run.id)
        if gap["start_us"] <= until_us and (gap["end_us"] or until_us) >= since_us
    ]


def _nothing(store: StoreReader, run: Run, time_us: int) -> Receipt:
    """That nothing came near at a time, and how unusual the most unusual was, and where it is."""
    peaks = [
        (peak, second, source)
        for source in store.sources(run.id)
        if source.start_us is not None
        for second, peak in store.seconds(run.id, source.uri)
        if abs(source.start_us + second * 1_000_000 - time_us) <= AROUND_US
    ]
    if not peaks:
        return _unwatched(store, run, time_us)
    peak, second, source = max(peaks, key=lambda one: one[0])
    rule = TrackRule()
    needed, high = rule.open_score, peak >= rule.open_score
    gates = [Gate("bar", high, round(peak, 4), needed, "its highest value")]
    if high:
        gates.append(Gate("thing", False, None, None, "it did not last as one thing"))
        said = (
            f"The most unusual within 5 s was {peak:.2f} times the bar. An event needs {needed:g}, "
            f"and that in {100 * rule.open_share:.0f}% of the frames of a second, {LEAST_HITS} at "
            "least, as one thing; it did not last so long."
        )
    else:
        said = (
            f"Nothing came near: the most unusual within 5 s was {peak:.2f} times the bar, where "
            f"an event needs {needed:g}, for longer than a moment."
        )
    video = path_of(source.uri)
    if video.is_file():
        said += f" It can be seen in {shown_path(video)} at {clock(second)}."
    at_us = (source.start_us or 0) + second * 1_000_000
    return Receipt(
        "quiet",
        said,
        source.camera,
        at_us,
        at_us + 1_000_000,
        float(second),
        float(second + 1),
        gates=tuple(gates),
    )


def _unwatched(store: StoreReader, run: Run, time_us: int) -> Receipt:
    """That nobody watched at a time, and what came instead, by the source that is nearest."""

    def at_s(source: SourceProgress) -> float:
        return (time_us - (source.start_us or 0)) / 1e6

    def away_s(source: SourceProgress) -> float:
        return max(-at_s(source), at_s(source) - source.seen_s, 0.0)

    sources = [one for one in store.sources(run.id) if one.start_us is not None]
    if not sources:
        return Receipt("unseen", "Nobody watched then.", "", time_us, time_us)
    nearest = min(sources, key=away_s)
    name = nearest.uri.rstrip("/").split("/")[-1] if run.kind == "audit" else nearest.camera
    seconds = at_s(nearest)
    if 0 <= seconds < nearest.from_s:
        said = f"Its normal view was learned until {clock(nearest.from_s)}; nothing is told of that"
    else:
        does = "begins" if seconds < 0 else "ends" if nearest.finished else "was looked at until"
        edge_s = 0.0 if seconds < 0 else nearest.seen_s
        at = "" if does.endswith("until") else "at "
        edge_us = (nearest.start_us or 0) + round(edge_s * 1e6)
        said = f"Nobody watched then: {name} {does} {at}{clock(edge_s)} ({day(edge_us)})"
    shown_s = seconds if seconds >= 0 else None
    return Receipt("unseen", f"{said}.", nearest.camera, time_us, time_us, shown_s, shown_s)


def _bar_gate(event: Event) -> tuple[Gate, ...]:
    if event.bar is None or event.level is None:
        return ()
    return (_gate_of_bar(event.level, event.bar),)


def _gate_of_bar(level: float, bar: float) -> Gate:
    said = "unusual enough, for long enough" if level >= bar else "not unusual for long enough"
    return Gate("bar", level >= bar, round(level, 4), round(bar, 4), said)


def _thing_gates(event: Event) -> tuple[Gate, ...]:
    """What was asked of an event once it was one."""
    heard = f"not told: {event.muted}" if event.muted else "nobody said that it is normal here"
    gates = [
        Gate("thing", passed=True, value=None, needed=None, said="one thing of its own"),
        Gate("feedback", not event.muted, None, None, heard),
    ]
    if event.candidates:
        how = "is told as a fact" if event.sure else "is only a guess"
        kind = f", but it is surely of a kind: {event.category}" if event.of_sure_kind else ""
        said = f"{event.noun} {how}{kind}"
        gates.append(Gate("name", event.sure, event.p, event.sure_from, said))
    belongs = event.belongs
    if belongs is not None:
        sure = max(belongs.expected, belongs.unexpected)
        said = HERE[belongs.word]
        if not belongs.why.endswith(said):
            said = f"{said}: {belongs.why}"
        needed = event.belonging.sure_from
        gates.append(Gate("place", belongs.word != "unknown", sure, needed, said))
    return tuple(gates)


def _silenced(event: Event, rates: Rates) -> Change | None:
    """The bar at which an event goes silent."""
    if event.bar is None or event.level is None:
        return None
    bar = ceil(event.level * (1 + CLOSE) * _FINE) / _FINE
    return _to_bar(bar, event.bar, "it would have been silent", rates) if bar <= BARS[1] else None


def _to_bar(bar: float, now: float, outcome: str, rates: Rates) -> Change:
    return Change("--bar", bar, outcome, now, rates(bar))


def _unmuted(event: Event, muting: Muting) -> Change | None:
    """What takes back that an event is silent."""
    numbers = sorted(verdict.number for verdict in muting(event))
    if numbers:
        before = "".join(f" {number} and" for number in numbers[:-1])
        forget = f"nomaly feedback forget{before}"
        return Change(forget, float(numbers[-1]), "its like would ring again")
    if event.muted.startswith(UNWANTED):
        return Change("other kinds in --tell, or none,", None, "it would have rung")
    return None


def _listed(numbers: Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"verdicts {', '.join(most)} and {last} are" if most else f"verdict {last} is"


def _named_otherwise(event: Event) -> Change | None:
    """The share of wrong names with which the best noun is told otherwise."""
    if not event.candidates or (is_sensitive(event.noun) and not event.sure):
        # What alarms or accuses is not told sooner, whatever share may be wrong.
        return None
    share = 1 - event.p + (-1e-4 if event.sure else 1e-4)
    if not _SHARES[0] <= share <= _SHARES[1]:
        return None
    outcome = "its noun would be a guess" if event.sure else "its noun would be told as a fact"
    return Change("--wrong-names", round(share, 6), outcome, 1 - event.sure_from)


def _belongs_otherwise(event: Event) -> Change | None:
    flip = smallest_flip(event.evidence, event.belonging) if event.evidence is not None else None
    if flip is None:
        return None
    return Change(
        f"belonging.{flip.setting}",
        flip.value,
        f"it would be {flip.word}",
        flip.now,
    )
