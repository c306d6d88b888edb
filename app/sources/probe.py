"""How a camera truly sends: asked by a process of its own, which may hang or be killed."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from app.redact import redact
from app.sources.base import GapReason
from app.sources.process import environment
from app.sources.publisher import reader_kind

_GRACE_S = 8.0
"""For the start of the process, and for its own clock to end it."""
_LONGEST_SAID = 300


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found of one camera; None is what could not be told."""

    reason: GapReason | None = None
    """Why nothing came, or why it stopped; None if all went well."""
    why: str = ""
    """The same in a sentence, without passwords."""
    connect_s: float | None = None
    """From the first question to the first picture; None if none came."""
    watched_s: float = 0.0
    """From the first picture to the last."""
    frames: int = 0
    """Sound pictures."""
    damaged: int = 0
    """Packets and pictures that could not be decoded."""
    announced_fps: float | None = None
    fps: float | None = None
    """By the camera's own times, or by arrival where it sends none."""
    size: tuple[int, int] | None = None
    """(height, width) in pixels."""
    codec: str = ""
    """As FFmpeg calls it; empty if packets are not seen, as of a webcam."""
    keyframe_s: float | None = None
    """Longest time between two key frames that was seen."""
    keyframes: int = 0
    """How many were seen."""
    b_frames: bool | None = None
    """Whether pictures come in another order than they are shown, which costs time."""
    cpu: float | None = None
    """Processor seconds a second to read and decode all of it."""
    key_cpu: float | None = None
    """The same to decode key frames alone."""
    clock_s: float | None = None
    """By how much its clock is ahead of this machine's; only RTCP tells."""
    drift_ppm: float | None = None
    """How much faster than this machine's its times run, in millionths."""
    drift_bound_ppm: float | None = None
    """How far that may be off, by how the least delayed pictures stray from a steady pace."""
    udp: bool = False
    """Whether it sends over UDP only."""

    def as_json(self) -> dict[str, Any]:
        """The same as scripts read it; keys are stable."""
        return asdict(self)

    @classmethod
    def from_said(cls, said: Mapping[str, Any]) -> "Probe":
        """What the process said."""
        size = said.get("size")
        return cls(**{**said, "size": tuple(size) if size else None})


def probe(address: str, seconds: float) -> Probe:
    """Connect to a camera and look at what it sends for a while; shows and keeps nothing.

    Args:
        address: A webcam's number or device, or a URL, with its login.
        seconds: How long, the connection included.
    """
    request = {"kind": reader_kind(address), "address": address, "seconds": seconds}
    try:
        # -P: a folder called "app" where the user stands must not be taken for ours.
        done = subprocess.run(
            [sys.executable, "-P", "-m", "app.sources.probing"],
            # Not on the command line, which others can see.
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            # Libraries may print addresses with passwords.
            stderr=subprocess.DEVNULL,
            env=environment(),
            timeout=seconds + _GRACE_S,
            check=False,
        )
        found = Probe.from_said(cast(dict[str, Any], json.loads(done.stdout)))
    except subprocess.TimeoutExpired:
        return Probe("timeout", "no answer in time")
    except (OSError, ValueError, TypeError) as error:
        return Probe("crashed", f"the process that asked it ended early ({type(error).__name__})")
    return Probe(**{**asdict(found), "why": redact(found.why, address)[:_LONGEST_SAID]})
