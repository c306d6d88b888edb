"""Cuts clips out of a ring while it fills, on a thread of its own that nobody waits for.

The same for packets in a reader process and for pictures beside the frame path: who makes a ring
says how its parts are written.
"""

import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import av.error

from app.sources.remux import PartWriter, finish, part_path
from app.sources.ring import CLOCK_HZ, Kept, Ring

_FAULTS = (OSError, ValueError, av.error.FFmpegError)
_TICK_S = 0.2
"""How often is looked for what is new while a clip is being made."""
_MOST_ORDERS = 256

type Write = Callable[[Path, int], PartWriter | None]
"""Creates the part of a clip of pictures of a shape; None while their size is not known."""


@dataclass(frozen=True, slots=True)
class ClipOrder:
    """A clip that is wanted, told over a socket as one line."""

    do: Literal["begin", "end", "finish", "keep"]
    """"end": say when its event was over; "finish": end all clips where they are now; "keep": keep
    `before_s` from now on."""
    id: str = ""
    """The event's."""
    folder: str = ""
    """Where clips lie."""
    time_us: int = 0
    """When the event began, or was over, as its frame told it, UTC in microseconds."""
    before_s: float = 0.0
    """So much is shown before the event, ..."""
    after_s: float = 0.0
    """... after it, ..."""
    longest_s: float = 0.0
    """... and at most so much in all."""

    def to_line(self) -> bytes:
        """This order as one line for the socket."""
        return json.dumps({"clip": asdict(self)}).encode() + b"\n"

    @classmethod
    def from_said(cls, said: Mapping[str, Any]) -> "ClipOrder":
        """Read what `to_line` wrote, parsed."""
        return cls(**said["clip"])


@dataclass(frozen=True, slots=True)
class ClipMade:
    """What became of a clip that was ordered."""

    id: str
    from_us: int = 0
    """UTC in microseconds at its start, by the time that its event's first frame was told."""
    fault: str = ""
    """Why there is none, one sentence; empty if there is."""
    missed: bool = False
    """Whether there is none for want of pictures, which is nothing to worry about."""


@dataclass(slots=True)
class RingSource:
    """A ring, and how parts of what is in it are written."""

    ring: Ring
    write: Write


class _Clip:
    """One clip under way."""

    def __init__(self, order: ClipOrder, source: RingSource) -> None:
        self.order = order
        self._source = source
        self._next = 0
        self._begin: Kept | None = None
        self._event: int | None = None
        self._until: int | None = None
        self._over_us: int | None = None
        self._writer: PartWriter | None = None
        self._part: Path | None = None
        self._clip = Path(order.folder) / f"{order.id}.mp4"
        self.from_us = 0
        self.over = False

    def end(self, time_us: int) -> None:
        """Take when the event was over."""
        self._over_us = time_us

    def go_on(self) -> None:
        """Write what is new; sets `over` once nothing more is to come.

        Raises:
            OSError: If it cannot be written.
        """
        ring, ended = self._source.ring, self._source.ring.ended
        if self._begin is None and not self._start():
            self.over = ended
            return
        self._note_end()
        new, whole = ring.since(self._next)
        for one in new if whole else ():
            if not self._take(one):
                self.over = True
                return
        self.over = ended or not whole

    def close(self) -> bool:
        """Make the clip of what was written; returns whether there was anything.

        Raises:
            OSError: If it cannot be written.
        """
        if self._writer is None or self._part is None:
            return False
        writer, self._writer = self._writer, None
        writer.close()
        until_s = None
        if self._until is not None and self._begin is not None:
            # That it was over may have been told late.
            until_s = (self._until - self._begin.dts) / CLOCK_HZ
        return finish(self._part, self._clip, until_s)

    def drop(self) -> None:
        """Leave nothing behind."""
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                writer.close()
        except _FAULTS:
            # Why it cannot be written is told already.
            return
        finally:
            if self._part is not None:
                _remove(self._part)

    def _start(self) -> bool:
        """Find where it begins; returns whether it is there."""
        marked, kept = self._source.ring.marked(self.order.time_us), self._source.ring.all()
        if marked is None or not kept:
            return False
        told_us, event = marked
        wanted = event - round(self.order.before_s * CLOCK_HZ)
        keys = [one for one in kept if one.key]
        if not keys:
            return False
        earlier = [one for one in keys if one.pts <= wanted]
        begin = earlier[-1] if earlier else keys[0]
        part_from_us = told_us - round((event - begin.pts) * 1e6 / CLOCK_HZ)
        part = part_path(Path(self.order.folder), self.order.id, part_from_us)
        writer = self._source.write(part, begin.shape)
        if writer is None:
            return False
        self._begin, self._event, self._next = begin, event, begin.number
        self._writer, self._part, self.from_us = writer, part, part_from_us
        return True

    def _note_end(self) -> None:
        """Find where it ends, once that is known."""
        if self._over_us is None or self._until is not None or self._event is None:
            return
        marked = self._source.ring.marked(self._over_us)
        if marked is not None and marked[0] == self._over_us:
            over = marked[1]
        else:
            lasted_us = max(0, self._over_us - self.order.time_us)
            over = self._event + round(lasted_us * CLOCK_HZ / 1e6)
        self._until = over + round(self.order.after_s * CLOCK_HZ)

    def _take(self, one: Kept) -> bool:
        """Write a picture; returns False if the clip ends before it."""
        begin, writer = self._begin, self._writer
        if begin is None or writer is None:
            return False
        self._next = one.number + 1
        pts, dts = one.pts - begin.pts, one.dts - begin.dts
        long = dts > self.order.longest_s * CLOCK_HZ
        if long or (self._until is not None and one.dts > self._until):
            return False
        # What is shown before the key frame rests on pictures that are not here.
        if pts >= 0:
            # Decoding comes first, so the file's own clock begins with it.
            writer.write(one, pts + begin.pts - begin.dts, dts)
        return True


