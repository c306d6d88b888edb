"""Reading a video file from any moment on, with the same frames and times as from its start."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, dropwhile, islice
from pathlib import Path
from statistics import median

import av
import av.error
import av.format
from av.container import InputContainer
from av.video.stream import VideoStream

from app.paths import shown_path
from app.sources.clock import RecordingClock, Stamped
from app.sources.container import ASSUMED_FPS, Decoded, Decoder, open_video

_CLOCK_HZ = 1_000_000
"""Ticks of FFmpeg's container clock a second."""
_INDEXED = "mov,mp4,m4a,3gp,3g2,mj2"
"""The format whose seeks can be relied on: its index tells every frame."""
_TRIES = 3
"""Key frames that reading is begun at before it is begun at the file's start."""
_FURTHER_BACK_S = (0.0, 10.0, 100.0)
_SLACK_S = 1e-4
"""Half a tick, or a start taken from a frame's own time could miss that frame."""
_HOLE_STEPS = 1.5
"""Frames that are further apart, with damage between, have a hole between them."""
_PACE = 32
"""Steps from frame to frame that tell how regular a recording is."""
_REGULAR = 0.9
"""Share of them that are alike where it is; what skips frames that show nothing new is not."""
_PAUSE_S = 1.0
_PAUSE_STEPS = 5
"""A regular recording has a pause where a step is longer than both."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A time of which there is no sound picture."""

    start_s: float
    """When the last picture before it was taken, 0 if there is none."""
    end_s: float
    """When the first one after it was."""
    lost_s: float
    """How much longer that is than usual, in seconds."""
    pictures: int = 0
    """Pictures in it that could not be decoded; 0 where nothing was recorded."""


class Pace:
    """Knows a pause in a recording that is otherwise regular."""

    def __init__(self) -> None:
        self._steps_s: deque[float] = deque(maxlen=_PACE)

    def is_pause(self, step_s: float) -> bool:
        """Whether nothing was recorded in this step; it counts towards those to come if not."""
        if step_s >= _PAUSE_S and len(self._steps_s) == _PACE:
            usual_s = median(self._steps_s)
            regular = sum(abs(one - usual_s) <= usual_s / 2 for one in self._steps_s)
            if step_s > _PAUSE_STEPS * usual_s and regular >= _REGULAR * _PACE:
                return True
        self._steps_s.append(step_s)
        return False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where reading begins."""

    packets: int = 0
    """Packets that are left out first."""
    seek_s: float | None = None
    """Or: a time that the container is asked to go to."""

    @property
    def is_start(self) -> bool:
        return self.seek_s is None and self.packets == 0


class Reading:
    """One pass through a file."""

    def __init__(self, path: Path, assume_fps: float | None = None) -> None:
        """Open a file.

        Args:
            path: The file.
            assume_fps: Frames a second that count instead of all time stamps; None to go by these.

        Raises:
            SourceError: If it is no video that can be read.
        """
        self.container, self.stream = open_video(path)
        self.decoder = Decoder(self.container, self.stream)
        self.holes: list[Hole] = []
        self._pace = Pace()
        self.end_s = 0.0
        """When the last frame ends, in seconds from the recording's start."""
        self._stamps = assume_fps is None
        self._tick_s = float(self.stream.time_base or 0)
        # AVI tells the order of its packets and no times; FFmpeg's guess of these is a frame late.
        self._avi = self.container.format.name == "avi"
        self._shuffled = self._avi and bool(self.stream.codec_context.has_b_frames)
        self._origin: int | None = None if self._shuffled else self.stream.start_time
        self.announced_fps = assume_fps or self._rate()
        """Frames a second; 0 if the file does not say."""
        jumps = bool(self.container.format.flags & av.format.Flags.ts_discont.value)
        fps = self.announced_fps or ASSUMED_FPS
        self.clock = RecordingClock(shown_path(path), fps, restarts=jumps)

    @property
    def duration_s(self) -> float:
        """Announced length of the video in seconds; 0 if unknown."""
        if not self._stamps:
            return self.stream.frames / self.announced_fps
        return announced_s(self.container, self.stream)

    def _rate(self) -> float:
        # Of a bare stream FFmpeg says 25 on average, whatever the stream itself says.
        vague = self._shuffled or self.stream.start_time is None
        return float((self.stream.guessed_rate if vague else self.stream.average_rate) or 0)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self.container.close()

    def places(self, start_s: float) -> list[_Place]:
        """Where reading may begin to reach a moment, the best first, the start of the file last."""
        near: list[_Place] = []
        if self._can_seek:
            near = [_Place(seek_s=max(0.0, start_s - back_s)) for back_s in _FURTHER_BACK_S]
        elif self._can_skip:
            near = [_Place(packets=key) for key in self._keys(start_s)]
        return [*near, _Place()]

    @property
    def _can_seek(self) -> bool:
        return self._can_skip and self.container.format.name == _INDEXED and self.stream.frames > 0

    @property
    def _can_skip(self) -> bool:
        """Whether a frame's time can be told without the frames before it."""
        return self._stamps and self._origin is not None

    def _keys(self, start_s: float) -> list[int]:
        """Numbers of the key packets before a moment, the last first; none if clocks went wrong."""
        keys: list[int] = []
        last_s: float | None = None
        for number, packet in enumerate(self.decoder.packets()):
            stamp_s = self._seconds(packet.dts)
            if stamp_s is None:
                continue
            if last_s is not None and not 0 < stamp_s - last_s <= self.clock.longest_step_s:
                return []
            if stamp_s > start_s:
                break
            last_s = stamp_s
            pts_s = self._seconds(packet.dts if self._avi else packet.pts)
            if packet.is_keyframe and pts_s is not None and pts_s <= start_s:
                keys.append(number)
        return keys[: -_TRIES - 1 : -1]

    def frames(self, place: _Place) -> Iterator[Decoded]:
        """Yield sound frames from a place on with their times in seconds from the start.

        Raises:
            SourceError: If all frames carry the same time stamp.
        """
        if place.seek_s is not None:
            self._seek(place.seek_s)
        before_s: float | None = 0.0 if place.is_start else None
        for one, time_s in self.clock.times(self._stamped(place)):
            if before_s is not None:
                self._note_hole(before_s, time_s, one.missed)
            before_s = time_s
            self.end_s = time_s + (one.frame.duration * self._tick_s or self.clock.step_s)
            yield one.frame, time_s
        self._note_end()

    def _seek(self, seek_s: float) -> None:
        target = round(seek_s / self._tick_s + (self._origin or 0)) if self._tick_s else 0
        try:
            self.container.seek(target, stream=self.stream)
        except av.error.FFmpegError:
            # It stays where it is, and whoever asked sees where that is.
            return

    def _stamped(self, place: _Place) -> Iterator[Stamped]:
        damaged = 0
        packets = islice(self.decoder.packets(), place.packets, None)
        for frame in self.decoder.pictures(packets):
            missed = max(self.decoder.missed(), int(self.decoder.damaged > damaged))
            damaged = self.decoder.damaged
            yield Stamped(frame, self._stamp_s(frame), 0 if self._shuffled else missed)

    def _stamp_s(self, frame: av.VideoFrame) -> float | None:
        ticks = frame.dts if self._avi else frame.pts
        if not self._stamps or ticks is None:
            return None
        if self._origin is None:
            self._origin = ticks
        return self._seconds(ticks)

    def _seconds(self, ticks: int | None) -> float | None:
        return None if ticks is None else (ticks - (self._origin or 0)) * self._tick_s

    def _note_hole(self, start_s: float, end_s: float, missed: int) -> None:
        usual_s = self.clock.step_s if self.end_s else 0.0
        lost_s = end_s - start_s - usual_s
        damaged = missed > 0 and lost_s > (_HOLE_STEPS - 1) * self.clock.step_s
        if self._pace.is_pause(end_s - start_s) or damaged:
            self.holes.append(Hole(start_s, end_s, lost_s, missed))

    def _note_end(self) -> None:
        """Note the pictures at the end that never came out."""
        stamps = [self._seconds(ticks) or 0.0 for ticks in self.decoder.unseen()]
        late = [stamp_s for stamp_s in stamps if stamp_s >= self.end_s - self.clock.step_s / 2]
        if not self._shuffled and not self.clock.restarted_s and self.end_s and late:
            end_s = late[-1] + self.clock.step_s
            self.holes.append(Hole(self.end_s, end_s, end_s - self.end_s, len(late)))


