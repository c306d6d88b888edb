"""Auditing recorded video: fit or load a detector, find, follow, name, store, report.

An audit can be stopped at any time and taken up again. It goes on from its last checkpoint, with
all that was followed then, so its result is the same as that of an uninterrupted run.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from app.events.outputs import earlier_run, sole_writer
from app.events.store import SourceProgress, Store
from app.progress import Meter, Reporter
from app.sinks.feeder import Patience, feeding
from app.sources.base import Recording, SourceError
from app.sources.joined import JoinedSource, Recorded, recordings
from app.sources.open import open_recording
from app.sources.prefetch import Prefetched
from app.stop import stoppable
from app.watching.audit_request import AuditRequest
from app.watching.blurring import People, opened_store
from app.watching.calibrated_by import held, outdated
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.cut_out import cut_clips
from app.watching.drawing import draw_all
from app.watching.drifting import Watched
from app.watching.ending import complete_results, write_results
from app.watching.holding import Holding
from app.watching.keeper import Keeper, told
from app.watching.lookout import Lookout
from app.watching.namer import Words
from app.watching.naming import AtOnce, Teller
from app.watching.preparing import Preparing
from app.watching.recorder import Recorder
from app.watching.results import AuditResult, audit_result
from app.watching.resuming import Checkpoints, in_batches, take_up, warm_s
from app.watching.sizes import ShapeError, misfit, same_shape, shape_error
from app.watching.tracing import Tracing
from calibration.levels import Finds
from detectors.base import Detector
from novic.device import resolve_device
from novic.model import NounModel

BATCH = 8
"""Frames that the detector sees at once."""


def audit(
    request: AuditRequest,
    reporter: Reporter,
    telling: Callable[[NounModel], Teller] = AtOnce,
    session: "Callable[..., AuditSession] | None" = None,
) -> AuditResult:
    """Run an audit, or go on with one that was stopped.

    Args:
        request: What to audit and how.
        reporter: Told how far it is.
        telling: What names events, of a namer; it may keep what they are named by.
        session: How all recordings are looked at; one after the other if not given.

    Raises:
        UsageError: If the request makes no sense or the folder holds another audit.
        app.sources.base.SourceError: If a video cannot be read.
        detectors.base.DetectorError: If the detector cannot be fitted or loaded.
        app.errors.StoreError: If results cannot be written.
    """
    request.check()
    keys = [sink.key for sink in request.sinks]
    people = People() if request.blur_people else None
    with (
        sole_writer(request.out, overwrite=request.overwrite),
        opened_store(request.out, people, keys) as store,
        # The end of a recording can wait for whoever takes its events.
        feeding(request.out, request.sinks, reporter.say, Patience(close_s=None)) as wake,
    ):
        settings = request.settings()
        run = earlier_run(store, "audit", settings, request.unsaid())
        run = run or store.begin_run("audit", settings)
        if run.state == "finished":
            reporter.say(f"{request.out} holds the finished results of this very audit.")
            if request.clips is not None:
                out, recorded, rule = request.out, recordings(request.videos), request.clips
                for why in cut_clips(out, store.events(run.id), recorded, rule, reporter):
                    reporter.say(why)
                write_results(store, run)
            complete_results(store, run)
            result = audit_result(store, run)
            return replace(result, warnings=[*result.warnings, *outdated(run, request)])
        kind = session or AuditSession
        return kind(store, run.id, request, reporter, wake, telling, people).run()


class AuditSession:
    """One audit under way."""

    def __init__(
        self,
        store: Store,
        run_id: int,
        request: AuditRequest,
        reporter: Reporter,
        wake: Callable[[], None],
        telling: Callable[[NounModel], Teller],
        people: People | None = None,
    ) -> None:
        self._store = store
        self._wake = wake
        self._people = people
        self._telling = telling
        self._run_id = run_id
        self._request = request
        self._reporter = reporter
        self._check: Callable[[], None] = lambda: None
        self._frames = 0
        self._detector_s = 0.0
        self._failed: list[str] = []
        self._keeper: Keeper | None = None
        self._words = Words()
        self._holding: Holding | None = None
        self._tracing: Callable[[Finds | None], Tracing] = Tracing
        self._recorded = recordings(request.videos, each=request.each)

    def run(self) -> AuditResult:
        """Fit, analyse, draw and report; a Ctrl-C ends it with a report of what was done."""
        device = resolve_device(self._request.device)
        with stoppable(self._reporter.say) as stop:
            self._check = stop.check
            began = time.monotonic()
            try:
                # Before the detector learns: --tell may name what is never said.
                with self._reporter.task("Loading the namer"):
                    names = self._request.load_names(device)
                prepare = Preparing(
                    self._request, self._recorded, self._reporter, self._check, self._people
                )
                detector = prepare.detector(device)
                self._keeper = prepare.keeper(detector)
                # Once for all videos: it reads the calibration, and may say why it cannot.
                store, run_id = self._store, self._run_id
                self._holding = held(self._request, names, store, run_id, self._reporter.say)
                self._words = self._request.words(names, self._holding)
                began = time.monotonic()
                self._tell_files()
                self._look(detector, names)
                self._draw()
                self._cut_clips()
            except KeyboardInterrupt:
                stop.asked = False
                return self._conclude("stopped", time.monotonic() - began)
            return self._conclude("finished", time.monotonic() - began)

    def _look(self, detector: Detector, names: NounModel) -> None:
        """Analyse all recordings."""
        for number, recorded in enumerate(self._recorded):
            self._video_or_warning(number, recorded, detector, names)

    def _tell_files(self) -> None:
        """Say what several files were taken for."""
        count, first = len(self._request.videos), self._recorded[0]
        if len(self._recorded) > 1 and not self._request.each:
            self._reporter.say(
                f"{count} videos whose names or containers do not tell when each began, or that "
                "overlap: each is a recording of its own, with times from its start."
            )
        elif first.joined and first.began is not None:
            self._reporter.say(
                f"{count} files are one recording from {first.began:%Y-%m-%d %X} on."
            )

    def _video_or_warning(
        self, number: int, recorded: Recorded, detector: Detector, names: NounModel
    ) -> None:
        """Analyse one video; one of several that cannot be read must not stop the others."""
        try:
            self._video(number, recorded, detector, names)
        except (SourceError, ShapeError) as error:
            if len(self._request.videos) == 1:
                raise
            self._note_failed(str(error))

    def _note_failed(self, why: str) -> None:
        self._reporter.say(f"Skipped: {why}")
        self._failed.append(why)

    def _video(self, number: int, recorded: Recorded, detector: Detector, names: NounModel) -> None:
        """Analyse one video from its start or from where the last run was cut."""
        from_s = (self._request.normal_first_s or 0.0) if number == 0 else 0.0
        source = self._known(recorded.uri)
        if source is not None and source.finished:
            return
        resume_s = from_s if source is None else warm_s(self._store, self._run_id, source)
        opened = self._open(recorded, resume_s, detector.frame_size)
        with opened as recording, Prefetched(recording, depth=2 * BATCH) as ahead:
            info = recording.info
            if source is None:
                source = SourceProgress(
                    info.camera,
                    recorded.uri,
                    detector.frame_size or info.size,
                    from_s,
                    from_s,
                    time_from=info.time_from,
                )
            source.frames, earlier = source.done_frames, source.warning
            lookout = self._lookout(source, detector, names)
            take_up(self._store, self._run_id, lookout, self._reporter.say)
            self._hold(lookout)
            with self._reporter.task(f"Auditing {recorded.name}", info.duration_s or None) as meter:
                meter.to(resume_s)
                try:
                    self._analyse(ahead, lookout, meter)
                except KeyboardInterrupt:
                    source.warning = _both(earlier, ahead.warning)
                    lookout.save(lookout.finish(cut=True), gaps=ahead.gaps)
                    raise
                finally:
                    self._frames += lookout.frames
                    self._detector_s += lookout.detector_s
            source.finished, source.warning = True, _both(earlier, ahead.warning)
            lookout.save(lookout.finish(), gaps=ahead.gaps)
            for why in recording.failed if isinstance(recording, JoinedSource) else ():
                self._note_failed(why)

    def _open(self, recorded: Recorded, from_s: float, fitted: tuple[int, int] | None) -> Recording:
        """Open a recording from a moment on.

        Raises:
            ShapeError: If it is one file whose pictures have another shape than the fitted one.
            SourceError: If it cannot be read, or no file of several can that fits.
        """
        told = self._request
        if recorded.joined:
            fits = partial(misfit, fitted=fitted)
            return JoinedSource(recorded, told.camera, told.fps, from_s, told.assume_fps, fits)
        opened = open_recording(
            recorded.uri, told.camera, told.fps, from_s, told.start, told.assume_fps
        )
        if fitted is not None and not same_shape(opened.info.size, fitted):
            opened.close()
            raise shape_error(opened.info, fitted)
        return opened

    def _lookout(self, source: SourceProgress, detector: Detector, names: NounModel) -> Lookout:
        """What looks at one video."""
        say = self._reporter.say
        settings = CameraSettings(
            rule=self._request.rule,
            zones=self._request.zones,
            video=source.uri,
            words=self._words,
            keeper=self._keeper,
            tracing=self._tracing,
        )
        camera = Camera(source.size, live=False, view=detector.view, settings=settings, say=say)
        recorder = Recorder(self._store, self._run_id, source, names.bundle.embedder)
        heeding = self._request.heeding(names, say)
        return Lookout(camera, detector, self._telling(names), recorder, heeding=heeding)

    def _hold(self, lookout: Lookout) -> None:
        """Notice when the calibration no longer holds; what was noticed before stays so."""
        if self._holding is not None:
            uri, seen_s = lookout.recorder.source.uri, lookout.recorder.counted_s
            watched = Watched(uri, uri, self._request.zones, seen_s)
            bets = self._store.bets(self._run_id, self._holding.key)
            lookout.hold(self._holding, bets, watched)

    def _analyse(
        self,
        ahead: Prefetched,
        lookout: Lookout,
        meter: Meter,
        over: Callable[[Checkpoints], bool] = lambda _: False,
    ) -> bool:
        """Look at all frames, and save as it goes; whether `over` ended it before their end."""
        began, found = time.monotonic(), 0
        checkpoints = Checkpoints(lookout)
        fps, announced = self._request.fps, ahead.info.fps
        pace = fps if fps is None or announced <= 0 else min(fps, announced)
        for batch in in_batches(ahead.frames(), pace, BATCH):
            self._check()
            lookout.look(batch)
            findings = checkpoints.save(ahead.gaps)
            found += sum(finding.event.state == "closed" for finding in findings)
            rate = lookout.frames / max(time.monotonic() - began, 1e-9)
            meter.to(batch[-1].pts_s, f"{rate:.0f} frames/s  {found} events")
            if over(checkpoints):
                return True
        return False

    def _known(self, uri: str) -> SourceProgress | None:
        """How far an earlier run got with a video."""
        sources = self._store.sources(self._run_id)
        return next((source for source in sources if source.uri == uri), None)

    def _draw(self) -> None:
        """Write the annotated videos."""
        if not self._request.draw or self._request.blur_people:
            return
        recorded = {one.uri: one for one in self._recorded}

        def opened(source: SourceProgress) -> Recording:
            return self._open(recorded[source.uri], source.from_s, source.size)

        request, check = self._request, self._check
        self._failed += draw_all(
            self._store, self._run_id, opened, request.out, request.fps, self._reporter, check
        )

    def _cut_clips(self) -> None:
        rule, out, events = self._request.clips, self._request.out, self._store.events(self._run_id)
        if rule is not None:
            found = cut_clips(out, events, self._recorded, rule, self._reporter, self._check)
            self._failed += found

    def _conclude(self, state: str, seconds: float) -> AuditResult:
        """Write the report and end the run; in this order, so that a run that ended has one."""
        facts = {
            **self._store.run(self._run_id).facts,
            "seconds": seconds,
            "detector_seconds": self._detector_s,
            "analysed": self._frames,
            "failed": self._failed,
            "recordings": [one.facts() for one in self._recorded if one.joined],
            "drawn_clock": "recording",
            "promise": told(self._keeper.kept) if self._keeper else "",
        }
        write_results(self._store, replace(self._store.run(self._run_id), state=state, facts=facts))
        return audit_result(self._store, self._store.end_run(self._run_id, state, facts))


def _both(earlier: str, now: str) -> str:
    """The warnings of a video that was read in two runs."""
    return now if earlier in now else f"{now} (before the audit was stopped: {earlier})".strip()
