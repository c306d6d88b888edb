"""What a watch is asked for, checked before anything heavy is loaded."""

from collections.abc import Mapping
from pathlib import Path

from app.errors import UsageError
from app.sources.open import check_live, kind_of, open_recording


def check_watch(
    source: str,
    *,
    learn_s: float | None,
    detector: Path | None,
    seconds: Mapping[str, float | None],
) -> None:
    """Say what plainly cannot be watched.

    Args:
        source: A webcam's number, an address, or a file.
        learn_s: Seconds to learn from.
        detector: What has learned already, in the place of `learn_s`.
        seconds: The other lengths of time by their options; those that were not given are None.

    Raises:
        UsageError: If a length of time makes no sense, it does not say what is normal, the file is
            none or shorter than the stretch to learn from.
        app.sources.base.SourceError: If the file is no video that can be read.
        app.sources.base.UnreachableError: If the address makes no sense or there is no such webcam.
    """
    if (learn_s is None) == (detector is None):
        raise UsageError("say what is normal: either --learn SECONDS or --detector FOLDER")
    for option, value in {"--learn": learn_s, **seconds}.items():
        if value is not None and not value > 0:
            raise UsageError(f"{option} {value:g}: must be above 0 seconds")
    if detector is not None and not detector.is_dir():
        raise UsageError(f"--detector {detector}: there is no such folder")
    check_live(source)
    if kind_of(source) == "file":
        _check_file(source, learn_s)


def _check_file(source: str, learn_s: float | None) -> None:
    with open_recording(source) as video:
        lasts_s = video.info.duration_s
    if learn_s is not None and 0 < lasts_s <= learn_s:
        raise UsageError(
            f"--learn {learn_s:g}: {source} lasts only {lasts_s:.1f} s; nothing would be watched"
        )
