"""Normal footage as calibration needs it: its strangest places, cut and named as events are."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import batched
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibrating.planting import Pace, Window
from app.paths import shown_path
from app.progress import Meter, Reporter
from app.report.times import is_fact, local
from app.watching.calibrating import Footage
from app.watching.holding import Light, Sampling
from app.watching.keeper import lowest_level
from app.watching.namer import Names, name_pictures, vote
from app.watching.sampling import EACH, MINUTE_S, Crop, Sampler
from calibration.levels import Level, OpeningLevels
from calibration.site.crops import Crops
from detectors.base import Detector
from detectors.finding import Finder
from detectors.frames import BATCH
from detectors.tracks import TrackRule
from detectors.types import Frame, Pixels
from detectors.zones import Zones

MOST_S = 3600.0
MOST_CROPS = 1000
REPEATS, LEAST_REPEATS = 8, 3
"""Moments for the blind map: of one hour, and of each at least where there are many."""
_NAMED_AT_ONCE = 16
_STEPS = 500
"""Frames of a recording by which its pace is known."""


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of footage."""

    at_s: float
    """When it began, seconds from the start of the footage."""
    time_us: int
    """The same by the clock, UTC in microseconds."""
    peak: float
    """Highest value of its maps, 1.0 is just unusual."""
    light: float
    """Mean grey of its first frame, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Film:
    """One recording."""

    video: Path
    start_s: float
    """Where it begins in the footage."""
    length_s: float
    first_us: int
    """When it was recorded by its clock, UTC in microseconds."""
    step_s: float = 0.0
    """From frame to frame, as they came; 0 of a single one."""
    time_from: str = ""
    """What its clock rests on (`app.sources.base.TimeFrom`); empty where nobody knows."""


@dataclass(slots=True, eq=False)
class Looked:
    """What was seen of normal footage so far."""

    films: list[Film] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    top_p: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    moments: list[tuple[float, int]] = field(default_factory=list)
    """When each crop was taken, in the footage and by the clock."""
    minutes: list[Minute] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    """Levels at which things would have rung, their times in seconds of the footage."""
    hours: float = 0.0
    """That were looked at."""
    every_s: float = 0.0
    """Seconds from one frame of which crops were taken to the next."""
    picture: Pixels | None = None
    """One frame."""
    backwards: str = ""
    """Where the clock went back, one sentence; empty if it did not."""

    @property
    def length_s(self) -> float:
        """From its start to the end of what was seen, with all that was left out in between."""
        return max((film.start_s + film.length_s for film in self.films), default=0.0)

    @property
    def guessed(self) -> bool:
        """Whether a clock is but a guess, as by a file's date."""
        return any(one.time_from and not is_fact(one.time_from) for one in self.films)

    @property
    def sampling(self) -> Sampling | None:
        """How its crops were taken, so that later ones can be; None if there are none."""
        if not self.moments or not self.minutes:
            return None
        light = Light.of([one.light for one in self.minutes])
        return Sampling(self.every_s, len(self.moments) / len(self.minutes), light)

    @property
    def crops(self) -> Crops:
        """All crops in the order of time."""
        at_s = np.array([at for at, _ in self.moments], np.float64)
        time_us = np.array([us for _, us in self.moments], np.int64)
        vectors = np.stack(self.vectors) if self.vectors else np.zeros((0, 1), np.float32)
        return Crops(vectors, np.array(self.top_p), np.array(self.rest), at_s, time_us)


@dataclass(frozen=True, slots=True)
class How:
    """How footage is looked at."""

    fps: float | None = 5.0
    """Frames a second that are looked at; None for every one."""
    rule: TrackRule = field(default_factory=TrackRule)
    zones: Zones = field(default_factory=Zones)
    most_s: float = MOST_S
    """Footage that is looked at, at most, in minutes spread over all of it; of files that do not
    tell how long they are, the first of it."""


