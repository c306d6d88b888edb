"""From a stream's packets to what a ring keeps, without decoding anything."""

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.packet import Packet
from av.video.stream import VideoStream

from app.sources.remux import PacketWriter
from app.sources.ring import Kept, OwnClock, Ring, RingRule

_START = b"\x00\x00\x01"
_REMEMBERED = 512
"""Packets whose frames may still come out of the decoder."""

_MOST_TIMELESS = 60
"""Packets without a time after which none is waited for."""


@dataclass(frozen=True, slots=True)
class _Coding:
    """How a codec's units are told apart."""

    shift: int
    mask: int
    parameters: frozenset[int]
    """Units that say how pictures are coded."""
    pictures: range
    """Units that hold a part of one; no parameters come behind it."""

    def kind(self, head: int) -> int:
        """What a unit is by its first byte."""
        return head >> self.shift & self.mask


_CODINGS = {
    "h264": _Coding(0, 0x1F, frozenset((7, 8)), range(1, 6)),
    "hevc": _Coding(1, 0x3F, frozenset((32, 33, 34)), range(32)),
}
REMUXED = tuple(_CODINGS)
"""Codecs whose packets are put into an mp4 file as they are."""


def parameters_in(data: bytes, codec: str) -> bytes:
    """The units of a packet that say how its pictures are coded, with their start codes.

    Args:
        data: In Annex B form (ITU-T H.264), units behind start codes.
        codec: One of REMUXED.
    """
    coding, found = _CODINGS[codec], bytearray()
    at = data.find(_START)
    while 0 <= at < len(data) - len(_START):
        kind = coding.kind(data[at + len(_START)])
        if kind in coding.pictures:
            break
        after = data.find(_START, at + len(_START))
        end = len(data) if after < 0 else after
        if kind in coding.parameters:
            found += b"\x00" + data[at:end].rstrip(b"\x00")
        at = after
    return bytes(found)


class PacketRing:
    """Keeps a stream's packets in a ring, and knows which frame came out of which.

    Call `take` for every packet before it is decoded, `came` for every frame.
    """

    def __init__(self, stream: VideoStream, rule: RingRule | None = None) -> None:
        """Take an open stream that was not decoded yet, of a codec in REMUXED."""
        self.codec = stream.codec_context.name
        self.ring = Ring(rule)
        self.usable = True
        """Whether clips can be made of its packets, as far as that is known."""
        self.sizes: dict[int, tuple[int, int]] = {}
        """(height, width) of each shape that a frame came out of."""
        self._stream = stream
        self._clock = OwnClock()
        self._tick_s = float(stream.time_base or 0)
        head = bytes(stream.codec_context.extradata or b"")
        self._filter: BitStreamFilterContext | None = None
        if head and not head.startswith((_START, b"\x00" + _START)):
            self._filter = BitStreamFilterContext(f"{self.codec}_mp4toannexb", stream)
            head = b""
        self._parameters = parameters_in(head, self.codec)
        self._shape = 0
        self._number = self._timeless = 0
        self._taken: deque[Kept] = deque(maxlen=_REMEMBERED)
        # So that each frame says which packet it came out of, also where nothing has a time.
        stream.codec_context.flags |= Flags.copy_opaque

    def take(self, packet: "Packet[VideoStream]") -> None:
        """Keep a packet that is about to be decoded."""
        if not self.usable or not packet.size:
            return
        number, self._number = self._number, self._number + 1
        packet.opaque = number
        if packet.dts is None and self._stream.codec_context.has_b_frames:
            # In which order its frames are shown, only the decoder knows. The first few packets of
            # a connection may be so.
            self._timeless += 1
            self.usable = self._timeless < _MOST_TIMELESS
            self.ring.ended = not self.usable
            return
        data = self._in_units(packet)
        if packet.is_keyframe:
            data = self._with_parameters(data)
        pts, dts = self._clock.at(
            self._seconds(packet.pts), self._seconds(packet.dts), time.monotonic()
        )
        kept = Kept(number, bool(packet.is_keyframe), pts, dts, self._shape, data)
        self._taken.append(kept)
        if not packet.is_corrupt:
            self.ring.put(kept)

    def came(self, frame: av.VideoFrame) -> None:
        """Note the size of what came out of a packet."""
        kept = self._of(frame)
        if kept is not None and kept.shape not in self.sizes:
            self.sizes[kept.shape] = (frame.height, frame.width)

    def mark(self, frame: av.VideoFrame, time_us: int) -> None:
        """Note what time people are told of a frame, UTC in microseconds."""
        kept = self._of(frame)
        if kept is not None:
            self.ring.mark(kept.number, kept.pts, time_us)

    def write(self, path: Path, shape: int) -> PacketWriter | None:
        """Create the part of a clip; see `app.sources.cutting.Write`."""
        size = self.sizes.get(shape)
        return None if size is None else PacketWriter(path, self.codec, size)

    def _of(self, frame: av.VideoFrame) -> Kept | None:
        number = frame.opaque
        return next((one for one in reversed(self._taken) if one.number == number), None)

    def _seconds(self, ticks: int | None) -> float | None:
        return None if ticks is None else ticks * self._tick_s

    def _in_units(self, packet: "Packet[VideoStream]") -> bytes:
        if self._filter is None:
            return bytes(packet)
        # The filter takes what it is given away from its owner.
        copy = Packet(bytes(packet))
        copy.is_keyframe = packet.is_keyframe
        try:
            return b"".join(bytes(part) for part in self._filter.filter(copy))
        except av.error.FFmpegError:
            return b""

    def _with_parameters(self, data: bytes) -> bytes:
        """A key frame with all that a player needs to begin with it."""
        told = parameters_in(data, self.codec)
        if not told:
            return self._parameters + data
        if self._parameters and told != self._parameters:
            self._shape += 1
        self._parameters = told
        return data


def ring_of(stream: VideoStream, rule: RingRule) -> PacketRing | None:
    """What keeps the packets of a stream; None if they cannot be put into a clip as they are."""
    return PacketRing(stream, rule) if stream.codec_context.name in REMUXED else None
