"""The newest frame in memory that two processes share, without a lock that a kill could leave held.

Three slots are written in turn, so the slot of the newest frame is left alone while two more frames
arrive; each slot's sequence number is checked before and after copying. The memory has no name: it
is a file descriptor that the child sends to its parent, and is gone when both have let go of it,
however they ended.
"""

import mmap
import os
import tempfile
from dataclasses import dataclass

import numpy as np

from detectors.types import Pixels

_SLOTS = 3
_FIELDS = 8
"""Whole numbers (int64) in the head and in each slot's head."""
_NEWEST, _READ, _ALIVE_NS, _CORRUPT = range(4)
_BEGUN, _DONE, _NUMBER, _PTS_US, _HAS_PTS, _WALL_US, _ARRIVED_NS = range(7)
_HEAD_BYTES = 8 * _FIELDS * (1 + _SLOTS)
_TRIES = 10


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame as it came out of the mailbox."""

    sequence: int
    """Which of the published frames it is, from 1."""
    number: int
    """Which of the decoded frames it is, from 0."""
    pts_s: float | None
    wall_us: int
    arrived_s: float
    """When it was decoded, on the monotonic clock that all processes of a machine share."""
    image: Pixels


class Mailbox:
    """Shared memory for frames of one size; one process publishes, another takes the newest."""

    def __init__(self, descriptor: int, size: tuple[int, int]) -> None:
        """Map the memory behind `descriptor`, which is left open, for frames of (height, width)."""
        self.size = size
        memory = mmap.mmap(descriptor, _length(size))
        numbers = np.frombuffer(memory, np.int64, _FIELDS * (1 + _SLOTS))
        self._head = numbers[:_FIELDS]
        self._slots = numbers[_FIELDS:].reshape(_SLOTS, _FIELDS)
        pixels = np.frombuffer(memory, np.uint8, offset=_HEAD_BYTES)
        self._images = pixels.reshape(_SLOTS, *size, 3)

    @property
    def sequence(self) -> int:
        """How many frames were published."""
        return int(self._head[_NEWEST])

    @property
    def read(self) -> int:
        """How many frames were decoded, published or not."""
        return int(self._head[_READ])

    @property
    def corrupt(self) -> int:
        """How many packets and frames were damaged."""
        return int(self._head[_CORRUPT])

    @property
    def alive_s(self) -> float:
        """When the last frame was decoded, on the monotonic clock."""
        return int(self._head[_ALIVE_NS]) / 1e9

    @property
    def wall_us(self) -> int:
        """When the newest published frame arrived, UTC."""
        return int(self._slots[self.sequence % _SLOTS][_WALL_US])

    def beat(self, read: int, corrupt: int, now_ns: int) -> None:
        """Note that a frame was decoded, whether or not it is published."""
        self._head[_READ] = read
        self._head[_CORRUPT] = corrupt
        self._head[_ALIVE_NS] = now_ns

    def publish(self, shot: Shot) -> None:
        """Make `shot` the newest frame."""
        slot = self._slots[shot.sequence % _SLOTS]
        slot[_BEGUN] = shot.sequence
        self._images[shot.sequence % _SLOTS] = shot.image
        slot[_NUMBER] = shot.number
        slot[_HAS_PTS] = shot.pts_s is not None
        slot[_PTS_US] = round((shot.pts_s or 0.0) * 1e6)
        slot[_WALL_US] = shot.wall_us
        slot[_ARRIVED_NS] = round(shot.arrived_s * 1e9)
        slot[_DONE] = shot.sequence
        self._head[_NEWEST] = shot.sequence

    def newest(self, after: int) -> Shot | None:
        """A copy of the newest frame; None if its sequence number is not above `after`."""
        for _ in range(_TRIES):
            sequence = self.sequence
            if sequence <= after:
                return None
            shot = self._copy(sequence)
            if shot is not None:
                return shot
        return None

    def _copy(self, sequence: int) -> Shot | None:
        slot = self._slots[sequence % _SLOTS]
        if slot[_DONE] != sequence:
            return None
        shot = Shot(
            sequence=sequence,
            number=int(slot[_NUMBER]),
            pts_s=int(slot[_PTS_US]) / 1e6 if slot[_HAS_PTS] else None,
            wall_us=int(slot[_WALL_US]),
            arrived_s=int(slot[_ARRIVED_NS]) / 1e9,
            image=self._images[sequence % _SLOTS].copy(),
        )
        # The writer marks a slot before it touches the pixels: a torn copy is thrown away.
        return shot if slot[_BEGUN] == sequence else None


def new_memory(size: tuple[int, int]) -> int:
    """A descriptor of fresh memory for a `Mailbox` of (height, width) frames."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("nomaly-frames")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, _length(size))
    return descriptor


def _length(size: tuple[int, int]) -> int:
    return _HEAD_BYTES + _SLOTS * size[0] * size[1] * 3
