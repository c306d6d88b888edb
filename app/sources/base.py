"""What every source of frames can do, recorded or live."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from detectors.types import Frame
from novic.errors import NomalyError

type TimeFrom = Literal["given", "container", "name", "modified", "arrival"]
"""Where `Frame.time_us` comes from: the user, the file's creation time, a time in its name, its
modification time less its length (a guess), or the clock of this machine when the frame arrived."""

type GapReason = Literal[
    "refused",
    "auth",
    "not found",
    "unreachable",
    "timeout",
    "stalled",
    "waiting",
    "ended",
    "codec",
    "crashed",
    "size",
    "damaged",
    "missing",
    "learning",
    "stopped",
    "paused",
    "killed",
    "frozen",
    "black",
    "grey",
    "green",
    "white",
    "plain",
    "covered",
    "moved",
]
"""Why a source went blind; "waiting": data came, but no picture, for want of a key frame; "size":
its pictures came in another size than was learned; "damaged": pictures could not be decoded, or a
part of them; "missing": nothing was recorded; "learning": nobody looked, because the view was being
learned; "stopped", "paused" and "killed": because the watch was not running; "frozen" and all
behind it: nothing could be seen in its pictures (`app.watching.faults`)."""


class SourceError(NomalyError):
    """A source cannot be opened or read; the text names it (without its password) and says why."""


class UnreachableError(SourceError):
    """A live source cannot be reached: no frame came, or its address leads nowhere."""

    exit_code = 3
    why = ""
    """Why no frame came, without the address and how often it was asked; empty if unknown."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source; of a live one, since its newest connection."""

    camera: str
    uri: str
    """Where it is, with any password removed."""
    size: tuple[int, int]
    """(height, width) in pixels of its first frame, after rotation; (0, 0) until a live source has
    connected."""
    fps: float
    """Announced frames a second; 0 if the source does not say."""
    duration_s: float
    """Announced length in seconds; 0 if unknown or endless."""
    time_from: TimeFrom = "arrival"


NOW = "; now: "
"""Between what began a gap and what keeps it open, in its detail."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a source was blind."""

    start_us: int
    """UTC of the last frame before it, of the first attempt to connect, or of the first frame of
    another size."""
    end_us: int | None
    """UTC of the first frame after it; None while it lasts."""
    reason: GapReason
    """What began it; the attempts to reconnect may have failed otherwise."""
    detail: str = ""
    """One sentence for people, without passwords; behind `NOW` why it cannot be reached meanwhile,
    if that does not go away by itself."""


@dataclass(frozen=True, slots=True)
class LiveStats:
    """What happened on a live source so far."""

    frames: int = 0
    """Delivered to the consumer."""
    dropped: int = 0
    """Read, but replaced by a newer one before the consumer asked."""
    corrupt: int = 0
    """Packets or frames that the decoder called damaged; never delivered."""
    attempts: int = 0
    """Connections tried, the first one included."""


class Closing(ABC):
    """Closes itself at the end of a `with`."""

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. Safe to call twice and from another thread."""


class Source(Protocol):
    """Frames in the order they were taken, until the source ends or is closed.

    Frames are RGB; their size may change on the way; `pts_s` rises strictly.
    """

    @property
    def info(self) -> SourceInfo:
        """What the source announced when it was opened."""
        ...

    @property
    def warning(self) -> str:
        """What was wrong with the frames delivered so far, in one sentence; empty if nothing."""
        ...

    @property
    def gaps(self) -> list[Gap]:
        """Times of blindness so far, in order; of a recording, times of which it has no picture."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the frames that have not been taken yet, RGB uint8 [H, W, 3].

        Raises:
            SourceError: If the source breaks before its end.
        """
        ...

    def close(self) -> None:
        """Let go of the file, device or connection. Safe to call twice and from another thread."""
        ...


class Recording(Source, Protocol):
    """A source that is opened with `with`, read to its end and closed."""

    def __enter__(self) -> Self:
        """The source itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close it."""
        ...

    def thin(self, sample_fps: float | None) -> None:
        """From here on keep at most so many frames a second; None keeps all.

        Raises:
            ValueError: If it is not a positive number.
        """
        ...


class LiveSource(Protocol):
    """The newest frame whenever the consumer asks; older ones it missed are dropped and counted.

    Frames are RGB; their size may change after a gap; `pts_s` rises strictly, through gaps too.
    """

    @property
    def info(self) -> SourceInfo:
        """What is known since the newest connection."""
        ...

    @property
    def stats(self) -> LiveStats:
        """Counts so far."""
        ...

    @property
    def gaps(self) -> list[Gap]:
        """Times of blindness so far, in order; the last one may still be open."""
        ...

    def connect(
        self, timeout_s: float, failed: Callable[[str], None] = lambda _: None
    ) -> SourceInfo:
        """Wait for the first frame, which `frames` then delivers.

        Args:
            timeout_s: How long.
            failed: Told why no frame has come yet, whenever that is another reason than before.

        Raises:
            UnreachableError: If none arrived in time; says why the attempts failed.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more: it was closed, or is a file and has been played."""
        ...

    def take(self) -> Frame | None:
        """The newest frame, RGB uint8 [H, W, 3]; None if it was taken already; never waits.

        So one loop can serve many sources; `frames` is for a loop that serves one.

        Raises:
            SourceError: If nothing is left because the source broke.
        """
        ...

    def frames(self, timeout_s: float = 0.5) -> Iterator[Frame | None]:
        """Yield the newest frame, or None after each `timeout_s` without one, until closed.

        Frames are as `take` gives them.

        A network camera never ends: it reconnects for ever. A file played at its own pace ends.
        """
        ...

    def close(self) -> None:
        """Let go of everything within a second. Safe to call twice and from another thread."""
        ...
