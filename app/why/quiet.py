"""The receipt of a time at which nothing came near, or nobody watched."""

from math import ceil
from pathlib import Path

from app.events.reading import Run, SourceProgress, StoreReader
from app.paths import path_of, shown_path
from app.report.times import clock, day
from app.why.receipt import Gate, Receipt
from detectors.tracks import LEAST_HITS, TrackRule

AROUND_US = 5_000_000
"""A moment is looked for so far before and after the time that is asked for."""
_TRIFLE = 1e-9


def nothing(store: StoreReader, run: Run, time_us: int) -> Receipt:
    """That nothing came near at a time, and how unusual the most unusual was, and where it is.

    Args:
        store: That holds the run.
        run: The run.
        time_us: UTC in microseconds.
    """
    peaks = [
        (peak, second, source)
        for source in store.sources(run.id)
        if source.start_us is not None
        for second, peak in store.seconds(run.id, source.uri)
        if abs(source.start_us + second * 1_000_000 - time_us) <= AROUND_US
    ]
    if not peaks:
        return _unwatched(store, run, time_us)
    peak, second, source = max(peaks, key=lambda one: one[0])
    rule = TrackRule.model_validate(run.settings.get("rule") or {})
    needed, high = rule.open_score, peak >= rule.open_score
    gates = [Gate("bar", high, round(peak, 4), needed, "its highest value")]
    if high:
        gates.append(Gate("thing", False, None, None, "it did not last as one thing"))
        said = (
            f"The most unusual within 5 s was {peak:.2f} times the bar. {_needs(rule)}; it did not "
            "last so long."
        )
    else:
        said = (
            f"Nothing came near: the most unusual within 5 s was {peak:.2f} times the bar, where "
            f"an event needs {needed:g} once, and 1 for longer than a moment."
        )
    video = _video(source.uri)
    if video is not None:
        said += f" It can be seen in {shown_path(video)} at {clock(second)}."
    at_us = (source.start_us or 0) + second * 1_000_000
    return Receipt(
        "quiet",
        said,
        source.camera,
        at_us,
        at_us + 1_000_000,
        float(second),
        float(second + 1),
        gates=tuple(gates),
    )


def _needs(rule: TrackRule) -> str:
    """What opens an event."""
    window = "a second" if rule.window_s == 1 else f"{rule.window_s:g} s"
    least = max(LEAST_HITS, ceil(rule.open_share * rule.window_frames - _TRIFLE))
    return (
        f"An event needs {rule.open_score:g} once, and 1 in {100 * rule.open_share:.0f}% of the "
        f"frames of {window}, {least} at least, as one thing"
    )


def _video(uri: str) -> Path | None:
    """The recording; None if the source is none, or it is not there."""
    try:
        video = path_of(uri)
        return video if video.is_file() else None
    except OSError:
        # The address of a camera may be longer than any name of a file.
        return None


def _unwatched(store: StoreReader, run: Run, time_us: int) -> Receipt:
    """That nobody watched at a time, and what came instead, by the source that is nearest."""

    def at_s(source: SourceProgress) -> float:
        return (time_us - (source.start_us or 0)) / 1e6

    def away_s(source: SourceProgress) -> float:
        return max(-at_s(source), at_s(source) - source.seen_s, 0.0)

    sources = [one for one in store.sources(run.id) if one.start_us is not None]
    if not sources:
        return Receipt("unseen", "Nobody watched then.", "", time_us, time_us)
    nearest = min(sources, key=away_s)
    name = nearest.uri.rstrip("/").split("/")[-1] if run.kind == "audit" else nearest.camera
    seconds = at_s(nearest)
    if 0 <= seconds < nearest.from_s:
        said = f"Its normal view was learned until {clock(nearest.from_s)}; nothing is told of that"
    else:
        does = "begins" if seconds < 0 else "ends" if nearest.finished else "was looked at until"
        edge_s = 0.0 if seconds < 0 else nearest.seen_s
        at = "" if does.endswith("until") else "at "
        edge_us = (nearest.start_us or 0) + round(edge_s * 1e6)
        said = f"Nobody watched then: {name} {does} {at}{clock(edge_s)} ({day(edge_us)})"
    shown_s = seconds if seconds >= 0 else None
    return Receipt("unseen", f"{said}.", nearest.camera, time_us, time_us, shown_s, shown_s)
