"""One segment looked at, in a folder of its own: the same steps as in an audit by one process.

Every part has its own store. So no two processes write into one file, and what a worker that is
killed had saved is there for whoever takes its segment up.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import cv2
import torch
from rich.console import Console

from app.archive.segments import (
    Job,
    Outcome,
    Point,
    Points,
    meets,
    read_points,
    write_points,
)
from app.archive.traced import Noted, StretchTracing
from app.events.lock import locked
from app.events.store import SourceProgress, Store
from app.progress import Meter, Reporter
from app.sources.base import SourceError
from app.sources.prefetch import Prefetched
from app.watching.audit import BATCH, AuditSession
from app.watching.audit_request import AuditRequest
from app.watching.blurring import People, opened_store
from app.watching.camera import WARM_S
from app.watching.keeper import Keeper, keeper_of
from app.watching.lookout import Lookout
from app.watching.namer import Words
from app.watching.naming import AtOnce
from app.watching.resuming import Checkpoints, take_up, warm_s
from calibration.levels import Finds
from detectors.base import Detector
from detectors.build import load_detector
from novic.device import resolve_device
from novic.errors import NomalyError
from novic.model import NounModel

type Ended = Literal["open", "met", "nothing"]

BEAT = "beat"
"""Tells, in the folder of a part, how far it is: seconds of footage and frames."""
STOP = "stop"
"""A file beside the parts that asks all workers to stop."""
PATIENCE_S = 30.0
"""A stretch goes on past its end for so much footage until nothing is followed; then it waits for
the next one, which knows better where to stop."""


@dataclass(frozen=True, slots=True, eq=False)
class Looker:
    """What looks and names, loaded once in each worker."""

    request: AuditRequest
    names: NounModel
    detector: Detector
    keeper: Keeper
    words: Words
    people: People | None = None
    """Hides people, if that is asked for."""

    @classmethod
    def of(cls, request: AuditRequest) -> Self:
        """Load it.

        Args:
            request: With a detector.

        Raises:
            NomalyError: If something cannot be loaded.
        """
        device, folder = resolve_device(request.device), request.detector_folder
        names, detector = request.load_names(device), load_detector(folder, device)
        keeper = keeper_of(
            detector, folder, request.promise, _silent, rule=request.rule, bar=request.bar
        )
        people = People() if request.blur_people else None
        return cls(request, names, detector, keeper, request.words(names, None), people)

    def perform(self, job: Job, alive: Callable[[], bool] = lambda: True) -> Outcome:
        """Do a job, or go on with it; what is expected to go wrong is in the outcome.

        Args:
            job: What to do.
            alive: Whether somebody still waits for it.
        """
        began = time.monotonic()
        try:
            job.folder.mkdir(parents=True, exist_ok=True)
            with locked(job.folder), opened_store(job.folder, self.people, ()) as store:
                run = store.last_run() or store.begin_run("audit", {})
                session = PartSession(store, run.id, self, job, alive)
                outcome = session.outcome()
        except (NomalyError, OSError) as error:
            outcome = Outcome(job.segment.number, "fault", fault=str(error))
        return replace(outcome, spent_s=time.monotonic() - began)


class PartSession(AuditSession):
    """One segment under way."""

    def __init__(
        self, store: Store, run_id: int, looker: Looker, job: Job, alive: Callable[[], bool]
    ) -> None:
        request = replace(looker.request, out=job.folder, videos=())
        told = _BeatReporter(job.folder, self._far)
        super().__init__(store, run_id, request, told, lambda: None, AtOnce)
        self._looker, self._job = looker, job
        self._keeper, self._words = looker.keeper, looker.words
        self._stop, self._alive = job.folder.parent / STOP, alive
        self._check = self._stop_if_asked
        self._now: Lookout | None = None
        self._gone_s = 0.0
        self._points: Points = read_points(job.folder)
        self._traced = StretchTracing()
        if job.segment.is_stretch:
            self._tracing = self._stretch_tracing

    def _stretch_tracing(self, finds: Finds | None) -> StretchTracing:
        self._traced = StretchTracing(finds)
        return self._traced

    def _far(self, at_s: float) -> tuple[float, int]:
        """Seconds of footage and frames, at a moment of the recording under way."""
        return self._gone_s + at_s, self._frames + (0 if self._now is None else self._now.frames)

    def _stop_if_asked(self) -> None:
        if self._stop.exists() or not self._alive():
            raise KeyboardInterrupt

    def outcome(self) -> Outcome:
        """Do it.

        Raises:
            NomalyError: If it cannot be done.
        """
        segment, reached_s = self._job.segment, 0.0
        state: Ended | Literal["stopped"] = "met"
        try:
            if segment.is_stretch:
                state, reached_s = self._stretch()
            else:
                for number, recorded in self._job.recordings:
                    self._check()
                    self._video_or_warning(
                        number, recorded, self._looker.detector, self._looker.names
                    )
                    sources = self._store.sources(self._run_id)
                    self._now, self._gone_s = None, sum(one.seen_s for one in sources)
        except KeyboardInterrupt:
            state = "stopped"
        return Outcome(
            segment.number,
            state,
            reached_s,
            frames=self._frames,
            detector_s=self._detector_s,
            failed=tuple(self._failed),
        )

    def _lookout(self, source: SourceProgress, detector: Detector, names: NounModel) -> Lookout:
        # A lookout that is over was added to the sum.
        self._now = None
        self._now = super()._lookout(source, detector, names)
        return self._now

    def _stretch(self) -> tuple[Ended, float]:
        """Look at a stretch from its start, or from where it was left."""
        looker, ((_, recorded),) = self._looker, self._job.recordings
        source = self._known(recorded.uri)
        if source is not None and source.finished:
            return "met", source.seen_s
        fresh = source is None
        first_s = (self._request.normal_first_s or 0.0) if self._first else 0.0
        # So much before its start that it is known how the pictures usually are.
        read_s = max(first_s, self._job.segment.from_s - WARM_S)
        if source is not None:
            read_s = warm_s(self._store, self._run_id, source)
        try:
            opened = self._open(recorded, read_s, looker.detector.frame_size)
        except SourceError:
            if self._job.segment.from_s <= first_s:
                raise
            # It ends before; whoever looks at what comes before comes to its end.
            return "nothing", 0.0
        with opened as recording, Prefetched(recording, depth=2 * BATCH) as ahead:
            info, from_s = recording.info, self._job.segment.from_s
            size = looker.detector.frame_size or info.size
            source = source or SourceProgress(
                info.camera, recorded.uri, size, from_s, from_s, time_from=info.time_from
            )
            source.frames = source.done_frames
            lookout = self._lookout(source, looker.detector, looker.names)
            if not fresh:
                take_up(self._store, self._run_id, lookout, self._reporter.say)
                noted = Noted.read(self._job.folder)
                self._traced.take_up(noted, source.done_s, source.done_frames)
            elif from_s > first_s:
                _begin_within(lookout, from_s, read_s)
            state = self._followed(ahead, lookout)
            self._failed += getattr(recording, "failed", ())
        return state, source.seen_s

    @property
    def _first(self) -> bool:
        return self._job.segment.recording == 0

    def _followed(self, ahead: Prefetched, lookout: Lookout) -> Ended:
        """Follow a stretch until it is over; returns how it then stands."""
        source = lookout.recorder.source
        try:
            with self._reporter.task("") as meter:
                left = self._analyse(ahead, lookout, meter, self._over(lookout))
        except KeyboardInterrupt:
            lookout.save(lookout.finish(cut=True), gaps=ahead.gaps)
            raise
        finally:
            self._frames += lookout.frames
            self._detector_s += lookout.detector_s
            self._now = None
            write_points(self._job.folder, self._points)
        if left:
            return "open"
        source.finished, source.warning = True, ahead.warning
        lookout.save(lookout.finish(), gaps=ahead.gaps)
        self._traced.noted(source.seen_s).write(self._job.folder)
        return "met"

    def _over(self, lookout: Lookout) -> Callable[[Checkpoints], bool]:
        """Whether a stretch may stop, asked behind every batch."""
        segment, others = self._job.segment, self._job.next_points
        end_s = segment.until_s
        last_s = max(others, default=0.0)
        source = lookout.recorder.source

        def over(checkpoints: Checkpoints) -> bool:
            if not checkpoints.due:
                return False
            kept = lookout.camera.checkpoint()
            free = not kept.kept and not any(kept.troubles)
            at_s = source.seen_s
            known = f"{kept.tracks} {self._traced.mark()}" if free else ""
            self._points[at_s] = Point(known, source.frames)
            self._traced.noted(at_s).write(self._job.folder)
            if end_s is None or at_s < end_s:
                return False
            if others:
                return meets(self._points, at_s, others) or at_s >= last_s
            return free or at_s >= end_s + PATIENCE_S

        return over


def _begin_within(lookout: Lookout, from_s: float, read_s: float) -> None:
    """Follow nothing up to a moment, as after a stop at which nothing was followed."""
    nothing = lookout.camera.checkpoint()
    lookout.camera.restore(replace(nothing, at_s=from_s, warm_s=read_s))
    lookout.recorder.counted_s = from_s


class _BeatMeter(Meter):
    """Tells a file how far a part is."""

    def __init__(self, folder: Path, far: Callable[[float], tuple[float, int]]) -> None:
        super().__init__(Console(quiet=True), "", None)
        self._folder, self._far = folder, far
        self._told_s = 0.0

    def to(self, done: float, note: str = "") -> None:
        """Tell how far it is, at most twice a second."""
        del note
        now_s = time.monotonic()
        if now_s - self._told_s >= 0.5:
            self._told_s = now_s
            fresh = self._folder / f"{BEAT}.new"
            gone_s, frames = self._far(done)
            fresh.write_text(f"{gone_s:.3f} {frames}")
            os.replace(fresh, self._folder / BEAT)  # noqa: PTH105 - over an older one


class _BeatReporter(Reporter):
    """Tells people nothing."""

    def __init__(self, folder: Path, far: Callable[[float], tuple[float, int]]) -> None:
        super().__init__(quiet=True)
        self._folder, self._far = folder, far

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Meter]:
        """See `Reporter.task`."""
        del label, total
        yield _BeatMeter(self._folder, self._far)


def _silent(_: str) -> None:
    """Said by the process that asked."""


def worker(request: AuditRequest) -> Looker:
    """What looks in a process that is one of several: with one thread.

    Args:
        request: With a detector.

    Raises:
        NomalyError: If something cannot be loaded.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    return Looker.of(request)
