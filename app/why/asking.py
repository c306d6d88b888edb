"""Finds what somebody asks about: an event by its id, or a time."""

import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from app.errors import UsageError
from app.events.event import Event
from app.events.reading import Run, StoreReader, snapshot
from app.feedback.heeding import match
from app.feedback.saying import detector_of, seen_of
from app.feedback.verdicts import Verdict, Verdicts
from app.report.times import local
from app.watching.keeper import read_evidence
from app.why.receipts import Muting, Rates, Receipt, at_time, of_event
from calibration.promise import rate_at
from calibration.tail import Tail
from detectors.files import PROMISE
from novic.errors import NomalyError

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*s")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})")


def why(out: Path, asked: str) -> list[Receipt]:
    """Receipts of what is asked about.

    Args:
        out: Folder of an audit or a watch.
        asked: An event's id; a time as 2026-11-29T12:03:20, or 12:03:20 of the run's first day; or
            seconds from the start of the first source, as 83.5s.

    Raises:
        UsageError: If there is no such event, or the words are neither.
        app.errors.StoreError: If the store cannot be read.
    """
    with snapshot(out) as store:
        run = store.required_run()
        rates, muting = rates_of(store, run), _muting(store, run)
        event = store.event(asked)
        if event is not None:
            return [of_event(event, rates, muting)]
        return at_time(store, run, _time_us(store, run, asked), rates, muting)


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
    """Finds the verdicts behind a silence: forgotten alone, one of several changes nothing."""
    verdicts: list[Verdict] = []
    with suppress(NomalyError):
        verdicts = Verdicts(detector_of(store, run)).all()

    def silencing(event: Event) -> list[Verdict]:
        found = [one for one in verdicts if one.why == event.muted][:1]
        seen = seen_of(store, event)
        while found:
            numbers = {one.number for one in found}
            other = match([one for one in verdicts if one.number not in numbers], seen)
            if other is None:
                break
            found.append(other)
        return found

    return silencing


def _time_us(store: StoreReader, run: Run, asked: str) -> int:
    """UTC in microseconds."""
    starts = [one.start_us for one in store.sources(run.id) if one.start_us is not None]
    first_us = min(starts, default=run.started_us)
    if found := _SECONDS.fullmatch(asked.strip()):
        return first_us + round(float(found[1]) * 1e6)
    if found := _CLOCK.fullmatch(asked.strip()):
        hour, minute, second = map(int, found.groups())
        if hour < 24 and minute < 60 and second < 60:
            at = local(first_us).replace(hour=hour, minute=minute, second=second, microsecond=0)
            return round(at.timestamp() * 1e6)
    try:
        return round(datetime.fromisoformat(asked.strip()).astimezone().timestamp() * 1e6)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{asked}: is no event of {store.folder} and no time; ids stand in the report (enlarge "
            "an event) and in events.jsonl, times are written 12:03:20, 2026-11-29T12:03:20, or "
            "83.5s from the start"
        ) from error


def listed(out: Path) -> list[Event]:
    """The events of the last run of a folder, in order, those last that are muted.

    Raises:
        UsageError: If nothing was audited or watched there.
        app.errors.StoreError: If the store cannot be read.
    """
    with snapshot(out) as store:
        return store.events(store.required_run().id)
