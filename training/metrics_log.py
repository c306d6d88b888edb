"""The metrics of a run as lines of JSON, and as TensorBoard's event files where that is wanted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from novic.extras import needing
from novic.whole_files import write_whole

FILE = "metrics.jsonl"
BOARD = "tensorboard"


class MetricsLog:
    """Writes `metrics.jsonl` and, if wanted, the folder `tensorboard`.

    Args:
        folder: Where both are.
        done: Steps done before: lines of later steps, which will come again, are dropped.
        tensorboard: Write for TensorBoard too.

    Raises:
        TrainingError: If TensorBoard is wanted and not installed.
    """

    def __init__(self, folder: Path, done: int, *, tensorboard: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / FILE
        self._keep(done)
        self._board: Any = None
        if tensorboard:
            with needing("--tensorboard"):
                from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional
            self._board = SummaryWriter(str(folder / BOARD), purge_step=done + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add what was measured after a step."""
        line = json.dumps({"step": step, **values})
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Finish TensorBoard's file."""
        if self._board is not None:
            self._board.close()

    def last(self) -> dict[str, float]:
        """The newest line's values; empty if there is none."""
        lines = self._lines()
        return json.loads(lines[-1]) if lines else {}

    def _keep(self, done: int) -> None:
        lines = [line for line in self._lines() if json.loads(line)["step"] <= done]
        write_whole(self._file, "".join(f"{line}\n" for line in lines).encode())

    def _lines(self) -> list[str]:
        """Whole lines; a kill may have cut the last one off."""
        if not self._file.is_file():
            return []
        *lines, _ = self._file.read_text(encoding="utf-8").split("\n")
        return lines
