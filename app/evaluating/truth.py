"""What was truly in a recording, from JSON: Nomaly's own, the demo's, or COCO's.

Nomaly's own is one object::

    {"size": [480, 640],
     "things": [{"noun": "ball", "boxes": [[12.4, [10, 20, 60, 70]], ...]}, ...]}

`size` is (height, width) of the frame in pixels; of each thing `boxes` says at which second from
the start of the video it was where, x2 and y2 excluded; it is there from the first to the last.
`aliases`, a list of other right words for it, may be left out; the demo's `accepts` are such.
COCO's needs `time_s` of each image and `track_id` of each annotation.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app.demo.footage import Placement
from app.paths import shown_path
from calibration.events import TrueThing
from detectors.types import Box
from novic.errors import UsageError
from novic.json_files import read_json


class TruthError(UsageError):
    """A file does not say what was in a recording; the text says what is missing in it."""


type Seen = tuple[float, Box]


def read_truth(path: Path) -> list[TrueThing]:
    """The things of a recording.

    Raises:
        TruthError: If the file is missing, no JSON, or of none of the forms above.
    """
    shown = shown_path(path)
    try:
        told = read_json(path)
    except OSError as error:
        raise TruthError(f"{shown}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise TruthError(f"{shown}: no JSON that can be read: {error}") from error
    if not isinstance(told, dict):
        raise TruthError(f"{shown}: must hold one JSON object")
    forms = {"things": _own, "placements": _demo, "annotations": _coco}
    form = next((form for key, form in forms.items() if key in told), None)
    if form is None:
        raise TruthError(
            f"{shown}: holds none of {', '.join(forms)}; docs/python.md shows the form"
        )
    try:
        return sorted(form(told), key=lambda thing: thing.start_s)
    except KeyError as error:
        raise TruthError(f"{shown}: {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TruthError(f"{shown}: {error}") from error


def write_truth(things: Iterable[TrueThing], size: tuple[int, int], path: Path) -> None:
    """Write things in Nomaly's own form.

    Args:
        things: All that does not belong in the view.
        size: (height, width) of the frame in pixels.
        path: The file; one that is there is replaced.
    """
    told = [
        {
            "noun": thing.noun,
            **({"aliases": list(thing.aliases)} if thing.aliases else {}),
            "boxes": [
                [round(at_s, 4), [round(side, 2) for side in (box.x1, box.y1, box.x2, box.y2)]]
                for at_s, box in zip(thing.times_s, thing.boxes, strict=True)
            ],
        }
        for thing in things
    ]
    path.write_text(json.dumps({"size": list(size), "things": told}) + "\n", encoding="utf-8")


def thing_of(
    noun: str, seen: Sequence[Seen], frame_width: float, aliases: Sequence[str] = ()
) -> TrueThing:
    """A thing by where it was when.

    Args:
        noun: What it is.
        seen: Seconds from the start, and its box then in pixels.
        frame_width: Of the frame, pixels.
        aliases: Other right words for it.

    Raises:
        ValueError: If it was never there, a number is not finite, or a box has no area.
    """
    if not seen:
        raise ValueError(f"a thing '{noun}' has no box")
    ordered = sorted(seen, key=lambda one: one[0])
    for at_s, box in ordered:
        if not all(map(math.isfinite, (at_s, box.x1, box.y1, box.x2, box.y2))) or box.area <= 0:
            raise ValueError(f"a thing '{noun}' has a box at {at_s} s that is none: {box}")
    boxes = tuple(box for _, box in ordered)
    widest = max(box.width for box in boxes)
    times_s = tuple(at_s for at_s, _ in ordered)
    return TrueThing(noun, times_s, boxes, widest / frame_width, tuple(aliases))


def _own(told: dict[str, Any]) -> list[TrueThing]:
    _, width = told["size"]
    return [
        thing_of(
            str(thing.get("noun", "")),
            [(float(at_s), Box(*map(float, corners))) for at_s, corners in thing["boxes"]],
            width,
            _words(thing.get("aliases", [])),
        )
        for thing in told["things"]
    ]


def _demo(told: dict[str, Any]) -> list[TrueThing]:
    """What `app.demo.footage.write_truth` wrote: things that come in, rest and leave."""
    fps = float(told["fps"])
    things = []
    for entry in told["placements"]:
        facts = {name: value for name, value in entry.items() if name != "width_share"}
        placed = Placement(**{**facts, "box": Box(*facts["box"])})
        first, last = math.ceil(placed.enter_s * fps), math.floor(placed.gone_s * fps)
        times = [number / fps for number in range(first, last + 1)]
        seen = [(at_s, box) for at_s in times if (box := placed.box_at(at_s)) is not None]
        things.append(thing_of(placed.noun, seen, placed.size[1], placed.accepts))
    return things


def _words(told: Any) -> list[str]:  # noqa: ANN401  # from JSON
    if not isinstance(told, list) or not all(isinstance(word, str) for word in told):
        raise ValueError(f"aliases must be a list of words, not {told!r}")
    return told


def _coco(told: dict[str, Any]) -> list[TrueThing]:
    """COCO with the time of each image and the track of each annotation."""
    times = {image["id"]: float(image["time_s"]) for image in told["images"]}
    widths = {image["id"]: float(image["width"]) for image in told["images"]}
    nouns = {one["id"]: str(one["name"]) for one in told.get("categories", [])}
    tracks: dict[Any, list[tuple[float, Box]]] = {}
    named: dict[Any, tuple[str, float]] = {}
    for one in told["annotations"]:
        x, y, wide, high = (float(side) for side in one["bbox"])
        image, track = one["image_id"], one["track_id"]
        tracks.setdefault(track, []).append((times[image], Box(x, y, x + wide, y + high)))
        named[track] = (nouns.get(one.get("category_id"), ""), widths[image])
    return [thing_of(named[track][0], seen, named[track][1]) for track, seen in tracks.items()]
