"""Who is logged in: random cookies, of which only digests are kept, also over a restart."""

import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.events.logins import LOGIN, SESSIONS
from novic.whole_files import NEW, write_whole

LASTS_S = 14 * 86_400
"""A login holds so long."""
MOST = 256
"""Logins at once; the oldest goes first."""


def digest(text: str) -> str:
    """SHA-256 of a text in hex, of which nobody finds the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts agree, in a time that does not tell where they differ."""
    return secrets.compare_digest(digest(one), digest(other))


class Sessions:
    """Logins of one page. Safe in several threads."""

    def __init__(self, folder: Path | None, bound_to: str = "") -> None:
        """Take up what was left.

        Args:
            folder: Where they are kept; None keeps them for as long as the process lives.
            bound_to: What lets in (token, hash); once that changes nobody is logged in any more.
        """
        self._file = None if folder is None else folder / SESSIONS
        self._bound = digest(bound_to)
        self._lock = threading.Lock()
        self._until_s = self._read()

    def begin(self) -> str:
        """A new login; returns its cookie's value."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            now_s = _now_s()
            self._until_s = {key: at for key, at in self._until_s.items() if at > now_s}
            for oldest in list(self._until_s)[: len(self._until_s) - MOST + 1]:
                del self._until_s[oldest]
            self._until_s[digest(cookie)] = now_s + LASTS_S
            self._write()
        return cookie

    def knows(self, cookie: str) -> bool:
        """Whether this is the cookie of somebody who is logged in."""
        with self._lock:
            return self._until_s.get(digest(cookie), 0) > _now_s()

    def end(self, cookie: str) -> None:
        """Log out."""
        with self._lock:
            if self._until_s.pop(digest(cookie), None) is not None:
                self._write()

    def _read(self) -> dict[str, int]:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            kept = json.loads(self._file.read_text()) if self._file is not None else {}
            if kept.get("bound") == self._bound:
                return {str(key): int(at) for key, at in kept["until_s"].items()}
        return {}

    def _write(self) -> None:
        """Keep them; on a disk that is full they hold until the process ends."""
        if self._file is None:
            return
        kept = {"bound": self._bound, "until_s": self._until_s}
        with suppress(OSError):
            write_private(self._file, json.dumps(kept))


class Links:
    """Links that let in once, and a private file that holds the newest."""

    def __init__(self, folder: Path | None) -> None:
        """Begin with none; the file is written by `show_at`."""
        self._file = None if folder is None else folder / LOGIN
        self._lock = threading.Lock()
        self._digests: list[str] = []
        self._page: Callable[[str], str] | None = None

    def new(self) -> str:
        """The last part of a new link."""
        once = secrets.token_urlsafe(32)
        with self._lock:
            # What was never used is not left open for ever.
            self._digests = [*self._digests[-7:], digest(once)]
        return once

    def use(self, once: str) -> bool:
        """Whether a link lets in; it does not again."""
        with self._lock:
            found = digest(once)
            if found not in self._digests:
                return False
            self._digests.remove(found)
        self._refresh()
        return True

    def show_at(self, page: Callable[[str], str]) -> Path | None:
        """Keep a link in the private file; returns its path, None if there is no folder.

        Args:
            page: The file's text, made of a link's last part.
        """
        self._page = page
        self._refresh()
        return self._file

    def _refresh(self) -> None:
        if self._file is not None and self._page is not None:
            with suppress(OSError):
                write_private(self._file, self._page(self.new()))


def write_private(path: Path, text: str) -> None:
    """Replace a file whole that only this user can read.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whoever could read it for a moment could keep it open.
    fresh = path.with_name(f"{path.name}{NEW}")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    write_whole(path, text.encode())


def _now_s() -> int:
    return time.time_ns() // 10**9
