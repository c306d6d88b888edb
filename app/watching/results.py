"""What a run found, from its store: for terminal, scripts and Python."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.events.event import Event, voids
from app.events.outputs import REPORT
from app.events.reading import Run, StoreReader
from app.events.watched import watched_s

GAP_KEYS = ("camera", "start_us", "end_us", "reason", "detail")
"""What JSON tells of a gap."""


@dataclass(frozen=True, slots=True)
class Highest:
    """The most unusual second of an audit."""

    video: str
    at_s: int
    """From the video's start."""
    score: float
    """1.0 is just unusual; an event needs more, for longer."""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit found and how fast it was."""

    out: Path
    events: list[Event]
    """Those that are told."""
    frames: int
    """All frames that were analysed, in this session and those before."""
    analysed: int
    """Frames of the last session, to which the times belong."""
    seconds: float
    """Wall time of analysing, naming, storing and drawing; not of fitting and loading."""
    detector_seconds: float
    """Wall time of the detector alone."""
    footage_s: float
    """Seconds of footage that were looked at."""
    stopped: bool
    """Whether it was stopped before the end."""
    warnings: list[str]
    """What was damaged but could be used, and what to know of the run and its calibration."""
    failed: list[str]
    """Videos that could not be read or written."""
    gaps: list[dict[str, Any]]
    """Times without a picture that could be looked at, as the store keeps them."""
    highest: Highest | None = None
    """None if nothing was looked at."""
    recordings: list[dict[str, Any]] = field(default_factory=list)
    """Recordings of several files: their uri, and of each file when it begins in it, seconds."""
    muted: list[Event] = field(default_factory=list)
    """Events that are kept but not told, because people said that such are normal here."""

    @property
    def fps(self) -> float:
        """Analysed frames a second of the whole audit."""
        return self.analysed / self.seconds if self.seconds else 0.0

    @property
    def detector_fps(self) -> float:
        """Frames a second of the detector alone, measured inside the audit."""
        return self.analysed / self.detector_seconds if self.detector_seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """The summary as scripts read it; keys are stable."""
        return {
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "fps": round(self.fps, 2),
            "detector_fps": round(self.detector_fps, 2),
            "footage_s": round(self.footage_s, 2),
            "stopped": self.stopped,
            "warnings": self.warnings,
            "failed": self.failed,
            "gaps": self.gaps,
            "highest": asdict(self.highest) if self.highest else None,
            "report": str(self.out / "report.html"),
            "recordings": self.recordings,
            "events": [event.as_json() | self._place(event) for event in self.events],
            "muted": [event.as_json() | self._place(event) for event in self.muted],
            "calibration_void": voids(self.events),
        }

    def _place(self, event: Event) -> dict[str, Any]:
        """The file of several in which an event began, and when there."""
        for one in self.recordings:
            if one["uri"] == event.video:
                files = [file for file in one["files"] if file["start_s"] <= event.start_s]
                begun_s = round(event.start_s - files[-1]["start_s"], 3)
                return {"file": files[-1]["file"], "file_s": begun_s}
        return {}


def audit_result(store: StoreReader, run: Run) -> AuditResult:
    """The result of an audit, from what the store holds of it."""
    sources, gaps, events = store.sources(run.id), store.gaps(run.id), store.events(run.id)
    return AuditResult(
        out=store.folder,
        events=[event for event in events if not event.muted],
        frames=sum(source.frames for source in sources),
        analysed=run.facts.get("analysed", 0),
        seconds=run.facts.get("seconds", 0.0),
        detector_seconds=run.facts.get("detector_seconds", 0.0),
        footage_s=sum(watched_s(source, gaps) for source in sources),
        stopped=run.state != "finished",
        warnings=[
            *(source.warning for source in sources if source.warning),
            *(note.text for note in store.notes(run.id)),
            *voids(events),
        ],
        failed=run.facts.get("failed", []),
        gaps=[{name: gap[name] for name in GAP_KEYS} for gap in gaps],
        highest=_highest(store, run),
        recordings=run.facts.get("recordings", []),
        muted=[event for event in events if event.muted],
    )


def _highest(store: StoreReader, run: Run) -> Highest | None:
    seconds = [
        Highest(source.uri, second, round(peak, 4))
        for source in store.sources(run.id)
        for second, peak in store.seconds(run.id, source.uri)
    ]
    return max(seconds, key=lambda one: one.score, default=None)


def looked_at(
    store: StoreReader, run: Run, *, dropped: int, faults: Sequence[str]
) -> dict[str, Any]:
    """How a watch ended and how much of it was seen, as every summary begins.

    Args:
        store: That holds it.
        run: The watch.
        dropped: Frames that were missed.
        faults: What could not be written at its end.
    """
    sources, gaps = store.sources(run.id), store.gaps(run.id)
    return {
        "state": "failed" if faults else run.state,
        "frames": sum(source.frames for source in sources),
        "dropped": dropped,
        "watched_s": round(sum(watched_s(source, gaps) for source in sources), 3),
        "learned_s": round(sum(source.from_s for source in sources), 3),
    }


def watch_summary(
    store: StoreReader, run: Run, *, dropped: int = 0, faults: Sequence[str] = ()
) -> dict[str, Any]:
    """A watch as scripts read it; keys are stable.

    Args:
        store: That holds it.
        run: The watch.
        dropped: Frames that were missed.
        faults: What could not be written at its end.
    """
    gaps, events = store.gaps(run.id), store.events(run.id)
    report = store.folder / REPORT
    return {
        **looked_at(store, run, dropped=dropped, faults=faults),
        "gaps": [_gap(gap) for gap in gaps],
        "notes": [*(note.text for note in store.notes(run.id)), *faults],
        "events": [event.as_json() for event in events if not event.muted],
        "muted": [event.as_json() for event in events if event.muted],
        "calibration_void": voids(events),
        "stopped": run.state == "stopped",
        "report": str(report) if report.exists() else None,
    }


def _gap(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("start_us", "end_us", "reason", "detail")}
