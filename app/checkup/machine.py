"""What a site needs of this machine: room, a disk that writes, a clock, a port, memory."""

import errno
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from app.doctor import Finding, room_in
from app.events.lock import HOLDER
from app.events.schema import STORE
from app.service.config import Page
from app.web.guard import GuardConfig
from novic.errors import NomalyError

SLOW_FSYNC_S = 0.1
"""A disk that takes longer to say that something is safe holds up what is stored."""
_TRIES = 8
_BLOCK = b"\0" * 4096
CLOCK_S = 2.0
BASE_MB, CAMERA_MB = 1430, 110
"""Measured with 1, 4 and 8 cameras of 640x480 (benchmarks/README.md)."""
LEARNING_MB = 512
"""Most that is kept of a camera while its view is learned."""


def watched_by(folder: Path) -> int | None:
    """The process that watches a site just now; None if there is none."""
    try:
        number = int((folder / HOLDER).read_text())
        # Whose processes we may not end, we still see.
        with suppress(PermissionError):
            os.kill(number, 0)
    except (OSError, ValueError, OverflowError):
        return None
    return number


def examine_folder(folder: Path) -> Iterator[Finding]:
    """Whether results can be kept: rights, room, and how fast the disk says that it has them."""
    room = room_in("results", folder)
    if room.state != "ok":
        yield Finding(
            "results", "fault", room.detail, "make room or get the right to write there, or name "
            "another folder: in the site's file"
        )  # fmt: skip
        return
    yield room
    place = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        took_s = fsync_s(place)
    except OSError as error:
        yield Finding(
            "disk", "fault", f"{place}: cannot be written safely ({error.strerror})",
            "name another folder: in the site's file"
        )  # fmt: skip
        return
    said = f"writes 4 KiB safely in {1000 * took_s:.1f} ms"
    if took_s > SLOW_FSYNC_S:
        remedy = "put folder: on a disk of this machine, best one without moving parts"
        yield Finding("disk", "warning", said, remedy)
    else:
        yield Finding("disk", "ok", said)


def fsync_s(folder: Path) -> float:
    """Seconds that a small write takes until it is on the disk, the median of some.

    Raises:
        OSError: If it cannot be written.
    """
    taken_s = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_TRIES):
            begun_s = time.perf_counter()
            file.write(_BLOCK)
            file.flush()
            os.fsync(file.fileno())
            taken_s.append(time.perf_counter() - begun_s)
    return statistics.median(taken_s)


def examine_clock(folder: Path) -> Iterator[Finding]:
    """Whether this machine's clock can be right: nothing is asked outside."""
    now_s = time.time_ns() / 1e9
    place = next(one for one in (folder, *folder.parents) if one.exists())
    installed_s = Path(__file__).stat().st_mtime
    stores = [folder / STORE, *folder.glob(f"*/{STORE}*")] if folder.is_dir() else []
    newest_s = max((one.stat().st_mtime for one in stores if one.exists()), default=0.0)
    off_s = 0.0
    with suppress(OSError), tempfile.TemporaryFile(dir=place) as file:
        off_s = os.fstat(file.fileno()).st_mtime - time.time_ns() / 1e9
    shown = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now_s))
    remedy = "set it, and switch time synchronisation on: timedatectl set-ntp true"
    if now_s < installed_s - 86400:
        yield Finding("clock", "fault", f"says {shown}, which is before Nomaly came here", remedy)
    elif newest_s > now_s + CLOCK_S:
        said = f"says {shown}, and results were written {newest_s - now_s:.0f} s later than that"
        yield Finding("clock", "warning", said, f"it was set back; {remedy}")
    elif abs(off_s) > CLOCK_S:
        said = f"the disk of the results is {off_s:+.0f} s off this machine's clock"
        yield Finding("clock", "warning", said, "synchronise the clock of the file server, too")
    else:
        yield Finding("clock", "ok", shown)


def examine_port(page: Page | None, watched: bool) -> Iterator[Finding]:
    """Whether the page can be opened where the site's file says."""
    if page is None:
        return
    place, name = f"{page.host}:{page.port}", "page"
    hashed, token = (SecretStr(one) if one else None for one in (page.password_hash, page.token))
    config = GuardConfig(host=page.host, port=page.port, password_hash=hashed, token=token)
    try:
        config.with_environment().checked()
    except NomalyError as error:
        yield Finding(name, "fault", str(error), "nomaly password makes the hash of a password")
        return
    try:
        family = socket.AF_INET6 if ":" in page.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((page.host, page.port))
    except OSError as error:
        if watched and error.errno == errno.EADDRINUSE:
            yield Finding(name, "ok", f"{place} is in use, and the site is being watched")
            return
        remedy = "name another port: under page:, or end the program that has this one"
        if error.errno != errno.EADDRINUSE:
            remedy = "name another host: or port: under page:, as 127.0.0.1 and 8080"
        yield Finding(name, "fault", f"{place} cannot be listened on ({error.strerror})", remedy)
        return
    yield Finding(name, "ok", f"{place} is free")


def examine_memory(cameras: int, watched: bool) -> Iterator[Finding]:
    """Whether so many cameras fit; what other programs need is theirs."""
    free_mb = available_mb()
    if free_mb is None:
        return
    wanted_mb = BASE_MB + CAMERA_MB * cameras
    said = f"{counted(cameras)} of 640x480 take about {wanted_mb} MB, {free_mb} MB are available"
    fewer = "watch fewer cameras on this machine, or end other programs"
    if watched:
        yield Finding("memory of the site", "ok", f"{said} besides the watch that is running")
    elif wanted_mb > free_mb:
        yield Finding("memory of the site", "fault", said, fewer)
    elif wanted_mb + LEARNING_MB * cameras > free_mb:
        more = f"; up to {LEARNING_MB} MB more for each while views are learned"
        yield Finding(
            "memory of the site", "warning", f"{said}{more}", f"{fewer}, or learn less long"
        )
    else:
        yield Finding("memory of the site", "ok", said)


def counted(cameras: int) -> str:
    """So many cameras, in words."""
    return f"{cameras} camera{'' if cameras == 1 else 's'}"


def available_mb() -> int | None:
    """Memory that programs can have without swapping, MB; None if this system does not tell."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(one for one in lines if one.startswith("MemAvailable:"))
        return int(line.split()[1]) // 1000
    return None
