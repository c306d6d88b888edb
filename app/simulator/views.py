"""Every scene there is, at any size: the demo's places, and photographs taken as they are."""

from dataclasses import dataclass, replace
from functools import cache

import cv2

from app.errors import UsageError
from app.simulator.cutouts import Polygon
from app.simulator.photos import photo
from app.simulator.places import MARGIN, Place, Sway, place, place_names
from detectors.types import Pixels

SIZE = (480, 640)
"""(height, width) in pixels of the frames in which all scenes are made."""
NEAR: Polygon = ((0.03, 0.6), (0.97, 0.6), (0.97, 0.98), (0.03, 0.98))
"""The lower part of a view: its ground, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class _View:
    """A photograph that is a place as it is."""

    photo: str
    sways: tuple[Sway, ...]
    shade: float


_VIEWS = {
    "desk": _View("coffee.png", (), 0.15),
    "flowerbed": _View("flower.jpg", (Sway((0.0, 0.1, 0.3, 0.6), 1.5, 2.9),), 0.2),
    "launchpad": _View("rocket.jpg", (Sway((0.05, 0.62, 0.35, 0.95), 1.2, 3.3),), 0.2),
}


def scene_names() -> list[str]:
    """The scenes there are."""
    return sorted([*place_names(), *_VIEWS])


@cache
def scene(name: str, size: tuple[int, int] = SIZE) -> Place:
    """A scene by its name.

    Args:
        name: One of `scene_names`.
        size: (height, width) of its frames in pixels.

    Raises:
        UsageError: If there is no such scene.
        app.simulator.photos.PhotoError: If a photograph it is made of is missing.
    """
    if name not in scene_names():
        raise UsageError(f"there is no scene '{name}'; there are {', '.join(scene_names())}")
    if name in _VIEWS:
        view = _VIEWS[name]
        made = photo_place(name, photo(view.photo), (view.photo,), view.sways, view.shade)
    else:
        made = place(name)
    return made if made.size == size else scaled(made, size)


def photo_place(
    name: str,
    picture: Pixels,
    photos: tuple[str, ...] = (),
    sways: tuple[Sway, ...] = (),
    shade: float = 0.2,
) -> Place:
    """Take a photograph of a real view as a place, cut to the shape of a frame.

    Args:
        name: What it is called.
        picture: RGB uint8 [H, W, 3].
        photos: The photograph's name, if things are cut out of it that must not turn up here.
        sways: Which parts of the view the wind moves.
        shade: How dark the shadows are that pass, 0 to 1.
    """
    height, width = SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN
    scale = max(height / picture.shape[0], width / picture.shape[1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    larger = (
        max(width, round(picture.shape[1] * scale)),
        max(height, round(picture.shape[0] * scale)),
    )
    whole = cv2.resize(picture, larger, interpolation=how)
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    world = whole[top : top + height, left : left + width].copy()
    return Place(name, photos, SIZE, world, NEAR, sways, None, shade)  # type: ignore[arg-type]


def scaled(made: Place, size: tuple[int, int]) -> Place:
    """The same place in frames of another size (height, width); its margin stays as wide."""
    height, width = size[0] + 2 * MARGIN, size[1] + 2 * MARGIN
    how = cv2.INTER_AREA if width < made.world.shape[1] else cv2.INTER_CUBIC
    world = cv2.resize(made.world, (width, height), interpolation=how)
    share = size[1] / made.size[1]
    sways = tuple(replace(sway, reach_px=sway.reach_px * share) for sway in made.sways)
    return replace(made, size=size, world=world, sways=sways)
