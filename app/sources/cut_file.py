"""A stretch of a recorded file as a clip, without encoding it anew."""

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import av.format
from av.packet import Packet

from app.sources.container import open_video
from app.sources.packets import REMUXED
from app.sources.remux import copy_packets, in_place


def cut_file(path: Path, start_s: float, end_s: float, clip: Path) -> float | None:
    """Cut a stretch out of a video file, from the key frame at or before its start on.

    Args:
        path: The file.
        start_s: Where the stretch begins, in seconds from the video's start.
        end_s: Where it ends.
        clip: The mp4 file to make, in a folder that exists; whole or not at all.

    Returns:
        Where the clip begins, in seconds from the video's start; None if its packets cannot be put
        into an mp4 file as they are, or say no times that can be relied on.

    Raises:
        app.sources.base.SourceError: If it is no video that can be read.
        OSError: If the clip cannot be written.
    """
    container, stream = open_video(path)
    with container, in_place(clip) as fresh:
        tick_s, origin = float(stream.time_base or 0), stream.start_time
        restarts = bool(container.format.flags & av.format.Flags.ts_discont.value)
        if stream.codec_context.name not in REMUXED or origin is None or restarts or not tick_s:
            return None
        container.seek(max(0, round(start_s / tick_s)) + origin, stream=stream)
        packets = _from_key(container.demux(stream))
        first = next(packets, None)
        if first is None or first.pts is None:
            return None
        from_s = (first.pts - origin) * tick_s
        options = {"movflags": "+faststart"}
        with av.open(f"file:{fresh}", "w", format="mp4", options=options) as target:
            out = target.add_stream_from_template(stream, opaque=True)
            written = copy_packets(_behind(first, packets), target, out, end_s - from_s)
        return from_s if written else None


def _from_key(packets: Iterator[Packet]) -> Iterator[Packet]:
    begun = False
    for packet in packets:
        begun = begun or (bool(packet.is_keyframe) and packet.pts is not None)
        if begun:
            yield packet


def _behind(first: Packet, packets: Iterator[Packet]) -> Iterator[Packet]:
    yield first
    yield from packets
