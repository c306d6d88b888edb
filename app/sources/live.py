"""Cameras: network streams and webcams, survived through every fault.

A thread holds the stall clock: it starts a reader process, kills it when no frame has come for a
while, and starts the next one after a pause that grows. No option of any reader library bounds
every fault, but a process can always be killed.
"""

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.address import Address, is_place, split_address
from app.redact import redact
from app.sources.base import Gap, LiveStats, SourceInfo, UnreachableError
from app.sources.mailbox import Mailbox
from app.sources.process import Arrived, Failed, Opened, ReaderProcess
from app.sources.reader import ReadRequest, reader_kind
from app.sources.timeline import Timeline
from detectors.types import Frame

_TICK_S = 0.1
"""How often the stall clock looks, and so how late it may be."""
_FRAMES_OF_SILENCE = 4
"""A slow camera may stay silent for so many of its announced frames."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How patient to be with a camera."""

    stall_s: float = 2.0
    """Longest silence between frames."""
    open_s: float = 10.0
    """Longest wait for the first frame of a connection."""
    first_delay_s: float = 0.5
    """Pause before the first attempt to reconnect; it doubles with every one that fails."""
    longest_delay_s: float = 30.0
    stable_s: float = 10.0
    """A connection that lasted so long makes the pauses short again."""


class Backoff:
    """Pauses that double up to a limit, with a quarter of chance in them.

    Without the chance, all cameras behind one switch would reconnect at the same moment.
    """

    def __init__(self, settings: LiveSettings, seed: int | None = None) -> None:
        self._settings = settings
        self._random = random.Random(seed)  # noqa: S311 - spreads load, keeps no secret
        self._failures = 0

    def next_s(self, lived_s: float) -> float:
        """The pause in seconds after a connection that delivered for `lived_s`."""
        if lived_s >= self._settings.stable_s:
            self._failures = 0
        # More doublings than this only overflow.
        pause_s = self._settings.first_delay_s * 2 ** min(self._failures, 20)
        self._failures += 1
        return min(pause_s, self._settings.longest_delay_s) * self._random.uniform(0.75, 1.25)


