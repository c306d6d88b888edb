"""Objects cut from photographs along outlines that are kept as polygon data."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.simulator.photos import PhotoError, photo

type Floats = NDArray[np.float32]

type Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) as shares of the photograph's width and height."""

OUTLINES = Path(__file__).with_name("cutouts.json")

FINER = 4
"""Outlines are filled at this many times the photograph's resolution, for smooth edges."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """One object of a photograph: what it is, where it is, and where such a thing may stand."""

    noun: str
    """What the object truly is."""
    accepts: tuple[str, ...]
    """The true noun and honest other words for the same thing."""
    kinds: tuple[str, ...]
    """What such a thing is a kind of, for dictionaries without hypernyms."""
    photo: str
    outlines: tuple[Polygon, ...]
    holes: tuple[Polygon, ...]
    stands: Literal["floor", "edge"]
    """On the floor of the place, or cut off by the lower edge of the picture (people, a cat)."""
    widths: tuple[float, float]
    """Smallest and largest width that looks right, as shares of the frame's width."""
    flips: bool
    """Whether its mirror image looks right (no lettering)."""
    spare: bool
    """Drawn only where a place leaves too few others: no ImageNet class is near it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sticker:
    """A cut-out at the size it is shown."""

    colour: Floats
    """RGB 0 to 255, [H, W, 3], without any of the old background at the edge."""
    alpha: Floats
    """How much of a pixel the object covers, 0 to 1, [H, W]."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.alpha.shape[0], self.alpha.shape[1]

    @property
    def covered(self) -> tuple[int, int, int, int]:
        """The box of what covers at least half of a pixel: left, top, right, bottom.

        Of a thing so thin that nothing does: of what covers half as much as its middle.
        """
        ys, xs = np.nonzero(self.alpha >= min(0.5, 0.5 * self.alpha.max()))
        return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


@cache
def cutouts() -> dict[str, Cutout]:
    """Every cut-out by its noun."""
    read = json.loads(OUTLINES.read_text(encoding="utf-8"))
    return {
        noun: Cutout(
            noun=noun,
            accepts=tuple(entry["accepts"]),
            kinds=tuple(entry["kinds"]),
            photo=entry["photo"],
            outlines=_polygons(entry["outlines"]),
            holes=_polygons(entry["holes"]),
            stands=entry["stands"],
            widths=(entry["widths"][0], entry["widths"][1]),
            flips=entry["flips"],
            spare=entry["spare"],
        )
        for noun, entry in read.items()
    }


def mask(cutout: Cutout) -> Floats:
    """How much of each pixel of its photograph the object covers, 0 to 1, [H, W]."""
    height, width = photo(cutout.photo).shape[:2]
    fine = np.zeros((height * FINER, width * FINER), np.uint8)
    for polygons, value in ((cutout.outlines, 255), (cutout.holes, 0)):
        for polygon in polygons:
            corners = np.array(polygon) * (width * FINER, height * FINER)
            cv2.fillPoly(fine, [corners.round().astype(np.int32)], value)
    covered = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return covered.astype(np.float32) / np.float32(255)


@cache
def fill(noun: str) -> float:
    """How much of its own box a cut-out covers, 0 to 1: little of what is all legs."""
    covered = mask(cutouts()[noun])
    ys, xs = np.nonzero(covered > 0.5)
    return float(covered[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].mean())


def sticker(cutout: Cutout, width_px: int, flip: bool = False) -> Sticker:
    """Cut the object out and bring it to a width.

    Args:
        cutout: What to cut.
        width_px: Width of the object itself, without the transparent rim.
        flip: Whether to mirror it.
    """
    whole = photo(cutout.photo).astype(np.float32)
    return _brought(whole, mask(cutout), width_px, flip, cutout.stands)


@cache
def picture_sticker(path: Path, width_px: int, flip: bool = False) -> Sticker:
    """Take a picture with transparency as an object.

    Args:
        path: A PNG with an alpha channel.
        width_px: Width of the object itself, without the transparent rim.
        flip: Whether to mirror it.

    Raises:
        PhotoError: If it cannot be read or nothing in it is transparent.
    """
    read = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.ndim != 3 or read.shape[2] != 4:
        raise PhotoError(f"{path} is no picture with transparency; cut objects from PNG with alpha")
    colour = read[..., 2::-1].astype(np.float32)
    return _brought(colour, read[..., 3] / np.float32(255), width_px, flip, "floor")


def _brought(whole: Floats, covered: Floats, width_px: int, flip: bool, stands: str) -> Sticker:
    """Cut an object out of a picture [H, W, 3] and bring it to a width."""
    ys, xs = np.nonzero(covered > 0.5)
    rows, columns = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    colour, alpha = whole[rows, columns], covered[rows, columns]
    scale = width_px / alpha.shape[1]
    # The rim that the lens mixed with the old background is 1 px of the photograph.
    colour = _spread(colour, alpha)
    size = (width_px, max(1, round(alpha.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    colour = np.clip(cv2.resize(colour, size, interpolation=how), 0, 255)
    alpha = cv2.resize(alpha, size, interpolation=how).clip(0, 1).astype(np.float32)
    alpha = _feathered(alpha, stands)
    if flip:
        colour, alpha = np.ascontiguousarray(colour[:, ::-1]), np.ascontiguousarray(alpha[:, ::-1])
    return Sticker(colour.astype(np.float32), alpha.astype(np.float32))


def _polygons(read: list[list[list[float]]]) -> tuple[Polygon, ...]:
    return tuple(tuple((x, y) for x, y in polygon) for polygon in read)


def _spread(colour: Floats, alpha: Floats) -> Floats:
    """Replace the colours at and beyond the edge by those just inside, so that no halo is left."""
    inside = cv2.erode(alpha, np.ones((3, 3), np.uint8), borderValue=1.0)
    sure = (inside > 0.99).astype(np.float32)
    weight = cv2.GaussianBlur(sure, (0, 0), 1.5)
    nearby = cv2.GaussianBlur(colour * sure[..., None], (0, 0), 1.5)
    nearby /= np.maximum(weight, 1e-3)[..., None]
    # Thin parts (a tripod's legs) have no sure inside: they keep their own colour.
    known = np.clip(weight * 20, 0, 1)[..., None]
    outer = nearby * known + colour * (1 - known)
    return np.where(sure[..., None] > 0, colour, outer).astype(np.float32)


def _feathered(alpha: Floats, stands: str) -> Floats:
    """Draw the edge half a pixel in and soften it; an edge object keeps its cut base."""
    padded = cv2.copyMakeBorder(alpha, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0.0)
    if stands == "edge":
        padded[-2:] = padded[-3]
    soft = cv2.GaussianBlur(padded, (0, 0), 0.8)[2:-2, 2:-2]
    return np.clip((soft - 0.15) / 0.8, 0, 1).astype(np.float32)
