"""How calm a view is: what moves in normal footage, and where a recording is calmest.

What is compared with the view's median is the share of the picture that differs, after slow or even
changes of light are taken out. It needs no network and no detector, so it answers at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.media.pictures import write_image
from app.progress import Reporter
from app.sources.glance import WIDTH, Glance
from detectors.types import Pixels

DIFFERS = 20
"""Grey levels between a small picture and the view's median from which it differs there."""
RESTLESS = 0.004
"""Share of the view, on average over the pictures, from which normal footage is called restless.
Noise of sensors and compression stays below 0.001, people at 3% of the view are above."""
CAMERA_MOVES = 0.2
"""Share from which it is rather the camera that moves."""
NORMAL_PICTURE = "normal.jpg"
"""In the folder of a run or a detector: the normal view, with what moves in it marked."""
SHORTEST_S, LONGEST_S = 5.0, 60.0
"""Of a stretch that is proposed as normal."""

LESS = 1.3
"""Tolerance from which a place is told to be less sensitive."""
_PICTURE_WIDTH = 960
_MARK = np.array([255, 60, 30], np.float32)
_LESS_MARK = np.array([40, 90, 255], np.float32)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording."""

    from_s: float
    for_s: float
    moving: float
    """Share of the view that moves, 0 to 1, on average."""

    @property
    def options(self) -> list[str]:
        """What says it on a command line."""
        if self.from_s == 0:
            return ["--normal-first", f"{self.for_s:g}"]
        return ["--normal-from", f"{self.from_s:g}", "--normal-for", f"{self.for_s:g}"]


def moving_parts(pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where each picture differs from the median of all.

    Args:
        pictures: Grey [N, h, w], at least one.

    Returns:
        [N, h, w].
    """
    calm = np.stack([cv2.blur(one, (3, 3)) for one in pictures]).astype(np.int16)
    # A sum for each picture takes out that it is lighter or darker as a whole.
    apart = calm - np.median(calm, axis=0).astype(np.int16)
    apart -= np.median(apart, axis=(1, 2), keepdims=True).astype(np.int16)
    return np.abs(apart) > DIFFERS


def calmest_stretch(seen: Glance) -> Stretch | None:
    """The calmest quarter of a recording, at most a minute; its start if that is as calm.

    Returns:
        None if too little was seen to tell.
    """
    length_s = round(min(LONGEST_S, max(SHORTEST_S, seen.length_s / 4)))
    if len(seen.times_s) < 4 or seen.length_s < 2 * length_s:
        return None
    moving = moving_parts(seen.pictures).mean(axis=(1, 2))
    step_s = max(1, length_s // 4)
    found = []
    for from_s in range(0, int(seen.length_s - length_s) + 1, step_s):
        inside = (seen.times_s >= from_s) & (seen.times_s < from_s + length_s)
        if inside.sum() >= 2:
            found.append(Stretch(from_s, length_s, float(moving[inside].mean())))
    if not found:
        return None
    best = min(found, key=lambda one: one.moving)
    first = found[0]
    as_calm = first.from_s == 0 and first.moving <= 1.25 * best.moving + RESTLESS / 4
    return first if as_calm else best


@dataclass(frozen=True, slots=True, eq=False)
class NormalView:
    """What the normal frames of a run show."""

    moving: float
    """Share of the view that moves, 0 to 1, on average."""
    picture: Pixels
    """The calmest frame, at most 960 wide, red where something moves in others, [H, W, 3]; blue
    where the detector is less sensitive for it."""
    less: float = 0.0
    """Share of the view in which it is, 0 to 1."""

    def borne(self, tolerance: NDArray[np.float32]) -> "NormalView":
        """The same, with marks where a detector bears more than elsewhere.

        Args:
            tolerance: How much more at each cell [h, w]; see `Detector.tolerance`.
        """
        less = tolerance > LESS
        if not less.any():
            return self
        height, width = self.picture.shape[:2]
        strength = cv2.resize(less.astype(np.float32), (width, height))[..., None] * 0.45
        picture = (self.picture * (1 - strength) + _LESS_MARK * strength).astype(np.uint8)
        return replace(self, picture=picture, less=float(less.mean()))

    def tell_borne(self, folder: Path, reporter: Reporter) -> None:
        """Say where the detector is less sensitive, if it is anywhere; `save` keeps the picture."""
        if self.less > 0:
            reporter.say(
                f"Less is found in {told_share(self.less)} of the view, blue in "
                f"{folder / NORMAL_PICTURE}: what moves there again and again while all is normal "
                "is borne."
            )

    def tell(self, folder: Path, reporter: Reporter) -> None:
        """Say what moves, if it is much; `save` keeps the picture in the same folder."""
        if self.moving >= RESTLESS:
            reporter.say(
                f"Restless: {told_share(self.moving)} of the view moves in the normal footage "
                f"({folder / NORMAL_PICTURE} shows where). {_advice(self.moving)}"
            )

    def save(self, folder: Path, reporter: Reporter) -> None:
        """Keep the picture; one that cannot be written ends nothing."""
        path = folder / NORMAL_PICTURE
        try:
            write_image(path, self.picture)
        except OSError as error:
            reporter.say(f"{path}: cannot be written ({error.strerror or error}).")


def normal_view_of(
    frames: Sequence[Pixels], hide: Callable[[Pixels], Pixels] | None = None
) -> NormalView:
    """What normal frames show.

    Args:
        frames: RGB uint8 [H, W, 3], of one size, at least one.
        hide: Makes what nobody may see unrecognisable in the picture that is kept.
    """
    parts = moving_parts(np.stack([small_grey(frame) for frame in frames]))
    calmest = frames[int(parts.mean(axis=(1, 2)).argmin())]
    shown = calmest if hide is None else hide(calmest)
    return NormalView(float(parts.mean()), _marked(shown, parts))


def told_share(share: float) -> str:
    """A share of the view for people."""
    return f"{100 * share:.1f}%"


def _advice(share: float) -> str:
    if share >= CAMERA_MOVES:
        return "The camera itself seems to move; it must stand still."
    return "What moves there counts as normal; footage without it lets more be found."


def small_grey(frame: Pixels) -> NDArray[np.uint8]:
    """A frame [H, W, 3] in grey, 160 pixels wide [h, 160]."""
    height = max(1, round(frame.shape[0] * WIDTH / frame.shape[1]))
    small = cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _marked(calmest: Pixels, parts: NDArray[np.bool_]) -> Pixels:
    """The frame in which least moves, red where something moves in any."""
    scale = min(1.0, _PICTURE_WIDTH / calmest.shape[1])
    width = round(calmest.shape[1] * scale)
    height = max(1, round(calmest.shape[0] * scale))
    view = cv2.resize(calmest, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    often = parts.mean(axis=0).astype(np.float32)
    strength = np.clip(cv2.resize(often, (width, height)) * 10, 0, 0.6)[..., None]
    return (view * (1 - strength) + _MARK * strength).astype(np.uint8)
