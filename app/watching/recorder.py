"""Keeps the store up to date with what a source has shown."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.events.bets import Bet
from app.events.checkpoint import Checkpoint
from app.events.event import Finding, Lasting
from app.events.moment import Moment
from app.events.store import Changes, SourceProgress
from app.events.trace import Trace
from app.events.writer import Saver
from app.sources.base import Gap
from detectors.types import Frame


class Recorder:
    """Counts the frames of one source and saves its findings."""

    def __init__(
        self, store: Saver, run_id: int, source: SourceProgress, embedder: str = ""
    ) -> None:
        """Go on from what `source` says.

        Args:
            store: Saves what is new, at once or soon.
            run_id: Of the run.
            source: How far its source has been watched.
            embedder: Spec of the embedder whose vectors the findings carry.
        """
        self._store = store
        self._run_id = run_id
        self.source = source
        self._embedder = embedder
        self._peaks: dict[int, float] = {}
        self.counted_s = -math.inf
        """Frames up to here were counted before."""
        self._kept_gaps: set[Gap] = set()
        self._kept_sightings: dict[str, int] = {}

    def watched(self, frames: Sequence[Frame], peaks: Iterable[float]) -> None:
        """Count analysed frames.

        Args:
            frames: At least one, in order.
            peaks: The highest map value of each in what is watched, 1.0 where just unusual; NaN
                where nothing could be seen, which does not count as looked at.
        """
        source = self.source
        if source.start_us is None:
            source.start_us = frames[0].time_us - round(frames[0].pts_s * 1e6)
        source.seen_s = max(frames[-1].pts_s, self.counted_s)
        for frame, peak in zip(frames, peaks, strict=True):
            if math.isnan(peak) or frame.pts_s <= self.counted_s:
                continue
            source.frames += 1
            second = int(frame.pts_s)
            self._peaks[second] = max(self._peaks.get(second, 0.0), float(peak))

    def save(
        self,
        findings: Iterable[Finding],
        *,
        checkpoint: Checkpoint | None = None,
        gaps: Iterable[Gap] = (),
        lasting: Sequence[Lasting] = (),
        moments: Sequence[Moment] = (),
        bets: Sequence[Bet] = (),
        traces: Sequence[Trace] = (),
    ) -> None:
        """Save all that is new.

        Args:
            findings: Events that changed; their paths are kept whole.
            checkpoint: What is being followed now, if the source is to be taken up from here.
            gaps: All gaps of the source.
            lasting: How far the events have come that are open, with whole paths.
            moments: What came near and was not told.
            bets: What was bet against the camera's calibration.
            traces: What was followed.

        Raises:
            app.errors.StoreError: If it cannot be written.
        """
        source = self.source
        if checkpoint is not None:
            source.done_s, source.done_frames = source.seen_s, source.frames
        new = [gap for gap in gaps if gap not in self._kept_gaps]
        found = [_seen_once(one) for one in findings]
        for one in found:
            self._kept_sightings[one.event.id] = len(one.path)
        changes = Changes(
            replace(source),
            found,
            lasting=[self._new_sightings(one) for one in lasting],
            peaks=self._peaks,
            gaps=new,
            checkpoint=checkpoint,
            embedder=self._embedder,
            moments=moments,
            bets=bets,
            traces=traces,
        )
        self._store.save(self._run_id, changes)
        self._peaks = {}
        self._kept_gaps.update(new)
        going_on = {one.id for one in lasting}
        self._kept_sightings = {
            one: count for one, count in self._kept_sightings.items() if one in going_on
        }

    def _new_sightings(self, one: Lasting) -> Lasting:
        """The same with those sightings alone that were not kept yet, if none was thinned out."""
        kept, self._kept_sightings[one.id] = self._kept_sightings.get(one.id, 0), len(one.path)
        if len(one.path) < kept:
            return replace(one, thinned=True)
        return replace(one, path=one.path[kept:])


def _seen_once(finding: Finding) -> Finding:
    """The finding with one sighting for each time, the last: the store keeps no two."""
    once = {pts_s: (pts_s, box, score) for pts_s, box, score in finding.path}
    return finding if len(once) == len(finding.path) else replace(finding, path=(*once.values(),))
