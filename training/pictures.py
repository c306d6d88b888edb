"""Pictures of a list of files, looked at in batches while it is shown how far it is."""

from collections.abc import Callable, Sequence
from pathlib import Path

from novic.embedder import Pixels
from novic.images import load_images
from training.distilling.distil import TrainingStopped
from training.loop_config import RunOptions

AT_ONCE = 128
"""Texts or images between two looks at whether to stop."""


def look_at[T](
    paths: Sequence[Path],
    look: Callable[[list[Pixels]], T],
    options: RunOptions,
    say: Callable[[str], None],
    stage: str = "embed images",
) -> tuple[list[int], list[T]]:
    """Look at pictures; those that cannot be read are left out.

    Args:
        paths: Files.
        look: Called with some pictures, in order.
        options: Progress, stopping.
        say: Told which are left out.
        stage: What the progress is called.

    Returns:
        Numbers of the pictures that were looked at, and what `look` gave for each batch.

    Raises:
        TrainingStopped: If `options.stopping` said so.
    """
    seen: list[int] = []
    found: list[T] = []
    waiting: list[Pixels] = []
    for number, loaded in enumerate(load_images(map(str, paths))):
        if loaded.image is None:
            say(f"{loaded.path}: {loaded.error}; left out")
        else:
            seen.append(number)
            waiting.append(loaded.image)
        if len(waiting) == AT_ONCE or (waiting and number + 1 == len(paths)):
            check_stop(options, "images")
            found.append(look(waiting))
            waiting = []
        options.report(stage, number + 1, len(paths), "")
    return seen, found


def check_stop(options: RunOptions, what: str) -> None:
    """Stop before the training has begun.

    Raises:
        TrainingStopped: If `options.stopping` says so.
    """
    if options.stopping():
        raise TrainingStopped(f"stopped while {what} were embedded; the same command begins again")
