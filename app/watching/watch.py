"""Watching a live camera: learn its normal view, then name what does not belong, until stopped."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from app.errors import UsageError
from app.events.event import Finding
from app.events.outputs import claim_folder, write_events
from app.events.store import SourceProgress, Store
from app.progress import Reporter
from app.redact import redact
from app.report.build import write_report
from app.sources.base import LiveSource
from app.sources.open import open_live
from app.stop import Stop, stoppable
from app.watching.camera import Camera
from app.watching.fitting import FIT_FRAMES, fit_detector
from app.watching.lookout import Lookout
from app.watching.recorder import Recorder
from app.watching.request import RunRequest
from detectors.base import Detector
from detectors.build import load_detector
from detectors.types import Frame, Pixels
from novic.device import resolve_device
from novic.model import ModelOptions, NounModel, load_model

SAVE_EVERY_S = 5.0
"""Pause between saves while nothing happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest(RunRequest):
    """What to watch and how."""

    source: str
    """A webcam's number, an rtsp:// or http:// address, or a file that plays at its own pace."""
    learn_s: float | None = None
    """The first seconds show nothing unusual."""
    connect_s: float = 30.0
    """How long to wait for the first frame."""
    for_s: float | None = None
    """Stop by itself after so many seconds of watching."""


type Tell = Callable[[dict[str, Any]], None]
"""Is given every event state as JSON."""


def watch(request: WatchRequest, reporter: Reporter, tell: Tell) -> dict[str, Any]:
    """Watch until Ctrl-C, the end of a file, or `for_s`.

    Args:
        request: What to watch.
        reporter: Told what is going on.
        tell: Given a line for every event that opened, was named anew, or closed.

    Returns:
        The summary as scripts read it: frames, dropped, gaps, events, report.

    Raises:
        UsageError: If the request makes no sense.
        app.sources.base.UnreachableError: If the camera does not deliver its first frame in time.
        detectors.base.DetectorError: If the detector cannot be fitted or loaded.
        app.errors.StoreError: If results cannot be written.
    """
    if (request.learn_s is None) == (request.detector is None):
        raise UsageError("say what is normal: either --learn SECONDS or --detector FOLDER")
    if request.learn_s is not None and request.learn_s <= 0:
        raise UsageError(f"--learn {request.learn_s:g}: must be above 0 seconds")
    claim_folder(request.out, overwrite=request.overwrite)
    device = resolve_device(request.device)
    with Store(request.out) as store:
        if store.last_run() is not None:
            raise UsageError(
                f"--out {request.out}: holds the results of another run; "
                "name another folder, or use --overwrite to replace them"
            )
        # Models first: what a camera shows while they load would be lost.
        with reporter.task("Loading the namer"):
            options = ModelOptions(embedder=request.embedder)
            names = load_model(request.model, device, options, many_images=True)
        fitted = load_detector(request.detector, device) if request.detector else None
        camera = open_live(request.source, request.camera, request.fps)
        try:
            with reporter.task(f"Connecting to {redact(request.source)}"):
                camera.connect(request.connect_s)
            # Until here Ctrl-C ends everything at once: there is nothing to put in order yet.
            with stoppable() as stop:
                watching = _Watch(request, store, camera, reporter, tell, stop)
                return watching.run(names, fitted or watching.learned_detector(device))
        finally:
            camera.close()


class _Watch:
    """One watch under way."""

    def __init__(
        self,
        request: WatchRequest,
        store: Store,
        camera: LiveSource,
        reporter: Reporter,
        tell: Tell,
        stop: Stop,
    ) -> None:
        self._request = request
        self._store = store
        self._camera = camera
        self._reporter = reporter
        self._tell = tell
        self._stop = stop
        self._frames = camera.frames(timeout_s=0.25)
        self._until = math.inf

    def run(self, names: NounModel, detector: Detector) -> dict[str, Any]:
        """Look and tell; whatever ends it, the report is written."""
        info = self._camera.info
        settings = {"source": info.uri, "learn_s": self._request.learn_s}
        run_id = self._store.begin_run("watch", settings).id
        size = detector.frame_size or info.size
        source = SourceProgress(info.camera, info.uri, size, 0.0, 0.0)
        camera = Camera(
            size,
            live=True,
            zones=self._request.zones,
            surprise=names.bundle.surprise_bits,
            say=self._reporter.say,
        )
        recorder = Recorder(self._store, run_id, source)
        lookout = Lookout(camera, detector, names, recorder)
        try:
            self._look(lookout)
        finally:
            self._save(lookout, lookout.finish(cut=True))
            run = self._store.end_run(run_id, "stopped" if self._stop.asked else "finished", {})
            events = self._store.events(run_id)
            write_events(self._request.out, events)
            write_report(self._store, run)
        return {
            "frames": source.frames,
            "dropped": self._camera.stats.dropped,
            "gaps": [_gap(gap) for gap in self._store.gaps(run_id)],
            "events": [event.as_json() for event in events],
            "report": str(self._request.out / "report.html"),
        }

    def learned_detector(self, device: torch.device) -> Detector:
        """A detector that learns from the camera's next seconds.

        Raises:
            KeyboardInterrupt: If it is stopped before it has learned.
            detectors.base.DetectorError: If it cannot be fitted.
        """
        seen = self._normal_view(self._request.learn_s or 0.0)
        self._stop.check()
        config = self._request.detector_config
        detector = fit_detector(config, seen, device, self._reporter, self._stop.check)
        detector.save(self._request.out / "detector")
        return detector

    def _normal_view(self, learn_s: float) -> list[Pixels]:
        """Frames of the next seconds, spread evenly over them."""
        seen: list[Pixels] = []
        stride, first_s = 1, math.nan
        with self._reporter.task("Watching the normal view", learn_s) as meter:
            for number, frame in enumerate(self._arriving()):
                first_s = frame.pts_s if math.isnan(first_s) else first_s
                if number % stride == 0:
                    seen.append(frame.image)
                if len(seen) == 2 * FIT_FRAMES:
                    seen, stride = seen[::2], 2 * stride
                meter.to(frame.pts_s - first_s)
                if frame.pts_s - first_s >= learn_s:
                    break
        return seen

    def _look(self, lookout: Lookout) -> None:
        """Look at frames as they arrive, and save and tell as it goes."""
        self._reporter.say(f"Watching {self._camera.info.uri}; Ctrl-C stops and writes the report.")
        saved = time.monotonic()
        self._until = saved + (self._request.for_s or math.inf)
        for frame in self._arriving():
            lookout.look([frame])
            findings = lookout.findings()
            now = time.monotonic()
            if findings or now - saved >= SAVE_EVERY_S:
                self._save(lookout, findings)
                saved = now

    def _arriving(self) -> Iterator[Frame]:
        """Frames as they come, until the source ends or the user stops it."""
        for frame in self._frames:
            if self._stop.asked or time.monotonic() >= self._until:
                return
            if frame is not None:
                yield frame

    def _save(self, lookout: Lookout, findings: Sequence[Finding]) -> None:
        """Store and tell what changed."""
        lookout.save(findings, gaps=self._camera.gaps)
        for finding in findings:
            self._tell({"event": finding.event.state, **finding.event.as_json()})


def _gap(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("start_us", "end_us", "reason", "detail")}
