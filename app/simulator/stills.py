"""Photographs of surfaces and parts with known defects, in the folders of MVTec AD.

Surfaces are crops of a photographed texture: good ones to learn from come from its left half,
those to inspect from its right, or from the left, too. Parts are one photographed thing, a little
shifted and turned each time. Both under slightly other light and with noise. Defects are drawn on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.errors import UsageError
from app.simulator.photos import photo
from detectors.types import Pixels

SURFACES = ("brick", "grass", "gravel")
PARTS = {"cup": ("coffee.png", (60, 180, 340)), "engine": ("motorcycle_left.png", (60, 200, 360))}
"""Photograph of each thing, and where it lies in it: top, left, side."""
SIDE = 192
"""Pixels of an image."""
LIGHT = 0.05
NOISE = 2.0
SHIFT = 2.0
"""Pixels by which a part lies elsewhere; one degree of turn goes with it."""

type Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StillsPlan:
    """How many images of what."""

    item: str
    """One of SURFACES or PARTS."""
    seed: int = 0
    learned: int = 60
    """Good images in train/good."""
    good: int = 40
    """Good images in test/good."""
    each: int = 20
    """Images with each kind of defect."""
    one_piece: bool = False
    """Whether surfaces are judged in the half of the photograph that was learned."""


def write_stills(plan: StillsPlan, folder: Path) -> None:
    """Write train/good, test/KIND and ground_truth/KIND into a new folder.

    Raises:
        UsageError: If there is no such item.
        app.simulator.photos.PhotoError: If its photograph is missing.
    """
    if plan.item not in (*SURFACES, *PARTS):
        raise UsageError(f"no item '{plan.item}'; there are {', '.join((*SURFACES, *PARTS))}")
    rng = np.random.default_rng((plan.seed, sum(map(ord, plan.item))))
    for number in range(plan.learned):
        _write(folder / "train/good", number, _good(plan.item, rng, left=True))
    left = plan.one_piece
    for number in range(plan.good):
        _write(folder / "test/good", number, _good(plan.item, rng, left=left))
    for kind, draw in DEFECTS.items():
        for number in range(plan.each):
            image, mask = draw(_good(plan.item, rng, left=left), rng)
            _write(folder / "test" / kind, number, image)
            _write(folder / "ground_truth" / kind, number, mask.astype(np.uint8) * 255, "_mask")


def _write(folder: Path, number: int, image: NDArray[np.uint8], ending: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / f"{number:03d}{ending}.png", compress_level=1)


def _good(item: str, rng: np.random.Generator, *, left: bool) -> Pixels:
    sharp = _crop(photo(f"{item}.png"), rng, left=left) if item in SURFACES else _part(item, rng)
    light = np.exp(rng.uniform(-LIGHT, LIGHT)) * rng.normal(1, LIGHT / 5, 3)
    noise = rng.normal(0, NOISE, sharp.shape)
    return np.clip(sharp * light + noise, 0, 255).astype(np.uint8)


def _crop(texture: Pixels, rng: np.random.Generator, *, left: bool) -> Pixels:
    height, width = texture.shape[:2]
    x = int(rng.integers(0, width // 2 - SIDE + 1)) + (0 if left else width // 2)
    y = int(rng.integers(0, height - SIDE + 1))
    return texture[y : y + SIDE, x : x + SIDE]


def _part(item: str, rng: np.random.Generator) -> Pixels:
    name, (top, left, side) = PARTS[item]
    middle = (left + side / 2, top + side / 2)
    turn = cv2.getRotationMatrix2D(middle, rng.normal(0, 0.5), SIDE / side)
    turn[:, 2] += SIDE / 2 - np.array(middle) + rng.normal(0, SHIFT / 2, 2)
    picture = photo(name)
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.1, 0.35 * side / SIDE))
    return np.asarray(cv2.warpAffine(soft, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def _place(rng: np.random.Generator, least: float, most: float) -> tuple[int, int, int]:
    """Where a square patch lies: x, y, side in pixels, its side a share of the image's."""
    side = round(float(rng.uniform(least, most)) * SIDE)
    x, y = (int(at) for at in rng.integers(4, SIDE - side - 4, 2))
    return x, y, side


def _scratch(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A thin bent line, lighter or darker."""
    x, y, side = _place(rng, 0.15, 0.4)
    at = np.linspace(0, 1, 24)
    bend = rng.uniform(-0.3, 0.3) * np.sin(np.pi * at)
    line = np.stack([x + at * side, y + (rng.uniform(0, 1) * at + bend + 0.3) * side], axis=1)
    drawn = np.zeros(image.shape[:2], np.uint8)
    wide = int(rng.integers(1, 4))
    cv2.polylines(drawn, [line.round().astype(np.int32)], False, (255,), wide, cv2.LINE_AA)
    strength = drawn[..., None] / 255 * rng.uniform(0.5, 0.9)
    colour = 235.0 if rng.random() < 0.5 else 20.0
    return _mixed(image, np.full(image.shape, colour), strength), drawn > 64


def _blot(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A soft dark stain."""
    x, y, side = _place(rng, 0.06, 0.2)
    axes = (max(2, side // 2), max(2, round(side * rng.uniform(0.25, 0.5))))
    drawn = np.zeros(image.shape[:2], np.uint8)
    middle = (x + side // 2, y + side // 2)
    cv2.ellipse(drawn, middle, axes, float(rng.uniform(0, 180)), 0, 360, (255,), -1)
    soft = cv2.GaussianBlur(drawn, (0, 0), 1.5)[..., None] / 255
    return _mixed(image, image * 0.35, soft * rng.uniform(0.5, 0.95)), drawn > 0


def _worn(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A patch whose texture is worn away."""
    smooth = cv2.GaussianBlur(image, (0, 0), 5).astype(np.float64)
    return _patched(image, smooth, rng, 0.15, 0.3)


def _turned(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A patch of the same surface from another place, a quarter turned."""
    return _patched(image, np.rot90(image).astype(np.float64), rng, 0.18, 0.35)


def _foreign(image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Mask]:
    """A patch of something else."""
    coins = photo("coins.png")
    y, x = (int(rng.integers(0, side - SIDE)) for side in coins.shape[:2])
    return _patched(image, coins[y : y + SIDE, x : x + SIDE].astype(np.float64), rng, 0.1, 0.25)


def _patched(
    image: Pixels, other: NDArray[np.floating], rng: np.random.Generator, least: float, most: float
) -> tuple[Pixels, Mask]:
    x, y, side = _place(rng, least, most)
    drawn = np.zeros(image.shape[:2], np.uint8)
    middle = (x + side // 2, y + side // 2)
    cv2.ellipse(drawn, middle, (side // 2, side // 2), 0, 0, 360, (255,), -1)
    soft = cv2.GaussianBlur(drawn, (0, 0), 1)[..., None] / 255
    return _mixed(image, other, soft), drawn > 0


def _mixed(image: Pixels, other: NDArray[np.floating], strength: NDArray[np.floating]) -> Pixels:
    return np.clip(image * (1 - strength) + other * strength, 0, 255).astype(np.uint8)


DEFECTS: dict[str, Callable[[Pixels, np.random.Generator], tuple[Pixels, Mask]]] = {
    "scratch": _scratch,
    "blot": _blot,
    "worn": _worn,
    "turned": _turned,
    "foreign": _foreign,
}
"""What can be wrong with an item."""
