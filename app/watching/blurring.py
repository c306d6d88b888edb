"""People made unrecognisable in every picture that is kept or shown (`--blur-people`).

Names are found before, on pictures as they are. How many are missed: benchmarks/README.md
(`benchmarks.blurring`).
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from app.events.event import Event, Finding, Picture
from app.events.media import CONTEXT_MARGIN
from app.events.store import Changes, Store
from detectors.types import Box, Frame, Pixels
from novic.persons import PersonEvidence
from novic.vocabulary import PERSON

LEAST = 0.1
"""Score from which on somebody may be there: a mistake costs a few pixels, a miss a face."""
GROWN = 0.15
"""Of width and height, around a place on each side: boxes end at the ankles and the hair."""
SIDES = (1.0, 0.52)
"""Sides of the squares that are looked at, of the picture's shorter side."""
STEP = 0.67
"""From square to square, of their side, at most."""
CELLS = 8
"""So many cells of one colour on the longer side of a place, ..."""
LEAST_CELL = 10
"""... but none smaller than so many pixels."""
LIVE_CELLS = 48
"""The same on the longer side of a whole live picture."""
_KEPT = 8


class People:
    """Finds and hides people. For one thread."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            novic.packaged.WeightsError: If it is not installed, or another than was tested.
            RuntimeError: Or an ImportError, if OpenVINO is missing or refuses it.
        """
        self._evidence = PersonEvidence()
        self._done: OrderedDict[tuple[str, float, bool], Picture] = OrderedDict()

    def places(self, image: Pixels) -> list[Box]:
        """Where somebody may be in a picture, RGB uint8 [H, W, 3], in its pixels.

        All of it, if nobody can be looked for.
        """
        height, width = image.shape[:2]
        try:
            return self._found(image)
        except RuntimeError:
            return [Box(0, 0, width, height)]

    def _found(self, image: Pixels) -> list[Box]:
        height, width = image.shape[:2]
        found = []
        for x, y, side in _squares(height, width):
            square = image[y : y + side, x : x + side]
            for score, (x1, y1, x2, y2) in self._evidence.everybody(square):
                if score >= LEAST:
                    box = Box(x + x1 * side, y + y1 * side, x + x2 * side, y + y2 * side)
                    found.append(_grown(box))
        return found

    def hidden(self, image: Pixels) -> Pixels:
        """A picture without recognisable people, RGB uint8 [H, W, 3]."""
        return _without(image, self.places(image))

    def hidden_in(self, finding: Finding) -> Finding:
        """A finding whose pictures show nobody recognisably.

        What may be a person by its names is hidden whole, whether or not anybody was seen.
        """
        picture, event = finding.picture, finding.event
        if picture is None:
            return finding
        suspect = _may_be_person(event)
        key = (event.id, picture.pts_s, suspect)
        if key not in self._done:
            self._done[key] = self._hidden(picture, suspect=suspect)
            while len(self._done) > _KEPT:
                self._done.popitem(last=False)
        return replace(finding, picture=self._done[key])

    def _hidden(self, picture: Picture, *, suspect: bool) -> Picture:
        scale = picture.frame_size[1] / picture.snapshot.shape[1]
        places = self.places(picture.snapshot)
        if suspect:
            places.append(_grown(_moved(picture.box, 0, 0, 1 / scale)))
        crops = picture.crops
        if crops:
            box = picture.box.grown(CONTEXT_MARGIN, picture.frame_size)
            crop = crops[-1]
            ratio = crop.shape[1] / max(1.0, box.width)
            inside = [_moved(_moved(one, 0, 0, scale), box.x1, box.y1, ratio) for one in places]
            # What is small in the whole picture may be seen better here.
            crops = (_without(crop, [*inside, *self.places(crop)]),)
        before = tuple(self.hidden(one) for one in picture.before[-1:])
        snapshot = _without(picture.snapshot, places)
        return replace(picture, snapshot=snapshot, crops=crops, before=before, around=None)


class BlurringStore(Store):
    """A store that is given no picture on which somebody could be recognised."""

    def __init__(self, folder: Path, people: People, *, sinks: Sequence[str] = ()) -> None:
        """Open it; see `Store`."""
        self._people = people
        super().__init__(folder, sinks=sinks)

    def save(self, run_id: int, changes: Changes) -> None:
        """Write what is new; see `Store.save`."""
        super().save(run_id, replace(changes, findings=self._hidden(changes.findings)))

    def add_pictures(self, findings: Sequence[Finding]) -> None:
        """Write pictures; see `Store.add_pictures`."""
        super().add_pictures(self._hidden(findings))

    def _hidden(self, findings: Sequence[Finding]) -> list[Finding]:
        return [self._people.hidden_in(one) for one in findings]


def opened_store(folder: Path, people: People | None, sinks: Sequence[str]) -> Store:
    """The store of a run, which hides people if that is asked for.

    Raises:
        app.errors.StoreError: If it cannot be opened.
    """
    if people is None:
        return Store(folder, sinks=sinks)
    return BlurringStore(folder, people, sinks=sinks)


def coarse(frame: Frame) -> Frame:
    """A live frame in which nobody is recognised: all of it in large cells.

    To look for people in every frame would take longer than the frame lasts.
    """
    return replace(frame, image=coarse_picture(frame.image))


def coarse_picture(image: Pixels) -> Pixels:
    """The same of a picture, RGB uint8 [H, W, 3]."""
    cell = max(LEAST_CELL, round(max(image.shape[:2]) / LIVE_CELLS))
    return _in_cells(image, cell)


def _may_be_person(event: Event) -> bool:
    return event.people > 0 or any(noun == PERSON for noun, _ in event.candidates)


def _squares(height: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of the squares that are looked at; together they are the picture."""
    for share in SIDES:
        side = max(1, round(share * min(height, width)))
        for y in _starts(height, side):
            for x in _starts(width, side):
                yield x, y, side


def _starts(length: int, side: int) -> list[int]:
    count = int(np.ceil((length - side) / (STEP * side))) + 1
    return np.linspace(0, length - side, count).round().astype(int).tolist()


def _grown(box: Box) -> Box:
    across, down = GROWN * box.width, GROWN * box.height
    return Box(box.x1 - across, box.y1 - down, box.x2 + across, box.y2 + down)


def _moved(box: Box, x: float, y: float, scale: float) -> Box:
    """A box seen from (x, y), that many times as large."""
    return Box(
        scale * (box.x1 - x), scale * (box.y1 - y), scale * (box.x2 - x), scale * (box.y2 - y)
    )


def _without(image: Pixels, places: Sequence[Box]) -> Pixels:
    """A copy in which places are in cells of one colour."""
    height, width = image.shape[:2]
    hidden = image.copy()
    for box in places:
        x1, y1 = max(0, int(box.x1)), max(0, int(box.y1))
        x2, y2 = min(width, int(np.ceil(box.x2))), min(height, int(np.ceil(box.y2)))
        if x2 > x1 and y2 > y1:
            cell = max(LEAST_CELL, round(max(x2 - x1, y2 - y1) / CELLS))
            hidden[y1:y2, x1:x2] = _in_cells(hidden[y1:y2, x1:x2], cell)
    return hidden


def _in_cells(image: Pixels, cell: int) -> Pixels:
    height, width = image.shape[:2]
    few = (max(1, round(width / cell)), max(1, round(height / cell)))
    small = cv2.resize(image, few, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return large.astype(np.uint8, copy=False)
