"""The child process that reads one camera: `python -m app.sources.reader DESCRIPTOR`.

It is told what to read over a socket (never on the command line, where everybody could see the
password), publishes frames in a `Mailbox`, and may be killed at any moment. It knows nothing of
stalls: whatever blocks here, the parent's clock bounds it. It dies when its parent does.
"""

import errno
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal, assert_never

import av
import av.error
import numpy as np

from app.redact import redact
from app.sources.base import GapReason
from app.sources.container import Decoder
from app.sources.decode import RgbConverter, Sampler
from app.sources.mailbox import Mailbox, Shot, new_memory
from detectors.types import Pixels

FRAME_NOTICE = b"\n"
"""One empty line on the socket: there is a new frame in the mailbox."""

_CLOCKLESS = {"mpjpeg", "mjpeg"}
"""Formats without times, for which FFmpeg invents 25 frames a second."""
_BURSTING = {"hls", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"}
"""Formats that arrive many seconds at once and are to be played at their own pace."""

type Picture = tuple[av.VideoFrame | Pixels, float | None]
"""A frame of a network stream or an RGB image of a webcam, and its time on the camera's clock."""


type ReaderKind = Literal["network", "webcam"]
"""What a camera is read by; `read` has a case for each."""


def reader_kind(address: str) -> ReaderKind:
    """How a camera's address is read: a URL over the network, all else is a webcam."""
    return "network" if "://" in address else "webcam"


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a reader process is to read."""

    kind: ReaderKind
    address: str
    """URL; for a webcam its number, or the path of a device."""
    open_s: float
    """Longest wait for the connection and for data, a second line behind the parent's clock."""
    sample_fps: float | None = None

    def to_line(self) -> bytes:
        """This request as one line for the socket."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "ReadRequest":
        """Read what `to_line` wrote."""
        return cls(**json.loads(line))


class Publisher:
    """Sends frames and the final word to the parent."""

    def __init__(self, channel: socket.socket, sample_fps: float | None) -> None:
        self.corrupt = 0
        self.fps = 0.0
        self.read = 0
        """Frames decoded so far."""
        self._channel = channel
        self._sampler = Sampler(sample_fps)
        self._convert = RgbConverter()
        self._mailbox: Mailbox | None = None
        self._published = 0

    def show(self, picture: av.VideoFrame | Pixels, pts_s: float | None) -> None:
        """Publish a frame, or only a sign of life if it is not among those to keep.

        Args:
            picture: A decoded frame of any format, or RGB uint8 [H, W, 3].
            pts_s: Seconds on the camera's clock; None if it has none.
        """
        now_ns = time.monotonic_ns()
        number, self.read = self.read, self.read + 1
        if self._sampler.wants(now_ns / 1e9 if pts_s is None else pts_s):
            image = picture if isinstance(picture, np.ndarray) else self._convert(picture)
            mailbox = self._mailbox_for(image)
            self._published += 1
            wall_us = time.time_ns() // 1000
            mailbox.publish(Shot(self._published, number, pts_s, wall_us, now_ns / 1e9, image))
            mailbox.beat(self.read, self.corrupt, now_ns)
            self._notify()
        elif self._mailbox is not None:
            self._mailbox.beat(self.read, self.corrupt, now_ns)

    def fail(self, reason: GapReason, text: str) -> None:
        """Tell why reading ended."""
        self._send({"failed": reason, "text": text})

    def _mailbox_for(self, image: Pixels) -> Mailbox:
        size = image.shape[:2]
        if self._mailbox is None or self._mailbox.size != size:
            descriptor = new_memory(size)
            self._mailbox = Mailbox(descriptor, size)
            self._mailbox.beat(self.read, self.corrupt, time.monotonic_ns())
            self._send({"size": size, "fps": self.fps}, descriptor)
            os.close(descriptor)
        return self._mailbox

    def _send(self, message: dict[str, object], *descriptors: int) -> None:
        line = json.dumps(message).encode() + b"\n"
        socket.send_fds(self._channel, [line], descriptors)

    def _notify(self) -> None:
        try:
            self._channel.send(FRAME_NOTICE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            # The parent has plenty of notices to read already.
            return


def network_pictures(request: ReadRequest, publisher: Publisher) -> Iterator[Picture]:
    """Connect to an RTSP or HTTP address and yield its frames until it ends."""
    # Measuring the frame rate would take the first second; the camera's word is enough.
    options = {"timeout": str(round(request.open_s * 1e6)), "fpsprobesize": "0"}
    if request.address.lower().startswith("rtsp"):
        # Over UDP a lost packet looks like an object.
        options["rtsp_transport"] = "tcp"
    with av.open(request.address, options=options, timeout=request.open_s) as container:
        stream = container.streams.best("video")
        if not isinstance(stream, av.VideoStream):
            raise ValueError("it sends no video")
        # Frame threads would hold back as many frames as there are threads.
        stream.thread_type = "SLICE"
        publisher.fps = float(stream.average_rate or 0)
        form = container.format.name
        decoder = Decoder(container, stream, live=True)
        begun_s: float | None = None
        for frame, pts_s in decoder.frames():
            publisher.corrupt = decoder.damaged
            if form in _BURSTING:
                now_s = time.monotonic()
                begun_s = now_s - pts_s if begun_s is None else begun_s
                time.sleep(max(0.0, begun_s + pts_s - now_s))
            yield frame, None if form in _CLOCKLESS else pts_s


def webcam_pictures(request: ReadRequest, publisher: Publisher) -> Iterator[Picture]:
    """Open a webcam by its number and yield its pictures.

    Tested through OpenCV with a video file in the camera's place; no real webcam was at hand.
    """
    import cv2  # noqa: PLC0415 - only webcams need it

    device = int(request.address) if request.address.isdecimal() else request.address
    capture = cv2.VideoCapture(device)
    if not capture.isOpened():
        raise FileNotFoundError(errno.ENODEV, "there is no such camera, or it is in use")
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    publisher.fps = max(0.0, capture.get(cv2.CAP_PROP_FPS))
    while True:
        good, image = capture.read()
        if not good:
            return
        yield np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8), None


def explain(error: Exception, connected: bool) -> tuple[GapReason, str]:
    """The class of a failure to read, `connected` or not yet, and a sentence about it."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError() | PermissionError():
            return "auth", f"login refused ({text})"
        case av.error.HTTPNotFoundError() | FileNotFoundError():
            return "not found", f"nothing at this address ({text})"
        case ConnectionRefusedError():
            return "refused", "connection refused"
        case TimeoutError() | av.error.ExitError():
            return "timeout", "no answer in time"
        case av.error.InvalidDataError() | av.error.DecoderNotFoundError():
            return "codec", f"what it sends cannot be decoded ({text})"
        case OSError():
            return "ended" if connected else "unreachable", text
        case ValueError():
            return "codec", text
        case _:
            return "crashed", f"{type(error).__name__}: {text}"


def _pictures(request: ReadRequest, publisher: Publisher) -> Iterator[Picture]:
    match request.kind:
        case "webcam":
            return webcam_pictures(request, publisher)
        case "network":
            return network_pictures(request, publisher)
        case _:
            assert_never(request.kind)


def read(request: ReadRequest, publisher: Publisher) -> None:
    """Publish frames until the camera ends or fails, then tell which."""
    try:
        for picture, pts_s in _pictures(request, publisher):
            publisher.show(picture, pts_s)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to know
        reason, text = explain(error, connected=publisher.read > 0)
        publisher.fail(reason, redact(text, request.address))
    else:
        # A camera has no end: this is what a killed server looks like.
        publisher.fail("ended", "the stream ended")


def _first_line(channel: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = channel.recv(1)
        if not byte:
            sys.exit(1)
        line += byte
    return line


def _die_with_parent(channel: socket.socket) -> None:
    # The parent says nothing more: this returns only when it has closed its end, or is dead.
    channel.recv(1)
    os._exit(1)


def main() -> None:
    """Read what the socket asks for."""
    # Ctrl-C in the terminal is for the parent, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=int(sys.argv[1]))
    request = ReadRequest.from_line(_first_line(channel))
    threading.Thread(target=_die_with_parent, args=(channel,), daemon=True).start()
    read(request, Publisher(channel, request.sample_fps))
    # Without waiting for libraries to take leave of a camera that may be dead.
    os._exit(0)


if __name__ == "__main__":
    main()
