"""The blind map: cut-outs put into a camera's own footage, and what the product tells of them.

Things of one size are put into several zones at once, so far apart that none changes what becomes
of another. Each scene begins with frames as they were, then the things stay for two seconds, or
for ten frames where a second holds fewer than five. Camera, boxes and tracks are those of an audit;
only names are left out.

Where all that is near is dark, things are dark, too, and where the view is out of focus, so are
they. What fills little of its box, as a tripod does, is counted apart: it is seen later than its
size says, and is no measure of a zone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from app.calibrating.seen_there import BRIGHTEST, light_at, softest, softness
from app.events.event import Picture
from app.simulator.cutouts import Cutout, Sticker, cutouts, fill, sticker
from app.simulator.places import Place
from app.simulator.scene import Layer, compressed, lay
from app.simulator.things import TALLEST
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.followed import Due
from calibration.blindness import GRID, SIZES, BlindMap, Planted
from detectors.base import AnomalyMaps
from detectors.learned import LearnedView
from detectors.types import Box, Frame, Pixels

BEFORE_S, STAYS_S = 0.6, 2.0
"""How long before the things come, and how long they stay, ..."""
LEAST_BEFORE, LEAST_STAYS = 3, 10
"""... and in how many frames at least: two windows of a track rule, which counts five frames where
a second holds fewer."""
TOGETHER = 4
"""Things in one scene, at most."""
APART = 0.12
"""Between two of them, as a share of the frame's width."""
SOLID = 0.35
"""What fills less of its box is thin."""
OUTSHINES = 1.0
"""Nothing is put there that is so many times as bright as the brightest near: what lies in the dark
is dark itself."""
QUALITY = 80
"""Of the JPEG that things go through, as what a camera shows has gone through its codec; ..."""
_BLOCK = 8
"""... pixels that it packs together."""
_TRIES = 40
_LEAST_PX = 4


class Detects(Protocol):
    """A fitted detector, as far as it is asked here."""

    @property
    def view(self) -> LearnedView | None:
        """See `detectors.base.Detector`."""
        ...

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        """See `detectors.base.Detector`."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How many frames a moment has at the pace at which frames come."""

    step_s: float
    """From frame to frame."""
    before: int
    """Frames before the things come."""
    stays: int
    """Frames with them."""

    @classmethod
    def of(cls, step_s: float) -> Self:
        """At a pace.

        Args:
            step_s: From frame to frame, above 0.
        """
        before = max(LEAST_BEFORE, round(BEFORE_S / step_s))
        return cls(step_s, before, max(LEAST_STAYS, round(STAYS_S / step_s)))

    @property
    def frames(self) -> int:
        """Of a whole moment."""
        return self.before + self.stays

    @property
    def lasts_s(self) -> float:
        """Footage in which a moment surely lies, wherever it is cut."""
        return (self.frames + 1) * self.step_s


@dataclass(frozen=True, slots=True)
class Window:
    """A moment of normal footage."""

    frames: tuple[Frame, ...]
    """One after the other, of the fitted size."""
    hour: int
    """Of the day, 0 to 23."""
    before: int
    """How many of them are before the things come; see `Pace`."""

    @property
    def stays_s(self) -> float:
        """How long things stay in it."""
        step_s = (self.frames[-1].pts_s - self.frames[0].pts_s) / max(1, len(self.frames) - 1)
        return (len(self.frames) - self.before) * step_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Planting:
    """What is put where."""

    grid: tuple[int, int] = GRID
    sizes: tuple[float, ...] = SIZES
    nouns: tuple[str, ...] = ()
    """Cut-outs by their nouns; empty for all."""
    together: int = TOGETHER
    seed: int = 0
    settings: CameraSettings = field(default_factory=CameraSettings)
    """As the camera is watched."""


