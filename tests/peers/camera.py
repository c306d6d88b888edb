"""A real RTSP camera for tests: GStreamer's server in a process that can be hung or killed."""

import os
import select
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import av
import pytest
from av.bitstream import BitStreamFilterContext

from tests.peers.pattern import picture

NEED = (
    "apt-get install -y --no-install-recommends python3-gi gir1.2-gst-rtsp-server-1.0 "
    "gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad"
)
PROBE = """
import sys, gi
for name in ("Gst", "GstRtspServer", "GstApp"):
    gi.require_version(name, "1.0")
from gi.repository import Gst, GstApp, GstRtspServer
Gst.init(None)
need = ("appsrc", "h264parse", "rtph264pay")
missing = [name for name in need if not Gst.ElementFactory.find(name)]
sys.exit("missing GStreamer elements: " + ", ".join(missing) if missing else 0)
"""
HEAD = struct.Struct("<qqBI")
PATTERN_FPS = 25
PATTERN_FRAMES = 1500
START_S = 20.0


def absent(why: str) -> NoReturn:
    """Skip the test, or fail it where peers are required, and say what to install."""
    message = f"real RTSP peer not available ({why}); install it with: {NEED}"
    if os.environ.get("PEERS_REQUIRED") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def gst_python() -> str:
    """An interpreter that has GStreamer's bindings: Debian's, or the one in GST_PYTHON."""
    python = os.environ.get("GST_PYTHON", "/usr/bin/python3")
    if not Path(python).exists():
        absent(f"{python} not found")
    probe = subprocess.run(
        [python, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    if probe.returncode != 0:
        absent((probe.stderr.strip().splitlines() or ["unknown"])[-1])
    return python


@pytest.fixture(scope="session")
def pattern_units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of numbered pictures (see `tests/peers/pattern.py`), ready to be served."""
    path = tmp_path_factory.mktemp("pattern") / "pattern.au"
    frames = (
        av.VideoFrame.from_ndarray(picture(number), format="rgb24")
        for number in range(PATTERN_FRAMES)
    )
    write_units(path, encoded(frames, PATTERN_FPS))
    return path


@pytest.fixture
def rtsp_camera(gst_python: str, pattern_units: Path, tmp_path: Path) -> Iterator["RtspCamera"]:
    """A camera that is not on yet: call `start`."""
    camera = RtspCamera(gst_python, pattern_units, tmp_path)
    yield camera
    camera.stop()


class RtspCamera:
    """Serves numbered pictures or a video file without end; every client sees the beginning."""

    def __init__(self, python: str, pattern: Path, folder: Path) -> None:
        self.port = free_port()
        self._python = python
        self._folder = folder
        self._served = pattern
        self._once = False
        self._login = ""
        self._udp = False
        self.loss = 0.0
        """Share of the packets that never leave the next time that it is switched on."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address without a login."""
        return f"rtsp://127.0.0.1:{self.port}/cam1"

    def url_for(self, user: str, password: str) -> str:
        """Address with a login."""
        return f"rtsp://{user}:{password}@127.0.0.1:{self.port}/cam1"

    @property
    def errors(self) -> str:
        """What the server complained about so far."""
        path = self._folder / "rtsp_server.err"
        return path.read_text() if path.exists() else ""

    def start(
        self, video: Path | None = None, once: bool = False, login: str = "", udp: bool = False
    ) -> None:
        """Switch the camera on; without arguments after a kill, as it was.

        Args:
            video: File to show instead of the numbered pictures. H.264 is sent as it is, bit for
                bit; everything else is encoded anew at high quality.
            once: End the stream after one full showing, and answer "not found" from then on.
            login: "user:password" that clients must give.
            udp: Send over UDP only.
        """
        if video is not None:
            self._served = self._folder / "served.au"
            write_units(self._served, units_of(video))
        self._once = once or self._once
        self._login = login or self._login
        self._udp = udp or self._udp
        script = Path(__file__).with_name("rtsp_server.py")
        command = [self._python, str(script), str(self.port), str(self._served)]
        command += ["--once"] if self._once else []
        command += ["--login", self._login] if self._login else []
        command += ["--udp"] if self._udp else []
        command += ["--loss", f"{self.loss}"] if self.loss else []
        with (self._folder / "rtsp_server.err").open("ab") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self._wait_until_ready(self._process)

    def kill(self) -> None:
        """Pull the plug."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def hang(self) -> None:
        """Stop answering, with connections left open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `hang`."""
        self._signal(signal.SIGCONT)

    def freeze(self) -> None:
        """Send no more frames, while RTSP goes on."""
        self._signal(signal.SIGUSR1)

    def thaw(self) -> None:
        """Send frames again after `freeze`."""
        self._signal(signal.SIGUSR2)

    def stop(self) -> None:
        """Switch the camera off, whatever state it is in."""
        self.kill()

    def _signal(self, number: int) -> None:
        assert self._process is not None, "the camera is off"
        self._process.send_signal(number)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], START_S)
        if not readable or process.stdout.readline().strip() != b"READY":
            self.kill()
            pytest.fail(f"the RTSP server did not start: {self.errors}", pytrace=False)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_units(path: Path, packets: Iterator[av.Packet]) -> None:
    """Write H.264 packets in the form that `rtsp_server.py` reads, times from 0."""
    first: int | None = None
    with path.open("wb") as file:
        for packet in packets:
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            tick_ns = float(packet.time_base) * 1e9
            first = packet.dts if first is None else first
            pts, dts = (round((ticks - first) * tick_ns) for ticks in (packet.pts, packet.dts))
            data = bytes(packet)
            file.write(HEAD.pack(pts, dts, packet.is_keyframe, len(data)) + data)


def units_of(video: Path) -> Iterator[av.Packet]:
    """The H.264 packets of a video file, as they are or encoded anew."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "h264":
            fps = round(float(stream.average_rate or 25))
            yield from encoded(container.decode(stream), fps)
            return
        annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            yield from annex_b.filter(packet if packet.size else None)


def encoded(frames: Iterator[av.VideoFrame], fps: int) -> Iterator[av.Packet]:
    """H.264 packets of frames at a fixed rate, each decodable as soon as it arrives."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "10"}
    encoder.time_base = Fraction(1, fps)
    encoder.framerate = Fraction(fps)
    encoder.pix_fmt = "yuv420p"
    encoder.gop_size = fps
    for number, frame in enumerate(frames):
        if number == 0:
            encoder.height, encoder.width = frame.height, frame.width
        plain = frame.reformat(format="yuv420p")
        plain.pts, plain.time_base = number, Fraction(1, fps)
        yield from encoder.encode(plain)
    yield from encoder.encode(None)
