"""Changes that wait for the disk, in order and within bounded memory."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from app.events.event import Finding
from app.events.store import Changes

MOST_PICTURED = 16
"""Findings that may wait with their pictures, a few megabytes each."""
MOST_STATES = 2000
"""Findings that may wait at all."""


class Backlog:
    """What waits, oldest first; what follows without a finding is added to what waits already."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._waiting: deque[tuple[int, Changes]] = deque()
        self.dropped: set[str] = set()
        """Events whose newest picture had to be dropped."""
        self.lost: set[str] = set()
        """Events of which a state had to be dropped."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def findings(self) -> list[Finding]:
        """All that wait, in order."""
        return [one for _, changes in self._waiting for one in changes.findings]

    def add(self, run_id: int, changes: Changes) -> None:
        """Let changes wait behind all others."""
        self._waiting.append((run_id, changes))

    def take(self) -> tuple[int, Changes]:
        """The oldest changes, which wait no longer.

        Raises:
            IndexError: If nothing waits.
        """
        return self._waiting.popleft()

    def put_back(self, run_id: int, changes: Changes) -> None:
        """Let changes that were taken wait again, before all others."""
        self._waiting.appendleft((run_id, changes))

    def thin(self) -> None:
        """Make room: join what tells nothing, drop the oldest pictures, and states at the last."""
        joined: deque[tuple[int, Changes]] = deque()
        for run_id, changes in self._waiting:
            if joined and joined[-1][0] == run_id and not joined[-1][1].findings:
                changes = _joined(joined.pop()[1], changes)
            joined.append((run_id, changes))
        self._waiting = joined
        pictured = [one for one in self.findings if one.picture is not None]
        self._drop_pictures(pictured[:-MOST_PICTURED])
        while len(self.findings) > MOST_STATES:
            self._drop_oldest()

    def _drop_pictures(self, findings: Iterable[Finding]) -> None:
        bare = {id(one): replace(one, picture=None) for one in findings}
        if not bare:
            return
        self._waiting = deque(
            (run_id, replace(changes, findings=[bare.get(id(f), f) for f in changes.findings]))
            for run_id, changes in self._waiting
        )
        shown = {one.event.id for one in self.findings if one.picture is not None}
        self.dropped |= {one.event.id for one in bare.values()} - shown

    def _drop_oldest(self) -> None:
        """Drop the oldest changes that hold findings, but for what goes with them."""
        run_id, changes = self.take()
        self.lost |= {one.event.id for one in changes.findings}
        rest = replace(changes, findings=())
        self.put_back(*((run_id, _joined(rest, self.take()[1])) if self else (run_id, rest)))


def _joined(earlier: Changes, later: Changes) -> Changes:
    """Both as one; of the earlier one nothing that is not told of again is lost."""
    seconds = earlier.peaks.keys() | later.peaks.keys()
    gaps = {(gap.start_us, gap.reason): gap for gap in (*earlier.gaps, *later.gaps)}
    lasting = {one.id: one for one in (*earlier.lasting, *later.lasting)}
    return replace(
        later,
        findings=(*earlier.findings, *later.findings),
        lasting=[*lasting.values()],
        peaks={at: max(earlier.peaks.get(at, 0.0), later.peaks.get(at, 0.0)) for at in seconds},
        gaps=[*gaps.values()],
        moments=(*earlier.moments, *later.moments),
        traces=(*earlier.traces, *later.traces),
        bets=(*earlier.bets, *later.bets),
    )
