"""Finds what somebody asks about: an event by its id, or a time."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from app.errors import UsageError
from app.events.belonging import of_site
from app.events.event import Event
from app.events.reading import Run, SourceProgress, StoreReader, snapshot
from app.feedback.heeding import Wanted
from app.feedback.quiet import Quiet, quieting
from app.feedback.quiets import Quiets
from app.feedback.saying import detector_of, seen_of, silencing
from app.feedback.verdicts import Verdict, Verdicts
from app.report.times import local
from app.watching.keeper import read_evidence
from app.why.receipt import Receipt
from app.why.receipts import Muting, Rates, Silent, at_time, of_event
from calibration.promise import rate_at
from calibration.tail import Tail
from detectors.files import PROMISE
from novic.errors import NomalyError

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*s")
_MINUTES = re.compile(r"(\d{1,5}):([0-5]\d(?:\.\d+)?)")
_CLOCK = re.compile(r"(\d{1,5}):([0-5]\d):([0-5]\d)")


def why(out: Path, asked: str) -> list[Receipt]:
    """Receipts of what is asked about.

    Args:
        out: Folder of an audit or a watch.
        asked: An event's id; a time as 2026-11-29T12:03:20, or 12:03:20 of the run's first day; or
            from the start of each source, as 83.5s, 1:23.5 or, if nobody watched at that time of
            day, 1:02:03.

    Raises:
        UsageError: If there is no such event, or the words are neither.
        app.errors.StoreError: If the store cannot be read.
    """
    with snapshot(out) as store:
        run = store.required_run()
        rates, muting = rates_of(store, run), _muting(store, run)
        event = store.event(asked)
        if event is not None:
            receipts = [of_event(event, rates, muting)]
        else:
            every = [
                receipt
                for time_us in _times_us(store, run, asked.strip())
                for receipt in at_time(store, run, time_us, rates, muting)
            ]
            receipts = list(dict.fromkeys(every))
        known = of_site(store.events(run.id))
        return receipts if known else [receipt.without_place() for receipt in receipts]


def rates_of(store: StoreReader, run: Run) -> Rates:
    """What the normal footage behind a run shows of false events, by the bar."""
    folder = detector_of(store, run)
    tails: list[Tail] = []
    # Where the detector lies no more only the rate is missing.
    with suppress(NomalyError):
        evidence = read_evidence(store.folder / PROMISE, folder, lambda _: None) or read_evidence(
            folder / PROMISE, folder, lambda _: None
        )
        tails = evidence.tails() if evidence is not None else []
    return lambda bar: rate_at(tails, bar)


def _muting(store: StoreReader, run: Run) -> Muting:
    """Finds the verdict or rule behind a reason, and what would silence the event without it."""
    wanted = Wanted.of(run.settings)
    verdicts: list[Verdict] = []
    rules: list[Quiet] = []
    with suppress(NomalyError):
        kept = Verdicts(detector_of(store, run))
        verdicts, rules = kept.all(), Quiets(kept).all()

    def find(event: Event) -> Silent:
        unwanted = wanted is not None and not wanted.wants(event)
        named = [one for one in verdicts if one.why == event.muted]
        ruled = [one for one in rules if one.why == event.muted]
        if not named and not ruled:
            return Silent(unwanted=unwanted)
        others = [one for one in verdicts if one not in named]
        also = quieting([one for one in rules if one not in ruled], seen_of(store, event))
        found = [*named, *silencing(store, event, others)]
        return Silent(found, [*ruled, *also], unwanted)

    return find


def _times_us(store: StoreReader, run: Run, asked: str) -> list[int]:
    """What a time may mean, UTC in microseconds, at least one."""
    sources = [one for one in store.sources(run.id) if one.start_us is not None]
    first_us = min((one.start_us or 0 for one in sources), default=run.started_us)
    if found := _SECONDS.fullmatch(asked):
        return _from_start(sources, first_us, float(found[1]))
    if found := _MINUTES.fullmatch(asked):
        return _from_start(sources, first_us, 60 * int(found[1]) + float(found[2]))
    if found := _CLOCK.fullmatch(asked):
        hour, minute, second = map(int, found.groups())
        since_s = 3600 * hour + 60 * minute + second
        if hour >= 24:
            return _from_start(sources, first_us, since_s)
        at = local(first_us).replace(hour=hour, minute=minute, second=second, microsecond=0)
        time_us = round(at.timestamp() * 1e6)
        watched = any(0 <= time_us - (one.start_us or 0) <= 1e6 * one.seen_s for one in sources)
        reached = any(since_s <= one.seen_s for one in sources)
        return _from_start(sources, first_us, since_s) if reached and not watched else [time_us]
    try:
        return [round(datetime.fromisoformat(asked).astimezone().timestamp() * 1e6)]
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{asked}: is no event of {store.folder} and no time; ids stand in the report (enlarge "
            "an event) and in events.jsonl, times are written 12:03:20, 2026-11-29T12:03:20, or "
            "1:23.5 or 83.5s from the start"
        ) from error


def _from_start(sources: Sequence[SourceProgress], first_us: int, since_s: float) -> list[int]:
    """So many seconds from the start of each source that lasted so long; else of the first."""
    long = [one.start_us or 0 for one in sources if since_s <= one.seen_s]
    return [start_us + round(since_s * 1e6) for start_us in dict.fromkeys(long or [first_us])]
