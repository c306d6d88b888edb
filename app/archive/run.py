"""An audit with several workers: learned once, looked at in segments, told as one."""

import shutil
from contextlib import closing
from dataclasses import replace

from app.archive.dispatch import Dispatcher
from app.archive.engine import Engine, Scale
from app.archive.ledger import Ledger
from app.archive.local import LocalEngine
from app.archive.on_ray import RayEngine
from app.archive.segments import cut
from app.errors import UsageError
from app.events.outputs import PARTS
from app.progress import Reporter
from app.sources.base import SourceError
from app.sources.joined import Recorded
from app.sources.open import open_recording
from app.watching.audit import AuditSession, audit
from app.watching.audit_request import AuditRequest
from app.watching.naming import AtOnce
from app.watching.results import AuditResult
from detectors.base import Detector
from novic.model import NounModel

MOST_WORKERS = 256


def audit_archive(request: AuditRequest, scale: Scale, reporter: Reporter) -> AuditResult:
    """Run an audit with several workers, or go on with one that was stopped.

    Its result is that of `app.watching.audit.audit`. Nothing is drawn.

    Args:
        request: What to audit and how.
        scale: How many look, and where.
        reporter: Told how far it is.

    Raises:
        UsageError: If the request makes no sense, or the folder holds another audit.
        NomalyError: As `app.watching.audit.audit`.
    """
    if not 1 <= scale.workers <= MOST_WORKERS:
        raise UsageError(f"--workers {scale.workers}: must lie between 1 and {MOST_WORKERS}")
    request = replace(request, draw=False)

    asked = scale

    class Scaled(ArchiveSession):
        scale = asked

    return audit(request, reporter, AtOnce, Scaled)


class ArchiveSession(AuditSession):
    """One archive under way."""

    scale = Scale(1)
    """How many look, and where."""

    def _look(self, detector: Detector, names: NounModel) -> None:
        """Look at all recordings, in segments."""
        del detector, names  # every worker has its own
        if self._holding is not None:
            raise UsageError(
                "--workers: this camera is calibrated, and what is seen is held against that in "
                "the order of time; leave --workers away"
            )
        keys = [sink.key for sink in self._request.sinks]
        with Ledger(self._store.folder, self._run_id, keys) as ledger:
            if not ledger.segments:
                self._plan(ledger)
            self._work(ledger)
        shutil.rmtree(self._store.folder / PARTS, ignore_errors=True)

    def _plan(self, ledger: Ledger) -> None:
        """Cut the archive.

        Raises:
            UsageError: If one process began this audit.
        """
        if self._store.sources(self._run_id):
            raise UsageError(
                f"--out {self._store.folder}: this audit was begun without --workers; go on "
                "without, or name another folder"
            )
        with self._reporter.task("Reading lengths", len(self._recorded)) as meter:
            lengths_s: list[float] = []
            for number, recorded in enumerate(self._recorded):
                self._check()
                lengths_s.append(_length_s(recorded, self._request))
                meter.to(number + 1)
        first_s = self._request.normal_first_s or 0.0
        ledger.plan(cut(self._recorded, lengths_s, first_s, self.scale.workers))

    def _work(self, ledger: Ledger) -> None:
        segments = [*ledger.segments.values()]
        total_s = sum(one.footage_s for one in segments)
        label = f"Auditing {len(self._recorded)} recordings, {len(segments)} segments"
        with self._reporter.task("Starting workers"):
            engine = self._engine(min(self.scale.workers, len(segments)))
        with closing(engine):
            say, out = self._reporter.say, self._store.folder
            dispatcher = Dispatcher(out, ledger, engine, self._recorded, say)
            try:
                with self._reporter.task(label, total_s or None) as meter:
                    dispatcher.run(self._check, self._wake, meter)
            finally:
                sums = dispatcher.sums
                self._frames, self._detector_s = sums.frames, sums.detector_s
                self._failed += sums.failed
        if sums.doubled:
            self._reporter.say(
                f"{sums.doubled} events have the time and place of events in another file and are "
                "told once: are there copies among the files?"
            )
        if len(self._request.videos) == 1 and sums.failed:
            raise SourceError(sums.failed[0])

    def _engine(self, workers: int) -> Engine:
        request = replace(
            self._request,
            detector=self._request.detector_folder.absolute(),
            normal=(),
            sinks=(),
            draw=False,
            overwrite=False,
        )
        if self.scale.engine == "ray":
            return RayEngine(workers, request, self.scale.ray_address)
        return LocalEngine(workers, request)


def _length_s(recorded: Recorded, request: AuditRequest) -> float:
    """Length of a recording in seconds; 0 where it is not known."""
    if recorded.joined:
        last = recorded.parts[-1]
        return last.start_s + last.length_s
    try:
        with open_recording(
            recorded.uri, request.camera, request.fps, 0.0, request.start, request.assume_fps
        ) as opened:
            return opened.info.duration_s
    except SourceError:
        # It is told when its turn comes.
        return 0.0
