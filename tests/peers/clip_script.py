"""Events at chosen moments of a real camera, their clips, and what is wrong with these."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av

from app.sources.cutting import ClipMade, ClipOrder
from app.sources.decode import RgbConverter
from app.sources.live import LiveCamera
from app.watching.clip_rule import ClipRule
from detectors.types import Frame, Pixels
from tests.peers.http_peers import Asked
from tests.peers.pattern import number_of

_PACKET = 188
_VIDEO = 256


@dataclass
class Scripted:
    """An event that a script made up."""

    id: str
    first: Frame
    last: Frame | None = None
    made: ClipMade | None = None


@dataclass(frozen=True)
class Shown:
    """What a clip shows."""

    at_s: list[float]
    numbers: list[int]
    """Of each picture, see `tests/peers/pattern.py`."""
    begins_with_key: bool
    sizes: set[tuple[int, int]]

    def error_s(self, one: Scripted, number: int) -> float:
        """How far from its told place in the clip the event's first picture is; infinite if gone.

        Of a number that is shown more than once the nearest counts.
        """
        assert one.made is not None
        told_s = (one.first.time_us - one.made.from_us) / 1e6
        return min(
            (
                abs(at_s - told_s)
                for at_s, shown in zip(self.at_s, self.numbers, strict=True)
                if shown == number
            ),
            default=float("inf"),
        )


def shown_in(clip: Path) -> Shown:
    """Decode a clip."""
    convert = RgbConverter()
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        images: list[Pixels] = [convert(frame) for frame in frames]
        return Shown(
            [float((frame.pts or 0) * (frame.time_base or 0)) for frame in frames],
            [number_of(image) for image in images],
            bool(frames) and bool(frames[0].key_frame),
            {(image.shape[0], image.shape[1]) for image in images},
        )


class Script:
    """Watches a camera and makes up events while it does."""

    def __init__(self, camera: LiveCamera, folder: Path, rule: ClipRule) -> None:
        self.events: list[Scripted] = []
        self.frames: list[Frame] = []
        self.readers_gone = 0
        self._camera = camera
        self._folder = folder
        self._rule = rule
        camera.clip_made = self._note

    def see(self, for_s: float) -> None:
        """Take frames for a while."""
        until_s = time.monotonic() + for_s
        for frame in self._camera.frames(0.05):
            if frame is not None:
                self.frames.append(frame)
            if time.monotonic() >= until_s:
                return

    def begin(self, frames_ago: int = 1) -> Scripted:
        """An event opens that was first seen some frames ago."""
        one = Scripted(f"e{len(self.events):03}", self.frames[-frames_ago])
        self.events.append(one)
        rule, folder = self._rule, str(self._folder)
        self._camera.order(
            ClipOrder(
                "begin",
                one.id,
                folder,
                one.first.time_us,
                rule.before_s,
                rule.after_s,
                rule.longest_s,
            )
        )
        return one

    def end(self, one: Scripted) -> None:
        """An event closes now."""
        one.last = self.frames[-1]
        self._camera.order(ClipOrder("end", one.id, time_us=one.last.time_us))

    def wait(self, timeout_s: float = 20.0) -> None:
        """Take frames until all clips are made."""
        until_s = time.monotonic() + timeout_s
        while any(one.made is None for one in self.events) and time.monotonic() < until_s:
            self.see(0.2)

    def shown(self, one: Scripted) -> Shown:
        """What an event's clip shows."""
        return shown_in(self._folder / f"{one.id}.mp4")

    def error_s(self, one: Scripted) -> float:
        """See `Shown.error_s`."""
        return self.shown(one).error_s(one, number_of(one.first.image))

    def _note(self, made: ClipMade | None) -> None:
        if made is None:
            self.readers_gone += 1
        for one in self.events:
            if made is not None and one.id == made.id:
                one.made = made


def transport_pictures(stream: bytes) -> list[bytes]:
    """A transport stream in as many pieces as it has pictures."""
    begins = [
        at
        for at in range(0, len(stream), _PACKET)
        if (stream[at + 1] & 31) << 8 | stream[at + 2] == _VIDEO and stream[at + 1] & 0x40
    ]
    return [stream[a:b] for a, b in pairwise([0, *begins[1:], len(stream)])]


def paced(pieces: Iterable[bytes], fps: float) -> Iterator[bytes]:
    """The pieces, so many a second."""
    begun_s = time.monotonic()
    for number, piece in enumerate(pieces):
        time.sleep(max(0.0, begun_s + number / fps - time.monotonic()))
        yield piece


def stream_of(pieces: list[bytes], fps: float, kind: str = "") -> Callable[[Asked], None]:
    """An answer for `tests.peers.http_peers.web_server` that plays pieces in real time."""

    def answer(asked: Asked) -> None:
        asked.stream(paced(pieces, fps), kind)

    return answer
