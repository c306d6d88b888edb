"""The answers of an evaluation under way, on disk after every batch."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from novic.append_log import AppendLog, DamagedLineError
from training.evaluation.predictions import EvaluationError


class Journal:
    """One line of settings, then one per image: `{"image", "error"}` or `{"image", "answers"}`.

    Answers are `{config name: [[noun, score, kind], …]}`.

    Args:
        path: The file; made if missing. What a kill left of a last line is cut off.
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
        self._log = AppendLog(path)
        head = json.dumps({"settings": settings}, sort_keys=True)
        try:
            begun = self._is_begun(head.encode())
            self._log.read(self._restore)
            self._log.append(*[] if begun else [json.loads(head)])
        except DamagedLineError as error:
            raise EvaluationError(
                f"{path}: is damaged (line {error.line}: {error.__cause__}); "
                "remove it to begin anew"
            ) from error
        except OSError as error:
            raise EvaluationError(f"{path}: cannot be used: {error.strerror or error}") from error

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Keep what became of some images.

        Raises:
            EvaluationError: If they cannot be written.
        """
        new = list(rows)
        try:
            self._log.append(*new)
        except OSError as error:
            raise EvaluationError(
                f"{self._path}: cannot be written: {error.strerror or error}; "
                "what was done before is kept"
            ) from error
        for row in new:
            self._take(row)

    def _is_begun(self, head: bytes) -> bool:
        """Whether the settings are in the file; a kill may have left a part of them.

        Raises:
            EvaluationError: If it begins otherwise.
        """
        if not self._path.is_file():
            return False
        first, end, _ = self._path.read_bytes().partition(b"\n")
        if first != head if end else not head.startswith(first):
            raise EvaluationError(
                f"{self._path}: is the beginning of an evaluation with other settings; "
                "repeat the command that began it, remove the file, or name another --out"
            )
        return bool(end)

    def _restore(self, row: dict[str, Any]) -> None:
        """Take over a line; images that could not be read are tried again."""
        if "settings" not in row and "error" not in row:
            self._take(row)

    def _take(self, row: dict[str, Any]) -> None:
        self.rows[row["image"]] = row
        self.broken += "error" in row