def look(
    videos: tuple[Path, ...],
    detector: Detector,
    names: Names,
    how: How,
    reporter: Reporter,
    check: Callable[[], None],
) -> Iterator[Looked]:
    """Look at normal footage, one recording after the other.

    Args:
        videos: In the order in which they are looked at.
        detector: Fitted.
        names: What names crops.
        how: How it is looked at.
        reporter: Told how far it is.
        check: Raises if the user wants to stop.

    Yields:
        What was seen, the same object after each batch, so that who stops keeps what there is.

    Raises:
        app.sources.base.SourceError: If a file cannot be read.
        detectors.base.DetectorError: If frames do not fit the detector.
    """
    lengths_s = [Footage((video,), fps=how.fps).length_s for video in videos]
    share = min(1.0, how.most_s / max(sum(lengths_s), 1e-9))
    # A file that does not tell how long it is may be of any length.
    expected_s = share * sum(lengths_s) if all(lengths_s) else how.most_s
    walk = _Walk(detector, names, how, expected_s)
    before_s = 0.0
    with reporter.task("Looking at what is normal", expected_s) as meter:
        for video, length_s in zip(videos, lengths_s, strict=True):
            for _ in walk.film(video, before_s, share, meter, check):
                yield walk.seen
                if not length_s and walk.looked_s >= how.most_s:
                    break
            walk.end()
            # By what it lasts, not by what was seen: short files lie between two minutes, too.
            before_s = max(before_s + length_s, walk.seen.length_s)
        walk.name()
        yield walk.seen


class _Walk:
    def __init__(self, detector: Detector, names: Names, how: How, length_s: float) -> None:
        self.seen = Looked()
        self._detector, self._names, self._how = detector, names, how
        self.seen.every_s = max(1.0, EACH * length_s / MOST_CROPS)
        self._sampler = Sampler(self.seen.every_s)
        self._waiting: list[Crop] = []
        self._start_s, self._at_s, self._last_us = 0.0, 0.0, -math.inf
        self._steps_s: list[float] = []
        self._pause_s = max(2.0, 2 / how.fps) if how.fps else 2.0
        self.looked_s = 0.0
        lowest = lowest_level(detector.peak)
        self._levels = OpeningLevels(Finder(detector.view), how.rule, lowest)

    def film(
        self, video: Path, start_s: float, share: float, meter: Meter, check: Callable[[], None]
    ) -> Iterator[None]:
        self._start_s, self._at_s, self._steps_s = start_s, -math.inf, []
        first_us: int | None = None
        size = self._detector.frame_size or (0, 0)
        footage = Footage((video,), fps=self._how.fps)
        rests_on = footage.time_from
        for frames in batched(footage.frames(size, share, start_s), BATCH):
            check()
            if first_us is None:
                first_us = frames[0].time_us
                self.seen.films.append(
                    Film(video, self._start_s, 0.0, first_us, time_from=rests_on)
                )
            self._look(frames, video)
            length_s = self._at_s - self._start_s
            step_s, film = _usual(self._steps_s), self.seen.films[-1]
            self.seen.films[-1] = replace(film, length_s=length_s, step_s=step_s)
            meter.to(self.looked_s, f"{len(self.seen.top_p)} pictures")
            yield

    def end(self) -> None:
        """A recording is over."""
        self._levels.finish()
        self._take_levels()

    def _look(self, frames: tuple[Frame, ...], video: Path) -> None:
        maps = self._detector.detect([frame.image for frame in frames]).maps
        mask = self._how.zones.grid((maps.shape[1], maps.shape[2]))
        if self.seen.picture is None:
            self.seen.picture = frames[0].image
        for frame, heat in zip(frames, maps, strict=True):
            placed = replace(frame, pts_s=self._start_s + frame.pts_s)
            step_s = placed.pts_s - self._at_s
            self.looked_s += step_s if 0 < step_s <= self._pause_s else 0.0
            if math.isfinite(step_s) and len(self._steps_s) < _STEPS:
                self._steps_s.append(step_s)
            self._at_s = placed.pts_s
            self._clock(frame, video)
            # Levels carry the footage's own time: the clock may go back.
            timed = replace(placed, time_us=round(1e6 * placed.pts_s))
            self._levels.see(timed, heat, mask)
            self._minute(placed, np.where(mask, heat, np.float32(0)))
            self._waiting += self._sampler.crops(placed, np.where(mask, heat, np.float32(0)))
        self._take_levels()
        if len(self._waiting) >= _NAMED_AT_ONCE:
            self.name()

    def _take_levels(self) -> None:
        taken = self._levels.take()
        self.seen.levels += taken.levels
        self.seen.hours += taken.hours

    def _clock(self, frame: Frame, video: Path) -> None:
        if frame.time_us < self._last_us and not self.seen.backwards:
            back_s = (self._last_us - frame.time_us) / 1e6
            self.seen.backwards = (
                f"{shown_path(video)}: its clock goes back by {back_s:.0f} s at "
                f"{frame.pts_s:.0f} s, so hours and times of the day may be wrong"
            )
        self._last_us = frame.time_us

    def _minute(self, frame: Frame, heat: NDArray[np.float32]) -> None:
        peak = float(np.nan_to_num(heat).max(initial=0.0))
        minutes = self.seen.minutes
        # A minute is one of a file: the next file may be of another hour.
        last_s = minutes[-1].at_s if minutes else -math.inf
        if last_s >= self._start_s and frame.pts_s - last_s < MINUTE_S:
            minutes[-1] = replace(minutes[-1], peak=max(minutes[-1].peak, peak))
            return
        light = float(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).mean())
        minutes.append(Minute(frame.pts_s, frame.time_us, peak, light))

    def name(self) -> None:
        """Name the crops that wait, as those of an event."""
        named = name_pictures(self._names, [one.picture for one in self._waiting])
        for one in self._waiting:
            elected = vote({one.picture: named[one.picture]})
            if elected.vector is None:
                continue
            seen = self.seen
            seen.vectors.append(elected.vector)
            seen.top_p.append(elected.candidates[0][1])
            seen.rest.append(float(np.clip(elected.rest, 0.0, 1.0)))
            seen.moments.append((one.at_s, one.time_us))
        self._waiting = []


