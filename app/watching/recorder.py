"""Keeps the store up to date with what a source has shown."""

from collections.abc import Iterable, Sequence

from app.events.event import Finding
from app.events.store import SourceProgress, Store
from app.sources.base import Gap
from detectors.types import Frame


class Recorder:
    """Counts the frames of one source and saves its findings."""

    def __init__(self, store: Store, run_id: int, source: SourceProgress) -> None:
        """Go on from what `source` says."""
        self._store = store
        self._run_id = run_id
        self.source = source
        self._peaks: dict[int, float] = {}

    def watched(self, frames: Sequence[Frame], peaks: Iterable[float]) -> None:
        """Count analysed frames.

        Args:
            frames: At least one, in order.
            peaks: The highest map value of each in what is watched, 1.0 where just unusual.
        """
        source = self.source
        if source.start_us is None:
            source.start_us = frames[0].time_us - round(frames[0].pts_s * 1e6)
        source.frames += len(frames)
        source.seen_s = frames[-1].pts_s
        for frame, peak in zip(frames, peaks, strict=True):
            second = int(frame.pts_s)
            self._peaks[second] = max(self._peaks.get(second, 0.0), float(peak))

    def save(
        self, findings: Iterable[Finding], *, final: bool = False, gaps: Iterable[Gap] = ()
    ) -> None:
        """Save all that is new.

        Args:
            findings: Events that changed.
            final: Whether nothing seen so far can change any more; the last frame showed nothing.
            gaps: All gaps of the source.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        source = self.source
        if final:
            # The last frame is read again: a video always holds something from there on.
            source.done_s, source.done_frames = source.seen_s, source.frames - 1
        with self._store.saving():
            for finding in findings:
                self._store.save_finding(self._run_id, finding)
            self._store.save_seconds(self._run_id, source.uri, self._peaks)
            self._store.save_source(self._run_id, source)
            self._store.save_gaps(self._run_id, source.camera, gaps)
        self._peaks.clear()
