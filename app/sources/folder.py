"""Recordings out of what people name: video files, images in a row, folders, patterns."""

import glob
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from app.address import is_address
from app.errors import UsageError
from app.paths import natural, shown_path
from app.sources.sequence import as_sequence, is_still, sequence_files
from app.sources.start_time import time_in_name

_ENDINGS = (
    "264 265 3gp asf avi dav divx flv h264 h265 hevc m2t m2ts m2v m4v mjpeg mjpg mkv mov mp4 mpeg "
    "mpg mts mxf ogv ps tp ts vob webm wmv"
)
"""Of the files that a folder is searched for; a file that is named itself may end as it likes."""
_MOST_TOLD = 3
_ROW = 8
"""Images beside videos that are a sequence of their own, not their covers."""


def find_videos(named: Iterable[Path], say: Callable[[str], None]) -> list[Path]:
    """The recordings that are meant, those of a folder or pattern in the order of their times.

    Args:
        named: Files, folders, or patterns such as `day/*.mp4`, `frame_%04d.png`. Images of one
            folder are one recording, which is returned as a path that `sequence_files` knows.
        say: Told what a folder holds besides.

    Raises:
        UsageError: If a folder or a pattern holds neither video nor images, or both.
    """
    listed = list(named)
    images = [one for one in listed if is_still(one)]
    if len(images) > 1:
        if others := [one for one in listed if one not in images]:
            raise UsageError(
                f"{shown_path(others[0])} is named beside images ({shown_path(images[0])}, ...); "
                "name recordings or images"
            )
        return [as_sequence(images)]
    return [video for one in listed for video in _meant(one, say)]


def camera_of(named: Sequence[Path]) -> str:
    """Name of the camera whose files are meant: that of the folder, if one is named."""
    if len(named) == 1 and named[0].is_dir():
        return shown_path(named[0].absolute().name)
    if named and is_still(named[0]):
        return shown_path(named[0].absolute().parent.name)
    return ""


def _meant(one: Path, say: Callable[[str], None]) -> list[Path]:
    if is_address(str(one)):
        # It is told elsewhere that it is none, without its secrets.
        return [one]
    if one.is_dir():
        return _in_folder(one, say)
    if glob.has_magic(str(one)) and not one.exists():
        found = [Path(name) for name in glob.glob(str(one), recursive=True)]  # noqa: PTH207 - absolute ones too
        if videos := _ordered(path for path in found if is_video(path)):
            return videos
        if not sequence_files(one):
            raise UsageError(f"{shown_path(one)}: no video file and no image matches this pattern")
    return [one]


def _in_folder(folder: Path, say: Callable[[str], None]) -> list[Path]:
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise UsageError(f"{shown_path(folder)}: cannot be read: {error.strerror}") from error
    videos = _ordered(entry for entry in entries if is_video(entry))
    images = sequence_files(folder)
    _check_one_sort(folder, videos, images)
    if not videos:
        videos = [folder]
        entries = [entry for entry in entries if entry not in set(images)]
    rest = sorted(shown_path(entry.name) for entry in entries if entry not in set(videos))
    if rest:
        more = ", ..." if len(rest) > _MOST_TOLD else ""
        what = f"{len(images)} images" if videos == [folder] else f"{len(videos)} videos"
        say(
            f"{shown_path(folder)}: {what}; left out what is none, or lies deeper: "
            f"{', '.join(rest[:_MOST_TOLD])}{more} ({len(rest)})"
        )
    return videos


def _check_one_sort(folder: Path, videos: Sequence[Path], images: Sequence[Path]) -> None:
    """Refuse a folder of nothing, and one of two sorts."""
    if not videos and not images:
        raise UsageError(
            f"{shown_path(folder)}: is a folder without video files or images; name one that holds "
            "some, or the files"
        )
    titles = {video.stem for video in videos}
    row = [image for image in images if image.stem not in titles]
    if videos and len(row) >= _ROW:
        raise UsageError(
            f"{shown_path(folder)}: holds {len(videos)} videos ({shown_path(videos[0].name)}, ...) "
            f"and {len(row)} images ({shown_path(row[0].name)}, ...); name one sort by a pattern, "
            f"such as {shown_path(folder / ('*' + row[0].suffix))!r}"
        )


def is_video(path: Path) -> bool:
    """Whether a path is a video file by its name."""
    return path.suffix[1:].lower() in _ENDINGS.split() and path.is_file()


def _ordered(paths: Iterable[Path]) -> list[Path]:
    """By the times in their names if all have one, else by their names, 9 before 10."""
    videos = sorted(paths, key=natural)
    times = [(when.timestamp(), video) for video in videos if (when := time_in_name(video))]
    if len(times) < len(videos):
        return videos
    return [video for _, video in sorted(times, key=lambda one: one[0])]
