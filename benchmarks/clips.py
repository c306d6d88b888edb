"""Clips of scripted events on real cameras: where they begin, whether their times are right, cost.

    python -m benchmarks.clips [--events 50] [--only P-frames ...] [--json]

Each camera sends numbered pictures (tests/peers/pattern.py), 25 a second, of which 5 a second are
looked at. At moments of chance an event opens that was first seen up to 8 looks before, and closes
0.5 to 4 s later; its clip is to begin 5 s before. A clip is right if it begins with a key frame and
shows the event's first picture where it is told to be, within a frame (0.04 s), and all of the
second behind it. RTSP cameras need GStreamer (README).

    python -m benchmarks.clips --cost [--seconds 60]

A camera of 1080p, 25 frames a second, about 4 Mbit/s, read with and without keeping packets: CPU
time and memory of the reader process.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import av
import numpy as np

from app.media.clips import PictureClips
from app.sources.cutting import ClipMade, ClipOrder
from app.sources.live import LiveCamera
from app.sources.ring import RingRule
from app.watching.clip_rule import ClipRule
from detectors.types import Frame, Pixels
from tests.app.sources.streams import restamped
from tests.peers.camera import RtspCamera, encoded
from tests.peers.clip_script import Script, Scripted, stream_of, transport_pictures
from tests.peers.consumer import reader_pids
from tests.peers.http_peers import web_server
from tests.peers.pattern import Coding, number_of, picture, write_video

FPS = 25
FRAME_S = 1 / FPS
PICTURES = 1500
RULE = ClipRule()
SECOND = range(1, FPS + 1)
JUMP_AT, JUMP_S = 400, 3600.0
LARGER = (180, 320)


def plain(folder: Path, coding: Coding, codec: str = "libx264", name: str = "v.mp4") -> Path:
    """A minute of numbered pictures."""
    return write_video(folder / name, map(picture, range(PICTURES)), codec, coding=coding)


@contextmanager
def rtsp(folder: Path, coding: Coding) -> Iterator[str]:
    """An RTSP camera that shows a minute over and over."""
    camera = RtspCamera(os.environ.get("GST_PYTHON", "/usr/bin/python3"), folder / "none", folder)
    camera.start(plain(folder, coding))
    try:
        yield camera.url
    finally:
        camera.stop()


@contextmanager
def http(pieces: list[bytes]) -> Iterator[str]:
    """A camera that sends a stream over HTTP, over and over."""
    with web_server(stream_of(pieces * 4, FPS)) as place:
        yield f"http://{place}/stream"


def transport(folder: Path, codec: str = "libx264", jump_s: float = 0.0) -> list[bytes]:
    """A transport stream, from a picture on with other stamps."""
    video = plain(folder, Coding(gop=FPS), codec, "v.ts").read_bytes()
    return transport_pictures(restamped(video, lambda n: jump_s if n >= JUMP_AT else 0.0))


def bare(_: Path) -> list[bytes]:
    """H.264 that says no times at all."""
    frames = (av.VideoFrame.from_ndarray(picture(n), format="rgb24") for n in range(PICTURES))
    return [bytes(packet) for packet in encoded(frames, FPS)]


def resized(_: Path) -> list[bytes]:
    """The same, every 10 s in another size."""

    def part(begin: int, large: bool) -> list[bytes]:
        pictures = (
            picture(n, LARGER) if large else picture(n) for n in range(begin, begin + 10 * FPS)
        )
        frames = (av.VideoFrame.from_ndarray(image, format="rgb24") for image in pictures)
        return [bytes(packet) for packet in encoded(frames, FPS)]

    return [piece for n in range(6) for piece in part(10 * FPS * n, bool(n % 2))]


CAMERAS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "P-frames, key frame each second (RTSP)": lambda at: rtsp(at, Coding(gop=FPS)),
    "B-frames (RTSP)": lambda at: rtsp(at, Coding(gop=FPS, b_frames=2)),
    "key frame each 10 s (RTSP)": lambda at: rtsp(at, Coding(gop=10 * FPS)),
    "HEVC (MPEG-TS)": lambda at: http(transport(at, "libx265")),
    "clock jumps 1 h ahead (MPEG-TS)": lambda at: http(transport(at, jump_s=JUMP_S)),
    "clock jumps back 10 s (MPEG-TS)": lambda at: http(transport(at, jump_s=-10.0)),
    "no time stamps (bare H.264)": lambda at: http(bare(at)),
    "another size each 10 s (bare H.264)": lambda at: http(resized(at)),
}


def played(url: str, events: int, folder: Path) -> list[dict[str, float | bool | str]]:
    """Make up events, and say of each clip what it is like."""
    chance = random.Random(0)  # noqa: S311 - spreads events, keeps no secret
    with_clips = folder / "clips"
    with_clips.mkdir()
    live = LiveCamera(url, "camera", 5.0, ring_s=RULE.calm_ring_s)
    try:
        live.connect(20)
        script = Script(live, with_clips, RULE)
        script.see(8.0)
        open_until: list[tuple[float, Scripted]] = []
        while len(script.events) < events or open_until:
            script.see(0.4)
            if len(script.events) < events and chance.random() < 0.7:
                lasts_s = chance.uniform(0.5, 4.0)
                open_until.append((time.monotonic() + lasts_s, script.begin(chance.randint(1, 8))))
            for until_s, one in [*open_until]:
                if time.monotonic() >= until_s:
                    open_until.remove((until_s, one))
                    script.end(one)
        script.wait()
        return [judged(script, one) for one in script.events]
    finally:
        live.close()


def judged(script: Script, one: Scripted) -> dict[str, float | bool | str]:
    """What an event's clip is like."""
    if one.made is None or one.made.fault:
        return {"right": False, "why": "no answer" if one.made is None else one.made.fault}
    shown, first = script.shown(one), number_of(one.first.image)
    error_s = shown.error_s(one, first)
    second = {(first + n) % PICTURES for n in SECOND} <= set(shown.numbers)
    key = shown.begins_with_key and shown.at_s[0] == 0.0
    return {
        "right": bool(key and second and error_s <= FRAME_S),
        "key": key,
        "second": second,
        "error_s": error_s,
        "before_s": (one.first.time_us - one.made.from_us) / 1e6,
        "length_s": shown.at_s[-1],
    }


