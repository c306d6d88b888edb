"""The steps of a small run: shown, logged, kept in checkpoints, stopped by Ctrl-C and gone on with.

A run draws all chance of a step from its seed and the step's number, so that one that goes on from
its checkpoint ends as one that was never stopped. Decoders have a loop of their own
(`training.loop`).
"""

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from training.checkpoint import differences, read_state
from training.distilling.distil import TrainingStopped
from training.loop_config import RunOptions
from training.metrics_log import FILE, MetricsLog
from training.step import TrainingError

WORK = "work"
"""Folder inside the output that holds the checkpoint."""
LINES = 50
"""Of metrics.jsonl, at most about."""


def clear_run(out: Path, files: Iterable[str], folders: Iterable[str] = ()) -> None:
    """Remove what an earlier run left in a folder, and nothing else.

    Args:
        out: The folder; it may be missing.
        files: Names of what it wrote besides its metrics.
        folders: Names of folders besides that of its checkpoint.
    """
    for name in (FILE, *files):
        (out / name).unlink(missing_ok=True)
    for name in (WORK, *folders):
        shutil.rmtree(out / name, ignore_errors=True)


class StepRun(Protocol):
    """A run under way."""

    done: int
    """Steps that were made."""

    @property
    def steps(self) -> int:
        """Of the whole run."""
        ...

    def step(self) -> float:
        """Make a step and give its total loss.

        Raises:
            TrainingError: If it is not finite.
        """
        ...

    def means(self) -> dict[str, float]:
        """Losses since the last line, which begin anew."""
        ...

    def save(self, work: Path) -> None:
        """Write a checkpoint."""
        ...


def same_run(work: Path, identity: Mapping[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint's folder and state; None if there is none.

    Args:
        work: Folder of the checkpoints.
        identity: What must be the same for a run to go on.

    Raises:
        TrainingError: If it is damaged or of another run.
    """
    saved = read_state(work)
    if saved is None:
        return None
    folder, state = saved
    changed = differences(state["run"], identity)
    if changed:
        name, old, new = changed[0]
        raise TrainingError(
            f"{folder} is of another run: {name} was {old!r} and is now {new!r}; train into "
            f"another folder, or remove {folder.parent} to begin again"
        )
    return folder, state


def make_steps(run: StepRun, work: Path, log: MetricsLog, options: RunOptions) -> None:
    """Make all steps that are not done yet.

    Raises:
        TrainingError: If a loss is not finite or a checkpoint cannot be written.
        TrainingStopped: If `options.stopping` said so.
    """
    line_every = max(run.steps // LINES, 1)
    saved_at = time.monotonic()
    while run.done < run.steps:
        total = run.step()
        options.report("train", run.done, run.steps, f"loss {total:.3f}")
        if run.done % line_every == 0 or run.done == run.steps:
            log.write(run.done, run.means())
        stop = options.stopping() and run.done < run.steps
        due = time.monotonic() - saved_at >= options.checkpoint_every_s
        if stop or run.done == run.steps or due:
            run.save(work)
            saved_at = time.monotonic()
        if stop:
            raise TrainingStopped(
                f"stopped after step {run.done} of {run.steps}; the same command goes on"
            )
