"""The parent's side of a reader process: start it, hear from it, end it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from app.sources.base import GapReason
from app.sources.cutting import ClipMade, ClipOrder
from app.sources.mailbox import Mailbox
from app.sources.publisher import LOOK, ReadRequest

_ROOT = Path(__file__).parents[2]
"""The folder that `app` is imported from."""
_KILL_S = 5.0
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Begun:
    """The reader is at work: from now on it is the camera that takes its time."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Frames of a (new) size come from now on, through this mailbox."""

    mailbox: Mailbox
    fps: float
    packets: bool = False
    """Whether it keeps packets that clips can be made of."""


@dataclass(frozen=True, slots=True)
class Glimpsed:
    """Pictures for onlookers come from now on, through this mailbox."""

    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class Arrived:
    """There is a new frame in the mailbox."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The camera sends something, whether or not it becomes a picture."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was found out of the camera: fields of `ReadRequest` for the next connection."""

    fields: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Packetless:
    """No clips can be made of its packets after all."""


@dataclass(frozen=True, slots=True)
class Failed:
    """This connection is over; the reader can be asked for the next one unless it `died`."""

    reason: GapReason
    text: str
    died: bool = False


type Message = (
    Begun | Opened | Glimpsed | Arrived | Heard | Learned | ClipMade | Packetless | Failed
)


class ReaderProcess:
    """A child process that reads one camera.

    A plain process rather than `multiprocessing`: nothing of the parent's main module is imported
    again, no resource tracker unlinks memory behind our backs (cpython#82300), and nothing has a
    name that could be left behind.
    """

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._received = b""
        self._descriptors: list[int] = []
        with theirs:
            try:
                self._process = _start(theirs.fileno())
            except BaseException:
                self._channel.close()
                raise

    def ask(self, request: ReadRequest) -> None:
        """Have it connect to a camera; only after the connection before has failed."""
        # A reader that dies at once is noticed when it is listened to.
        with contextlib.suppress(OSError):
            self._channel.sendall(request.to_line())

    def order(self, order: ClipOrder) -> None:
        """Have a clip made or ended; from any thread."""
        with contextlib.suppress(OSError):
            self._channel.sendall(order.to_line())

    def look(self, fps: float | None) -> None:
        """Have it show onlookers so many pictures a second; None for none. From any thread."""
        with contextlib.suppress(OSError):
            self._channel.sendall(LOOK + f"{json.dumps(fps)}}}\n".encode())

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def messages(self, timeout_s: float) -> list[Message]:
        """What the reader said, waiting for it up to `timeout_s`."""
        # Not select(), which fails in a process with more than a thousand open files.
        self._channel.settimeout(timeout_s)
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self._channel, _CHUNK, 8, socket.MSG_CMSG_CLOEXEC
            )
        except TimeoutError:
            return []
        except ConnectionError:
            data, descriptors = b"", []
        self._descriptors += descriptors
        if not data:
            return [self._died()]
        *lines, self._received = (self._received + data).split(b"\n")
        return self._understood(lines)

    def close(self) -> None:
        """Kill the process at once, whatever it is doing, and free what it used."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILL_S)
        self._channel.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()

    def _understood(self, lines: list[bytes]) -> list[Message]:
        messages: list[Message] = []
        for line in lines:
            said = json.loads(line) if line else {}
            if "failed" in said:
                messages.append(Failed(cast(GapReason, said["failed"]), said["text"]))
            elif "size" in said:
                messages.append(Opened(self._mailbox(said["size"]), said["fps"], said["packets"]))
            elif "glimpses" in said:
                messages.append(Glimpsed(self._mailbox(said["glimpses"])))
            elif "begun" in said:
                messages.append(Begun())
            elif "learned" in said:
                messages.append(Learned(said["learned"]))
            elif "heard" in said:
                messages.append(Heard())
            else:
                messages.append(_of_clips(said) or Arrived())
        return messages

    def _mailbox(self, size: Sequence[int]) -> Mailbox:
        descriptor = self._descriptors.pop(0)
        height, width = size
        try:
            return Mailbox(descriptor, (height, width))
        finally:
            os.close(descriptor)

    def _died(self) -> Failed:
        try:
            code = self._process.wait(_KILL_S)
        except subprocess.TimeoutExpired:
            return Failed("crashed", "the reader process closed its connection", died=True)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return Failed("crashed", f"the reader process died ({how})", died=True)


def _of_clips(said: Mapping[str, Any]) -> ClipMade | Packetless | None:
    if "made" in said:
        return ClipMade(**said["made"])
    return Packetless() if "packets" in said else None


def _start(channel: int) -> subprocess.Popen[bytes]:
    # -P: a folder called "app" where the user stands must not be taken for ours.
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "app.sources.reader", str(channel)],
        pass_fds=[channel],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Libraries may print addresses with passwords; failures come over the socket.
        stderr=subprocess.DEVNULL,
        # Out of the terminal's reach: Ctrl-C is for the parent.
        process_group=0,
    )


def environment() -> dict[str, str]:
    """What a process that reads a camera is started with."""
    given = dict(os.environ)
    paths = [str(_ROOT), given.get("PYTHONPATH", "")]
    given["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    # The reader multiplies no matrices: a pool of threads in every child would only cost memory.
    given["OPENBLAS_NUM_THREADS"] = given["OMP_NUM_THREADS"] = "1"
    return given