def announced_s(container: InputContainer, stream: VideoStream) -> float:
    """Announced length of a video in seconds; 0 if unknown."""
    if stream.duration:
        return stream.duration * float(stream.time_base or 0)
    # The container lasts as long as its longest stream, which may be the sound.
    alone = len(container.streams) == 1
    return (container.duration or 0) / _CLOCK_HZ if alone else 0.0


def read_from(
    path: Path, start_s: float, assume_fps: float | None = None
) -> tuple[Reading, Iterator[Decoded]]:
    """Begin to read a file at a moment, as if it had been read from its start.

    Args:
        path: The file.
        start_s: In seconds from the recording's start.
        assume_fps: As `Reading` takes it.

    Returns:
        The reading, and its frames from that moment on with their times.

    Raises:
        SourceError: If it is no video that can be read.
    """
    reading = Reading(path, assume_fps)
    if start_s <= 0:
        return reading, reading.frames(_Place())
    places = reading.places(start_s)
    reading.close()
    for place in places:
        reading = Reading(path, assume_fps)
        frames = _landed(reading, place, start_s)
        if frames is not None:
            return reading, frames
        reading.close()
    raise AssertionError("the last place is the start, from which every moment is reached")


def _landed(reading: Reading, place: _Place, start_s: float) -> Iterator[Decoded] | None:
    """The frames from a moment on; None if reading from this place leaves some of them out.

    A seek may land behind the moment, or begin with pictures that lack what they rest on.
    """
    frames = reading.frames(place)
    try:
        first = next(frames, None)
    except BaseException:
        reading.close()
        raise
    if not place.is_start and (first is None or first[1] > start_s + _SLACK_S):
        return None
    known = [first] if first is not None else []
    earliest_s = start_s - _SLACK_S
    return dropwhile(lambda one: one[1] < earliest_s, chain(known, frames))
