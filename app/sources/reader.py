"""The child process that reads one camera: `python -m app.sources.reader DESCRIPTOR`.

It is told what to read over a socket (never on the command line, where everybody could see the
password), publishes frames in a `Mailbox`, and may be killed at any moment. It knows nothing of
stalls: whatever blocks here, the parent's clock bounds it. When a camera has failed it waits to be
asked again, since starting a process takes longer than connecting. It dies when its parent does.
"""

import contextlib
import errno
import http.client
import json
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Generator
from dataclasses import asdict
from typing import assert_never

import av
import av.error
import numpy as np

from app.address import split_address
from app.redact import redact
from app.sources.base import GapReason
from app.sources.cutting import ClipMade, ClipOrder, Cutter
from app.sources.glimpses import Asked
from app.sources.network import network_pictures
from app.sources.publisher import LOOK, Picture, Publisher, ReadRequest
from app.sources.web import ReadError

_HIGHEST_WEBCAM = 255
"""Linux gives cameras no higher number."""


def webcam_pictures(request: ReadRequest, publisher: Publisher) -> Generator[Picture]:
    """Open a webcam by its number and yield its pictures.

    Tested through OpenCV with a video file in the camera's place; no real webcam was at hand.
    """
    import cv2  # noqa: PLC0415 - only webcams need it

    device = int(request.address) if request.address.isdecimal() else request.address
    if isinstance(device, int) and device > _HIGHEST_WEBCAM:
        raise ReadError("not found", f"webcams have numbers from 0 to {_HIGHEST_WEBCAM}")
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


def explain(error: Exception, connected: bool, address: str = "") -> tuple[GapReason, str]:
    """The class of a failure to read, `connected` or not yet, and a sentence about it."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    text = " ".join(said.split())
    told = _refused(error, text) or _unreadable(error, text) or _silent(error)
    if told is not None:
        return told
    if isinstance(error, OSError | av.error.HTTPError | av.error.HTTPClientError):
        return "ended" if connected else "unreachable", _unknown_name(address) or text
    if isinstance(error, http.client.HTTPException):
        return "ended", text
    return "crashed", f"{type(error).__name__}: {text}"


def _refused(error: Exception, text: str) -> tuple[GapReason, str] | None:
    match error:
        case ReadError():
            return error.reason, text
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return "auth", f"login refused ({text})"
        case PermissionError() if error.errno == errno.EPERM:
            # FFmpeg opens nothing that a list from outside names.
            return "codec", f"it is a list of files or addresses that may not be opened ({text})"
        case PermissionError():
            return "auth", f"no permission to open it ({text})"
        case av.error.HTTPNotFoundError() | FileNotFoundError():
            return "not found", f"nothing at this address ({text})"
    return None


def _unreadable(error: Exception, text: str) -> tuple[GapReason, str] | None:
    match error:
        case av.error.InvalidDataError() | av.error.DecoderNotFoundError():
            return "codec", f"what it sends cannot be decoded ({text})"
        case ValueError():
            return "codec", text
    return None


def _silent(error: Exception) -> tuple[GapReason, str] | None:
    match error:
        case ConnectionRefusedError():
            return "refused", "connection refused"
        case TimeoutError() | av.error.ExitError():
            return "timeout", "no answer in time"
    return None


def _unknown_name(address: str) -> str:
    """That a host's name means nothing here, which FFmpeg calls an input/output error; or empty."""
    if "://" not in address:
        return ""
    host = split_address(address).host.strip("[]")
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"the name {host} cannot be resolved ({why})"
    return ""


def pictures_of(request: ReadRequest, publisher: Publisher) -> Generator[Picture]:
    """The pictures of a camera, by what reads it."""
    match request.kind:
        case "webcam":
            return webcam_pictures(request, publisher)
        case "network":
            return network_pictures(request, publisher)
        case "ros":
            # Only topics need DDS.
            from app.sources.ros import ros_pictures  # noqa: PLC0415

            return ros_pictures(request, publisher)
        case _:
            assert_never(request.kind)


def read(request: ReadRequest, publisher: Publisher) -> None:
    """Publish frames until the camera ends or fails, then tell which."""
    publisher.begin()
    try:
        with contextlib.closing(pictures_of(request, publisher)) as pictures:
            for picture, pts_s in pictures:
                publisher.show(picture, pts_s)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to know
        reason, text = explain(error, publisher.read > 0, request.address)
        publisher.fail(reason, redact(text, request.address))
    else:
        # A camera has no end: this is what a killed server looks like.
        publisher.fail("ended", "the stream ended")
    finally:
        publisher.end()


def _listen(
    channel: socket.socket, asked: queue.SimpleQueue[bytes], cutter: Cutter, glimpses: Asked
) -> None:
    """Pass on what is asked; no more of it means that the parent has closed its end, or is dead."""
    received = b""
    try:
        while data := channel.recv(4096):
            *lines, received = (received + data).split(b"\n")
            for line in lines:
                if line.startswith(LOOK):
                    glimpses.ask(json.loads(line)["look"])
                    continue
                said = json.loads(line)
                if "clip" in said:
                    cutter.order(ClipOrder.from_said(said))
                else:
                    asked.put(line)
    finally:
        # A parent that died with news unread is no end of the stream, but a reset connection.
        os._exit(1)


def main() -> None:
    """Read what the socket asks for, one address after the other."""
    # Ctrl-C in the terminal is for the parent, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=int(sys.argv[1]))
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def made(clip: ClipMade) -> None:
        channel.sendall(json.dumps({"made": asdict(clip)}).encode() + b"\n")

    cutter, glimpses = Cutter(made), Asked()
    threading.Thread(target=_listen, args=(channel, asked, cutter, glimpses), daemon=True).start()
    while True:
        request = ReadRequest.from_line(asked.get())
        fps, ring_s = request.sample_fps, request.ring_s
        read(request, Publisher(channel, fps, cutter, ring_s, glimpses))


if __name__ == "__main__":
    main()