def _usual(steps_s: list[float]) -> float:
    """The mean step of a recording without its pauses; 0 of none."""
    if not steps_s:
        return 0.0
    steps = np.array(steps_s)
    return float(steps[steps <= 3 * np.median(steps)].mean())


def moments(
    seen: Looked, size: tuple[int, int], fps: float | None, repeats: int | None
) -> list[Callable[[], Window | None]]:
    """Moments of footage for the blind map, as many of each hour that was looked at.

    Args:
        seen: The footage.
        size: (height, width) that frames are scaled to.
        fps: Frames a second that are looked at, where the recording has so many; None for all.
        repeats: Of each hour; None for what suits the number of hours.
    """
    by_hour: dict[int, list[tuple[Film, float]]] = {}
    for minute in seen.minutes:
        film = max((one for one in seen.films if one.start_s <= minute.at_s), key=_start)
        if not film.step_s:
            continue
        lasts_s, from_s = Pace.of(film.step_s).lasts_s, minute.at_s - film.start_s
        for at_s in np.arange(from_s, from_s + MINUTE_S - lasts_s, lasts_s):
            if at_s + lasts_s <= film.length_s:
                by_hour.setdefault(local(minute.time_us).hour, []).append((film, float(at_s)))
    many = repeats or max(LEAST_REPEATS, round(REPEATS / max(1, len(by_hour))))
    chosen = []
    for hour, all_of in sorted(by_hour.items()):
        for number in range(many):
            film, at_s = all_of[int((number + 0.5) / many * len(all_of))]
            chosen.append(_window(film, at_s, hour, size, fps))
    return chosen


def _start(film: Film) -> float:
    return film.start_s


def _window(
    film: Film, at_s: float, hour: int, size: tuple[int, int], fps: float | None
) -> Callable[[], Window | None]:
    pace = Pace.of(film.step_s)

    def read() -> Window | None:
        part = Footage((film.video,), from_s=at_s, for_s=pace.lasts_s, fps=fps)
        frames = [*part.frames(size)][: pace.frames]
        return Window(tuple(frames), hour, pace.before) if len(frames) == pace.frames else None

    return read
