"""The process behind `app.sources.probe`: `python -m app.sources.probing`, told what on stdin.

It reads a camera as a watch does, and prints what it saw as one line of JSON when its time is over,
whatever hangs then.
"""

import contextlib
import json
import os
import socket
import struct
import sys
import threading
import time
from itertools import pairwise
from typing import Any

import av
import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream

from app.sources.publisher import PacketTaker, Picture, Publisher, ReadRequest
from app.sources.reader import explain, pictures_of

_MOST_BYTES = 64 << 20
"""Of packets that are kept to be decoded a second time."""
_BEHIND_S = 3.0
"""Libraries give up so much later than we do, who say it better."""
_AGAIN_S = 1.0
"""Longest time that decoding a second time may take."""
_MARK_S = 1.0
"""The earliest arrival in each such time tells of the clock; the others were held up."""
_LEAST_MARKS = 5
_STRAY = 3.0
"""Times the stray over the time looked at. Of looks of 10 s at a clock that was ours, 2 of 12 lay
outside of one time, and none of 12 others outside of three."""
_REFERENCE = struct.Struct("=q")
"""FFmpeg's AVProducerReferenceTime: microseconds since 1970 on the camera's clock come first."""


class Onlooker(Publisher):
    """Notes what a camera sends, and publishes nothing."""

    def __init__(self) -> None:
        # Nothing is sent, so it is closed at once.
        with socket.socket() as nowhere:
            super().__init__(nowhere, None)
        self.began_s = time.monotonic()
        self.pictures: list[tuple[float, float | None, float]] = []
        """Monotonic seconds, seconds on the camera's clock, processor seconds so far."""
        self.size: tuple[int, int] | None = None
        self.stream: VideoStream | None = None
        self.b_frames: bool | None = None
        self.packets: list[tuple[bytes, bool]] = []
        """From the first key frame on, and whether each is one."""
        self.keys_s: list[float] = []
        self.clock_s: list[float] = []
        """Camera's clock less ours, of each packet that tells."""
        self.udp = False
        self._bytes = 0

    def opened(self, stream: VideoStream) -> None:
        """Take what a stream announces."""
        self.stream = stream
        self.fps = float(stream.average_rate or stream.codec_context.framerate or 0)

    def keep_packets(self, stream: VideoStream) -> PacketTaker | None:
        """See all packets."""
        del stream
        return self

    def heard(self) -> None:
        """Nobody is told."""

    def learn(self, **found: bool) -> None:
        """Note how the camera had to be asked."""
        self.udp = found.get("udp", self.udp)

    def take(self, packet: "Packet[VideoStream]") -> None:
        """Note key frames and what RTCP says of the camera's clock."""
        wall_us, now_s = time.time_ns() // 1000, time.monotonic()
        if not packet.size:
            return
        reference = packet.get_sidedata("prft") if packet.has_sidedata("prft") else None
        if reference is not None:
            (at_us,) = _REFERENCE.unpack_from(bytes(reference))
            self.clock_s.append((at_us - wall_us) / 1e6)
        if packet.is_keyframe:
            pts, tick = packet.pts, packet.time_base
            self.keys_s.append(now_s if pts is None or tick is None else float(pts * tick))
        if self.packets or packet.is_keyframe:
            self._bytes += packet.size
            if self._bytes <= _MOST_BYTES:
                self.packets.append((bytes(packet), bool(packet.is_keyframe)))

    def came(self, frame: av.VideoFrame) -> None:
        """Note whether pictures come out of the order in which they were sent."""
        self.b_frames = bool(self.b_frames) or frame.pict_type == PictureType.B

    def see(self, picture: Picture) -> None:
        """Note a sound picture."""
        image, pts_s = picture
        self.read += 1
        self.pictures.append((time.monotonic(), pts_s, time.process_time()))
        array = isinstance(image, np.ndarray)
        self.size = (image.shape[0], image.shape[1]) if array else (image.height, image.width)


def look(request: ReadRequest, seen: Onlooker, seconds: float) -> tuple[str | None, str]:
    """Read until the time is over; returns why it ended before, in a class and a sentence."""
    ended: list[tuple[str | None, str]] = []

    def read() -> None:
        try:
            with contextlib.closing(pictures_of(request, seen)) as pictures:
                for picture in pictures:
                    seen.see(picture)
                    if time.monotonic() - seen.began_s >= seconds:
                        ended.append((None, ""))
                        return
            ended.append(("ended", "the stream ended"))
        except Exception as error:  # noqa: BLE001 - whatever it is, people have to know
            ended.append(explain(error, seen.read > 0, request.address))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(seconds + 0.5)
    if ended:
        return ended[0]
    if not seen.pictures:
        text = "data arrives, but no picture" if seen.packets else "no picture"
        return "timeout", f"{text} within {seconds:g} s"
    silent_s = time.monotonic() - seen.pictures[-1][0]
    text = f"no new picture for {silent_s:.0f} s"
    return ("stalled", text) if silent_s > max(2.0, seconds / 3) else (None, "")


