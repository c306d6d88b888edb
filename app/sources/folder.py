"""Video files out of what people name: files, folders, patterns."""

import glob
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from app.address import is_address
from app.errors import UsageError
from app.paths import natural, shown_path
from app.sources.start_time import time_in_name

_ENDINGS = (
    "264 265 3gp asf avi dav divx flv h264 h265 hevc m2t m2ts m2v m4v mjpeg mjpg mkv mov mp4 mpeg "
    "mpg mts mxf ogv ps tp ts vob webm wmv"
)
"""Of the files that a folder is searched for; a file that is named itself may end as it likes."""
_MOST_TOLD = 3


def find_videos(named: Iterable[Path], say: Callable[[str], None]) -> list[Path]:
    """The files that are meant, those of a folder or pattern in the order of their times or names.

    Args:
        named: Files, folders, or patterns such as `day/*.mp4` and `**/10.*.mp4`.
        say: Told what a folder holds besides.

    Raises:
        UsageError: If a folder or a pattern holds no video.
    """
    return [video for one in named for video in _meant(one, say)]


def camera_of(named: Sequence[Path]) -> str:
    """Name of the camera whose files are meant: that of the folder, if one is named."""
    if len(named) == 1 and named[0].is_dir():
        return shown_path(named[0].absolute().name)
    return ""


def _meant(one: Path, say: Callable[[str], None]) -> list[Path]:
    if is_address(str(one)):
        # It is told elsewhere that it is none, without its secrets.
        return [one]
    if one.is_dir():
        return _in_folder(one, say)
    if glob.has_magic(str(one)) and not one.exists():
        found = [Path(name) for name in glob.glob(str(one), recursive=True)]  # noqa: PTH207 - absolute ones too
        videos = _ordered(path for path in found if _is_video(path))
        if not videos:
            raise UsageError(f"{shown_path(one)}: no video file matches this pattern")
        return videos
    return [one]


def _in_folder(folder: Path, say: Callable[[str], None]) -> list[Path]:
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise UsageError(f"{shown_path(folder)}: cannot be read: {error.strerror}") from error
    videos = _ordered(entry for entry in entries if _is_video(entry))
    if not videos:
        raise UsageError(
            f"{shown_path(folder)}: is a folder without video files; name one that holds some, "
            "or the files"
        )
    rest = sorted(shown_path(entry.name) for entry in entries if entry not in set(videos))
    if rest:
        more = ", ..." if len(rest) > _MOST_TOLD else ""
        say(
            f"{shown_path(folder)}: {len(videos)} videos; left out what is none, or lies deeper: "
            f"{', '.join(rest[:_MOST_TOLD])}{more} ({len(rest)})"
        )
    return videos


def _is_video(path: Path) -> bool:
    return path.suffix[1:].lower() in _ENDINGS.split() and path.is_file()


def _ordered(paths: Iterable[Path]) -> list[Path]:
    """By the times in their names if all have one, else by their names, 9 before 10."""
    videos = sorted(paths, key=natural)
    times = [(when.timestamp(), video) for video in videos if (when := time_in_name(video))]
    if len(times) < len(videos):
        return videos
    return [video for _, video in sorted(times, key=lambda one: one[0])]
