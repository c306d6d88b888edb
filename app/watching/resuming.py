"""Points from which a stopped audit goes on as if it had never been stopped."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from app.events.event import Finding
from app.events.store import SourceProgress, Store
from app.sources.base import Gap
from app.watching.lookout import Lookout
from detectors.types import Frame

CHECKPOINT_S = 10.0
"""Footage from one point to the next: points lie at the first frames behind its multiples."""
_SLACK = 1e-3
"""Of a frame: times are rounded."""


def in_batches(frames: Iterable[Frame], fps: float | None, size: int) -> Iterator[list[Frame]]:
    """Frames in batches that are the same wherever reading begins.

    What is looked at or named together may differ in its last digits from what is not. So batches
    and points lie where the recording's own time puts them, not where somebody began.

    Args:
        frames: In order.
        fps: At most so many a second, on a grid of their own times; None for all frames.
        size: Frames in a batch at most.
    """

    def number(frame: Frame) -> int:
        step = frame.index if fps is None else math.floor(frame.pts_s * fps + _SLACK)
        return step // size

    for _, batch in groupby(frames, number):
        yield list(batch)


class Checkpoints:
    """Saves what a recording has shown, and every now and then what is being followed in it."""

    def __init__(self, lookout: Lookout) -> None:
        """Begin at the point that the recording is looked at from."""
        self._lookout = lookout
        self._saved_s = lookout.recorder.source.done_s
        self.due = False
        """Whether the last call was at a point."""

    def save(self, gaps: Iterable[Gap]) -> Sequence[Finding]:
        """Save what is new since the last call; events that last are told at every point.

        Args:
            gaps: The recording's own.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        seen_s = self._lookout.recorder.source.seen_s
        due = seen_s // CHECKPOINT_S > self._saved_s // CHECKPOINT_S
        # Told first: a checkpoint holds what goes on, and nothing that is still to be told.
        findings = self._lookout.findings(flush=due)
        if findings or due:
            checkpoint = self._lookout.camera.checkpoint() if due else None
            self._lookout.save(findings, checkpoint=checkpoint, gaps=gaps)
        self.due = due
        if due:
            self._saved_s = seen_s
        return findings


def take_up(store: Store, run_id: int, lookout: Lookout, say: Callable[[str], None]) -> None:
    """Go back to the last point of a recording, with what was followed then.

    Args:
        store: Of the run.
        run_id: The run.
        lookout: New; its recorder knows how far the recording was looked at.
        say: Told if what was followed then cannot be read.

    Raises:
        app.errors.StoreError: If the store cannot be read or written.
    """
    source = lookout.recorder.source
    checkpoint = store.checkpoint(run_id, source)
    if checkpoint is not None:
        try:
            lookout.camera.restore(checkpoint)
        except ValueError:
            checkpoint = None
            say(
                f"{source.uri}: what was followed when the audit was stopped was kept by another "
                "version of Nomaly; events that lasted then end there."
            )
            store.close_left(run_id)
    if checkpoint is not None:
        lookout.recorder.counted_s = checkpoint.at_s
    with store.saving():
        store.go_back(run_id, source.uri, source.done_s, checkpoint)
        store.save_source(run_id, source)


def warm_s(store: Store, run_id: int, source: SourceProgress) -> float:
    """From where on a recording is read that is taken up, in seconds from its start.

    Raises:
        app.errors.StoreError: If the store cannot be read.
    """
    checkpoint = store.checkpoint(run_id, source)
    return source.done_s if checkpoint is None else checkpoint.warm_s
