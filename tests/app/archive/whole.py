"""An archive looked at in one process, as a whole or in segments, and what came of it."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from app.archive.dispatch import Dispatcher
from app.archive.ledger import Ledger
from app.archive.part import Looker
from app.archive.segments import Job, Outcome, cut
from app.events.media import MEDIA
from app.events.outputs import write_events
from app.events.schema import STORE
from app.events.store import Store
from app.progress import Meter, Reporter
from app.sources.joined import Recorded, recordings
from app.watching.audit import AuditSession
from app.watching.naming import AtOnce

QUIET = Reporter(quiet=True)


class Killed(BaseException):
    """Ends a worker wherever it is, as a kill does: nothing is put in order."""


class OneByOne:
    """Does one job at a time, in this process; dies at some batches, counted over all jobs."""

    def __init__(self, looker: Looker, dies_at: Sequence[int] = ()) -> None:
        self.looker, self.dies_at = looker, {*dies_at}
        self.done: list[Job] = []
        self._job: Job | None = None
        self._batches = 0

    @property
    def free(self) -> int:
        return int(self._job is None)

    def start(self, job: Job) -> str:
        self._job = job
        return "this process"

    def wait(self, seconds: float) -> Sequence[Outcome]:
        job, self._job = self._job, None
        if job is None:
            return []
        self.done.append(job)
        try:
            return [self.looker.perform(job, self._alive)]
        except Killed:
            return [Outcome(job.segment.number, "fault", fault="its worker ended")]

    def _alive(self) -> bool:
        self._batches += 1
        if self._batches in self.dies_at:
            raise Killed
        return True

    def kill(self, number: int) -> None:
        raise AssertionError("nobody stalls here")

    def close(self) -> None:
        pass


def begun(store: Store) -> int:
    run = store.last_run() or store.begin_run("audit", {})
    return run.id


def as_one(looker: Looker, videos: Sequence[Path], out: Path) -> dict[str, Any]:
    """What one process finds without segments."""
    out.mkdir()
    request = replace(looker.request, videos=tuple(videos), out=out, each=True)
    with Store(out) as store:
        session = AuditSession(store, begun(store), request, QUIET, lambda: None, AtOnce)
        session._keeper, session._words = looker.keeper, looker.words
        session._look(looker.detector, looker.names)
        return result(store)


def in_segments(
    engine: OneByOne,
    videos: Sequence[Path],
    out: Path,
    check: Callable[[], None] = lambda: None,
    stalled_s: float = 60.0,
) -> tuple[dict[str, Any], Dispatcher]:
    """What is found in segments."""
    out.mkdir(exist_ok=True)
    recorded = recordings(videos, each=True)
    with Store(out) as store, Ledger(out, begun(store)) as ledger:
        if not ledger.segments:
            ledger.plan(cut(recorded, [length_s(one) for one in recorded], 0.0, workers=2))
        dispatcher = Dispatcher(out, ledger, engine, recorded, lambda _: None, stalled_s)
        dispatcher.run(check, lambda: None, Meter(Console(quiet=True), "", None))
        return result(store), dispatcher


def length_s(recorded: Recorded) -> float:
    return 130.0 if recorded.name == "long.mp4" else 4.0


def result(store: Store) -> dict[str, Any]:
    """Everything that an audit tells: events, pictures, the timeline, sources, gaps."""
    run = begun(store)
    events = store.events(run)
    write_events(store.folder, events)
    sources = store.sources(run)
    return {
        "lines": (store.folder / "events.jsonl").read_bytes(),
        "events": events,
        "sightings": [store.sightings(event.id) for event in events],
        "ballots": sorted(store.ballots(run, 0)),
        "vectors": [store.vector(event.id) is not None for event in events],
        "pictures": {
            str(file.relative_to(store.folder)): file.read_bytes()
            for kind in MEDIA
            for file in (store.folder / kind).iterdir()
        },
        "sources": [
            (one.uri, one.from_s, one.seen_s, one.frames, one.start_us, one.finished)
            for one in sources
        ],
        "seconds": [store.seconds(run, one.uri) for one in sources],
        "gaps": store.gaps(run),
        "traces": traces(store.folder),
    }


def traces(folder: Path) -> list[tuple[Any, ...]]:
    """What was followed frame by frame."""
    with closing(sqlite3.connect(folder / STORE)) as database:
        return database.execute(
            "SELECT uri, camera, start_s, end_s, start_us, end_us, joined, frames, height, width,"
            " bar, peak, x1, y1, x2, y2, packed FROM trace ORDER BY uri, start_us, rowid"
        ).fetchall()