class Cutter:
    """Makes the clips that are ordered."""

    def __init__(self, made: Callable[[ClipMade], None]) -> None:
        """Start the thread, which ends with `close`.

        Args:
            made: Told what became of each clip, on that thread.
        """
        self.source: RingSource | None = None
        """What clips are cut of from now on."""
        self._made = made
        self._orders: queue.Queue[ClipOrder | None] = queue.Queue(_MOST_ORDERS)
        self._clips: dict[str, _Clip] = {}
        self._thread = threading.Thread(target=self._work, name="clips", daemon=True)
        self._thread.start()

    def order(self, order: ClipOrder) -> None:
        """Have a clip made, or ended; too many orders at once are dropped."""
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            self._made(ClipMade(order.id, fault="too many clips are wanted at once"))

    def close(self) -> None:
        """End all clips where they are, and the thread."""
        self._orders.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=_TICK_S if self._clips else None)
            except queue.Empty:
                self._go_on()
                continue
            if order is None or order.do == "finish":
                self._go_on()
                for clip in [*self._clips.values()]:
                    self._end(clip)
                if order is None:
                    return
            elif order.do == "begin":
                self._begin(order)
            elif (clip := self._clips.get(order.id)) is not None:
                clip.end(order.time_us)
            elif order.do == "keep" and self.source is not None:
                self.source.ring.keep(order.before_s)

    def _begin(self, order: ClipOrder) -> None:
        source = self.source
        if source is None or order.id in self._clips:
            if source is None:
                self._made(ClipMade(order.id, fault="no picture was kept", missed=True))
            return
        self._clips[order.id] = _Clip(order, source)
        self._go_on()

    def _go_on(self) -> None:
        for clip in [*self._clips.values()]:
            try:
                clip.go_on()
            except _FAULTS as error:
                self._fail(clip, error)
            else:
                if clip.over:
                    self._end(clip)

    def _end(self, clip: _Clip) -> None:
        del self._clips[clip.order.id]
        try:
            made = ClipMade(clip.order.id, clip.from_us)
            if not clip.close():
                made = ClipMade(clip.order.id, fault="no picture was kept", missed=True)
        except _FAULTS as error:
            made = _fault(clip, error)
        self._made(made)

    def _fail(self, clip: _Clip, error: Exception) -> None:
        del self._clips[clip.order.id]
        clip.drop()
        self._made(_fault(clip, error))


def _fault(clip: _Clip, error: Exception) -> ClipMade:
    return ClipMade(clip.order.id, fault=getattr(error, "strerror", None) or str(error))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # A disk that cannot be written keeps it; it is swept later.
        return