def accuracy(events: int, only: list[str], as_json: bool) -> None:
    """Print a row for each camera."""
    for name, camera in CAMERAS.items():
        if only and not any(one in name for one in only):
            continue
        with tempfile.TemporaryDirectory() as place, camera(Path(place)) as url:
            found = played(url, events, Path(place))
        sound = [one for one in found if "error_s" in one]
        row = {
            "camera": name,
            "events": len(found),
            "right": sum(bool(one["right"]) for one in found),
            "begins with a key frame": sum(bool(one.get("key")) for one in found),
            "holds the first second": sum(bool(one.get("second")) for one in found),
            "worst error_s": round(max((float(one["error_s"]) for one in sound), default=-1), 4),
            "before_s": [round(f([float(one["before_s"]) for one in sound]), 1) for f in (min, max)]
            if sound
            else [],
            "no clip": [str(one["why"]) for one in found if "why" in one],
        }
        print(json.dumps(row) if as_json else "  ".join(f"{k}: {v}" for k, v in row.items()))


def moving(number: int) -> Pixels:
    """A picture of 1080p that is hard enough to compress."""
    rng = np.random.default_rng(number % 50)
    small = rng.integers(0, 255, (54, 96, 3)).astype(np.uint8)
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[:] = (80, 120, 90)
    image[200:740, 300:1260] = small.repeat(10, 0).repeat(10, 1)
    return image


def cost(seconds: float) -> None:
    """Print what the reader of a 1080p camera takes with and without keeping packets."""
    with tempfile.TemporaryDirectory() as place:
        video = Path(place) / "large.mp4"
        write_large(video)
        camera = RtspCamera(
            os.environ.get("GST_PYTHON", "/usr/bin/python3"), Path(place) / "none", Path(place)
        )
        camera.start(video)
        try:
            size_mbit = 8e-6 * video.stat().st_size / 10
            print(f"1080p, {FPS} frames/s, {size_mbit:.1f} Mbit/s, 5 looks/s, {seconds:g} s each")
            for ring_s in (0.0, RULE.calm_ring_s, 0.0, RULE.calm_ring_s):
                live = LiveCamera(camera.url, "camera", 5.0, ring_s=ring_s)
                live.connect(20)
                time.sleep(3)
                pid = reader_pids()[0]
                before, begun_s = cpu_s(pid), time.monotonic()
                time.sleep(seconds)
                used = (cpu_s(pid) - before) / (time.monotonic() - begun_s)
                print(f"ring {ring_s:4.0f} s: {100 * used:.1f} % of a core, {rss_mb(pid):.0f} MB")
                live.close()
        finally:
            camera.stop()


def picture_cost() -> None:
    """Print what it takes to keep and to write pictures of 1080p of which no packets can be had."""
    frames = [Frame("camera", n, n / 5, n * 200_000, moving(n)) for n in range(100)]
    with tempfile.TemporaryDirectory() as place:
        made: list[ClipMade] = []
        clips = PictureClips(made.append, RingRule(RULE.calm_ring_s))
        begun_s = time.process_time()
        for frame in frames:
            clips.offer(frame)
            time.sleep(0.05)
        kept_s = time.process_time() - begun_s
        held = clips.held_bytes
        clips.order(ClipOrder("begin", "e", place, frames[20].time_us, 60.0, 60.0, 60.0))
        clips.close()
        written_s = time.process_time() - begun_s - kept_s
        size = (Path(place) / "e.mp4").stat().st_size
    print(
        f"pictures of 1080p: {1000 * kept_s / 100:.1f} ms each to keep, {held / 100e3:.0f} kB each"
    )
    print(f"a clip of 100: {1000 * written_s / 100:.1f} ms each, {size / 1e6:.1f} MB")


def write_large(path: Path) -> None:
    """Ten seconds of 1080p at about 4 Mbit/s."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=FPS)
            assert isinstance(stream, av.VideoStream)  # noqa: S101 - as the codec says
            stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
            stream.bit_rate = 4_000_000
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(2 * FPS)}
            for number in range(10 * FPS):
                frame = av.VideoFrame.from_ndarray(moving(number // 5), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return
    rate = ["-b:v", "4M", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(2 * FPS)]
    source = ["-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate={FPS}:duration=10"]
    subprocess.run([ffmpeg, "-v", "error", *source, "-c:v", "libx264", *rate, path], check=True)


def cpu_s(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Memory of a process in use, without what it shares with its parent."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    private = [line.split() for line in text.splitlines() if line.startswith("Private_")]
    return sum(int(fields[1]) for fields in private) / 1024


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    if asked.cost:
        cost(asked.seconds)
        picture_cost()
    else:
        accuracy(asked.events, asked.only, asked.json)


if __name__ == "__main__":
    sys.exit(main())
