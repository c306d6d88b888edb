"""A camera that speaks RTSP, but sends what nobody can decode, or what is no RTSP at all."""

import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 X-SECRET-SAUCE/90000\r\na=control:track1\r\n"
)
_OPTIONS = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"


@contextmanager
def strange_codec() -> Iterator[str]:
    """The address of a camera with a codec that does not exist."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline().decode():
                method, number = line.split(" ")[0], "1"
                while head := self.rfile.readline().decode().strip():
                    name, _, value = head.partition(":")
                    number = value.strip() if name.lower() == "cseq" else number
                self.wfile.write(self.answer(method, number).encode())
                if method == "PLAY":
                    threading.Thread(target=self.send, daemon=True).start()

        def send(self) -> None:
            """RTP packets over the same connection, 25 a second."""
            try:
                for number in range(10_000):
                    rtp = struct.pack(">BBHII", 0x80, 0xE0, number, 3600 * number, 7) + bytes(500)
                    self.wfile.write(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
                    time.sleep(0.04)
            except (OSError, ValueError):
                return

        @staticmethod
        def answer(method: str, number: str) -> str:
            body = _SDP if method == "DESCRIBE" else ""
            more = {
                "OPTIONS": _OPTIONS,
                "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n",
                "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
                "PLAY": "Session: 1\r\n",
            }.get(method, "")
            return f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n{body}"

    with _serving(Handler) as host:
        yield f"rtsp://{host}/cam1"


@contextmanager
def garbage() -> Iterator[str]:
    """The address of something that answers with noise."""
    noise = np.random.default_rng(0).bytes(2_000)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                while self.request.recv(1000):
                    self.wfile.write(noise)
            except OSError:
                return

    with _serving(Handler) as host:
        yield f"rtsp://{host}/cam1"


@contextmanager
def _serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[str]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
