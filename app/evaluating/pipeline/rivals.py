"""Boxes and names of somebody else, from JSON.

One object::

    {"with_list": false,
     "detections": [{"recording": "yard", "at_s": 12.4, "box": [10, 20, 60, 70],
                     "score": 0.9, "noun": "ball"}, ...]}

One detection for each thing that it tells, not one a frame: when it saw it, in seconds from the
start of the recording, and where it was then, x2 and y2 excluded, in pixels of the frame. A noun
may be "". `recording` may be left out where there is one; `with_list` says that it was given the
list of candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from app.paths import shown_path
from calibration.named import ToldBox
from detectors.types import Box
from novic.errors import UsageError
from novic.json_files import read_json


class RivalError(UsageError):
    """A file does not say what a rival told; the text says what is wrong in it."""


@dataclass(frozen=True, slots=True)
class Rival:
    """What somebody else told."""

    name: str
    with_list: bool
    told: dict[str, list[ToldBox]]
    """By recording."""


def named_file(text: str) -> tuple[str, Path]:
    """Name and file of `NAME=FILE.json`.

    Raises:
        RivalError: If it is not of that form.
    """
    name, _, file = text.partition("=")
    if not name.strip() or not file:
        raise RivalError(f"--rival {text}: write NAME=FILE.json, for example owl=owl.json")
    return name.strip(), Path(file)


def read_rival(name: str, path: Path, recordings: Sequence[str]) -> Rival:
    """What a rival told of some recordings.

    Args:
        name: What its row is called.
        path: The file.
        recordings: All that are measured.

    Raises:
        RivalError: If the file is missing, no JSON, or not of the form above.
    """
    shown = shown_path(path)
    try:
        told = read_json(path)
    except OSError as error:
        raise RivalError(f"{shown}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise RivalError(f"{shown}: no JSON that can be read: {error}") from error
    if not isinstance(told, dict) or not isinstance(told.get("detections"), list):
        raise RivalError(
            f"{shown}: must hold one JSON object with a list 'detections'; docs/python.md shows it"
        )
    with_list = told.get("with_list", False)
    if not isinstance(with_list, bool):
        raise RivalError(f"{shown}: with_list must be true or false, not {with_list!r}")
    found: dict[str, list[ToldBox]] = {recording: [] for recording in recordings}
    for number, one in enumerate(told["detections"], start=1):
        try:
            recording, box = _detection(one, recordings)
        except KeyError as error:
            raise RivalError(f"{shown}: {error} is missing in detection {number}") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise RivalError(f"{shown}: detection {number}: {error}") from error
        found[recording].append(box)
    return Rival(name, with_list, found)


def _detection(one: Any, recordings: Sequence[str]) -> tuple[str, ToldBox]:  # noqa: ANN401
    if not isinstance(one, dict):
        raise TypeError("must be a JSON object")
    recording = one["recording"] if len(recordings) > 1 or "recording" in one else recordings[0]
    if recording not in recordings:
        raise ValueError(f"there is no recording '{recording}'; there are {', '.join(recordings)}")
    corners = one["box"]
    if not isinstance(corners, list) or len(corners) != 4:
        raise ValueError("box must be [x1, y1, x2, y2]")
    box = Box(*(_number("box", side) for side in corners))
    if box.area <= 0:
        raise ValueError("its box has no area")
    noun = one["noun"]
    if not isinstance(noun, str):
        raise TypeError(f"noun must be a text, not {noun!r}")
    return recording, ToldBox(
        _number("at_s", one["at_s"]), box, _number("score", one["score"]), noun
    )


def _number(what: str, value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number, not {value!r}")
    try:
        number = float(value)
    except OverflowError as error:  # hundreds of digits
        raise ValueError(f"{what} must be a finite number, and it is too large") from error
    if not isfinite(number):
        raise ValueError(f"{what} must be a finite number, not {number}")
    return number
