"""The product's own audits of what is measured, and what they told."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.errors import UsageError
from app.evaluating.pipeline.outcome import ToldThing
from app.evaluating.pipeline.views import Kept, keep_due
from app.events.event import Event
from app.events.reading import Run, SourceProgress, StoreReader, snapshot
from app.progress import Reporter
from app.watching.audit import audit
from app.watching.audit_request import AuditRequest
from app.watching.naming import AtOnce
from calibration.events import TrueThing
from calibration.named import ToldBox
from detectors.configs import DetectorConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How recordings are looked at and named."""

    config: DetectorConfig
    """What a detector that learns is made of."""
    detector: Path | None = None
    """One that has learned."""
    normal_first_s: float | None = None
    """Or: seconds of the start that are normal."""
    fps: float = 5.0
    device: str = "auto"
    model: Path | None = None
    """Decoder that names things; None for what Nomaly ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A recording of which it is known what was there."""

    name: str
    things: Sequence[TrueThing]
    video: Path | None = None
    """The file; None where an audit that is done is measured."""
    done: Path | None = None
    """Folder of that audit."""


@dataclass(frozen=True, slots=True, eq=False)
class Audited:
    """What an audit told of a recording."""

    told: list[ToldThing]
    from_s: float
    """What was before this second was not looked at."""
    by: str
    """What found the boxes."""


def audited(
    measured: Measured,
    looking: Looking,
    folder: Path,
    reporter: Reporter,
    config: DetectorConfig | None = None,
) -> Audited:
    """Audit a recording, or read what an audit told.

    Args:
        measured: What.
        looking: How.
        folder: Where the audits of this recording lie; made if missing.
        reporter: Told how far it is.
        config: Another detector, which learns.

    Raises:
        KeyboardInterrupt: If it was stopped; what is done is kept.
        UsageError: If there is no audit to read, or the request makes no sense.
        app.sources.base.SourceError: If the video cannot be read.
        detectors.base.DetectorError: If the detector cannot be fitted or loaded.
        app.errors.StoreError: If results cannot be read or written.
    """
    if measured.video is None:
        return _read(_done(measured), None)
    request = _request(measured.video, looking, folder, config)
    folder.mkdir(parents=True, exist_ok=True)
    views = request.out.with_name(f"{request.out.name}-views")
    if audit(request, reporter, partial(AtOnce, keep=partial(keep_due, views))).stopped:
        raise KeyboardInterrupt
    return _read(request.out, views)


def check(measured: Measured, looking: Looking) -> None:
    """Refuse what cannot be audited or read, before anything is written.

    Raises:
        UsageError: If so.
        app.sources.base.SourceError: If the video cannot be read.
        detectors.base.DetectorError: If the detector is none.
        app.errors.StoreError: If the audit cannot be read.
    """
    if measured.video is not None:
        if (looking.normal_first_s is None) == (looking.detector is None):
            raise UsageError(
                f"{measured.name}: say what is normal in it: either --normal-first SECONDS or "
                "--detector FOLDER"
            )
        _request(measured.video, looking, Path(), None).check()
        return
    with snapshot(_done(measured)) as store:
        _only_source(store)


def _done(measured: Measured) -> Path:
    if measured.done is None:
        raise UsageError(f"{measured.name}: neither a video nor an audit of it is known")
    return measured.done


def _request(
    video: Path, looking: Looking, folder: Path, config: DetectorConfig | None
) -> AuditRequest:
    chosen = config or looking.config
    return AuditRequest(
        videos=(video,),
        out=folder / chosen.kind,
        detector=None if config else looking.detector,
        normal_first_s=looking.normal_first_s,
        detector_config=chosen,
        fps=looking.fps,
        device=looking.device,
        model=looking.model,
        draw=False,
    )


def _only_source(store: StoreReader) -> tuple[Run, SourceProgress]:
    """The last run and the one recording that it looked at."""
    run = store.last_run()
    sources = [] if run is None else store.sources(run.id)
    if run is None or len(sources) != 1:
        raise UsageError(
            f"{store.folder}: holds {len(sources)} audited recordings; the truth is that of one"
        )
    return run, sources[0]


def _read(out: Path, views: Path | None) -> Audited:
    """What an audit of one recording told, with the pictures that it was named by."""
    with snapshot(out) as store:
        run, source = _only_source(store)
        events = [
            event for event in store.events(run.id) if event.kind == "object" and not event.muted
        ]
        told = [_told(store, event, views) for event in events]
        config = run.settings.get("detector_config") or {}
        return Audited(told, source.from_s, str(config.get("kind", "detector")))


def _told(store: StoreReader, event: Event, views: Path | None) -> ToldThing:
    box = ToldBox(event.snapshot_s, event.box, event.score, event.noun)
    return ToldThing(box, Kept(views, event.id, store.media("crops", event)))