class LiveCamera:
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
    ) -> None:
        """Start reading.

        Args:
            address: An rtsp://, rtsps://, http:// or https:// URL, or a webcam's number (or the
                path of its device, anything that is no URL).
            camera: Name for the frames; taken from the address if empty.
            sample_fps: Keep at most so many frames a second; None keeps all.
            settings: How patient to be; the defaults suit most cameras.
        """
        self._settings = settings or LiveSettings()
        kind = reader_kind(str(address))
        self._request = ReadRequest(
            kind=kind,
            address=str(address),
            open_s=self._settings.open_s,
            sample_fps=sample_fps,
        )
        network = split_address(str(address)) if kind == "network" else None
        uri = network.shown if network else f"{kind} {address}"
        name = host_of(network) if network else f"{kind}-{address}"
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
        self._keeper = threading.Thread(target=self._keep_reading, name="camera", daemon=True)
        self._keeper.start()

    def __enter__(self) -> "LiveCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
            failed: Told why an attempt failed, whenever that is another reason than before.

        Returns:
            The camera's size and announced rate.

        Raises:
            UnreachableError: If no frame came in time, or the camera refuses the login: asking
                again would not help, and may lock the account.
        """
        until_s, told = time.monotonic() + timeout_s, ""
        with self._changed:
            while not self._connected_or_hopeless() and time.monotonic() < until_s:
                why = self._last_failure.text if self._last_failure else ""
                if why != told:
                    told = why
                    failed(why)
                self._changed.wait(max(0.0, until_s - time.monotonic()))
            if self._info.size != (0, 0):
                return self._info
            failure, tries = self._last_failure, self._stats.attempts
        why = failure.text if failure else "no answer"
        tried = f"{tries} attempts" if tries > 1 else "1 attempt"
        raise UnreachableError(f"{self._info.uri}: {why} ({tried} in up to {timeout_s:g} s)")

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
            begun_s = time.monotonic()
            try:
                failure = self._read_once()
            except Exception as error:  # noqa: BLE001 - a camera must never be given up silently
                # No more processes, memory or descriptors for now; later there may be.
                failure = Failed("crashed", f"cannot run a reader ({error})")
            lived_s = self._leave(failure, begun_s)
            pause_s = backoff.next_s(lived_s)
            if failure.reason == "auth":
                # Cameras lock accounts after a few wrong passwords.
                pause_s = max(pause_s, self._settings.longest_delay_s)
            self._stop.wait(pause_s)

    def _read_once(self) -> Failed:
        """Run one reader process until it fails or is of no more use."""
        self._count(attempts=1)
        begun_s = time.monotonic()
        reader = ReaderProcess(self._request)
        mailbox: Mailbox | None = None
        with contextlib.closing(reader):
            while not self._stop.is_set():
                for message in reader.messages(_TICK_S):
                    match message:
                        case Opened():
                            self._attach(message, first=mailbox is None)
                            mailbox = message.mailbox
                        case Arrived():
                            self._arrived()
                        case Failed():
                            return message
                silent = self._silence(mailbox, begun_s)
                if silent is not None:
                    return silent
        return Failed("ended", "closed")

    def _silence(self, mailbox: Mailbox | None, begun_s: float) -> Failed | None:
        now_s = time.monotonic()
        if mailbox is None:
            limit_s = self._settings.open_s
            late = now_s - begun_s > limit_s
            return Failed("timeout", f"no picture within {limit_s:g} s") if late else None
        limit_s = self._settings.stall_s
        if self._info.fps > 0:
            limit_s = max(limit_s, _FRAMES_OF_SILENCE / self._info.fps)
        late = now_s - mailbox.alive_s > limit_s
        return Failed("stalled", f"no new picture for {limit_s:g} s") if late else None

    def _attach(self, opened: Opened, first: bool) -> None:
        with self._changed:
            if first:
                self._forget_reader()
                self._timeline.reconnect()
            self._mailbox = opened.mailbox
            self._info = dataclasses.replace(self._info, size=opened.mailbox.size, fps=opened.fps)

    def _forget_reader(self) -> None:
        """Count what the last reader left, and begin anew with the next one's numbers."""
        if self._mailbox is not None:
            self._first_index += self._mailbox.read
            self._count(dropped=self._mailbox.sequence - self._taken, corrupt=self._mailbox.corrupt)
        self._taken = 0

    def _arrived(self) -> None:
        with self._changed:
            if self._mailbox is not None:
                self._seen_us = self._mailbox.wall_us
            if self._gaps and self._gaps[-1].end_us is None:
                # A clock that was set back must not make a gap end before it begins.
                end_us = max(self._seen_us, self._gaps[-1].start_us)
                self._gaps[-1] = dataclasses.replace(self._gaps[-1], end_us=end_us)
            self._changed.notify_all()

    def _leave(self, failure: Failed, begun_s: float) -> float:
        """Note that the camera is away; returns how long it had delivered, in seconds."""
        if self._stop.is_set():
            return 0.0
        failure = Failed(failure.reason, redact(failure.text, self._request.address))
        with self._changed:
            self._last_failure = failure
            if not self._gaps or self._gaps[-1].end_us is not None:
                self._gaps.append(Gap(self._seen_us, None, failure.reason, failure.text))
            alive_s = self._mailbox.alive_s if self._mailbox is not None else 0.0
            self._changed.notify_all()
        return max(0.0, alive_s - begun_s)


def host_of(address: Address) -> str:
    """The host that an address names.

    Raises:
        UnreachableError: If it names none.
    """
    if not address.host:
        raise UnreachableError(f"{address.shown}: the address names no host")
    if not is_place(address.place):
        raise UnreachableError(f"{address.shown}: not a valid address; is @HOST missing in it?")
    return address.host.strip("[]")
