"""The page of a calibration: the blind map on the camera's own picture, and what p is worth."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

from app.calibrating.plots import Axis, Series, plot, steps
from app.calibrating.run import Calibrated
from app.events.outputs import write_text
from app.report.times import day, local
from app.watching.evidence import at_most
from calibration.betting import ALPHA
from calibration.blindness import LEAST, SEEN, BlindMap, Share
from calibration.reliability import bins, risk_coverage
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


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot and what it shows."""

    title: str
    svg: Markup
    said: str


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
            parts=[(name, text.partition(": ")[2]) for name, text in done.done.said.items()],
            begun=min((day(one.time_us) for one in looked.minutes), default=""),
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


def charts(done: Calibrated) -> list[Chart]:
    """All plots that there are figures for."""
    drawn = [_names(done), _risk(done), _normal(done), _roc(done), _tail(done), _drift(done)]
    return [one for one in drawn if one is not None]


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


def _names(done: Calibrated) -> Chart | None:
    names = done.names
    if not len(names.p):
        return None
    before = bins(names.p, names.right)
    series = [
        Series("by the decoder", [b.p for b in before], [b.right for b in before], "a", dots=True)
    ]
    if len(names.refitted):
        after = bins(names.refitted, names.right)
        right = [b.right for b in after]
        series.append(Series("refitted", [b.p for b in after], right, "b", dots=True))
    return Chart(
        "Is p of a name what it says?",
        plot(Axis("p"), Axis("right"), series, even=True, about="reliability of p of names"),
        f"On {len(names.p)} confirmed names, in bins of equal numbers. On the dashed line p is the "
        "share that is right. Refitted p is of a fit on other stretches of time.",
    )


def _risk(done: Calibrated) -> Chart | None:
    names = done.names
    if not len(names.p):
        return None
    series = [Series("by the decoder", *_curve(names.p, names.right), "a")]
    if len(names.refitted):
        series.append(Series("refitted", *_curve(names.refitted, names.right), "b"))
    return Chart(
        "How many are wrong among the surest?",
        plot(Axis("told"), Axis("wrong"), series, about="risk by coverage of names"),
        "Tell only the surest names, so few as on the left, and so many of them are wrong.",
    )


def _curve(p: np.ndarray, right: np.ndarray) -> tuple[list[float], list[float]]:
    coverage, risk = risk_coverage(p, right)
    return coverage.tolist(), risk.tolist()


def _normal(done: Calibrated) -> Chart | None:
    held_out = done.held_out
    series = [
        Series(name, np.sort(p).tolist(), (np.arange(1, len(p) + 1) / len(p)).tolist(), kind)
        for name, p, kind in (
            ("site_p", held_out.site_p, "a"),
            ("unnameable_p", held_out.unnameable_p, "b"),
        )
        if len(p)
    ]
    if not series:
        return None
    return Chart(
        "Is p of what is normal what it says?",
        plot(Axis("p"), Axis("normal crops below"), series, even=True, about="p of normal crops"),
        f"On {len(held_out.at)} crops of normal footage that nothing was fitted on. Above the "
        "dashed line more normal things look strange than p says.",
    )


def _roc(done: Calibrated) -> Chart | None:
    figures = done.figures
    pairs = [(name, figures.normal[name], figures.planted[name]) for name in sorted(figures.normal)]
    if figures.rings is not None:
        pairs.append(("event_score", *figures.rings))
    if not pairs:
        return None
    series = [
        Series(_scored(done, name), *steps(good, bad), kind)
        for (name, good, bad), kind in zip(pairs, "abc", strict=False)
    ]
    x, y = Axis("normal called strange"), Axis("things called strange")
    return Chart(
        "Are things told from what is normal?",
        plot(x, y, series, even=True, about="ROC"),
        "Things that were put into the footage and rang, against normal crops that nothing was "
        "fitted on; event_score: confirmed events against those that were nothing.",
    )


def _scored(done: Calibrated, name: str) -> str:
    found = done.figures.roc.get(name)
    return name if found is None else f"{name} AUROC {100 * found.value:.0f}"


def _tail(done: Calibrated) -> Chart | None:
    rows = done.figures.tail
    if not rows:
        return None
    levels, expected, came = ([row[at] for row in rows] for at in range(3))
    top = max(1e-9, *expected, *came)
    x = Axis("level, 1 is the detector's own", levels[0], levels[-1])
    series = [Series("expected", levels, expected, "a"), Series("came", levels, came, "b")]
    return Chart(
        "How often does normal footage ring?",
        plot(x, Axis("events an hour", 0.0, top), series, about="false events by level", high=True),
        "Expected by a tail that was fitted on four fifths of the footage, counted in the rest.",
    )


def _drift(done: Calibrated) -> Chart | None:
    drift = done.drift
    if drift is None or not drift.path:
        return None
    won = [value / float(np.log(10)) for _, value in drift.path]
    line = -float(np.log10(ALPHA))
    x = _times([time_us for time_us, _ in drift.path])
    y = Axis("won, powers of ten", -1.0, float(max(line + 1, np.ceil(max(won)))))
    at = list(map(float, range(len(won))))
    series = [
        Series("bets against it", at, won, "a"),
        Series("void from here", [0.0, float(max(1, len(won) - 1))], [line, line], "b"),
    ]
    return Chart(
        "Does the calibration hold?",
        plot(x, y, series, about="what bets against the calibration won", high=True),
        "Crops that nothing was fitted on, in the order of time. Who bets that they look otherwise "
        f"wins {1 / ALPHA:.0f} times the stake by chance at most once in {1 / ALPHA:.0f} cameras.",
    )


def _times(times_us: Sequence[int]) -> Axis:
    texts = tuple(
        f"{local(times_us[int(at)]):%H:%M}" for at in np.linspace(0, len(times_us) - 1, 4)
    )
    return Axis("time", 0.0, float(max(1, len(times_us) - 1)), texts)


def _data(picture: Pixels) -> str:
    small = np.ascontiguousarray(at_most(picture, _SIDE)[..., ::-1])
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(packed.tobytes()).decode()}"
