"""The page of a calibration: the blind map on the camera's own picture, and what p is worth."""

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader

from app.calibrating.charts import charts
from app.calibrating.footage import Looked
from app.calibrating.request import Calibrated
from app.calibrating.words import listed, titled
from app.events.outputs import write_text
from app.report.times import wall
from app.watching.best import at_most
from calibration.blindness import LEAST, SEEN, BlindMap, Share
from calibration.promise import told_hours
from detectors.files import CALIBRATION_PAGE
from detectors.types import Pixels

_SIDE = 960
"""Longest side of the camera's picture in pixels."""
_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone of a map, in per cent of the picture."""

    x: float
    y: float
    width: float
    height: float
    share: float | None
    """Found, 0 to 1; None where too little was put there."""
    text: str
    said: str
    """For who points at it or cannot see it."""


@dataclass(frozen=True, slots=True)
class Map:
    """The camera's picture with its zones."""

    title: str
    zones: tuple[Zone, ...]


def write_page(done: Calibrated) -> Path:
    """Write the page beside the calibration.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    loader = ChoiceLoader([PackageLoader("app.calibrating", "."), PackageLoader("app.report", ".")])
    page = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "calibration.html.j2"
    )
    blind, looked = done.done.blind, done.looked
    picture = looked.picture
    path = done.request.site / CALIBRATION_PAGE
    write_text(
        path,
        page.render(
            done=done,
            picture=None if picture is None else _data(picture),
            shape=1.0 if picture is None else picture.shape[1] / picture.shape[0],
            maps=() if blind is None else maps(blind),
            blind=blind,
            hours=() if blind is None else hours(blind),
            thin="" if blind is None else thin(blind),
            charts=charts(done),
            parts=titled(done.done.said),
            kept=listed(done.kept),
            footage=told_hours(looked.hours),
            begun=_begun(looked),
            least=LEAST,
            seen=SEEN,
        ),
    )
    return path


def maps(blind: BlindMap) -> list[Map]:
    """The smallest size that is found in each zone, then what is found of each size."""
    smallest = [_smallest(blind, zone) for zone in blind.zones]
    shares = [
        Map(
            f"{100 * size:g}% of the width", tuple(_zone(blind, zone, size) for zone in blind.zones)
        )
        for size in blind.sizes
    ]
    return [Map("Smallest size that is found", tuple(smallest)), *shares]


def hours(blind: BlindMap) -> list[tuple[str, list[Share], Share]]:
    """What is found at each hour: of each size, and of all."""
    return [
        (
            f"{hour:02d}:00",
            [blind.share(size=size, hour=hour) for size in blind.sizes],
            blind.share(hour=hour),
        )
        for hour in blind.hours
    ]


def thin(blind: BlindMap) -> str:
    """What is found of thin things, by size, in a sentence; empty where none were put there."""
    shares = [(size, blind.thin(size)) for size in blind.sizes]
    found = [
        f"{share.found} of {share.of} at {100 * size:g}%" for size, share in shares if share.of
    ]
    return f"Thin things, as a tripod, are counted apart: {', '.join(found)}." if found else ""


def _smallest(blind: BlindMap, zone: int) -> Zone:
    least = blind.least_size(zone)
    if all(blind.share(zone, size).of < LEAST for size in blind.sizes):
        return _placed(blind, zone, None, "?", "too little was put there to tell")
    if least is None:
        text = "blind" if blind.blind(zone) else "none"
        said = f"no size of which {100 * SEEN:.0f}% are found"
        return _placed(blind, zone, 0.0, text, said)
    rank = 1 - blind.sizes.index(least) / len(blind.sizes)
    said = f"from {100 * least:g}% of the width on {100 * SEEN:.0f}% or more are found"
    return _placed(blind, zone, rank, f"{100 * least:g}%", said)


def _zone(blind: BlindMap, zone: int, size: float) -> Zone:
    share = blind.share(zone, size)
    if share.of < LEAST:
        return _placed(blind, zone, None, "?", f"{share.of} were put there, too few to tell")
    low, high = share.interval
    said = f"{share.found} of {share.of} found, {100 * low:.0f} to {100 * high:.0f}%"
    return _placed(blind, zone, share.value, f"{100 * share.value:.0f}", said)


def _placed(blind: BlindMap, zone: int, share: float | None, text: str, said: str) -> Zone:
    rows, columns = blind.grid
    row, column = divmod(zone, columns)
    width, height = 100 / columns, 100 / rows
    return Zone(column * width, row * height, width, height, share, text, said)


def _begun(looked: Looked) -> str:
    """When its earliest recording began, with as much doubt as its clock leaves."""
    first = min(looked.films, key=lambda one: one.first_us, default=None)
    if first is None:
        return ""
    begun = wall(first.first_us, first.time_from)
    return f"{begun} (a guess by the file's date)" if looked.guessed and begun else begun


def _data(picture: Pixels) -> str:
    small = np.ascontiguousarray(at_most(picture, _SIDE)[..., ::-1])
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(packed.tobytes()).decode()}"
