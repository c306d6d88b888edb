"""Cameras: network streams and webcams, survived through every fault.

A thread holds the stall clock: it starts a reader process, kills it when no frame has come for a
while, and starts the next one after a pause that grows. No option of any reader library bounds
every fault, but a process can always be killed.
"""

import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterator

from app.redact import redact
from app.sources.base import NOW, Closing, Gap, GapReason, LiveStats, SourceInfo, UnreachableError
from app.sources.called import called
from app.sources.cutting import ClipMade, ClipOrder
from app.sources.glimpses import Onlooker
from app.sources.mailbox import Mailbox
from app.sources.patience import Backoff, LiveSettings
from app.sources.process import (
    Arrived,
    Begun,
    Failed,
    Glimpsed,
    Heard,
    Learned,
    Message,
    Opened,
    Packetless,
    ReaderProcess,
)
from app.sources.publisher import ReadRequest, reader_kind
from app.sources.timeline import Timeline
from detectors.types import Frame

_SECOND_LINE_S = 2.0
"""How much later than our clock a reader's own gives up."""
_FEW_PICTURES = 3
"""A connection that stalls after fewer may be that of a camera with a picture now and then."""
_TICK_S = 0.1
"""How often the stall clock looks, and so how late it may be."""
_LASTING: frozenset[GapReason] = frozenset({"auth", "codec", "not found"})
"""Failures that do not go away by themselves: people are told of them while a camera is away."""
_FRAMES_OF_SILENCE = 4
"""A slow camera may stay silent for so many of its announced frames."""


