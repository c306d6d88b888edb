"""Opening video files with a clear refusal, and decoding them past their damage."""

import stat
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from app.paths import shown_path
from app.sources.base import SourceError

ASSUMED_FPS = 25.0
"""For files that announce none."""

type Decoded = tuple[av.VideoFrame, float]
"""A frame and its time in seconds from the start."""

_TEXT_CODECS = {"ansi", "bintext", "idf", "xbin"}
"""FFmpeg draws text files as video with these; nobody means that."""
_IMAGE_BRANDS = {"avif", "heic", "heix", "mif1"}
_LEAST_JPEGS = 4
"""JPEGs one behind the other that are a video; photos may hold a preview and a second view."""
_MOST_FAILURES = 50
"""Failures to read in a row after which the rest of the file is given up."""


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and its best video stream.

    Raises:
        SourceError: If there is no such file or it is not a video; one sentence that says why.
    """
    _check_file(path)
    container = _open(path)
    try:
        if container.format.name == "jpeg_pipe" and _has_pictures(container, _LEAST_JPEGS):
            container.close()
            container = _open(path, "mjpeg")
        return container, _video_stream(path, container)
    except BaseException:
        container.close()
        raise


def _open(path: Path, form: str | None = None) -> InputContainer:
    try:
        # With "file:", a name such as "http:x.mp4" or "concat:x" is still only a file's name.
        return av.open(f"file:{path}", format=form)
    except av.error.FFmpegError as error:
        raise SourceError(
            f"{shown_path(path)}: not a video that can be read ({error.strerror})"
        ) from error


def _has_pictures(container: InputContainer, least: int) -> bool:
    """Whether a file that looks like a JPEG goes on with more of them."""
    try:
        return sum(1 for _ in islice(container.demux(video=0), least)) == least
    except av.error.FFmpegError:
        return False


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceError(f"{shown_path(path)}: is a folder, not a video file")
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{shown_path(path)}: is not an ordinary file")
        if status.st_size == 0:
            raise SourceError(f"{shown_path(path)}: the file is empty")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise SourceError(f"{shown_path(path)}: no such file") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(f"{shown_path(path)}: cannot be read ({why})") from error


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    form, name = container.format.name, shown_path(path)
    brand = container.metadata.get("major_brand", "").strip()
    if form.endswith("_pipe") or form == "image2" or brand in _IMAGE_BRANDS:
        raise SourceError(f"{name}: is an image, not a video; use: nomaly name {name}")
    moving = [
        stream
        for stream in container.streams.video
        # A music file's cover is a video stream of one picture.
        if not stream.disposition & Disposition.attached_pic
    ]
    if any(stream.codec_context is None for stream in moving):
        raise SourceError(f"{name}: its video is in a format that cannot be decoded here")
    if not moving:
        raise SourceError(f"{name}: is not a video (it holds no video stream)")
    stream = container.streams.best("video")
    stream = stream if stream in moving and isinstance(stream, VideoStream) else moving[0]
    if stream.codec_context.name in _TEXT_CODECS:
        raise SourceError(f"{name}: is a text file, not a video")
    stream.thread_type = "AUTO"
    return stream


class Decoder:
    """Sound frames of one stream in the order they are shown, past packets that are damaged."""

    def __init__(self, container: InputContainer, stream: VideoStream, live: bool = False) -> None:
        """Take an open stream; of a `live` one, a failure other than damage is raised."""
        self.damaged = 0
        """Packets and frames that could not be used so far."""
        self.failure = ""
        """Why reading stopped before the file's end."""
        self.heard: Callable[[], None] = lambda: None
        """Called for every packet, whether or not it becomes a frame."""
        self.taken: Callable[[Packet[VideoStream]], None] = lambda _: None
        """Given every packet before it is decoded."""
        self._container = container
        self._stream = stream
        self._live = live
        self._waiting: list[int] = []
        self._missed = 0
        self._tick_s = float(stream.time_base or 0)
        self._last_s: float | None = None

    def frames(self) -> Iterator[Decoded]:
        """Yield sound frames of a live stream with rising times in seconds from its first frame."""
        step_s = 1 / (float(self._stream.average_rate or 0) or ASSUMED_FPS)
        # A live stream's first frame often has no time, so its start is that of a later one.
        start: float | None = None
        for frame in self.pictures(self.packets()):
            after_last_s = 0.0 if self._last_s is None else self._last_s + step_s
            pts_s = after_last_s
            if frame.pts is not None:
                if start is None:
                    start = frame.pts - (after_last_s / self._tick_s if self._tick_s else 0.0)
                pts_s = max(0.0, (frame.pts - start) * self._tick_s)
                if self._last_s is not None and pts_s <= self._last_s:
                    pts_s = after_last_s
            self._last_s = pts_s
            yield frame, pts_s

    def packets(self) -> Iterator["Packet[VideoStream]"]:
        """Yield the stream's packets past those that cannot be read."""
        failures = 0
        while failures < _MOST_FAILURES:
            try:
                # A generator that has raised is over, so reading goes on with a new one.
                for packet in self._container.demux(self._stream):
                    self.heard()
                    if packet.is_corrupt:
                        self.damaged += 1
                    failures = 0
                    self.taken(packet)
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

    def pictures(self, packets: Iterable["Packet[VideoStream]"]) -> Iterator[av.VideoFrame]:
        """Decode packets; a frame that is damaged is left out."""
        for packet in packets:
            if packet.pts is not None and not packet.is_discard and not self._live:
                heappush(self._waiting, packet.pts)
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    self.damaged += 1
                else:
                    self._note_missed(frame.pts)
                    yield frame

    def missed(self) -> int:
        """Pictures since the last call that are in the file but did not come out before a frame."""
        missed, self._missed = self._missed, 0
        return missed

    def unseen(self) -> list[int]:
        """Stamps of the pictures that have not come out yet, in ticks."""
        return sorted(self._waiting)

    def _note_missed(self, pts: int | None) -> None:
        while pts is not None and self._waiting and self._waiting[0] <= pts:
            self._missed += heappop(self._waiting) < pts
