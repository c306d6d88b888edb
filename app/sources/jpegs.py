"""JPEG pictures one after another in a stream of bytes, whatever stands between them.

Cameras write boundaries in many ways, or none, and wrong lengths. A JPEG picture says itself where
it ends (ITU-T T.81 annex B), so nothing else is believed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import av
import av.error

_BEGIN = b"\xff\xd8"
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""Ends entropy-coded data; stuffed zeros and restart markers belong to it."""
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a segment behind them."""
_END, _SCAN = 0xD9, 0xDA
_MOST_BYTES = 1 << 26
"""A picture that is longer is none."""

_CODECS = {
    b"\xff\xd8": "mjpeg",
    b"\x89PNG": "png",
    b"RIFF": "webp",
}


@dataclass(slots=True)
class JpegSplitter:
    """Cuts pictures out of bytes that arrive bit by bit."""

    damaged: int = 0
    """Pictures so far that broke off in the middle."""
    _bytes: bytearray = field(default_factory=bytearray)
    _at: int = 0
    """How far the picture at the front was read; 0 while its beginning is looked for."""
    _in_scan: bool = False

    def add(self, data: bytes) -> list[bytes]:
        """The pictures that are complete with these bytes."""
        self._bytes += data
        pictures = []
        while (picture := self._next()) is not None:
            pictures.append(picture)
        return pictures

    def _next(self) -> bytes | None:
        while True:
            if self._at == 0 and not self._find_begin():
                return None
            end = self._end()
            if end is None and len(self._bytes) <= _MOST_BYTES:
                return None
            if end:
                picture = bytes(self._bytes[:end])
                self._forget(end)
                return picture
            self.damaged += 1
            # The next one may begin in the middle of this one.
            self._forget(len(_BEGIN))

    def _find_begin(self) -> bool:
        begin = self._bytes.find(_BEGIN)
        if begin < 0:
            del self._bytes[:-1]
            return False
        del self._bytes[:begin]
        self._at, self._in_scan = len(_BEGIN), False
        return True

    def _forget(self, end: int) -> None:
        del self._bytes[:end]
        self._at = 0

    def _end(self) -> int | None:
        """Where the picture at the front ends; None if that is not known yet, 0 if it is none."""
        while True:
            if self._in_scan and not self._skip_scan():
                return None
            if self._at + 4 > len(self._bytes):
                ended = self._bytes[self._at : self._at + 2] == bytes((0xFF, _END))
                return self._at + 2 if ended else None
            if self._bytes[self._at] != 0xFF:
                return 0
            marker = self._bytes[self._at + 1]
            if marker == _END:
                return self._at + 2
            if marker in (0x00, 0xD8):
                return 0
            self._skip_segment(marker)

    def _skip_scan(self) -> bool:
        found = _MARKER_IN_SCAN.search(self._bytes, self._at)
        if found is None:
            self._at = max(self._at, len(self._bytes) - 1)
            return False
        self._at, self._in_scan = found.start(), False
        return True

    def _skip_segment(self, marker: int) -> None:
        if marker == 0xFF:
            self._at += 1
        elif marker in _ALONE:
            self._at += 2
        else:
            self._at += 2 + int.from_bytes(self._bytes[self._at + 2 : self._at + 4])
            self._in_scan = marker == _SCAN


def jpegs_in(read: Callable[[], bytes], splitter: JpegSplitter) -> Iterator[bytes]:
    """Yield the pictures that a stream holds, each as soon as its last byte is there.

    Args:
        read: The next bytes, as many as there are; none at the end.
        splitter: Counts what broke off.
    """
    while data := read():
        yield from splitter.add(data)


def codec_of(head: bytes) -> str:
    """What decodes a picture that begins with `head`; empty if it is no picture."""
    return next((codec for begin, codec in _CODECS.items() if head.startswith(begin)), "")


def decoded(picture: bytes) -> av.VideoFrame | None:
    """The picture in some bytes; None if it is damaged."""
    try:
        codec = cast(
            av.VideoCodecContext, av.CodecContext.create(codec_of(picture) or "mjpeg", "r")
        )
        packet = av.Packet(picture)
        frames = [frame for part in (packet, None) for frame in codec.decode(part)]
    except (av.error.FFmpegError, ValueError):
        return None
    sound = [one for one in frames if isinstance(one, av.VideoFrame) and not one.is_corrupt]
    return sound[-1] if sound else None