class LiveCamera(Closing):
    """The newest frame of a network camera or webcam, for ever, until it is closed.

    Reading begins at once. Every time without frames is kept in `gaps`. No text of this class
    holds the password of the address.
    """

    def __init__(
        self,
        address: str | int,
        camera: str = "",
        sample_fps: float | None = None,
        settings: LiveSettings | None = None,
        ring_s: float = 0.0,
    ) -> None:
        """Start reading.

        Args:
            address: An rtsp://, rtsps://, http:// or https:// URL, or a webcam's number (or the
                path of its device, anything that is no URL).
            camera: Name for the frames; taken from the address if empty.
            sample_fps: Keep at most so many frames a second; None keeps all.
            settings: How patient to be; the defaults suit most cameras.
            ring_s: So many seconds of packets are kept for `order`; 0 keeps none.
        """
        self._settings = settings or LiveSettings()
        kind = reader_kind(str(address))
        self._request = ReadRequest(
            kind=kind,
            address=str(address),
            open_s=self._settings.open_s + _SECOND_LINE_S,
            sample_fps=sample_fps,
            ring_s=ring_s,
        )
        self.packets = False
        """Whether clips can be cut out of what it sends just now."""
        self.clip_made: Callable[[ClipMade | None], None] = lambda _: None
        """Told what became of a clip; None when the reader has ended with all that it made."""
        uri, name = called(kind, str(address))
        self._info = SourceInfo(camera or name, uri, size=(0, 0), fps=0.0, duration_s=0.0)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._mailbox: Mailbox | None = None
        self._timeline = Timeline()
        self._taken = 0
        self._first_index = 0
        self._stats = LiveStats()
        self._gaps: list[Gap] = []
        self._seen_us = time.time_ns() // 1000
        self._last_failure: Failed | None = None
        self._waits = ""
        """What a connection that brings data but no picture waits for."""
        self._reader: ReaderProcess | None = None
        self.onlooker = Onlooker()
        """More pictures, for people who look on."""
        self._begun_s = self._heard_s = time.monotonic()
        """When the newest attempt began, and when the camera last sent anything."""
        self._delivered_s = -math.inf
        """When a picture came last."""
        self._patience_s = self._settings.stall_s
        self._keeper = threading.Thread(target=self._keep_reading, name="camera", daemon=True)
        self._keeper.start()

    @property
    def info(self) -> SourceInfo:
        """What is known since the newest connection."""
        return self._info

    @property
    def stats(self) -> LiveStats:
        """Counts so far."""
        with self._changed:
            corrupt = self._mailbox.corrupt if self._mailbox is not None else 0
            return dataclasses.replace(self._stats, corrupt=self._stats.corrupt + corrupt)

    @property
    def gaps(self) -> list[Gap]:
        """Times of blindness so far, in order; the last one may still be open."""
        with self._changed:
            return list(self._gaps)

    def connect(
        self, timeout_s: float, failed: Callable[[str], None] = lambda _: None
    ) -> SourceInfo:
        """Wait for the first frame, which `frames` then delivers.

        Args:
            timeout_s: How long.
            failed: Told why no frame has come yet, whenever that is another reason than before.

        Returns:
            The camera's size and announced rate.

        Raises:
            UnreachableError: If no frame came in time, or the camera refuses the login: asking
                again would not help, and may lock the account.
        """
        until_s, told = time.monotonic() + timeout_s, ""
        with self._changed:
            while not self._connected_or_hopeless() and time.monotonic() < until_s:
                why = self._why_not()
                if why != told:
                    told = why
                    failed(why)
                self._changed.wait(max(0.0, until_s - time.monotonic()))
            if self._info.size != (0, 0):
                if self._mailbox is not None and not self._stats.frames:
                    # What it showed while nobody asked was not missed.
                    self._taken = max(self._taken, self._mailbox.sequence - 1)
                return self._info
            why, tries = self._why_not(), self._stats.attempts
        tried = f"{tries} attempts" if tries > 1 else "1 attempt"
        tried = f"{why or 'no answer'} ({tried} in up to {timeout_s:g} s)"
        error = UnreachableError(f"{self._info.uri}: {tried}")
        error.why = why
        raise error

    @property
    def ended(self) -> bool:
        """Whether it was closed; a camera has no other end."""
        return self._stop.is_set()

    def frames(self, timeout_s: float = 0.5) -> Iterator[Frame | None]:
        """See `LiveSource.frames`."""
        while not self.ended:
            with self._changed:
                self._changed.wait_for(self._has_news, timeout_s)
            frame = self.take()
            if not self.ended:
                yield frame

    def take(self) -> Frame | None:
        """The newest frame, RGB uint8 [H, W, 3]; None if it was taken already; never waits."""
        with self._changed:
            shot = self._mailbox.newest(after=self._taken) if self._mailbox else None
            if shot is None:
                return None
            self._count(frames=1, dropped=shot.sequence - self._taken - 1)
            self._taken = shot.sequence
            return Frame(
                camera=self._info.camera,
                index=self._first_index + shot.number,
                pts_s=self._timeline.at(shot.pts_s, shot.arrived_s),
                time_us=shot.wall_us,
                image=shot.image,
            )

    def order(self, order: ClipOrder) -> None:
        """Have a clip of its packets made or ended; from any thread, and never waits for it."""
        if order.do == "keep":
            self._request = dataclasses.replace(self._request, ring_s=order.before_s)
        reader = self._reader
        if reader is not None:
            reader.order(order)

    def close(self) -> None:
        """End the reader process and the thread that watches it, within a second."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._keeper is not threading.current_thread():
            self._keeper.join()
        with self._changed:
            self._forget_reader()
            self._mailbox = None

    def _connected_or_hopeless(self) -> bool:
        refused = self._last_failure is not None and self._last_failure.reason == "auth"
        return self._info.size != (0, 0) or refused or self._stop.is_set()

    def _why_not(self) -> str:
        """Why no picture comes, as far as that is known."""
        return self._waits or (self._last_failure.text if self._last_failure else "")

    def _has_news(self) -> bool:
        mailbox = self._mailbox
        return self._stop.is_set() or (mailbox is not None and mailbox.sequence > self._taken)

    def _count(self, **more: int) -> None:
        with self._changed:
            counted = {name: getattr(self._stats, name) + number for name, number in more.items()}
            self._stats = dataclasses.replace(self._stats, **counted)

    def _keep_reading(self) -> None:
        backoff = Backoff(self._settings)
        while not self._stop.is_set():
            self._begun_s = time.monotonic()
            try:
                failure = self._read_once()
            except Exception as error:  # noqa: BLE001 - a camera must never be given up silently
                # No more processes, memory or descriptors for now; later there may be.
                failure = Failed("crashed", f"cannot run a reader ({error})", died=True)
            if failure.died:
                self._end_reader()
            lived_s = self._leave(failure)
            pause_s = backoff.next_s(lived_s, time.monotonic() - self._delivered_s)
            if failure.reason == "auth":
                # Cameras lock accounts after a few wrong passwords.
                pause_s = max(pause_s, self._settings.longest_delay_s)
            self._stop.wait(pause_s)
        self._end_reader()

    def _read_once(self) -> Failed:
        """Have a reader connect and read until it fails or is of no more use."""
        self._count(attempts=1)
        self._reader = self._reader or ReaderProcess()
        self._reader.ask(self._request)
        self.onlooker.at(self._reader)
        mailbox: Mailbox | None = None
        while not self._stop.is_set():
            for message in self._reader.messages(_TICK_S):
                if isinstance(message, Failed):
                    return message
                if isinstance(message, Opened):
                    self._attach(message, first=mailbox is None)
                    mailbox = message.mailbox
                else:
                    self._take_notice(message)
            silent = self._silence(mailbox)
            if silent is not None:
                return silent
        return Failed("ended", "closed", died=True)

    def _take_notice(self, message: Message) -> None:
        match message:
            case Begun():
                self._begun_s = self._heard_s = time.monotonic()
            case Arrived():
                self._arrived()
            case Glimpsed():
                self.onlooker.opened(message.mailbox)
            case Heard():
                self._heard_s = time.monotonic()
            case Learned():
                self._request = dataclasses.replace(self._request, **message.fields)
            case ClipMade():
                self.clip_made(message)
            case Packetless():
                self.packets = False

    def _silence(self, mailbox: Mailbox | None) -> Failed | None:
        """Why the reader is to be given up, if so; data without pictures only after a long time."""
        now_s = time.monotonic()
        limit_s = self._settings.open_s if mailbox is None else self._limit_s()
        pictured_s = self._begun_s if mailbox is None else mailbox.alive_s
        if now_s - max(pictured_s, self._heard_s) > limit_s:
            if mailbox is None:
                return Failed("timeout", f"no picture within {limit_s:g} s", died=True)
            return self._stalled(mailbox, limit_s)
        if now_s - pictured_s > self._settings.key_frame_s:
            text = f"data arrives, but no picture within {self._settings.key_frame_s:g} s"
            return Failed("timeout" if mailbox is None else "stalled", text, died=True)
        # News of the last picture's own data may come a little later than the picture.
        goes_on = self._heard_s - pictured_s > self._settings.stall_s / 2
        if goes_on and now_s - pictured_s > self._settings.stall_s + _TICK_S:
            self._wait_for_picture()
        return None

    def _limit_s(self) -> float:
        """Longest silence that is usual for the camera, seconds."""
        announced_s = _FRAMES_OF_SILENCE / self._info.fps if self._info.fps > 0 else 0.0
        return max(self._patience_s, announced_s)

    def _stalled(self, mailbox: Mailbox, limit_s: float) -> Failed:
        if mailbox.read < _FEW_PICTURES:
            # It may be a camera with a picture now and then.
            self._patience_s = min(2 * self._patience_s, self._settings.open_s)
        return Failed("stalled", f"no new picture for {limit_s:g} s", died=True)

    def _wait_for_picture(self) -> None:
        """Note that data arrives, but no picture; a reader that is at it is not given up."""
        with self._changed:
            if self._waits:
                return
            self._waits = "waiting for a key frame (data arrives, but no picture yet)"
            self._go_blind("waiting", self._waits)
            self._changed.notify_all()

    def _go_blind(self, reason: GapReason, text: str) -> None:
        if not self._gaps or self._gaps[-1].end_us is not None:
            self._gaps.append(Gap(self._seen_us, None, reason, text))
        elif reason in _LASTING and text not in (gap := self._gaps[-1]).detail:
            detail = f"{gap.detail.partition(NOW)[0]}{NOW}{text}"
            self._gaps[-1] = dataclasses.replace(gap, detail=detail)

    def _end_reader(self) -> None:
        """Kill the reader process; the next attempt starts another."""
        if self._reader is not None:
            self.onlooker.at(None)
            self._reader.close()
            self._reader = None
            self.clip_made(None)

    def _attach(self, opened: Opened, first: bool) -> None:
        with self._changed:
            if first:
                self._forget_reader()
                self._timeline.reconnect()
            self._mailbox, self.packets = opened.mailbox, opened.packets
            self._info = dataclasses.replace(self._info, size=opened.mailbox.size, fps=opened.fps)

    def _forget_reader(self) -> None:
        """Count what the last reader left, and begin anew with the next one's numbers."""
        if self._mailbox is not None:
            self._first_index += self._mailbox.read
            self._count(dropped=self._mailbox.sequence - self._taken, corrupt=self._mailbox.corrupt)
        self._taken = 0

    def _arrived(self) -> None:
        with self._changed:
            self._waits = ""
            self._delivered_s = time.monotonic()
            if self._mailbox is not None:
                self._seen_us = self._mailbox.wall_us
            if self._gaps and self._gaps[-1].end_us is None:
                # A clock that was set back must not make a gap end before it begins.
                end_us = max(self._seen_us, self._gaps[-1].start_us)
                self._gaps[-1] = dataclasses.replace(self._gaps[-1], end_us=end_us)
            self._changed.notify_all()

    def _leave(self, failure: Failed) -> float:
        """Note that the camera is away; returns how long it had delivered, in seconds."""
        if self._stop.is_set():
            return 0.0
        failure = Failed(failure.reason, redact(failure.text, self._request.address))
        with self._changed:
            self._waits = ""
            self._last_failure = failure
            self._go_blind(failure.reason, failure.text)
            alive_s = self._mailbox.alive_s if self._mailbox is not None else 0.0
            self._changed.notify_all()
        return max(0.0, alive_s - self._begun_s)
