"""From what a user typed to a source of frames."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from app.address import is_address, split_address
from app.paths import path_of, shown_path
from app.redact import shown_address
from app.ros.address import RosTopic, is_ros
from app.sources.base import LiveSource, Recording, SourceError, UnreachableError
from app.sources.called import host_of
from app.sources.drops import DropFolder, check_drops
from app.sources.file import FileSource
from app.sources.live import LiveCamera, LiveSettings
from app.sources.paced import PacedSource
from app.sources.sequence import SequenceSource, is_sequence
from novic.errors import UsageError
from novic.extras import needing

type SourceKind = Literal["webcam", "network", "folder", "file"]

_Scheme = Literal["rtsp", "rtsps", "http", "https", "ros"]


def kind_of(spec: str) -> SourceKind:
    """What a source's text means: a number is a webcam, `scheme://` a stream, all else a path.

    Raises:
        UnreachableError: If it is a URL of a scheme that cannot be read.
    """
    if spec.isdecimal():
        return "webcam"
    if not is_address(spec):
        return "folder" if path_of(spec).is_dir() else "file"
    scheme = split_address(spec).scheme.lower()
    if scheme not in get_args(_Scheme):
        known = ", ".join(f"{name}://" for name in get_args(_Scheme))
        shown = shown_address(spec)
        raise UnreachableError(f"{shown}: cannot read {scheme}:// addresses, only {known}")
    return "network"


def check_recording(spec: str | Path) -> None:
    """Say what is plainly no recording, before anything is loaded for it.

    Raises:
        UsageError: If it is an address, there is no such file, or it is a folder without images.
    """
    if is_address(str(spec)):
        raise UsageError(_live(str(spec)))
    path = path_of(str(spec))
    if is_sequence(path):
        return
    if not path.exists():
        webcam = f"; a webcam is watched: nomaly watch {spec}" if str(spec).isdecimal() else ""
        raise UsageError(f"{shown_path(spec)}: there is no such file{webcam}")
    if path.is_dir():
        raise UsageError(f"{shown_path(spec)}: is a folder; name video files or images")


def check_live(spec: str) -> None:
    """Say what plainly is nothing to watch, before anything is loaded for it.

    Raises:
        UsageError: If there is no such file, or a folder cannot be read.
        UnreachableError: If the address makes no sense, or there is no such webcam.
    """
    match kind_of(spec):
        case "network" if is_ros(spec):
            _check_topic(spec)
        case "network":
            host_of(split_address(spec))
        case "webcam":
            # Only Linux has a file for each.
            if sys.platform == "linux" and not Path(f"/dev/video{int(spec)}").exists():
                raise UnreachableError(
                    f"webcam {spec}: there is no /dev/video{int(spec)}{_webcams()}"
                )
        case "folder":
            check_drops(path_of(spec))
        case "file":
            if not path_of(spec).exists():
                raise UsageError(f"{shown_path(spec)}: there is no such file{_hint(spec)}")


def open_recording(
    spec: str,
    camera: str = "",
    sample_fps: float | None = None,
    start_s: float = 0.0,
    start_time: datetime | None = None,
    assume_fps: float | None = None,
) -> Recording:
    """Open a video or images in a row to read every frame (or `sample_fps`) as fast as it goes.

    Other parameters are those of `FileSource`. A name of digits only is a file here.

    Raises:
        SourceError: If it is no video file, and no image can be read.
    """
    if is_address(spec):
        raise SourceError(_live(spec))
    path = path_of(spec)
    opener = SequenceSource if is_sequence(path) else FileSource
    return opener(path, camera, sample_fps, start_s, start_time, assume_fps)


def open_live(
    spec: str,
    camera: str = "",
    sample_fps: float | None = None,
    start_time: datetime | None = None,
    settings: LiveSettings | None = None,
    start_s: float = 0.0,
    ring_s: float = 0.0,
) -> LiveSource:
    """Open a webcam (`0`), a stream (`rtsp://...`), or a path.

    Into a folder images and videos come (`DropFolder`); a file plays at its own pace.
    A camera that does not answer is no error here, since it may come back: `connect` waits for it.
    `start_s` is where a file begins to play; a camera knows no past. Of a network camera `ring_s`
    seconds of packets are kept for clips.

    Raises:
        UnreachableError: If the address makes no sense, the file is no video or the folder cannot
            be read.
    """
    kind = kind_of(spec)
    if kind == "file":
        try:
            file = FileSource(path_of(spec), camera, sample_fps, start_s, start_time)
        except SourceError as error:
            # It stands in for a camera, whose fault scripts tell by its exit code.
            raise UnreachableError(str(error)) from error
        return PacedSource(file)
    if kind == "folder":
        return DropFolder(path_of(spec), camera, sample_fps)
    return LiveCamera(spec.strip(), camera, sample_fps, settings, ring_s)


def _check_topic(spec: str) -> None:
    """Say what is no topic of ROS, or that DDS is not installed."""
    with needing("a topic of ROS 2"):
        import cyclonedds  # noqa: F401, PLC0415 - an extra
    try:
        RosTopic.parse(spec)
    except ValueError as error:
        raise UnreachableError(str(error)) from error


def _live(spec: str) -> str:
    return f"{shown_address(spec)}: is a live source, not a file; use: nomaly watch ADDRESS"


def _webcams() -> str:
    """Which webcams there are, behind the one that there is not."""
    there = sorted(int(node.name[5:]) for node in Path("/dev").glob("video[0-9]*"))
    return f"; there are: {', '.join(map(str, there))}" if there else "; no camera is connected"


def _hint(spec: str) -> str:
    """What may have been meant by an address without its scheme, such as 192.168.0.9:554/live."""
    host, separator, _ = spec.partition("/")
    named = separator and not host.startswith(".") and ("." in host or ":" in host)
    return f"; if that is a camera, write rtsp://{spec} or http://{spec}" if named else ""
