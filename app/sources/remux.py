"""Clips as files: a part that grows and stays readable, then the whole, in one go."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from app.sources.ring import CLOCK_HZ, PART, Kept
from novic.whole_files import NEW

_FRAGMENT_US = 1_000_000
"""A killed process loses at most about so much of a clip."""
_TICK = Fraction(1, CLOCK_HZ)


class PartWriter(Protocol):
    """Writes the part of a clip."""

    def write(self, one: Kept, pts: int, dts: int) -> None:
        """Append a picture, its times in ticks from the clip's start.

        Raises:
            OSError: If it cannot be written.
        """
        ...

    def close(self) -> None:
        """Write the rest and close the file.

        Raises:
            OSError: If it cannot be written.
        """
        ...


class PacketWriter:
    """Puts packets into a file as they are."""

    def __init__(self, path: Path, codec: str, size: tuple[int, int]) -> None:
        """Create the file.

        Args:
            path: Where to write.
            codec: One of `app.sources.packets.REMUXED`.
            size: (height, width) in pixels.

        Raises:
            OSError: If it cannot be created.
        """
        options = {
            "movflags": "empty_moov+default_base_moof",
            "frag_duration": str(_FRAGMENT_US),
            "flush_packets": "1",  # or a fragment waits in memory for the next one
        }
        self._container = av.open(f"file:{path}", "w", format="mp4", options=options)
        height, width = size
        self._stream = self._container.add_mux_stream(codec, width=width, height=height)
        self._stream.time_base = _TICK

    def write(self, one: Kept, pts: int, dts: int) -> None:
        """See `PartWriter.write`."""
        packet = Packet(one.data)
        packet.stream = self._stream
        packet.time_base = _TICK
        packet.pts, packet.dts, packet.is_keyframe = pts, dts, one.key
        self._container.mux(packet)

    def close(self) -> None:
        """See `PartWriter.close`."""
        self._container.close()


def part_path(folder: Path, event_id: str, from_us: int) -> Path:
    """Where the part of an event's clip lies that begins at a time, UTC in microseconds."""
    return folder / f"{event_id}.{from_us}{PART}"


def parts_in(folder: Path, event_id: str = "*") -> Iterator[tuple[str, int, Path]]:
    """The parts that lie in a folder, of one event or of all: (event's id, from_us, path)."""
    with suppress(OSError):
        for path in sorted(folder.glob(f"{event_id}.*{PART}")):
            name, _, from_us = path.name.removesuffix(PART).rpartition(".")
            if name and from_us.lstrip("-").isdecimal():
                yield name, int(from_us), path


def finish(part: Path, clip: Path, until_s: float | None = None) -> bool:
    """Make a clip of its part, which then is gone: whole or not at all, its index in front.

    Args:
        part: As `PacketWriter` or a `app.media.video.VideoWriter` wrote it, maybe torn at its end.
        clip: The file to make, in a folder that exists.
        until_s: Seconds from its start after which nothing is taken; None for all.

    Returns:
        Whether there was anything in it.

    Raises:
        OSError: If the clip cannot be written; nothing is left of it then, nor of the part.
    """
    try:
        with in_place(clip) as fresh:
            return _copy(part, fresh, until_s) > 0
    finally:
        _remove(part)


@contextmanager
def in_place(clip: Path) -> Iterator[Path]:
    """A file to write, which takes its place once all is well; if none was written, none does.

    Raises:
        OSError: If it cannot be written; nothing is left of it then.
    """
    fresh = clip.with_name(f"{clip.name}{NEW}")
    try:
        yield fresh
        if fresh.exists() and fresh.stat().st_size:
            with fresh.open("rb") as file:
                # Without it a power cut may leave the name with no content.
                os.fsync(file.fileno())
            fresh.replace(clip)
    finally:
        _remove(fresh)


def _remove(path: Path) -> None:
    # A disk that cannot be written keeps it; it is swept later.
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _copy(part: Path, fresh: Path, until_s: float | None) -> int:
    """Copy all sound packets of the part; returns how many."""
    try:
        source = av.open(f"file:{part}")
    except av.error.InvalidDataError:
        return 0
    with source:
        if not source.streams.video:
            return 0
        stream = source.streams.video[0]
        with av.open(
            f"file:{fresh}", "w", format="mp4", options={"movflags": "+faststart"}
        ) as target:
            out = target.add_stream_from_template(stream, opaque=True)
            return copy_packets(source.demux(stream), target, out, until_s)


def copy_packets(
    packets: Iterator[Packet], target: OutputContainer, out: Stream, until_s: float | None
) -> int:
    """Write packets that begin with a key frame, which becomes the start; returns how many."""
    start: int | None = None
    written = 0
    with suppress(av.error.InvalidDataError):
        for packet in _all_timed(packets):
            if packet.pts is None or packet.dts is None or packet.is_corrupt:
                continue
            start = packet.pts if start is None else start
            packet.pts -= start
            packet.dts -= start
            if until_s is not None and packet.dts * packet.time_base > until_s:
                break
            if packet.pts < 0:
                # It rests on pictures before the key frame.
                continue
            packet.stream = out
            target.mux(packet)
            written += 1
    return written


def _all_timed(packets: Iterator[Packet]) -> Iterator[Packet]:
    """The packets; the first few may say no time of decoding where a file was entered midway."""
    early: list[Packet] = []
    for packet in packets:
        if packet.dts is None:
            early.append(packet)
            continue
        step = max(1, packet.duration or 0)
        for number, one in enumerate(early):
            one.dts = packet.dts - step * (len(early) - number)
        yield from early
        early = []
        yield packet
