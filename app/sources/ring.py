"""The newest seconds of a camera, compressed, in bounded memory: what a clip before an event is of.

Times are ticks of 1/90,000 s on a clock of the ring's own, which rises whatever the camera's does.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

PART = ".part"
"""Ends the name of a clip that is being made: ID.FROM_US.part."""
CLOCK_HZ = 90_000
_JUMP_S = 5.0
"""A camera's clock that is further from ours in one step has jumped."""
_MOST_MARKS = 4096


@dataclass(frozen=True, slots=True)
class RingRule:
    """How much is kept."""

    seconds: float = 20.0
    """So much at least, and up to a key frame before it."""
    most_bytes: int = 32 << 20
    """Never more than that, whatever `seconds` says."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One compressed picture."""

    number: int
    """Counts up, also over pictures that were not kept."""
    key: bool
    """Whether a player can begin with it."""
    pts: int
    """When it is shown, ticks on the ring's clock."""
    dts: int
    """When it is decoded; rises strictly."""
    shape: int
    """Counts up when pictures come in another size or are coded otherwise."""
    data: bytes


class OwnClock:
    """A rising clock for packets, through jumps of the camera's and where it has none."""

    def __init__(self) -> None:
        self._raw: float | None = None
        self._dts = -1
        self._arrived_s = 0.0
        self._begun_s: float | None = None

    def at(self, pts_s: float | None, dts_s: float | None, arrived_s: float) -> tuple[int, int]:
        """When a packet is shown and decoded.

        Args:
            pts_s: When it is shown, on the camera's clock; None if it does not say.
            dts_s: When it is decoded.
            arrived_s: When it came, on our monotonic clock.

        Returns:
            Both in ticks; the second is above that of every earlier packet.
        """
        raw = pts_s if dts_s is None else dts_s
        if self._begun_s is None:
            self._begun_s = self._arrived_s = arrived_s
        ours = max(self._dts + 1, round((arrived_s - self._begun_s) * CLOCK_HZ))
        step_s = None if raw is None or self._raw is None else raw - self._raw
        waited_s = arrived_s - self._arrived_s
        if step_s is None:
            dts = ours
        elif step_s <= 0 or abs(step_s - waited_s) > _JUMP_S:
            dts = self._dts + max(1, round(waited_s * CLOCK_HZ))
        else:
            dts = max(self._dts + 1, self._dts + round(step_s * CLOCK_HZ))
        self._raw, self._dts, self._arrived_s = raw, dts, arrived_s
        later_s = 0.0 if pts_s is None or raw is None else pts_s - raw
        # A stamp far off its packet's turn is a slip of the camera.
        return dts + (round(later_s * CLOCK_HZ) if 0 <= later_s <= _JUMP_S else 0), dts


class Ring:
    """Keeps the newest pictures; one thread puts them in, another reads them.

    What is kept begins at a key frame. Nobody waits: whoever reads too slowly finds that the
    oldest have gone.
    """

    def __init__(self, rule: RingRule | None = None) -> None:
        """Start empty."""
        self._rule = rule or RingRule()
        self._lock = threading.Lock()
        self._kept: deque[Kept] = deque()
        self._keys: deque[tuple[int, int]] = deque()
        self._marks: deque[tuple[int, int, int]] = deque(maxlen=_MOST_MARKS)
        self.bytes = 0
        """How many it holds just now."""
        self.ended = False
        """Whether nothing will be put in any more."""

    def keep(self, seconds: float) -> None:
        """Keep so many seconds from now on."""
        with self._lock:
            self._rule = replace(self._rule, seconds=seconds)

    def put(self, one: Kept) -> None:
        """Keep a picture, and let go of what is too old or too much."""
        with self._lock:
            if not self._kept and not one.key:
                return
            self._kept.append(one)
            self.bytes += len(one.data)
            if one.key:
                self._keys.append((one.number, one.dts))
            self._bound(one.dts)

    def mark(self, number: int, pts: int, time_us: int) -> None:
        """Note what time people are told of a picture, UTC in microseconds."""
        with self._lock:
            self._marks.append((time_us, number, pts))

    def marked(self, time_us: int) -> tuple[int, int] | None:
        """When a picture is shown of which this time was told, or the next one after it.

        Returns:
            Its time as it was told, UTC in microseconds, and in ticks; None if nothing was told.
        """
        with self._lock:
            marks = list(self._marks)
        if not marks:
            return None
        exact = next((mark for mark in reversed(marks) if mark[0] == time_us), None)
        # A clock that was set back tells some times twice; the newest is meant.
        told_us, _, pts = exact or min(marks, key=lambda mark: abs(mark[0] - time_us))
        return told_us, pts

    def since(self, number: int) -> tuple[Sequence[Kept], bool]:
        """What came from a number on, and whether nothing of that has gone already."""
        with self._lock:
            if not self._kept:
                return (), True
            first, last = self._kept[0].number, self._kept[-1].number
            if number > last:
                return (), True
            if number <= first:
                return tuple(self._kept), number == first
            return tuple(one for one in self._kept if one.number >= number), True

    def all(self) -> Sequence[Kept]:
        """Everything that it holds."""
        with self._lock:
            return tuple(self._kept)

    @property
    def span_s(self) -> float:
        """How many seconds it holds."""
        with self._lock:
            return (self._kept[-1].dts - self._kept[0].dts) / CLOCK_HZ if self._kept else 0.0

    def _bound(self, newest: int) -> None:
        oldest = newest - round(self._rule.seconds * CLOCK_HZ)
        while len(self._keys) > 1 and (
            self._keys[1][1] <= oldest or self.bytes > self._rule.most_bytes
        ):
            self._forget(self._keys[1][0])
        if self.bytes > self._rule.most_bytes:
            # One stretch without a key frame is too long for it: begin anew at the next.
            self._forget(None)

    def _forget(self, before: int | None) -> None:
        while self._kept and (before is None or self._kept[0].number < before):
            self.bytes -= len(self._kept.popleft().data)
        while self._keys and (before is None or self._keys[0][0] < before):
            self._keys.popleft()
