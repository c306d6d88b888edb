"""What stretches followed frame by frame, joined as if one process had looked at all of it.

A camera may keep so many bytes of it, and look so often for what falls apart at a higher bar
(`app.watching.tracing`). What of that is left at a border is known to nobody who begins there. So
a stretch notes more than it may, and says in which frame it did; what is too much is left out
where it is joined to the stretch before.
"""

import json
import math
import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.archive.segments import Segment
from app.events.moment import KEPT_US
from app.events.packing import packed, unpacked
from app.events.trace import Trace, columns_of, frames_from
from app.watching.tracing import (
    _BREAK_S,
    _JITTER_US,
    BEFORE,
    BEFORE_S,
    BYTES_A_DAY,
    LOOKS,
    LOOKS_A_FRAME,
    MOST_LEVELS,
    SPARE_BYTES,
    Tracing,
)
from calibration.levels import Finds
from detectors.types import Box, Detection, Frame
from novic.json_files import read_json
from novic.whole_files import write_whole

NOTED = "traced.json"
_MORE = 4
"""A stretch may keep so many times what a camera may, ..."""
_MORE_LOOKS = 16
"""... and look so many times as often for what falls apart at a higher bar: something that lay for
a minute took 257 looks in 504 frames. One that needs more may note other frames than one process
would."""

_SAME_S = 5e-4
"""Times are kept in microseconds."""

