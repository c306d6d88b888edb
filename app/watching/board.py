"""How the cameras of this process do just now: written by watches, read by pages and metrics."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.events.event import Lasting
from app.sources.base import Gap, LiveStats, SourceInfo
from app.watching.pulse import Pulse
from detectors.types import Box, Frame, Pixels

AGES_S = (0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 5.0, 10.0)
"""Upper bounds of the classes in which the ages of frames are counted; a last class has none."""


@dataclass(frozen=True, slots=True)
class Marked:
    """An open event in the newest picture."""

    event_id: str
    headline: str
    """As it was told last; empty until it was."""
    box: Box
    """Where it was seen last, in pixels of the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The newest frame that was looked at, with what is open in it."""

    frame: Frame
    marked: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Doing:
    """How one camera does."""

    camera: str
    folder: Path
    """Of its store."""
    uri: str
    """Where it is, without passwords."""
    doing: str
    """`learning`, `catching up` or `watching`."""
    blind: Gap | None
    """Why nothing is seen just now; None if it sees."""
    frames: int
    """Looked at."""
    skipped: int
    """Left out to catch up."""
    open: int
    """Events that are open."""
    age_s: float | None
    """Since the newest frame that was looked at was taken; None before the first."""
    stats: LiveStats
    ages: tuple[int, ...]
    """Frames by how old they were when they had been looked at: a count for each of `AGES_S`, and
    one for all above."""
    age_sum_s: float
    """Sum of these ages."""
    detector_s: float
    """Wall time that its detector took."""


class Observed(Protocol):
    """What is asked of a live source; `app.sources.base.LiveSource` tells all of it."""

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


class Station:
    """One camera on the board. Safe to use from several threads."""

    def __init__(
        self, folder: Path, source: Observed, hiding: Callable[[Pixels], Pixels] | None = None
    ) -> None:
        """Take a camera that has connected, and the folder of its store.

        Args:
            folder: Of the store.
            source: The camera.
            hiding: Makes people unrecognisable in a picture that did not come by `looked`, before
                anybody sees it; None if nobody is to be hidden.
        """
        self.hiding = hiding
        self.camera = source.info.camera
        self.folder = folder
        self.pulse = Pulse()
        """How the watch does."""
        self._source = source
        self._lock = threading.Condition()
        self._shown: Shown | None = None
        self._count = 0
        self._headlines: dict[str, str] = {}
        self._ages = [0] * (len(AGES_S) + 1)
        self._age_sum_s = 0.0
        self._detector_s = 0.0

    @property
    def source(self) -> Observed:
        """What it watches; some have pictures for onlookers (`app.sources.glimpses.Glimpsed`)."""
        return self._source

    def looked(self, frame: Frame, lasting: Iterable[Lasting], detector_s: float) -> None:
        """Note a frame that was looked at.

        Args:
            frame: As it was taken.
            lasting: What is open, with at least its newest sighting.
            detector_s: Wall time that the detector has taken so far.
        """
        age_s = self.pulse.age_s or 0.0
        with self._lock:
            marked = tuple(
                Marked(one.id, self._headlines.get(one.id, ""), one.path[-1][1])
                for one in lasting
                if one.path
            )
            going_on = {one.event_id for one in marked}
            self._headlines = {k: v for k, v in self._headlines.items() if k in going_on}
            self._shown = Shown(frame, marked)
            self._count += 1
            self._ages[bisect_left(AGES_S, age_s)] += 1
            self._age_sum_s += age_s
            self._detector_s = detector_s
            self._lock.notify_all()

    def told(self, message: dict[str, Any]) -> None:
        """Note an event's state, as scripts read it; other messages say nothing here."""
        if "headline" in message:
            with self._lock:
                self._headlines[message["id"]] = message["headline"]

    def newest(self, after: int, timeout_s: float) -> tuple[int, Shown] | None:
        """Wait for a picture.

        Args:
            after: The number that came with the last one; 0 at first.
            timeout_s: How long.

        Returns:
            Its number and the picture; None if no newer one came.
        """
        with self._lock:
            self._lock.wait_for(lambda: self._count > after, timeout_s)
            shown = self._shown
            return (self._count, shown) if shown is not None and self._count > after else None

    def doing(self) -> Doing:
        """How it does just now."""
        pulse, info = self.pulse, self._source.info
        causes: Sequence[Sequence[Gap]] = [self._source.gaps, *map(list, pulse.unseen)]
        last = [gaps[-1] for gaps in causes if gaps]
        with self._lock:
            return Doing(
                camera=info.camera,
                folder=self.folder,
                uri=info.uri,
                doing=pulse.doing,
                blind=next((gap for gap in last if gap.end_us is None), None),
                frames=pulse.frames,
                skipped=pulse.skipped,
                open=pulse.open,
                age_s=pulse.age_s,
                stats=self._source.stats,
                ages=tuple(self._ages),
                age_sum_s=self._age_sum_s,
                detector_s=self._detector_s,
            )


class Board:
    """All cameras of this process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stations: dict[str, Station] = {}

    @contextmanager
    def showing(self, station: Station) -> Iterator[None]:
        """Show a camera while entered, in the place of the one of its name if there is one."""
        with self._lock:
            self._stations[station.camera] = station
        try:
            yield
        finally:
            with self._lock:
                if self._stations.get(station.camera) is station:
                    del self._stations[station.camera]

    def stations(self) -> list[Station]:
        """Those that are connected, in the order of their names."""
        with self._lock:
            return [self._stations[name] for name in sorted(self._stations)]
