"""What a reader process is asked, and how it hands over what it reads."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from app.ros.address import is_ros
from app.sources.base import GapReason
from app.sources.cutting import Cutter, RingSource
from app.sources.decode import PixelAspect, RgbConverter, Sampler
from app.sources.glimpses import Asked, Glimpses
from app.sources.mailbox import Mailbox, Shot, new_memory
from app.sources.packets import PacketRing, ring_of
from app.sources.ring import RingRule
from detectors.types import Pixels

FRAME_NOTICE = b"\n"
"""One empty line on the socket: there is a new frame in the mailbox."""
_FAR_US = 600_000_000
"""A stamp that is further from this machine's clock does not tell when a picture was taken."""
LOOK = b'{"look":'
"""How a line begins by which the parent asks for pictures for onlookers."""
HEARD_EVERY_S = 0.2
"""Longest time that data arrives without being told."""

type Picture = tuple[av.VideoFrame | Pixels, float | None]
"""A frame of a network stream or an RGB image of a webcam, and its time on the camera's clock."""

type ReaderKind = Literal["network", "webcam", "ros"]
"""What a camera is read by; `app.sources.reader` has a case for each."""


def reader_kind(address: str) -> ReaderKind:
    """How a camera's address is read: a URL over the network, all else is a webcam."""
    if is_ros(address):
        return "ros"
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
    udp: bool = False
    """Whether the camera was found to send over UDP only."""
    literal: bool = False
    """Whether a `%` in its login was found to be a percent sign (see `app.address.Address.url`)."""
    ring_s: float = 0.0
    """So many seconds of packets are kept for clips; 0 keeps none."""

    def to_line(self) -> bytes:
        """This request as one line for the socket."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "ReadRequest":
        """Read what `to_line` wrote."""
        return cls(**json.loads(line))


class PacketTaker(Protocol):
    """Is given a stream's packets before they are decoded, and the frames that come out."""

    def take(self, packet: "Packet[VideoStream]") -> None:
        """A packet that is about to be decoded."""
        ...

    def came(self, frame: av.VideoFrame) -> None:
        """A sound frame that came out."""
        ...


class Publisher:
    """Sends frames and the final word to the parent."""

    def __init__(
        self,
        channel: socket.socket,
        sample_fps: float | None,
        cutter: Cutter | None = None,
        ring_s: float = 0.0,
        asked: Asked | None = None,
    ) -> None:
        self.corrupt = 0
        self.fps = 0.0
        self.stamped = False
        """Whether times of pictures are seconds since 1970 (UTC)."""
        self.read = 0
        """Frames decoded so far."""
        self._channel = channel
        self._sampler = Sampler(sample_fps)
        self._convert = RgbConverter()
        self._mailbox: Mailbox | None = None
        self._published = 0
        self._glimpses = Glimpses(asked or Asked(), self._send)
        self._heard_s = 0.0
        self._cutter = cutter if ring_s > 0 else None
        self._ring_s = ring_s
        self._packets: PacketRing | None = None

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
            wall_us = self._taken_us(pts_s)
            mailbox.publish(Shot(self._published, number, pts_s, wall_us, now_ns / 1e9, image))
            mailbox.beat(self.read, self.corrupt, now_ns)
            self._mark(picture, wall_us)
            self._notify(FRAME_NOTICE)
        elif self._mailbox is not None:
            self._mailbox.beat(self.read, self.corrupt, now_ns)
        self._glimpses.show(picture, number, pts_s, now_ns)

    def _taken_us(self, pts_s: float | None) -> int:
        """When a picture was taken, UTC; a stamp that is far off does not count."""
        now_us = time.time_ns() // 1000
        if not self.stamped or pts_s is None:
            return now_us
        stamp_us = round(pts_s * 1e6)
        return stamp_us if abs(stamp_us - now_us) < _FAR_US else now_us

    def begin(self) -> None:
        """Tell that the camera is being connected to; a busy machine starts processes slowly."""
        self._send({"begun": True})

    def opened(self, stream: VideoStream) -> None:
        """Take the pace and the shape of pixels that a stream announces."""
        self.fps = float(stream.average_rate or 0)
        self._convert.aspect = PixelAspect(stream)
        self._glimpses.aspect = self._convert.aspect

    def keep_packets(self, stream: VideoStream) -> PacketTaker | None:
        """What keeps the packets of a stream for clips; None if none are wanted or possible."""
        if self._cutter is None:
            return None
        self._packets = packets = ring_of(stream, RingRule(self._ring_s))
        if packets is not None:
            self._cutter.source = RingSource(packets.ring, packets.write)
        return packets

    def end(self) -> None:
        """Put no more into what is kept for clips."""
        if self._packets is not None:
            self._packets.ring.ended = True

    def _mark(self, picture: av.VideoFrame | Pixels, wall_us: int) -> None:
        """Note which packet a time belongs to that people are told."""
        if self._packets is None or isinstance(picture, np.ndarray):
            return
        self._packets.mark(picture, wall_us)
        if not self._packets.usable:
            self._packets = None
            self._send({"packets": False})

    def heard(self) -> None:
        """Tell that the camera sends something, whether or not it becomes a picture."""
        now_s = time.monotonic()
        if now_s - self._heard_s >= HEARD_EVERY_S:
            self._heard_s = now_s
            self._notify(b'{"heard": true}\n')

    def learn(self, **found: bool) -> None:
        """Tell what was found out of the camera, for the next connection; fields of the request."""
        self._send({"learned": found})

    def fail(self, reason: GapReason, text: str) -> None:
        """Tell why reading ended."""
        self._send({"failed": reason, "text": text})

    def _mailbox_for(self, image: Pixels) -> Mailbox:
        size = image.shape[:2]
        if self._mailbox is None or self._mailbox.size != size:
            descriptor = new_memory(size)
            self._mailbox = Mailbox(descriptor, size)
            self._mailbox.beat(self.read, self.corrupt, time.monotonic_ns())
            kept = self._packets is not None
            self._send({"size": size, "fps": self.fps, "packets": kept}, descriptor)
            os.close(descriptor)
        return self._mailbox

    def _send(self, message: dict[str, object], *descriptors: int) -> None:
        line = json.dumps(message).encode() + b"\n"
        socket.send_fds(self._channel, [line], descriptors)

    def _notify(self, line: bytes) -> None:
        try:
            self._channel.send(line, socket.MSG_DONTWAIT)
        except BlockingIOError:
            # The parent has plenty of notices to read already.
            return
