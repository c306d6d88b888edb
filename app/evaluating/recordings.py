"""How good an audit is, by what was truly in the recording."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.events.reading import SourceProgress, StoreReader, snapshot
from app.events.watched import watched_s
from calibration.events import EventFigures, Sighting, TrueThing, event_figures


@dataclass(frozen=True, slots=True)
class EvaluatedAudit:
    """An audit beside the truth."""

    out: str
    """Folder of the audit."""
    detector: str
    """What it looked with, for people."""
    figures: EventFigures
    ms: float
    """That the detector took for a frame."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it, shares in per cent; keys are stable."""
        figures = self.figures
        rate, low, high = figures.false_per_hour
        return {
            "audit": self.out,
            "detector": self.detector,
            "things": len(figures.found),
            "false_events": figures.false_events,
            "hours": round(figures.hours, 4),
            "false_per_hour": {"value": rate, "low": low, "high": high},
            "recall": {_size(size): share.as_json() for size, share in figures.recall.items()},
            "recall_at_iou": {
                str(iou): {_size(size): round(100 * share, 4) for size, share in shares.items()}
                for iou, shares in figures.tight.items()
            },
            "box_ap": None if figures.ap is None else round(100 * figures.ap, 4),
            "box_ap50": None if figures.ap50 is None else round(100 * figures.ap50, 4),
            "seconds_auroc": figures.seconds_auroc and figures.seconds_auroc.as_json(),
            "median_delay_s": figures.delay_s,
            "ms_per_frame": round(self.ms, 1),
            "each": [
                {
                    "noun": one.thing.noun,
                    "start_s": one.thing.start_s,
                    "end_s": one.thing.end_s,
                    "width_share": round(one.thing.width_share, 4),
                    "events": one.events,
                    "iou": round(one.iou, 4),
                    "delay_s": one.delay_s,
                }
                for one in figures.found
            ],
        }


def evaluate_audit(out: Path, things: Sequence[TrueThing]) -> EvaluatedAudit:
    """Compare the events of an audit of one recording with the truth.

    Things before the audited part do not count, nor events of the camera itself.

    Raises:
        UsageError: If the folder holds no audit, or one of several recordings.
        app.errors.StoreError: If it cannot be read.
    """
    with snapshot(out) as store:
        run = store.last_run()
        sources = [] if run is None else store.sources(run.id)
        if run is None or len(sources) != 1:
            raise UsageError(
                f"{out}: holds {len(sources)} audited recordings; the truth is that of one"
            )
        [source] = sources
        counted = [thing for thing in things if thing.end_s > source.from_s]
        watched = watched_s(source, store.gaps(run.id))
        if watched <= 0:
            raise UsageError(f"{out}: nothing was looked at there")
        events = [
            store.sightings(event.id) for event in store.events(run.id) if event.kind != "camera"
        ]
        figures = event_figures(
            counted,
            events,
            _frames_s(source, events, run.settings.get("fps")),
            watched / 3600,
            _peaks(store, run.id, source),
        )
        seconds, frames = run.facts.get("detector_seconds", 0.0), run.facts.get("analysed", 0)
        detector = str(run.settings.get("detector") or run.settings.get("detector_config") or "")
        return EvaluatedAudit(str(out), detector, figures, 1000 * seconds / max(frames, 1))


def _frames_s(
    source: SourceProgress, events: Sequence[Sequence[Sighting]], fps: float | None
) -> list[float]:
    """Times of the frames that were looked at: those of sightings, and a grid between them."""
    told = sorted({at_s for event in events for at_s, _, _ in event})
    length_s = source.seen_s - source.from_s
    step_s = 1 / fps if fps else length_s / max(source.frames - 1, 1)
    count = max(source.frames, 1)
    grid = [source.from_s + number * length_s / max(count - 1, 1) for number in range(count)]
    between = [at_s for at_s in grid if not told or _apart(at_s, told) > step_s / 2]
    return sorted([*told, *between])


def _apart(at_s: float, told: Sequence[float]) -> float:
    """Seconds to the nearest of some rising times."""
    after = bisect_left(told, at_s)
    return min(abs(at_s - other) for other in told[max(0, after - 1) : after + 1])


def _peaks(store: StoreReader, run_id: int, source: SourceProgress) -> list[tuple[float, float]]:
    return [(float(second), peak) for second, peak in store.seconds(run_id, source.uri)]


def _size(size: float) -> str:
    return f"{100 * size:g}%" if size else "all"
