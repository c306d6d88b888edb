"""What an archive is cut into: whole files together, or stretches of one long recording.

A stretch begins with nothing followed, behind footage that is looked at and not followed so that it
is known how the pictures usually are, as after a stop. It goes on past its end until nothing is
followed at a moment at which nothing was followed by the next one either, and both know the same:
there the next one takes over. So nothing that goes on across a border is cut.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.sources.joined import Recorded
from novic.json_files import read_json
from novic.whole_files import write_whole

LEAST_S = 60.0
"""A stretch is at least so long, ..."""
MOST_S = 600.0
"""... and at most, ..."""
EACH_WORKER = 2
"""... and there are about so many for each worker: 20 s before every one are looked at twice."""
MOST_FILES = 50
"""Short files that are one piece of work."""
POINTS = "points.json"

type State = Literal["waiting", "running", "open", "met", "swallowed", "failed"]
"""`open`: it has come to its end and has not met the next one yet. `met`: it is over.
`swallowed`: the one before went on past all of it, so that its results are not used."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of work."""

    number: int
    recording: int
    """Number of its first recording."""
    recordings: int
    """How many whole recordings it holds; 1 for a stretch."""
    uri: str
    sha256: str
    """Of what its files are called, how large they are, and when they were changed."""
    from_s: float
    until_s: float | None
    """None if it goes to the end."""
    footage_s: float
    state: State = "waiting"
    worker: str = ""
    tries: int = 0
    fault: str = ""
    reached_s: float = 0.0
    after_s: float | None = None
    """Where the one before has met it."""
    frames: int = 0
    spent_s: float = 0.0
    joined: bool = False

    @property
    def is_stretch(self) -> bool:
        """Whether it is a part of a recording."""
        return self.until_s is not None or self.from_s > 0

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do for it."""
        return self.state in ("met", "swallowed", "failed")


@dataclass(frozen=True, slots=True)
class Point:
    """What was followed at a point of a recording."""

    known: str
    """What the tracker knows, where nothing is followed and nothing is wrong; else empty."""
    frames: int
    """Frames that were looked at until then."""


type Points = dict[float, Point]
"""By their time, in seconds from the start of the recording."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is asked to do."""

    segment: Segment
    folder: Path
    """Where its results go."""
    recordings: tuple[tuple[int, Recorded], ...]
    """With their numbers."""
    next_points: Points = field(default_factory=dict)
    """Those of the segment behind it, once they are known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended."""

    number: int
    state: Literal["open", "met", "stopped", "nothing", "fault"]
    """`nothing`: there is no picture from its start on."""
    reached_s: float = 0.0
    frames: int = 0
    """Frames that were looked at in it, those twice that were looked at twice."""
    detector_s: float = 0.0
    spent_s: float = 0.0
    failed: tuple[str, ...] = ()
    """Files that cannot be read, with the reasons."""
    fault: str = ""
    """Why it has no result, if it is a fault."""


def cut(
    recorded: Sequence[Recorded], lengths_s: Sequence[float], first_s: float, workers: int
) -> list[Segment]:
    """Cut an archive.

    Args:
        recorded: Its recordings.
        lengths_s: Their lengths in seconds; 0 where unknown.
        first_s: So much of the first one's start is not looked at.
        workers: How many look.
    """
    found: list[Segment] = []
    together: list[int] = []
    for number, length_s in enumerate(lengths_s):
        starts = _starts(first_s if number == 0 else 0.0, length_s, workers)
        room = len(together) < MOST_FILES and sum(lengths_s[n] for n in together) < LEAST_S
        if together and (len(starts) > 1 or not room):
            found.append(_whole(len(found), together, recorded, lengths_s))
            together = []
        if len(starts) == 1:
            together.append(number)
            continue
        for from_s, until_s in zip(starts, [*starts[1:], None], strict=True):
            seconds = (until_s or length_s) - from_s
            about = (recorded[number].uri, identity([recorded[number]]))
            one = Segment(len(found), number, 1, *about, from_s, until_s, seconds)
            found.append(one)
    if together:
        found.append(_whole(len(found), together, recorded, lengths_s))
    return found


def _starts(from_s: float, length_s: float, workers: int) -> list[float]:
    """Where the stretches of a recording begin; one alone if it is too short to be cut."""
    left_s = length_s - from_s
    wanted_s = min(max(left_s / (EACH_WORKER * workers), LEAST_S), MOST_S)
    count = max(1, int(left_s // wanted_s)) if workers > 1 else 1
    return [from_s + left_s * n / count for n in range(count)]


def _whole(
    number: int, together: Sequence[int], recorded: Sequence[Recorded], lengths_s: Sequence[float]
) -> Segment:
    held = [recorded[one] for one in together]
    seconds = sum(lengths_s[one] for one in together)
    about = (held[0].uri, identity(held))
    return Segment(number, together[0], len(together), *about, 0.0, None, seconds)


def identity(held: Sequence[Recorded]) -> str:
    """SHA-256 of what the files of recordings are called, how large they are, and their changes."""
    return hashlib.sha256(json.dumps([*_facts(held)]).encode()).hexdigest()


def _facts(held: Sequence[Recorded]) -> Iterator[list[Any]]:
    for part in (part for one in held for part in one.parts):
        try:
            facts = part.path.stat()
            yield [str(part.path), facts.st_size, facts.st_mtime_ns]
        except OSError:
            # It is told when its turn comes.
            yield [str(part.path), None, None]


def meets(known: Points, at_s: float, other: Points) -> bool:
    """Whether two segments know the same at a moment, and nothing is followed."""
    here, there = known.get(at_s), other.get(at_s)
    return here is not None and there is not None and bool(here.known) and here.known == there.known


def read_points(folder: Path) -> Points:
    """The points of a part's folder; none if there are none yet."""
    try:
        facts = read_json(folder / POINTS)
        return {float(at_s): Point(known, frames) for at_s, known, frames in facts["points"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_points(folder: Path, points: Mapping[float, Point]) -> None:
    """Keep the points of a part.

    Raises:
        OSError: If they cannot be written.
    """
    rows = [[at_s, one.known, one.frames] for at_s, one in sorted(points.items())]
    write_whole(folder / POINTS, json.dumps({"points": rows}).encode())
