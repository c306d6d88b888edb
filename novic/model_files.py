"""Whether there is a decoder where one was named, told before torch is loaded."""

from pathlib import Path

from novic.errors import NomalyError


class NoModelError(NomalyError):
    """There is no decoder at the place that was named; the text names it."""

    exit_code = 4


def check_model(path: Path | None) -> Path | None:
    """The path of a bundle or checkpoint, if something is there; None stays None.

    Raises:
        NoModelError: If nothing is.
    """
    if path is None or path.exists():
        return path
    if path.suffix == ".train":
        raise NoModelError(f"{path}: there is no such checkpoint file")
    raise NoModelError(f"{path}: there is no bundle or checkpoint here")
