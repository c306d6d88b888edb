"""Opening video files with a clear refusal, and decoding them past their damage."""

import stat
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from app.sources.base import SourceError

ASSUMED_FPS = 25.0
"""For files that announce none."""

type Decoded = tuple[av.VideoFrame, float]
"""A frame and its time in seconds from the stream's start."""

_TEXT_CODECS = {"ansi", "bintext", "idf", "xbin"}
"""FFmpeg draws text files as video with these; nobody means that."""
_IMAGE_BRANDS = {"avif", "heic", "heix", "mif1"}
_MOST_FAILURES = 50
"""Failures to read in a row after which the rest of the file is given up."""
_CLOCK_HZ = 1_000_000
"""Ticks of FFmpeg's container clock a second."""


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and its best video stream.

    Raises:
        SourceError: If there is no such file or it is not a video; one sentence that says why.
    """
    _check_file(path)
    try:
        # With "file:", a name such as "http:x.mp4" or "concat:x" is still only a file's name.
        container = av.open(f"file:{path}")
    except av.error.FFmpegError as error:
        raise SourceError(f"{path}: not a video that can be read ({error.strerror})") from error
    try:
        return container, _video_stream(path, container)
    except BaseException:
        container.close()
        raise


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceError(f"{path}: is a folder, not a video file")
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{path}: is not an ordinary file")
        if status.st_size == 0:
            raise SourceError(f"{path}: the file is empty")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(f"{path}: cannot be read ({why})") from error


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    form = container.format.name
    brand = container.metadata.get("major_brand", "").strip()
    if form.endswith("_pipe") or form == "image2" or brand in _IMAGE_BRANDS:
        raise SourceError(f"{path}: is an image, not a video; use: nomaly name {path}")
    moving = [
        stream
        for stream in container.streams.video
        # A music file's cover is a video stream of one picture.
        if not stream.disposition & Disposition.attached_pic
    ]
    if any(stream.codec_context is None for stream in moving):
        raise SourceError(f"{path}: its video is in a format that cannot be decoded here")
    if not moving:
        raise SourceError(f"{path}: is not a video (it holds no video stream)")
    stream = container.streams.best("video")
    stream = stream if stream in moving and isinstance(stream, VideoStream) else moving[0]
    if stream.codec_context.name in _TEXT_CODECS:
        raise SourceError(f"{path}: is a text file, not a video")
    stream.thread_type = "AUTO"
    return stream


class Decoder:
    """Frames of one stream with rising times, past packets that are damaged."""

    def __init__(self, container: InputContainer, stream: VideoStream, live: bool = False) -> None:
        """Take an open stream; of a `live` one, a failure other than damage is raised."""
        self.fps = float(stream.average_rate or 0) or ASSUMED_FPS
        self.damaged = 0
        """Packets and frames that could not be used so far."""
        self.end_s = 0.0
        """When the last frame ends, in seconds from the stream's start."""
        self.failure = ""
        """Why reading stopped before the file's end."""
        self._container = container
        self._stream = stream
        self._live = live
        self._tick_s = float(stream.time_base or 0)
        # A live stream's first frame often has no time, so its start is that of a later one.
        self._start: float | None = None if live else stream.start_time
        self._last_s: float | None = None

    @property
    def duration_s(self) -> float:
        """Announced length of the video in seconds; 0 if unknown."""
        if self._stream.duration:
            return self._stream.duration * self._tick_s
        # The container lasts as long as its longest stream, which may be the sound.
        alone = len(self._container.streams) == 1
        return (self._container.duration or 0) / _CLOCK_HZ if alone else 0.0

    def seek(self, pts_s: float) -> None:
        """Go to the last key frame before `pts_s`; stay where it is if the file cannot do that."""
        target = round(pts_s / self._tick_s + (self._start or 0)) if self._tick_s else 0
        try:
            self._container.seek(target, stream=self._stream)
        except av.error.FFmpegError:
            return
        self._last_s = None

    def frames(self) -> Iterator[Decoded]:
        """Yield sound frames with their time in seconds from the stream's start."""
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    self.damaged += 1
                else:
                    yield frame, self._time(frame)

    def _packets(self) -> Iterator["Packet[VideoStream]"]:
        failures = 0
        while failures < _MOST_FAILURES:
            try:
                # A generator that has raised is over, so reading goes on with a new one.
                for packet in self._container.demux(self._stream):
                    if packet.is_corrupt:
                        self.damaged += 1
                    failures = 0
                    yield packet
            except av.error.FFmpegError as error:
                if self._live and not isinstance(error, av.error.InvalidDataError):
                    raise
                failures += 1
                self.damaged += 1
                self.failure = error.strerror or type(error).__name__
            else:
                self.failure = ""
                return

    def _time(self, frame: av.VideoFrame) -> float:
        step_s = 1 / self.fps
        after_last = 0.0 if self._last_s is None else self._last_s + step_s
        pts_s = after_last
        if frame.pts is not None:
            if self._start is None:
                self._start = frame.pts - (after_last / self._tick_s if self._tick_s else 0.0)
            pts_s = max(0.0, (frame.pts - self._start) * self._tick_s)
            if self._last_s is not None and pts_s <= self._last_s:
                pts_s = after_last
        self._last_s = pts_s
        self.end_s = pts_s + (frame.duration * self._tick_s or step_s)
        return pts_s