def told(seen: Onlooker) -> dict[str, Any]:
    """What was seen, as fields of `Probe`."""
    pictures, stream = list(seen.pictures), seen.stream
    said: dict[str, Any] = {
        "frames": len(pictures),
        "damaged": seen.corrupt,
        "announced_fps": seen.fps or None,
        "size": seen.size,
        "codec": stream.codec_context.name if stream is not None else "",
        "keyframes": len(seen.keys_s),
        "b_frames": seen.b_frames,
        "udp": seen.udp,
        "clock_s": max(seen.clock_s, default=None),
    }
    keys_s = list(seen.keys_s)
    said["keyframe_s"] = max((after - before for before, after in pairwise(keys_s)), default=None)
    if pictures:
        said["connect_s"] = pictures[0][0] - seen.began_s
        said["watched_s"] = pictures[-1][0] - pictures[0][0]
    if len(pictures) > 1:
        said |= _rates(pictures)
    if stream is not None and said.get("fps"):
        said["key_cpu"] = _key_cpu(stream, list(seen.packets), said["fps"])
    return said


def _rates(pictures: list[tuple[float, float | None, float]]) -> dict[str, Any]:
    """Pictures a second, what they cost, and how the camera's clock runs."""
    timed = [(at_s, pts_s) for at_s, pts_s, _ in pictures if pts_s is not None]
    stamps_s = [pts_s for _, pts_s in timed] or [at_s for at_s, _, _ in pictures]
    length_s = stamps_s[-1] - stamps_s[0]
    if length_s <= 0:
        return {}
    cpu_s = pictures[-1][2] - pictures[0][2]
    rates = {"fps": (len(stamps_s) - 1) / length_s, "cpu": cpu_s / length_s}
    return rates | _drift(timed)


def _drift(timed: list[tuple[float, float]]) -> dict[str, float]:
    """How much faster than ours a camera's clock runs, by the arrivals that were held up least."""
    marks: dict[int, tuple[float, float]] = {}
    for at_s, pts_s in timed:
        mark = int((at_s - timed[0][0]) / _MARK_S)
        ahead_s = pts_s - at_s
        if mark not in marks or ahead_s > marks[mark][1]:
            marks[mark] = at_s, ahead_s
    # The first second shows what a camera had waiting.
    used = [one for mark, one in marks.items() if mark > 0]
    if len(used) < _LEAST_MARKS:
        return {}
    at, ahead = np.array(used).T
    at = at - at.mean()
    spread = float(at @ at)
    slope = float(at @ ahead) / spread
    rest = ahead - ahead.mean() - slope * at
    # A standard error trusts to independent delays; a busy machine's come and go together.
    bound = _STRAY * float(np.ptp(rest) / np.ptp(at))
    return {"drift_ppm": 1e6 * slope, "drift_bound_ppm": 1e6 * bound}


def _key_cpu(stream: VideoStream, packets: list[tuple[bytes, bool]], fps: float) -> float | None:
    """Processor seconds that decoding key frames alone takes a second of the stream."""
    coder = stream.codec_context
    again = av.CodecContext.create(coder.name, "r")
    if not isinstance(again, av.VideoCodecContext) or not packets:
        return None
    again.extradata = coder.extradata
    again.thread_count = 1
    again.skip_frame = "NONKEY"
    count, begun_s, cpu_s = 0, time.monotonic(), time.process_time()
    for data, key in packets:
        count += 1
        if key:
            with contextlib.suppress(av.error.FFmpegError):
                again.decode(av.Packet(data))
        if time.monotonic() - begun_s > _AGAIN_S:
            break
    return (time.process_time() - cpu_s) * fps / count


def main() -> None:
    """Look at the camera that stdin names, and print what was seen."""
    asked = json.loads(sys.stdin.read())
    seconds = float(asked["seconds"])
    seen = Onlooker()
    request = ReadRequest(asked["kind"], asked["address"], open_s=seconds + _BEHIND_S)
    reason, why = look(request, seen, seconds)
    line = json.dumps({"reason": reason, "why": why, **told(seen)})
    os.write(1, line.encode())
    # A thread that hangs in a library does not keep it.
    os._exit(0)


if __name__ == "__main__":
    main()
