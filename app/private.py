"""What a camera saw is for whoever started the command, not for every user of the machine."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


INHERITED = -1
"""What `subprocess` takes for leaving the umask as it is."""


class _Users:
    umask = INHERITED


_users = _Users()


def users_umask() -> int:
    """For programs of the user's that are run meanwhile: they are to write as they always do."""
    return _users.umask


@contextmanager
def privately(out: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep what is written from other users, unless it goes into a folder that they can read.

    For commands: what the process writes elsewhere meanwhile is private, too.

    Args:
        out: Where results go; it may not be there yet.
        say: Told if other users can read it: then it stays so, for they may be meant to.
    """
    if not out.exists() or is_private(out):
        before = _users.umask = os.umask(_OTHERS)
        try:
            yield
        finally:
            os.umask(before)
            _users.umask = INHERITED
    else:
        if out.is_dir():
            say(f"Note: {out} can be read by other users of this machine; chmod 700 {out}")
        yield


def is_private(path: Path) -> bool:
    """Whether only its owner can do anything with it."""
    return not stat.S_IMODE(path.stat().st_mode) & _OTHERS
