"""Passwords of the page: kept as argon2 hashes, tried with a pause that grows."""

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import UsageError

SHORTEST = 8
"""Characters of a password."""
LONGEST = 1024
FREE_TRIES = 3
"""Wrong ones before there is a pause."""
LONGEST_PAUSE_S = 300.0
_MOST_CALLERS = 1024
_HASH = re.compile(r"\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_HASHER = PasswordHasher()
_ONE_AT_A_TIME = threading.Lock()
"""A try takes 64 MiB: many at once would be a way to take the machine down."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password, as it stands in a site's YAML.

    Raises:
        UsageError: If it is too short or too long.
    """
    if len(password) < SHORTEST:
        raise UsageError(f"the password has {len(password)} characters; take {SHORTEST} or more")
    if len(password) > LONGEST:
        raise UsageError(f"the password has {len(password)} characters; take {LONGEST} at most")
    return _HASHER.hash(password)


def is_hash(text: str) -> bool:
    """Whether a text is an argon2 hash."""
    return _HASH.fullmatch(text) is not None


def fits(password: str, hashed: str) -> bool:
    """Whether a password is the one of a hash; takes as long for a wrong one as for the right."""
    with _ONE_AT_A_TIME:
        try:
            return _HASHER.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    until_s: float = 0.0


class Tries:
    """How often each caller was wrong, and how long it has to wait. Safe in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: OrderedDict[str, _Tries] = OrderedDict()

    def pause_s(self, caller: str) -> float:
        """How long a caller has to wait before it is heard again; 0 if it need not."""
        with self._lock:
            tries = self._of.get(caller)
            return 0.0 if tries is None else max(0.0, tries.until_s - time.monotonic())

    def wrong(self, caller: str) -> float:
        """Note a wrong try; returns the pause in seconds that follows: 1, 2, 4 up to 300."""
        with self._lock:
            tries = self._of.setdefault(caller, _Tries())
            self._of.move_to_end(caller)
            while len(self._of) > _MOST_CALLERS:
                self._of.popitem(last=False)
            tries.wrong += 1
            over = tries.wrong - FREE_TRIES
            pause_s = 0.0 if over < 0 else min(2.0 ** min(over, 20), LONGEST_PAUSE_S)
            tries.until_s = time.monotonic() + pause_s
            return pause_s

    def right(self, caller: str) -> None:
        """Forget what a caller got wrong."""
        with self._lock:
            self._of.pop(caller, None)