@dataclass(frozen=True, slots=True, eq=False)
class Put:
    """One thing that is put into a scene."""

    zone: int
    size: float
    noun: str
    layer: Layer
    box: Box
    """What can be seen of it, pixels of the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Sown:
    """What became of one thing."""

    planted: Planted
    noun: str
    box: Box
    pictures: tuple[Picture, ...]
    """Of the event on it, as they would be named; none if it was not found."""


def scenes(window: Window, how: Planting, seed: int) -> Iterator[list[Put]]:
    """Things for one moment, each size in each zone once, a scene at a time; last a thin scene.

    Args:
        window: Where they are put.
        how: What is put.
        seed: Of what is drawn; thin things are of the next size with the next seed.
    """
    rng = np.random.default_rng((how.seed, seed, 23))
    view = _View.of(window.frames[0].image)
    nouns = how.nouns or tuple(sorted(cutouts()))
    thin = tuple(noun for noun in nouns if fill(noun) < SOLID)
    solid = tuple(noun for noun in nouns if noun not in thin)
    for size in how.sizes if solid else ():
        left = _zones(how, rng)
        while left:
            scene = _scene(left, size, replace(how, nouns=solid), view, rng)
            if scene:
                yield scene
    if thin:
        size = how.sizes[seed % len(how.sizes)]
        scene = _scene(_zones(how, rng), size, replace(how, nouns=thin), view, rng)
        if scene:
            yield scene


def _zones(how: Planting, rng: np.random.Generator) -> list[int]:
    return [int(zone) for zone in rng.permutation(how.grid[0] * how.grid[1])]


def _scene(
    left: list[int], size: float, how: Planting, view: "_View", rng: np.random.Generator
) -> list[Put]:
    """As many things as may be there at once, each in one of the zones that are left."""
    scene: list[Put] = []
    for zone in tuple(left):
        if len(scene) == how.together:
            break
        put = _put(zone, size, how, view, rng, scene)
        if put is not None:
            scene.append(put)
            left.remove(zone)
        elif not scene:
            # It has no room even alone, as what is taller than the view.
            left.remove(zone)
    return scene


def sown(
    detector: Detects, window: Window, scene: Sequence[Put], settings: CameraSettings
) -> list[Sown]:
    """What the product tells of things in a moment of footage.

    Args:
        detector: Fitted.
        window: The moment.
        scene: What is put there.
        settings: As the camera is watched; no keeper of it learns from what is put there.
    """
    came = window.before
    frames = [_with(frame, scene if at >= came else ()) for at, frame in enumerate(window.frames)]
    size = (frames[0].image.shape[0], frames[0].image.shape[1])
    camera = Camera(size, live=False, view=detector.view, settings=settings)
    admitted = camera.admit(frames)
    maps = detector.detect([frame.image for frame in admitted]).maps
    came_s, found = frames[came].pts_s, dict[int, Due]()
    for frame, heat in zip(admitted, maps, strict=True):
        camera.follow([frame], heat[None])
        camera.flush()
        for due in camera.take_due():
            for at, put in enumerate(scene):
                if _on(due, put, came_s):
                    found.setdefault(at, due)
        if len(found) == len(scene):
            # All are told; how long they stay makes no difference any more.
            break
    return [_sown(put, window.hour, found.get(at)) for at, put in enumerate(scene)]


def _on(due: Due, put: Put, came_s: float) -> bool:
    """Whether an event tells of what was put there."""
    if due.event.kind != "object":
        return False
    return any(at_s >= came_s and box.overlap(put.box) > 0 for at_s, box, _ in due.path)


def _sown(put: Put, hour: int, due: Due | None) -> Sown:
    thin = fill(put.noun) < SOLID
    planted = Planted(put.zone, put.size, hour, due is not None, thin)
    return Sown(planted, put.noun, put.box, tuple(due.pictures) if due is not None else ())


def pictured(things: Sequence[Sown], most: int) -> list[Sown]:
    """The same things, of which only so many keep their pictures: those take much memory.

    Args:
        things: Of all sizes, rising.
        most: How many keep them, spread over all that were found.
    """
    found = [at for at, one in enumerate(things) if one.pictures]
    kept = {found[int((n + 0.5) * len(found) / most)] for n in range(most)} if found else set()
    return [one if at in kept else replace(one, pictures=()) for at, one in enumerate(things)]


def blind_map(detector: Detects, windows: Iterable[Window], how: Planting) -> BlindMap:
    """Put things into moments of footage and count what is found.

    Args:
        detector: Fitted.
        windows: Moments; one that comes again has other things put into it.
        how: What is put there.
    """
    things = [
        one.planted
        for number, window in enumerate(windows)
        for scene in scenes(window, how, number)
        for one in sown(detector, window, scene, how.settings)
    ]
    return BlindMap(tuple(things), how.grid)


def zone_of(x: float, y: float, grid: tuple[int, int]) -> int:
    """The zone of a point, x and y as shares of the frame."""
    rows, columns = grid
    row, column = min(int(y * rows), rows - 1), min(int(x * columns), columns - 1)
    return row * columns + column


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The picture that things are put into."""

    place: Place
    """As the simulator takes it: things are lit as it is."""
    soft: NDArray[np.float32]
    """How far each pixel's surroundings are out of focus, pixels [H, W]."""

    @classmethod
    def of(cls, picture: Pixels) -> Self:
        size = (picture.shape[0], picture.shape[1])
        place = Place("footage", (), size, picture, (), (), None, 0.0)
        return cls(place, softness(picture))


