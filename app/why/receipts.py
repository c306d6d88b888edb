"""A receipt for an event, and for a silence: the gates in order, and what would have flipped it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from app.events.belonging import HERE
from app.events.event import Event
from app.events.moment import Moment
from app.events.reading import Run, StoreReader
from app.feedback.heeding import UNWANTED
from app.feedback.quiet import Quiet
from app.feedback.verdicts import Verdict
from app.habits.surprise import in_words
from app.why.quiet import AROUND_US, nothing
from app.why.receipt import Change, Gate, Receipt
from calibration.belonging import smallest_flip
from calibration.promise import BARS
from novic.certainty import is_sensitive

type Rates = Callable[[float], float | None]
"""False events an hour that the normal footage shows for a bar; None if it shows none."""

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
class Silent:
    """What keeps an event silent, and is still there."""

    verdicts: Sequence[Verdict] = ()
    """All that speak of it."""
    rules: Sequence[Quiet] = ()
    """All that speak of it."""
    unwanted: bool = False
    """Whether it is none of the things that `--tell` wants, whatever verdicts say."""


type Muting = Callable[[Event], Silent]
"""Finds what keeps a muted event silent."""


def of_event(event: Event, rates: Rates, muting: Muting = lambda _: Silent()) -> Receipt:
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
    silent = muting(event) if event.muted else Silent()
    used = "".join(f"; {rule.used}" for rule in silent.rules if rule.why == event.muted)
    said = f"It is silent: {event.muted}{used}." if event.muted else "It rang."
    return replace(
        about,
        said=said,
        gates=gates,
        flip=_unmuted(event, silent) if event.muted else _silenced(event, rates),
        naming=_named_otherwise(event),
        belonging=_belongs_otherwise(event),
        usual=in_words(event),
        uncalibrated=event.uncalibrated,
    )


def at_time(
    store: StoreReader, run: Run, time_us: int, rates: Rates, muting: Muting = lambda _: Silent()
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
    return receipts or [nothing(store, run, time_us)]


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


def _unmuted(event: Event, silent: Silent) -> Change | None:
    """What takes back that an event is silent."""
    numbers = sorted(one.number for one in (*silent.verdicts, *silent.rules))
    if numbers:
        before = "".join(f" {number} and" for number in numbers[:-1])
        forget = f"nomaly feedback forget{before}"
        also = " if --tell wanted it too" if silent.unwanted else ""
        return Change(forget, float(numbers[-1]), f"its like would ring again{also}")
    if event.muted.startswith(UNWANTED):
        return Change("other kinds in --tell, or none,", None, "it would have rung")
    return None


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
