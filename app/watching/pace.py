"""Whether this machine looks at frames as fast as they come."""

from collections import deque

HURRIED_S, HURRIED = 10.0, 0.1
"""Where so large a share of the frames of so many seconds was left out, what can wait waits."""
SLOW_S, SLOW, KEPT_UP = 60.0, 0.3, 0.1
"""Where so large a share of the frames of so many seconds was left out the machine is too slow,
until no more than the last share is."""

type _Count = tuple[float, int, int]
"""When, in seconds; frames looked at and left out by then."""


class Pace:
    """Follows how many frames of one camera are left out."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: deque[_Count] = deque()
        self._slow = False

    def note(self, at_s: float, looked: int, left_out: int) -> None:
        """Take the newest counts.

        Args:
            at_s: Later than all before, in seconds.
            looked: Frames that were looked at so far.
            left_out: Frames so far that newer ones replaced before there was time for them.
        """
        self._counts.append((at_s, looked, left_out))
        # One stays that is older, so that the whole time is known.
        while len(self._counts) > 2 and self._counts[1][0] <= at_s - SLOW_S:
            self._counts.popleft()
        looked_at, missed, took_s = self._since(at_s - SLOW_S)
        share = missed / max(1, looked_at + missed)
        self._slow = share > KEPT_UP if self._slow else took_s >= SLOW_S and share >= SLOW

    def begin(self) -> None:
        """Forget all: what was left out before says nothing of now."""
        self._counts.clear()
        self._slow = False

    @property
    def hurried(self) -> bool:
        """Whether frames were left out lately, so that only what is urgent should be done."""
        if not self._counts:
            return False
        looked, missed, _ = self._since(self._counts[-1][0] - HURRIED_S)
        return missed >= HURRIED * (looked + missed) and missed > 1

    @property
    def said(self) -> str:
        """That the machine is too slow, in a sentence or two; empty if it is not."""
        if not self._slow:
            return ""
        looked, missed, took_s = self._since(self._counts[-1][0] - SLOW_S)
        rate, comes = looked / took_s, (looked + missed) / took_s
        return (
            f"This machine looks at {rate:.1f} of {comes:.1f} frames a second that come, so things "
            "are told late and short visits may be missed. Look at fewer frames a second (fps), or "
            "watch fewer cameras on it."
        )

    def _since(self, start_s: float) -> tuple[int, int, float]:
        """Frames looked at, frames left out and seconds since the newest count before a time."""
        end_s, looked, missed = self._counts[-1]
        before = self._counts[0]
        for count in self._counts:
            if count[0] > start_s:
                break
            before = count
        return looked - before[1], missed - before[2], max(end_s - before[0], 1e-9)
