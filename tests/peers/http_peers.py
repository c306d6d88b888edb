"""HTTP peers: a camera of numbered JPEG pictures, a file server, and one that says nothing."""

import base64
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np

from detectors.types import Pixels
from tests.peers.pattern import picture


class MjpegCamera:
    """What the server sends, and how to disturb it."""

    def __init__(self, login: str = "", fps: int = 20) -> None:
        self.login = login
        self.fps = fps
        self.shows: Callable[[int], Pixels] = picture
        """The picture of a number."""
        self.frozen = threading.Event()
        self.cut = threading.Event()
        self.stopped = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        """Address without a login."""
        return f"http://127.0.0.1:{self.port}/stream.mjpg"

    def allows(self, authorization: str) -> bool:
        """Whether the header holds the right login."""
        wanted = "Basic " + base64.b64encode(self.login.encode()).decode()
        return not self.login or authorization == wanted

    def parts(self) -> Iterator[bytes]:
        """The parts of the answer, in real time, until the camera is cut or stopped."""
        number = 0
        while not self.cut.is_set() and not self.stopped.wait(1 / self.fps):
            if self.frozen.is_set():
                continue
            data = encoded(self.shows(number))
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            yield head.encode() + data + b"\r\n"
            number += 1


@contextmanager
def mjpeg_camera(login: str = "", fps: int = 20) -> Iterator[MjpegCamera]:
    """A camera that is on while the block runs."""
    camera = MjpegCamera(login, fps)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not camera.allows(self.headers.get("Authorization", "")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for part in camera.parts():
                    self.wfile.write(part)
            except ConnectionError:
                return

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with _serving(Handler) as port:
        camera.port = port
        yield camera
        camera.stopped.set()


class Asked(BaseHTTPRequestHandler):
    """One request to `web_server`, and short ways to answer it."""

    protocol_version = "HTTP/1.1"

    def give(self, body: bytes, kind: str, status: int = 200, **headers: str) -> None:
        """Answer with a whole body; underscores in the names of headers are dashes."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, parts: Iterable[bytes], kind: str) -> None:
        """Answer with parts as they come; the connection ends with them. `kind` may be empty."""
        self.send_response(200)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for part in parts:
                self.wfile.write(part)
        except ConnectionError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def web_server(answer: Callable[[Asked], None]) -> Iterator[str]:
    """`HOST:PORT` of a server that answers every request as the function does."""

    class Handler(Asked):
        def do_GET(self) -> None:
            answer(self)

    with _serving(Handler) as port:
        yield f"127.0.0.1:{port}"


def encoded(image: Pixels) -> bytes:
    """A picture as JPEG."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]))
    return data.tobytes()


def jpeg(number: int) -> bytes:
    """A numbered picture (see `tests/peers/pattern.py`) as a camera sends it."""
    return encoded(picture(number))


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """The address of a web server that hands out the files of a folder."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with _serving(partial(Handler, directory=str(folder))) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mute_server() -> Iterator[str]:
    """An address that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
