"""Clips of an audit's events, cut out of its videos once all is found."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import StoreError
from app.events.clips import clips_folder, keep_clips
from app.events.event import Event
from app.progress import Reporter
from app.sources.base import SourceError
from app.sources.cut_file import cut_file
from app.sources.joined import Part, Recorded
from app.watching.clip_rule import ClipRule


def cut_clips(
    out: Path,
    events: Sequence[Event],
    recorded: Sequence[Recorded],
    rule: ClipRule,
    reporter: Reporter,
    check: Callable[[], None] = lambda: None,
) -> list[str]:
    """Cut the clips of those events that have none yet.

    Args:
        out: Folder of the store.
        events: Of the audit, all of them.
        recorded: Its recordings.
        rule: How long clips are.
        reporter: Told how far it is.
        check: Called now and then; it may raise KeyboardInterrupt.

    Returns:
        Why clips are missing, a sentence for each reason.
    """
    parts = {one.uri: one.parts for one in recorded}
    wanted = [event for event in events if not event.clip and event.video in parts]
    faults: dict[str, None] = {}
    with reporter.task("Cutting clips", len(wanted) or None) as meter:
        for number, event in enumerate(wanted, start=1):
            check()
            fault = _cut(out, event, parts[event.video], rule)
            if fault:
                faults[fault] = None
            meter.to(number)
    return [*faults]


def _cut(out: Path, event: Event, parts: Sequence[Part], rule: ClipRule) -> str:
    """Cut one clip; returns why it cannot be, or nothing."""
    part = next((one for one in reversed(parts) if one.start_s <= event.start_s), parts[0])
    begun_s = event.start_s - part.start_s
    wanted_s = max(0.0, begun_s - rule.before_s)
    over_s = min(event.end_s - part.start_s + rule.after_s, wanted_s + rule.longest_s)
    clip = clips_folder(out) / f"{event.id}.mp4"
    try:
        from_s = cut_file(part.path, wanted_s, over_s, clip)
        if from_s is None:
            return (
                f"{part.path.name}: no clips can be cut out of it; that works for H.264 and HEVC "
                "in mp4, mov and mkv files"
            )
        keep_clips(out, {event.id: event.start_us - round((begun_s - from_s) * 1e6)})
    except (OSError, SourceError, StoreError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"{part.path.name}: no clips could be written ({why})"
    return ""
