"""A clip for every event of a watch, with what was before it; made beside everything else.

A network camera's packets are cut in its reader process (`app.sources.cutting`), the pictures of
other sources here (`app.media.clips`). Nothing of it can hold up or end a watch.
"""

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import StoreError
from app.events.clips import clips_folder, keep_clips
from app.events.event import Event, Finding, clip_name
from app.media.clips import PictureClips
from app.sources.base import LiveSource
from app.sources.cutting import ClipMade, ClipOrder
from app.sources.live import LiveCamera
from app.sources.remux import finish, parts_in
from app.sources.ring import RingRule
from app.watching.clip_rule import ClipRule
from app.watching.telling import Telling
from detectors.types import Frame

_TICK_S = 1.0
_END_S = 1.0
"""How long the end of a watch waits for clips; what is not there by then is made the next time."""
_NOTE_S = 0.2
"""And so long until they are noted in the store."""
_MOST_WORK = 1024


@dataclass(slots=True)
class _Asked:
    """An event whose clip was ordered."""

    of_packets: bool
    made: bool = False
    over: bool = False


class Clips:
    """Orders the clips of one watch, notes them in its store, and tells of them."""

    def __init__(
        self,
        out: Path,
        camera: LiveSource,
        rule: ClipRule | None,
        say: Callable[[str], None],
        telling: Telling,
    ) -> None:
        """Prepare; nothing begins before the first frame.

        Args:
            out: Folder of the store.
            camera: What is watched; made with `rule.ring_s` if it is a network camera.
            rule: How long clips are; None for no clips.
            say: Told once that clips cannot be made, and once that they can be again.
            telling: Given a message for every clip; called on a thread of this object.
        """
        self._out = out
        self._camera = camera if isinstance(camera, LiveCamera) else None
        self._rule = rule
        self._say = say
        self._telling = telling
        self._behind = True
        self._since_us: int | None = None
        self._pictures: PictureClips | None = None
        self._asked: dict[str, _Asked] = {}
        self._owed: dict[str, int] = {}
        self._trouble = ""
        self._work: queue.Queue[Event | ClipMade | None] = queue.Queue(_MOST_WORK)
        self._stop = threading.Event()
        self._end_s = _END_S
        self._thread: threading.Thread | None = None

    def see(self, frame: Frame) -> None:
        """Take a frame as it came from the camera."""
        if self._rule is None:
            return
        if self._thread is None:
            self._start(frame)
        if not self._of_packets:
            if self._pictures is None:
                ring_s = self._rule.ring_s if self._behind else self._rule.calm_ring_s
                self._pictures = PictureClips(self._put, RingRule(ring_s))
            self._pictures.offer(frame)

    def heed(self, findings: Sequence[Finding]) -> None:
        """Take what was stored of events; from any thread."""
        for finding in findings if self._thread is not None else ():
            self._put(finding.event)

    def finish(self, within_s: float = math.inf) -> None:
        """End all clips where they are, wait a little for them, and note them.

        Args:
            within_s: How long to wait, seconds; what is not there by then the next start makes.
        """
        if self._thread is None:
            return
        self._end_s = min(_END_S, within_s)
        self._stop.set()
        self._put(None)
        self._thread.join(None if math.isinf(within_s) else self._end_s + _NOTE_S)
        if self._camera is not None:
            self._camera.clip_made = lambda _: None

    @property
    def _of_packets(self) -> bool:
        return self._camera is not None and self._camera.packets

    def _put(self, work: Event | ClipMade | None) -> None:
        try:
            self._work.put_nowait(work)
        except queue.Full:
            # A disk that has been stuck for a thousand events: they do without a clip.
            return

    def _start(self, frame: Frame) -> None:
        self._since_us = frame.time_us
        if self._camera is not None:
            self._camera.clip_made = self._put
        self._thread = threading.Thread(target=self._run, name="clip keeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        # What an earlier session was killed in.
        self._rescue("*")
        while not self._stop.is_set() or not self._work.empty():
            self._do_next(_TICK_S)
        over_s = time.monotonic() + self._end_s
        self._order(ClipOrder("finish"))
        while any(not one.made for one in self._asked.values()) and time.monotonic() < over_s:
            self._do_next(max(0.01, over_s - time.monotonic()))
        if self._pictures is not None:
            self._pictures.close()
            while not self._work.empty():
                self._do_next(0.0)
        self._note()

    def _do_next(self, timeout_s: float) -> None:
        try:
            work = self._work.get(timeout=timeout_s)
        except queue.Empty:
            self._keep_less()
            self._note()
            return
        if isinstance(work, Event):
            self._take(work)
        elif isinstance(work, ClipMade):
            self._made(work)
        elif not self._stop.is_set():
            self._reader_gone()

    def _keep_less(self) -> None:
        """Keep only what is needed once events are told as they happen."""
        if self._behind and self._rule is not None and self._telling.pulse.doing == "watching":
            self._behind = False
            self._order(ClipOrder("keep", before_s=self._rule.calm_ring_s))

    def _take(self, event: Event) -> None:
        """Order the clip of an event, or its end."""
        rule = self._rule
        asked = self._asked.get(event.id)
        if rule is None or (asked is None and self._earlier(event)):
            return
        if asked is None:
            asked = self._asked[event.id] = _Asked(self._of_packets)
            self._order(
                ClipOrder(
                    "begin",
                    event.id,
                    # The reader stands where it was started.
                    str(clips_folder(self._out).absolute()),
                    event.start_us,
                    rule.before_s,
                    rule.after_s,
                    rule.longest_s,
                ),
                asked,
            )
        if event.state == "closed":
            asked.over = True
            self._order(ClipOrder("end", event.id, time_us=event.end_us), asked)
            self._forget(event.id)

    def _earlier(self, event: Event) -> bool:
        """Whether an event began in an earlier session, which made its clip."""
        return event.state != "opened" and event.start_us < (self._since_us or 0)

    def _order(self, order: ClipOrder, asked: _Asked | None = None) -> None:
        """Pass an order on, to both if it is for all."""
        if self._camera is not None and (asked is None or asked.of_packets):
            self._camera.order(order)
        if self._pictures is not None and (asked is None or not asked.of_packets):
            self._pictures.order(order)

    def _made(self, made: ClipMade) -> None:
        asked = self._asked.get(made.id)
        if asked is not None:
            asked.made = True
            self._forget(made.id)
        if made.missed:
            return
        if made.fault:
            if not self._trouble:
                self._say(
                    f"{clips_folder(self._out)}: no clip can be written ({made.fault}); events are "
                    "kept without until it can"
                )
            self._trouble = made.fault
            return
        if self._trouble:
            self._say(f"{clips_folder(self._out)}: clips can be written again")
            self._trouble = ""
        self._owed[made.id] = made.from_us
        self._note()

    def _forget(self, event_id: str) -> None:
        asked = self._asked[event_id]
        if asked.made and asked.over:
            del self._asked[event_id]

    def _reader_gone(self) -> None:
        """Make clips of the parts that a reader which has ended left behind."""
        for event_id, asked in [*self._asked.items()]:
            if asked.of_packets and not asked.made:
                self._rescue(event_id)
                asked.made = True
                self._forget(event_id)

    def _rescue(self, event_id: str) -> None:
        folder = clips_folder(self._out)
        for found, from_us, part in [*parts_in(folder, event_id)]:
            try:
                whole = finish(part, folder / f"{found}.mp4")
            except OSError as error:
                self._made(ClipMade(found, fault=error.strerror or str(error)))
            else:
                if whole:
                    self._made(ClipMade(found, from_us))

    def _note(self) -> None:
        """Note in the store which clips there are; what cannot be noted is tried again."""
        if not self._owed:
            return
        try:
            keep_clips(self._out, self._owed)
        except StoreError:
            # Whoever writes events says so.
            return
        owed, self._owed = self._owed, {}
        for event_id, from_us in owed.items():
            self._telling.tell(
                {
                    "event": "clip",
                    "id": event_id,
                    "clip": clip_name(event_id),
                    "clip_from_us": from_us,
                }
            )