def _put(
    zone: int,
    size: float,
    how: Planting,
    view: _View,
    rng: np.random.Generator,
    scene: Sequence[Put],
) -> Put | None:
    """Something with its middle in a zone, whole in the view and apart from the others."""
    height, width = view.place.size
    rows, columns = how.grid
    for _ in range(_TRIES):
        cutout = cutouts()[how.nouns[int(rng.integers(len(how.nouns)))]]
        cut = _cut(cutout, size, width, rng)
        left, top, right, bottom = cut.covered
        if bottom - top > TALLEST * height:
            continue
        x = (zone % columns + rng.uniform(0, 1)) / columns * width
        y = (zone // columns + rng.uniform(0, 1)) / rows * height
        x1 = _inside(x - (right - left) / 2, right - left, width)
        y1 = _inside(y - (bottom - top) / 2, bottom - top, height)
        box = Box(x1, y1, x1 + right - left, y1 + bottom - top)
        middle = ((box.x1 + box.x2) / 2 / width, (box.y1 + box.y2) / 2 / height)
        near = any(box.gap(other.box) < APART * width for other in scene)
        if near or zone_of(*middle, how.grid) != zone:
            continue
        layer = lay(cut, (x1 - left, y1 - top), view.place, shadow=False)
        layer = _dimmed(_blurred(layer, softest(view.soft, box)), box, view.place.world)
        return Put(zone, size, cutout.noun, layer, box)
    return None


def _blurred(layer: Layer, soft_px: float) -> Layer:
    """The same out of focus."""
    if soft_px <= 0:
        return layer
    # Enough room for what spreads.
    pad = int(2 * soft_px) + 1
    colour, covers = (
        cv2.GaussianBlur(
            cv2.copyMakeBorder(part, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0.0),
            (0, 0),
            soft_px,
        )
        for part in (layer.colour, 1 - layer.through)
    )
    corner = (layer.corner[0] - pad, layer.corner[1] - pad)
    through = np.asarray(1 - covers, np.float32)[..., None]
    return replace(layer, colour=np.asarray(colour, np.float32), through=through, corner=corner)


def _dimmed(layer: Layer, box: Box, picture: Pixels) -> Layer:
    """The same no brighter than what lies near lets expect."""
    near = light_at(picture, box)
    covers = 1 - layer.through[..., 0]
    most = covers >= 0.5 * covers.max()
    own = float(np.percentile(layer.colour[most].max(axis=1) / covers[most], BRIGHTEST))
    dimmed = layer.colour * np.float32(min(1.0, OUTSHINES * near / max(1.0, own)))
    return replace(layer, colour=dimmed)


def _cut(cutout: Cutout, size: float, width: int, rng: np.random.Generator) -> Sticker:
    flip = bool(cutout.flips and rng.random() < 0.5)
    return sticker(cutout, max(_LEAST_PX, round(size * width)), flip)


def _inside(start: float, length: int, whole: int) -> int:
    return min(max(round(start), 0), whole - length)


def _with(frame: Frame, scene: Sequence[Put]) -> Frame:
    if not scene:
        return frame
    image = frame.image.copy()
    for put in scene:
        put.layer.over(image)
        _code(image, put.box, frame.image)
    return replace(frame, image=image)


def _code(image: Pixels, box: Box, before: Pixels) -> None:
    """Leave of a thing what a camera's codec would, which is little of what is faint."""
    x1, y1 = (max(0, int(at) // _BLOCK - 1) * _BLOCK for at in (box.x1, box.y1))
    x2, y2 = (_BLOCK * (int(at) // _BLOCK + 2) for at in (box.x2, box.y2))
    part = np.s_[y1:y2, x1:x2]
    put = (image[part] != before[part]).any(axis=2, keepdims=True)
    image[part] = np.where(put, compressed(image[part], QUALITY), image[part])
