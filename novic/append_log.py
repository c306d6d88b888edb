"""A file of JSON objects, one a line, that only ever grows and that no kill can spoil."""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from novic.errors import NomalyError


class DamagedLineError(NomalyError):
    """A whole line of a log is not what it should be."""

    def __init__(self, path: Path, line: int, why: Exception) -> None:
        super().__init__(f"{path}:{line}: is damaged ({why}); remove the line, or restore the file")
        self.line = line
        """Its number, from 1."""


class AppendLog:
    """One JSON object a line (UTF-8, ASCII alone), in the order of `append`; safe among threads.

    Only lines with an end count. What a kill or a power cut left of a last one is passed over when
    the file is read, and cut off before more is written.

    Args:
        path: The file, which need not exist. Only one process may write it at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()

    def append(self, *rows: Mapping[str, Any]) -> None:
        """Add rows, all or none; they are on the disk when this returns.

        Without rows it makes sure that the file can be written: it makes it if it is missing, and
        cuts off a torn last line.

        Raises:
            OSError: If they cannot be written; what was there before stays.
        """
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        with self._lock, self.path.open("a+b", buffering=0) as file:
            end = _cut_torn_line(file.fileno())
            try:
                rest = memoryview(text.encode("ascii"))
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except BaseException:
                # If that fails too, the next call cuts off what is no whole line.
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise

    def read[T](self, take: Callable[[Any], T]) -> list[T]:
        """What every whole line holds; nothing if there is no file.

        Args:
            take: Makes a value of what a line holds, as `json.loads` gives it. It refuses the line
                by a ValueError, TypeError, KeyError or AttributeError.

        Raises:
            DamagedLineError: If a line is no JSON or `take` refuses it.
            OSError: If the file cannot be read.
        """
        if not self.path.is_file():
            return []
        *lines, _torn = self.path.read_bytes().split(b"\n")
        values = []
        for number, line in enumerate(lines, start=1):
            try:
                values.append(take(json.loads(line)))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise DamagedLineError(self.path, number, error) from error
        return values


def _cut_torn_line(file: int) -> int:
    """Cut off what stands behind the last whole line.

    Returns:
        Bytes that are left.
    """
    end = os.fstat(file).st_size
    if end and os.pread(file, 1, end - 1) != b"\n":
        end = os.pread(file, end, 0).rfind(b"\n") + 1
        os.ftruncate(file, end)
    return end
