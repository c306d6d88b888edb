"""When each image of a sequence was taken: by names, by EXIF, else one behind the other."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path

from PIL import Image

from app.sources.base import TimeFrom
from app.sources.start_time import credible, time_in_name

FPS = 1.0
"""Images a second where nobody knows."""
_CLOCK_DIGITS = 6
"""Of a name that tells a time whose day its folder tells: with fewer it is a number."""
_EXIF, _TAKEN, _FRACTION, _ZONE = 0x8769, 0x9003, 0x9291, 0x9011

type Clock = Callable[[Path], datetime | None]


@dataclass(frozen=True, slots=True)
class ImageTimes:
    """The times of a sequence's images."""

    order: tuple[Path, ...]
    """The images in the order they were taken."""
    at_s: tuple[float, ...]
    """When each was, rising, in seconds from the first."""
    began: datetime | None
    """When the first was, with its zone; None if no image says."""
    time_from: TimeFrom
    """What says so."""

    @property
    def step_s(self) -> float:
        """The usual time from one image to the next, in seconds."""
        steps = sorted(later - earlier for earlier, later in pairwise(self.at_s))
        return steps[len(steps) // 2] if steps else 1 / FPS

    @property
    def end_s(self) -> float:
        """When the last image ends, in seconds from the first."""
        return self.at_s[-1] + self.step_s


def image_times(images: Sequence[Path], assume_fps: float | None = None) -> ImageTimes:
    """Time images.

    Args:
        images: In the order of their names.
        assume_fps: Images a second, whatever they say; None where they shall say it.
    """
    for clock, time_from in _CLOCKS:
        told = _told(images, clock)
        if told is None:
            continue
        if assume_fps is not None:
            return ImageTimes(tuple(images), _even(images, assume_fps), min(told), time_from)
        if len(images) > 1 and min(told) == max(told):
            continue
        return _ordered(images, told, time_from)
    return ImageTimes(tuple(images), _even(images, assume_fps or FPS), None, "modified")


def time_of_image(image: Path) -> tuple[datetime | None, TimeFrom]:
    """When one image was taken, with its zone, and what says so; None if nothing does."""
    for clock, time_from in _CLOCKS:
        if (when := clock(image)) is not None:
            return when, time_from
    return None, "modified"


def _told(images: Sequence[Path], clock: Clock) -> list[datetime] | None:
    """The time of every image; None as soon as one has none."""
    times: list[datetime] = []
    for image in images:
        when = clock(image)
        if when is None:
            return None
        times.append(when)
    return times


def _ordered(images: Sequence[Path], times: Sequence[datetime], time_from: TimeFrom) -> ImageTimes:
    order = sorted(range(len(images)), key=lambda number: times[number])
    began = times[order[0]]
    at_s: list[float] = []
    for second_s, same in groupby((times[number] - began).total_seconds() for number in order):
        # Clocks of whole seconds: images of one second are spread over it.
        count = len(list(same))
        at_s += [second_s + number / count for number in range(count)]
    rising = [at_s[0]]
    for one in at_s[1:]:
        rising.append(max(one, rising[-1] + 1e-3))
    return ImageTimes(tuple(images[number] for number in order), tuple(rising), began, time_from)


def _even(images: Sequence[Path], fps: float) -> tuple[float, ...]:
    return tuple(number / fps for number in range(len(images)))


def _named(image: Path) -> datetime | None:
    """The time in a name; that of its folder counts for its day alone."""
    if len(re.findall(r"\d", image.stem)) >= _CLOCK_DIGITS:
        return time_in_name(image)
    return None


def _taken(image: Path) -> datetime | None:
    """When a camera says that it took a photograph (EXIF 2.3, DateTimeOriginal)."""
    try:
        with Image.open(image) as opened:
            facts = opened.getexif().get_ifd(_EXIF)
            text, zone = str(facts.get(_TAKEN, "")), str(facts.get(_ZONE, ""))
            fraction = re.sub(r"\D", "", str(facts.get(_FRACTION, ""))) or "0"
        when = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - see below
        when = when.replace(microsecond=int(f"{fraction:0<6}"[:6]))
        when = datetime.fromisoformat(f"{when.isoformat()}{zone}")
    except Exception:  # noqa: BLE001
        # Damaged bytes are met with errors of any kind; the image is told when its turn comes.
        return None
    local = when if when.tzinfo else when.astimezone()
    return local if credible(local.astimezone(UTC)) else None


_CLOCKS: tuple[tuple[Clock, TimeFrom], ...] = ((_named, "name"), (_taken, "container"))