type _Looked = tuple[float, int, int]
"""A frame that was looked at again at higher bars: its time in seconds of the source, how many
frames had been seen with it, and how many looks it took."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What is known at a point of a stretch besides its traces."""

    at_s: float = -math.inf
    seen: int = 0
    """Frames that were seen until then."""
    looked: Sequence[_Looked] = ()
    offset_us: int | None = None
    """Of the clock of its last frames, in microseconds; None if there were none."""
    state: str = ""
    """What the next frame is noted by, JSON."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Of a part's folder; nothing if nothing was noted."""
        try:
            facts = read_json(folder / NOTED)
            looked = tuple((float(at), int(seen), int(n)) for at, seen, n in facts.pop("looked"))
            return cls(looked=looked, **facts)
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Keep it in a part's folder.

        Raises:
            OSError: If it cannot be written.
        """
        write_whole(folder / NOTED, json.dumps(asdict(self)).encode())


class StretchTracing(Tracing):
    """Notes the frames of a stretch."""

    def __init__(self, finds: Finds | None = None) -> None:
        """Start with nothing; see `Tracing`."""
        super().__init__(finds)
        self._seen, self._left = 0, _MORE_LOOKS * LOOKS
        self._looked: list[_Looked] = []
        self._room, self._kept_s = float(_MORE * SPARE_BYTES), math.inf

    def see(
        self,
        frame: Frame,
        things: Sequence[Detection],
        heat: NDArray[np.float32] | None,
        bar: float,
    ) -> None:
        """See `Tracing.see`."""
        self._seen += 1
        self._left = min(_MORE_LOOKS * LOOKS, self._left + _MORE_LOOKS * LOOKS_A_FRAME)
        super().see(frame, things, heat, bar)

    def _add(
        self, frame: Frame, things: Sequence[Detection], heat: NDArray[np.float32] | None
    ) -> None:
        self._looks = self._left
        super()._add(frame, things, heat)
        spent, self._left = round(self._left - self._looks), self._looks
        if spent:
            self._looked.append((frame.pts_s, self._seen, spent))

    def _keep(self, trace: Trace) -> None:
        passed_s = max(0.0, trace.end_s - self._kept_s)
        room = self._room + _MORE * BYTES_A_DAY * passed_s / 86_400
        # What is counted here is not counted there.
        self._spare, self._counted_s = min(_MORE * SPARE_BYTES, room), -math.inf
        super()._keep(trace)
        self._room, self._kept_s = self._spare, trace.end_s

    def noted(self, at_s: float) -> Noted:
        """What is known at a moment at which all that was noted was taken."""
        head = self._head
        return Noted(
            at_s, self._seen, tuple(self._looked), None if head is None else head[1], self._state()
        )

    def mark(self) -> str:
        """What decides how the next frames are noted: two with the same go on as one."""
        now_s = self._now_s
        before = [at_s for at_s in self._before if now_s - at_s <= BEFORE_S]
        stood = [one for one in self._stood if now_s - one[1] <= _BREAK_S]
        last_s = self._last_s if self._joined else None
        return json.dumps([_finite(now_s), self._joined, last_s, before, *map(_plain, stood)])

    def take_up(self, noted: Noted, at_s: float, seen: int) -> None:
        """Go on from a moment, with what was noted then.

        Args:
            noted: What was noted last. If it is of another moment, as after a kill, this begins
                with nothing.
            at_s: The moment.
            seen: Frames that were seen until then.
        """
        self._seen, self._looked = seen, [one for one in noted.looked if one[0] <= at_s]
        if noted.at_s != at_s or not noted.state:
            return
        facts = json.loads(noted.state)
        self._joined, self._left = facts["joined"], facts["left"]
        self._last_s, self._now_s = _float(facts["last_s"]), _float(facts["now_s"])
        self._before = deque(facts["before"], maxlen=BEFORE)
        self._stood = [(since_s, seen_s, Box(*box)) for since_s, seen_s, box in facts["stood"]]
        if facts["head"] is not None:
            camera, offset_us, (height, width), bar = facts["head"]
            self._head = camera, offset_us, (height, width), bar

    def _state(self) -> str:
        return json.dumps(
            {
                "joined": self._joined,
                "left": self._left,
                "last_s": _finite(self._last_s),
                "now_s": _finite(self._now_s),
                "before": [*self._before],
                "stood": [*map(_plain, self._stood)],
                "head": self._head,
            }
        )


def _plain(one: tuple[float, float, Box]) -> list[Any]:
    since_s, at_s, box = one
    return [since_s, at_s, [box.x1, box.y1, box.x2, box.y2]]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _float(value: float | None) -> float:
    return -math.inf if value is None else value


@dataclass(frozen=True, slots=True)
class Left:
    """What a camera may still keep at the end of a stretch, as one process would have it there."""

    looks: float = LOOKS
    spare: float = field(default_factory=lambda: float(SPARE_BYTES))
    counted_s: float | None = None
    offset_us: int | None = None
    """See `Noted`."""


def bring_traces(
    part: tuple[Path, sqlite3.Connection],
    whole: sqlite3.Connection,
    run_id: int,
    segment: Segment,
    frames_before: int,
) -> None:
    """Bring what a part followed frame by frame (inside a transaction of the whole).

    Args:
        part: Its folder, beside which it is kept what the next stretch may keep; and its store.
        whole: Where to.
        run_id: There.
        segment: What the part is of.
        frames_before: Frames of the part up to where the one before has met it.

    Raises:
        OSError: If what is left cannot be written.
        sqlite3.Error: If the rows cannot be brought.
    """
    folder, database = part
    # What belongs to the stretch before ended where they met, or earlier.
    since_s = -math.inf if segment.after_s is None else segment.after_s
    rows = [
        dict(row)
        for row in database.execute("SELECT * FROM trace WHERE end_s > ? ORDER BY rowid", [since_s])
    ]
    if segment.is_stretch:
        before = _left_before(folder.parent, segment)
        noted = Noted.read(folder)
        rows, then = as_one(rows, noted, frames_before, before)
        _write_left(folder.parent, segment, before, then)
    for row in rows:
        row["run_id"] = run_id
        marks = ", ".join("?" * len(row))
        whole.execute(f"INSERT INTO trace({', '.join(row)}) VALUES ({marks})", [*row.values()])  # noqa: S608
    if rows and segment.is_stretch:
        newest_us = max(row["end_us"] for row in rows) - KEPT_US
        about = (run_id, rows[-1]["uri"], newest_us)
        whole.execute("DELETE FROM trace WHERE run_id = ? AND uri = ? AND end_us < ?", about)


def as_one(
    rows: Sequence[dict[str, Any]], noted: Noted, frames_before: int, left: Left
) -> tuple[list[dict[str, Any]], Left]:
    """Rows of traces as one process would have kept them, and what it may keep behind them.

    Args:
        rows: Of a stretch, in order.
        noted: At its end.
        frames_before: Its frames that belong to the stretch before.
        left: What may be kept of them.
    """
    over, looks = _over(noted, frames_before, left.looks)
    spare, counted_s, kept = left.spare, left.counted_s, list[dict[str, Any]]()
    for row in rows:
        now = _without(_shifted(row, left.offset_us), over)
        if counted_s is not None:
            passed_s = max(0.0, now["end_s"] - counted_s)
            spare = min(SPARE_BYTES, spare + BYTES_A_DAY * passed_s / 86_400)
        counted_s = now["end_s"]
        spare -= len(now["packed"])
        if not now["frames"] or spare < 0:
            spare = 0.0
            nothing = dict.fromkeys(("frames", "peak", "x1", "y1", "x2", "y2"), 0)
            now |= {**nothing, "packed": packed(columns_of(()))}
        kept.append(now)
    offset_us = noted.offset_us if left.offset_us is None else left.offset_us
    return kept, Left(looks, spare, counted_s, offset_us)


def _over(noted: Noted, frames_before: int, looks: float) -> tuple[NDArray[np.float64], float]:
    """The frames, by their times, for which no look would have been left; and what is left."""
    over, at = list[float](), frames_before
    for at_s, seen, spent in noted.looked:
        if seen <= frames_before:
            continue
        looks, at = _grown(looks, seen - at), seen
        if looks < MOST_LEVELS:
            over.append(at_s)
            continue
        for _ in range(spent):
            # One by one: it decides a frame whether 4.0 are left, or a little less.
            looks -= 1
    return np.array(over), _grown(looks, noted.seen - at)


def _grown(looks: float, frames: int) -> float:
    """Looks that are left so many frames later, added up as `Tracing` does."""
    for _ in range(frames):
        if looks >= LOOKS:
            break
        looks = min(LOOKS, looks + LOOKS_A_FRAME)
    return looks


def _shifted(row: dict[str, Any], offset_us: int | None) -> dict[str, Any]:
    """With the clock of the stretch before, which is rounded otherwise."""
    shift_us = 0
    if offset_us is not None:
        shift_us = offset_us - (row["start_us"] - round(1e6 * row["start_s"]))
    if not shift_us or abs(shift_us) > _JITTER_US:
        return dict(row)
    return {**row, "start_us": row["start_us"] + shift_us, "end_us": row["end_us"] + shift_us}


def _without(row: dict[str, Any], over: NDArray[np.float64]) -> dict[str, Any]:
    """Without what falls apart at higher bars in frames of some times."""
    if not over.size or not row["frames"]:
        return row
    try:
        frames = frames_from(unpacked(row["packed"]), row["start_s"])
    except ValueError:
        # Whoever reads it is told.
        return row
    left = [one for one in frames if one.level == 1 or abs(over - one.pts_s).min() > _SAME_S]
    if len(left) == len(frames):
        return row
    # What falls apart says nothing of the frames behind it that showed the same.
    shift_s = left[-1].until_s - frames[-1].until_s
    return {
        **row,
        "frames": len(left),
        "packed": packed(columns_of(left)),
        "end_s": row["end_s"] + shift_s,
        "end_us": row["end_us"] + round(1e6 * shift_s),
    }


def forget_left(parts: Path, recording: int) -> None:
    """Forget what may be kept of a recording all of which is joined."""
    _left_file(parts, recording).unlink(missing_ok=True)


def _left_file(parts: Path, recording: int) -> Path:
    return parts / f"traced-{recording:05d}.json"


def _left_before(parts: Path, segment: Segment) -> Left:
    """What the stretch before has left; all of it if there is none before."""
    try:
        facts = read_json(_left_file(parts, segment.recording))
        # A kill may have come between the file and the store: then this was joined before.
        before = facts["before" if facts["number"] == segment.number else "then"]
        return replace(Left(), **before)
    except (OSError, ValueError, KeyError, TypeError):
        return Left()


def _write_left(parts: Path, segment: Segment, before: Left, then: Left) -> None:
    facts = {"number": segment.number, "before": asdict(before), "then": asdict(then)}
    write_whole(_left_file(parts, segment.recording), json.dumps(facts).encode())
