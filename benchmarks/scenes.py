"""What a benchmark may use: a split's scenes and cut-outs, and real pictures that Debian brings.

Photographs of `opencv-doc` join as scenes, photographic stamps of `tuxpaint-stamps-default` as
things, where they are installed; half of each belongs to `dev`, the other to `report`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from app.errors import UsageError
from app.simulator.places import Place, Sway
from app.simulator.splits import Split, split
from app.simulator.things import Thing, lying, spot, tall
from app.simulator.views import photo_place, scaled, scene
from detectors.types import Box, Pixels

OPENCV = Path("/usr/share/doc/opencv-doc/examples/data")
STAMPS = Path("/usr/share/tuxpaint/stamps")
_LEAST_PX = 90
"""Smaller stamps would be shown enlarged."""
_KINDS = ("animals", "food", "hobbies", "household", "medical", "people", "sports", "vehicles")
_DRAWN = frozenset({"spider_computer", "spider_fly", "wings", "edward_bear", "zinnia"})
"""Drawings with the colours of a photograph."""
_SWAY = (Sway((0.0, 0.0, 0.25, 0.35), 1.5, 2.9),)


def _photograph(name: str) -> Pixels:
    picture = cv2.imdecode(np.fromfile(OPENCV / name, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise UsageError(f"{OPENCV / name} is no picture; reinstall opencv-doc")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


@cache
def _empty_yard() -> Pixels:
    """The yard of vtest.avi without the people: the median of 60 of its frames."""
    video = cv2.VideoCapture(str(OPENCV / "vtest.avi"))
    frames = []
    for number in range(780):
        read, frame = video.read()
        if read and number % 13 == 0:
            frames.append(frame[..., ::-1])
    return np.median(np.stack(frames), axis=0).astype(np.uint8)


_PHOTOGRAPHS: dict[str, tuple[str, Callable[[], Pixels], str]] = {
    "building": ("dev", lambda: _photograph("building.jpg"), "building.jpg"),
    "house": ("dev", lambda: _photograph("home.jpg"), "home.jpg"),
    "street": ("report", lambda: _photograph("leuvenA.jpg"), "leuvenA.jpg"),
    "campus": ("report", _empty_yard, "vtest.avi"),
}


@dataclass(frozen=True, slots=True)
class Material:
    """What a benchmark draws from."""

    split: Split
    scenes: tuple[str, ...]
    stamps: tuple[Path, ...]

    def place(self, name: str, size: tuple[int, int] = (480, 640)) -> Place:
        """A scene by its name, those of photographs too."""
        return place_of(name, size)

    def thing(self, place: Place, width: float, rng: np.random.Generator) -> Thing:
        """Draw something that does not come from the place's own photographs and is not too tall.

        Args:
            place: Where it will be.
            width: Share of the frame's width.
            rng: Source of chance.
        """
        own = self.split.nouns_for(place)
        while True:
            drawn = int(rng.integers(len(own) + len(self.stamps)))
            if drawn < len(own):
                thing = lying(own[drawn], width, (0.5, 0.5), 0.0)
            else:
                stamp = self.stamps[drawn - len(own)]
                thing = replace(lying(stamp.stem, width, (0.5, 0.5), 0.0), picture=stamp)
            if tall(thing, place.size) < 0.8:
                return thing

    def placed(
        self, place: Place, width: float, rng: np.random.Generator, taken: Sequence[Box] = ()
    ) -> tuple[Thing, tuple[float, float]]:
        """Draw something and where it may lie whole in the view, off the boxes that are taken.

        Returns:
            The thing, and its middle, x, y as shares of the frame.
        """
        while True:
            thing = self.thing(place, width, rng)
            at = spot(thing, place.size, rng, taken)
            if at is not None:
                return thing, at


def material(name: str, stamps: bool = True) -> Material:
    """What there is for a split.

    Args:
        name: As `app.simulator.splits.split` takes it.
        stamps: Whether stamps take part, where they are installed.

    Raises:
        app.errors.UsageError: If there is no such split.
    """
    one = split(name)
    seen = [scene for scene, (of, _, file) in _PHOTOGRAPHS.items() if of == name and _lies(file)]
    half = {"dev": 0, "report": 1}.get(name)
    chosen = photographic_stamps() if stamps else []
    if half is not None:
        chosen = chosen[half::2]
    return Material(one, (*one.scenes, *seen), tuple(chosen))


@cache
def place_of(name: str, size: tuple[int, int] = (480, 640)) -> Place:
    """A scene of the simulator or of a photograph."""
    if name not in _PHOTOGRAPHS:
        return scene(name, size)
    made = photo_place(name, _PHOTOGRAPHS[name][1](), sways=_SWAY)
    return made if made.size == size else scaled(made, size)


@cache
def photographic_stamps() -> list[Path]:
    """Stamps that are photographs: large enough, with an alpha channel and many colours."""
    paths = [path for kind in _KINDS for path in sorted((STAMPS / kind).rglob("*.png"))]
    return [path for path in paths if path.stem not in _DRAWN and _is_photograph(path)]


def _lies(file: str) -> bool:
    return (OPENCV / file).is_file()


def _is_photograph(path: Path) -> bool:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or "mirror" in path.stem:
        return False
    solid = picture[picture[..., 3] > 250][:, :3]
    if (
        min(picture.shape[:2]) < _LEAST_PX
        or len(solid) < 4000
        or len(solid) > 0.97 * picture[..., 0].size
    ):
        return False
    colours = np.unique(solid // 4 @ np.array([1, 64, 4096]))
    return len(colours) > 0.08 * min(len(solid), 20_000)
