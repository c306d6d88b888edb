"""Watching a live camera: learn its normal view, then name what does not belong, until stopped."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch

from app.errors import StoreError
from app.events.event import Event, Finding
from app.events.outputs import sole_writer
from app.events.retaining import Doubt, retaining
from app.events.store import SourceProgress, Store
from app.events.writer import Writer
from app.memory import give_back, keep_little
from app.progress import Reporter
from app.redact import shown_address
from app.sources.base import Gap, LiveSource
from app.sources.open import kind_of
from app.stop import Stop, stoppable
from app.watching.backlog import Backlog
from app.watching.blurring import People, coarse, coarse_picture
from app.watching.board import Board, Station
from app.watching.calibrated_by import held, outdated
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.clips import Clips
from app.watching.delivery import SOON_S, Besides, as_told, delivering
from app.watching.drifting import Watched
from app.watching.ending import Ending, complete_results, counted, end_watch
from app.watching.fitting import fit_detector
from app.watching.gate import MotionGate
from app.watching.going_on import GoingOn
from app.watching.keeper import Keeper, keeper_of, told
from app.watching.learning import learned
from app.watching.lookout import Lookout
from app.watching.machine import Machine
from app.watching.mine import Mine
from app.watching.nameless import Nameless
from app.watching.naming import Beside
from app.watching.normal import normal_view
from app.watching.pace import Pace
from app.watching.recorder import Recorder
from app.watching.results import watch_summary
from app.watching.shared import Shared
from app.watching.starting import Opening, connect, fitted_detector, run_to_go_on
from app.watching.stirring import Keeping, tolerating
from app.watching.telling import Tell, Telling
from app.watching.watch_request import WatchRequest
from detectors.base import Detector
from detectors.files import PROMISE
from detectors.types import Frame, Pixels
from novic.device import resolve_device
from novic.model import NounModel
from novic.openvino_core import one_core_a_call

SAVE_EVERY_S = 5.0
"""Pause between saves while nothing happens."""
NAMED_S, CLIPPED_S = 0.7, 1.2
"""Seconds after a stop was asked for at which names and clips are waited for no longer: events are
told without a name then, and clips are finished by the next start."""
_RETRY_S = 1.0


def watch(
    request: WatchRequest,
    reporter: Reporter,
    tell: Tell,
    board: Board | None = None,
    shared: Shared | None = None,
) -> dict[str, Any]:
    """Watch until Ctrl-C, the end of a file, or `for_s`; goes on if the folder holds this watch.

    Args:
        request: What to watch; see `app.watching.asked.check_watch`.
        reporter: Told what is going on.
        tell: Given a line for every event that opened, was named anew, or closed, when the camera
            was lost and came back, and now and then a sign of life; called on other threads, but
            never on two at once.
        board: Shows how the camera does while it is watched.
        shared: What it has in common with other cameras; its `stop` ends the watch then, not
            signals, and files for people are left to `nomaly report`.

    Returns:
        The summary as scripts read it: state, frames, dropped, gaps, notes, events, report; of a
        shared one only counts, see `app.watching.ending.counted`.

    Raises:
        app.errors.UsageError: If the folder holds another run.
        app.sources.base.UnreachableError: If the camera does not deliver its first frame in time.
        detectors.base.DetectorError: If the detector cannot be fitted or loaded.
        app.errors.StoreError: If results cannot be written.
    """
    one_core_a_call()
    keep_little()
    keys = [sink.key for sink in request.sinks]
    with (
        sole_writer(request.out, overwrite=request.overwrite),
        Store(request.out, sinks=keys) as store,
    ):
        # What a watch that goes on must have in common with the one before.
        settings = {"source": shown_address(request.source), "learn_s": request.learn_s}
        settings |= request.settings()
        run = run_to_go_on(store, request, settings, shared=shared is not None)
        before = next(iter(store.sources(run.id)), None) if run is not None else None
        if run is not None and before is not None and before.finished:
            reporter.say(f"{request.out} holds the finished results of this very watch.")
            if shared is not None:
                return counted(store, run)
            complete_results(store, run)
            summary = watch_summary(store, run)
            return summary | {"notes": [*summary["notes"], *outdated(run, request)]}
        going_on = GoingOn(run, before, settings, away=shared.away if shared is not None else None)
        mine = Mine(request, store, going_on, reporter, tell, board or Board(), shared)
        return _watch_camera(mine)


def _watch_camera(mine: Mine) -> dict[str, Any]:
    request, going_on, reporter, shared = mine.request, mine.going_on, mine.reporter, mine.shared
    device = resolve_device(request.device)
    with Opening(request) as opening:
        names = shared.names if shared is not None else request.load_names(device, later=True)
        fitted = fitted_detector(request, going_on.run is not None, device, shared)
        played_on = kind_of(request.source) == "file" and fitted is not None
        camera = opening.camera(going_on.start_s(request.learn_s or 0.0) if played_on else 0.0)
        connect(camera, request.source, request.connect_s, reporter, shared)
        station = Station(request.out, camera, coarse_picture if request.blur_people else None)
        beat_s = request.heartbeat_s
        telling = Telling(camera, reporter, mine.tell, heartbeat_s=beat_s, station=station)
        # Until here Ctrl-C ends everything at once: there is nothing to put in order yet.
        stopping = stoppable(reporter.say) if shared is None else nullcontext(shared.stop)
        with stopping as stop, telling, mine.board.showing(station):
            watching = _Watch(mine, camera, telling, stop)
            return watching.run(names, fitted or watching.learned_detector(device))


class _Watch:
    """One watch under way."""

    def __init__(self, mine: Mine, camera: LiveSource, telling: Telling, stop: Stop) -> None:
        self._request = mine.request
        self._store = mine.store
        self._camera = camera
        self._going_on = mine.going_on
        self._reporter = mine.reporter
        self._shared = mine.shared
        self._telling = telling
        self._pulse = telling.pulse
        self._stop = stop
        request, say = mine.request, mine.reporter.say
        self._clips = Clips(request.out, camera, request.clips, say, telling)
        self._backlog = Backlog(self._coming())
        self._pulse.unseen.append(self._backlog.gaps)
        self._from_s = 0.0
        self._learned: list[Gap] = []
        self._until = math.inf
        self._begun: int | None = None
        self._keeper: Keeper | None = None
        self._people = People() if mine.request.blur_people else None
        self._machine, self._doubt, self._pace = Machine(), Doubt(), Pace()
        self._names: NounModel | None = None

    def run(self, names: NounModel, detector: Detector) -> dict[str, Any]:
        """Look and tell; whatever ends it, the report is written."""
        run_id = self._run_id()
        info = self._camera.info
        size = detector.frame_size or info.size
        source = self._going_on.source
        if source is None:
            source = SourceProgress(
                info.camera, info.uri, size, self._from_s, 0.0, time_from=info.time_from
            )
        self._keeper, self._names = self._promised(detector), names
        holding = held(self._request, names, self._store, run_id, self._reporter.say)
        words = self._request.words(names, holding)
        camera = Camera(
            size,
            live=True,
            view=detector.view,
            settings=CameraSettings(
                rule=self._request.rule,
                zones=self._request.zones,
                words=words,
                keeper=self._keeper,
                life=self._request.life,
            ),
            say=self._reporter.say,
        )
        camera.expect(self._going_on.left)
        self._machine = Machine(self._going_on.machine)
        out, sinks, say = self._request.out, self._request.sinks, self._reporter.say
        besides = Besides(self._clips.heed, self._sinks_s, self._people)
        ending = Ending("failed")
        with (
            delivering(out, run_id, sinks, self._telling.tell, say, besides) as writer,
            retaining(out, self._request.retention, say) as self._doubt,
            Beside(names) if self._shared is None else self._shared.naming() as teller,
        ):
            embedder = names.bundle.embedder
            recorder = Recorder(writer, run_id, source, embedder)
            heeding = self._request.heeding(names, say)
            lookout = Lookout(
                camera, detector, teller, recorder, gate=MotionGate(), heeding=heeding
            )
            if self._people is None:
                lookout.nameless = Nameless(self._store, run_id, words, self._going_on.left)
            if holding is not None:
                watched = Watched(source.uri, zones=self._request.zones)
                lookout.hold(holding, self._store.bets(run_id, holding.key), watched)
            try:
                self._look(lookout, writer)
                source.finished = self._camera.ended and not self._backlog.waiting
                ending = Ending("stopped" if self._stop.asked else "finished")
            finally:
                goes_on = not source.finished
                left = lookout.finish(
                    cut=True, goes_on=goes_on, within_s=self._stop.left_s(NAMED_S)
                )
                self._save(lookout, [*left, *self._machine.last(goes_on=goes_on)])
                faults = self._end(writer, ending)
        run, dropped = self._store.run(run_id), self._left_out
        if self._shared is not None:
            return counted(self._store, run, dropped=dropped, faults=faults)
        return watch_summary(self._store, run, dropped=dropped, faults=faults)

    def _sinks_s(self) -> float:
        return SOON_S if self._stop.asked else math.inf

    def _promised(self, detector: Detector) -> Keeper:
        """What keeps the promise, and goes on learning from quiet footage."""
        request = self._request
        folder, state = request.detector or request.kept_detector, request.out / PROMISE
        say, rule = self._reporter.say, request.rule
        keeper = keeper_of(
            detector, folder, request.promise, say, rule=rule, state=state, bar=request.bar
        )
        say(told(keeper.kept))
        return keeper

    def learned_detector(self, device: torch.device) -> Detector:
        """A detector that learns from the camera's next seconds.

        Raises:
            KeyboardInterrupt: If it is stopped before it has learned.
            detectors.base.DetectorError: If it cannot be fitted.
        """
        learn_s, all_seen = self._request.learn_s or 0.0, Keeping(self._stretch())
        seen = normal_view(all_seen, learn_s, self._reporter)
        self._stop.check()
        turns = (
            nullcontext()
            if self._shared is None
            else self._shared.learning.taken(self._stop.check, self._reporter.say)
        )
        with self._backlog.keeping(), turns:
            detector = self._fitted_to(seen, all_seen, device)
        # The run first: a detector without one would be nobody's.
        self._run_id()
        detector.save(self._request.kept_detector)
        return detector

    def _fitted_to(self, seen: list[Pixels], all_seen: Keeping, device: torch.device) -> Detector:
        """A detector of what was seen; says what moved in it."""
        out, reporter, check = self._request.out, self._reporter, self._stop.check
        config, shared = self._request.detector_config, self._shared
        extractors = None if shared is None else shared.extractors

        def fit() -> Detector:
            return fit_detector(config, seen, device, reporter, check, extractors=extractors)

        def borne(detector: Detector) -> Detector:
            frames = all_seen.frames(detector.frame_size or self._camera.info.size)
            return tolerating(detector, frames, all_seen.length_s, reporter, check)

        return learned(seen, fit, borne, out, reporter, self._people)

    def _stretch(self) -> Iterator[Frame]:
        """The frames to learn from, which are not watched."""
        first_us: int | None = None
        for frame in self._arriving():
            if frame is None:
                continue
            first_us = frame.time_us if first_us is None else first_us
            self._from_s = frame.pts_s
            if self._going_on.source is not None:
                self._learned = [
                    Gap(first_us, frame.time_us, "learning", "it learned the view anew")
                ]
            yield frame

    def _run_id(self) -> int:
        """The run, begun or taken up the first time that it is asked for."""
        if self._begun is None:
            self._begun, closed = self._begin()
            for event in closed:
                if not event.muted:
                    self._telling.tell(as_told(event))
        return self._begun

    def _begin(self) -> tuple[int, list[Event]]:
        """Begin the run; one that goes on waits for a disk that is full and for other programs."""
        said = False
        while True:
            try:
                return self._going_on.begin(self._store)
            except StoreError as error:
                if self._going_on.run is None or self._stop.asked:
                    raise
                if not said:
                    self._reporter.say(f"{error}; the watch goes on as soon as it can be written")
                said = True
                time.sleep(_RETRY_S)

    def _end(self, writer: Writer, ending: Ending) -> list[str]:
        """End the run; returns what could not be written."""
        left = writer.flush()
        self._clips.finish(self._stop.left_s(CLIPPED_S))
        for finding in left:
            # Nobody will find it in the store.
            if not finding.silent:
                self._telling.tell(as_told(finding.event))
        state = "failed" if left or writer.lost else ending.state
        run = self._store.run(self._run_id())
        if self._keeper is not None:
            run = replace(run, facts={**run.facts, "promise": told(self._keeper.kept)})
        ending = Ending(state, writer.complaint, files=self._shared is None)
        return end_watch(self._store, run, ending, self._reporter.say)

    def _look(self, lookout: Lookout, writer: Writer) -> None:
        """Look at frames as they arrive, and save and tell as it goes, also while none come."""
        ends = "; Ctrl-C stops and writes the report" if self._shared is None else ""
        self._reporter.say(f"Watching {self._camera.info.uri}{ends}.")
        if self._backlog.behind_s:
            behind = f"{self._backlog.behind_s:.0f} s came while it learned"
            self._reporter.say(f"{behind}, and are looked at first.")
        self._pulse.unseen += lookout.camera.unseen
        self._telling.watching()
        saved_at, saved_gaps = time.monotonic(), self._gaps
        self._until = saved_at + (self._request.for_s or math.inf)
        for frame in self._arriving():
            if frame is not None:
                lookout.camera.hurried = self._pace.hurried
                lookout.look([frame])
                self._note(frame, lookout)
            wrong = (writer.disk_fault, self._doubt.said, self._pace.said)
            machine = self._machine.findings(*wrong, frame)
            findings, now = [*lookout.findings(), *machine], time.monotonic()
            if findings or self._gaps != saved_gaps or now - saved_at >= SAVE_EVERY_S:
                self._save(lookout, findings)
                saved_at, saved_gaps = now, self._gaps
                give_back()

    def _note(self, frame: Frame, lookout: Lookout) -> None:
        if self._names is not None:
            self._names.begin()
            _ = self._shared is not None or self._names.ready  # raises if it cannot be loaded
        self._pulse.looked(frame, lookout.frames, lookout.camera.open)
        shown = coarse(frame) if self._people is not None else frame
        self._telling.station.looked(shown, lookout.camera.lasting, lookout.detector_s)
        self._pulse.skipped = self._backlog.skipped
        self._pulse.doing = "catching up" if self._backlog.waiting else "watching"
        if self._backlog.waiting:
            self._pace.begin()
        else:
            self._pace.note(time.monotonic(), self._pulse.frames, self._left_out)

    @property
    def _left_out(self) -> int:
        return self._camera.stats.dropped + self._backlog.skipped

    def _coming(self) -> Iterator[Frame | None]:
        """What the source gives, each frame noted when it comes."""
        for frame in self._camera.frames(timeout_s=0.25):
            if frame is not None:
                self._pulse.came(frame)
                self._clips.see(frame)
            yield frame

    def _arriving(self) -> Iterator[Frame | None]:
        """What there is to look at, None while nothing comes, until the source or the user ends."""
        for frame in self._backlog.frames():
            if self._stop.asked or time.monotonic() >= self._until:
                return
            yield self._going_on.placed(frame) if frame is not None else None

    @property
    def _gaps(self) -> list[Gap]:
        """All times of blindness so far."""
        before, since = self._going_on.gaps, self._camera.gaps
        return [*before, *self._learned, *since, *self._backlog.gaps]

    def _save(self, lookout: Lookout, findings: Sequence[Finding]) -> None:
        """See to it that what changed is stored, then told."""
        lookout.save(findings, gaps=self._gaps)
