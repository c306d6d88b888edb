"""The answers of an evaluation under way, on disk after every batch."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from training.evaluation.predictions import EvaluationError


class Journal:
    """One line of settings, then one per image: `{"image", "error"}` or `{"image", "answers"}`.

    Answers are `{config name: [[noun, score, kind], …]}`.

    Args:
        path: The file; made if missing.
        settings: What the answers depend on.

    Raises:
        EvaluationError: If it is of other settings, damaged, or cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        """By image."""
        self.broken = 0
        """How many images could not be read."""
        self._path = path
        head = json.dumps({"settings": settings}, sort_keys=True)
        try:
            self._read(head)
            self._file = path.open("a", encoding="utf-8")
            if not self._file.tell():
                self._file.write(f"{head}\n")
        except OSError as error:
            raise EvaluationError(f"{path}: cannot be used: {error.strerror or error}") from error

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep what became of some images.

        Raises:
            EvaluationError: If they cannot be written.
        """
        new = list(rows)
        try:
            self._file.write("".join(f"{json.dumps(row)}\n" for row in new))
            self._file.flush()
        except OSError as error:
            raise EvaluationError(
                f"{self._path}: cannot be written: {error.strerror or error}; "
                "what was done before is kept"
            ) from error
        self._take(new)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # All that matters was flushed; what a full disk left behind must not hide the error.
        with suppress(OSError):
            self._file.close()

    def _take(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self.rows[row["image"]] = row
            self.broken += "error" in row

    def _read(self, head: str) -> None:
        """Take over what is there, and cut off a line that a kill left half-written.

        Images that could not be read are tried again.
        """
        if not self._path.is_file():
            return
        first, *lines = self._path.read_bytes().split(b"\n")
        begun = not lines and head.encode().startswith(first)
        if not begun and first != head.encode():
            raise EvaluationError(
                f"{self._path}: is the beginning of an evaluation with other settings; "
                "repeat the command that began it, remove the file, or name another --out"
            )
        half = first if begun else lines.pop()
        if half:
            with self._path.open("r+b") as file:
                file.seek(-len(half), os.SEEK_END)
                file.truncate()
        try:
            rows = [json.loads(line) for line in lines]
            self._take(row for row in rows if "error" not in row)
        except (ValueError, KeyError, TypeError) as error:
            raise EvaluationError(
                f"{self._path}: is damaged ({error}); remove it to begin anew"
            ) from error
