"""MPEG transport streams whose time stamps are changed after they were written."""

from collections.abc import Callable

_PACKET = 188
_VIDEO = 256
"""The first stream of FFmpeg's muxer."""
_CLOCK_HZ = 90_000


def restamped(stream: bytes, shift_s: Callable[[int], float]) -> bytes:
    """A transport stream with some pictures' stamps moved.

    Args:
        stream: One video, as FFmpeg writes it.
        shift_s: By how much the n-th picture's stamps are moved, in seconds.
    """
    data, number = bytearray(stream), -1
    for at in range(0, len(data), _PACKET):
        begins = data[at + 1] & 0x40
        if ((data[at + 1] & 31) << 8 | data[at + 2]) != _VIDEO or not begins:
            continue
        number += 1
        filled = 1 + data[at + 4] if data[at + 3] & 0x20 else 0
        header = at + 4 + filled
        shift = round(shift_s(number) * _CLOCK_HZ)
        both = data[header + 7] >> 6 == 3
        _move(data, header + 9, shift)
        if both:
            _move(data, header + 14, shift)
    return bytes(data)


def _move(data: bytearray, at: int, shift: int) -> None:
    """Move the stamp of 33 bits in five bytes, whose first four bits tell what it is."""
    a, b, c, d, e = data[at : at + 5]
    stamp = ((a >> 1) & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
    stamp = (stamp + shift) & ((1 << 33) - 1)
    data[at : at + 5] = bytes(
        [
            a & 0xF0 | (stamp >> 29) & 14 | 1,
            (stamp >> 22) & 255,
            (stamp >> 14) & 254 | 1,
            (stamp >> 7) & 255,
            (stamp << 1) & 254 | 1,
        ]
    )
