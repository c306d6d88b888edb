"""A part of a frame beside what is usually there, and what light, noise and shake leave open.

Light multiplies what is there and glare is added to it, both nearly alike from one pixel to the
next; a thing has edges, and so has what hides a part of the view. Of 350 things of 2 to 20% of the
width in six simulated scenes, each judged by three boxes, no one is explained by a smooth change of
light: it leaves 2.0 of what may be borne open at least, in 99% of the pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.learned import LearnedView
from detectors.types import Box, Detection, Pixels

WORKING_SIDE = 120
"""Patches are scaled down to so many pixels: more do not make a box better."""
RING_PIXELS = 800
"""Pixels around the box that tell what the light is like, about."""
SOFT = 0.7
"""Spread in pixels of the blur of the differences, against noise."""
NOISE_FLOOR = 3.0
"""Grey levels that any pixel may differ by."""
NOISE_SHARE = 0.3
"""Of a pixel's usual spread that it may differ by besides ..."""
SHAKE = 0.0008
"""... and of the picture's slope, for a shake of so much of the frame's longer side."""
WHITE = 250
"""Grey level from which on a pixel is blown out: the codec's white may be a little below 255."""
DARK = 8.0
"""Grey levels added before gains are taken, so that black stays black."""
WIDEST = 0.4
"""Boxes wider than this share of the frame's longer side are the map's: there a cell is little."""
LIGHT_CELLS = 2.0
"""Where it is asked whether there is anything at all, the light is told so many cells around."""
MOST_PIXELS = 99
"""Percentage of the pixels: single ones are noise."""
_LEAST_SPREAD = 3.0
"""Pixels of a patch that light must be smooth over: in a large one that is scaled down it would
follow the texture, so nothing is said of that."""
SMOOTH = 0.015
"""Spread of a change of light that is smooth, share of the frame's longer side, ..."""
LEFT_OPEN = 1.8
"""... and what it may leave open, in what may be borne, where there is nothing else: ..."""
KEEPS = 0.5
"""Light keeps so much of the texture at least, over what it would keep without glare."""
EXPLAINS = 0.6
"""... at most this share of what the light around the place leaves open: slim and faint things
leave little, and as much in any light."""
REACHES = 0.4
"""Share of the way to white, in logarithms, that light comes to beside what it blows out, ..."""
MOST_BLOWN = 0.9
"""... so much of that at least: a white thing has no light beside it."""
_SEEN_NEAR = 0.02
"""Share of the pixels around that must not be blown out for the light to be told from them, ..."""
_FAR = 4.0
"""... or else from those within so many times as far."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A part of the frame beside what is usually there."""

    seen: NDArray[np.float32]
    """RGB [h, w, 3]."""
    usual: NDArray[np.float32]
    """RGB [h, w, 3]."""
    noise: NDArray[np.float32]
    """[h, w]."""
    shake: float
    """In pixels of the patch."""
    inner: tuple[slice, slice]
    """Rows and columns of the map's box."""
    place: Box
    """In pixels of the frame, ..."""
    long: int
    """... of which it has so many along its longer side, ..."""
    part: tuple[slice, slice]
    """... and as rows and columns of the learned picture."""

    def in_frame(self, left: int, top: int, right: int, bottom: int) -> Box:
        """A box of the patch in pixels of the frame."""
        across = self.place.width / self.seen.shape[1]
        down = self.place.height / self.seen.shape[0]
        x, y = self.place.x1, self.place.y1
        return Box(x + left * across, y + top * down, x + right * across, y + bottom * down)

    @property
    def ring(self) -> NDArray[np.intp]:
        """Pixels around the box, by their numbers in a row of all; not all where they are many."""
        around = np.ones(self.noise.shape, np.bool_)
        around[self.inner] = False
        ring = np.flatnonzero(around)
        return ring[:: max(1, len(ring) // RING_PIXELS)]

    def unlike(self, ring: NDArray[np.intp]) -> NDArray[np.float32]:
        """How far each pixel is from what is usual there [h, w], in what may be borne.

        Args:
            ring: Pixels, at least one, at which nothing has changed but the light.
        """
        usual = self.usual.reshape(-1, 3)[ring] + DARK
        gain = np.median((self.seen.reshape(-1, 3)[ring] + DARK) / usual, axis=0)
        lit = ((self.usual + DARK) * gain - DARK).astype(np.float32)
        # White may be any light from there on.
        return self.borne(np.minimum(self.seen, WHITE) - np.minimum(lit, WHITE))

    def in_light(self, gain: float) -> bool:
        """Whether it shows what is usual in another light, that changes smoothly, and nothing else.

        Args:
            gain: How much lighter the whole frame is.
        """
        spread = self.pixels(SMOOTH)
        blown, ring = self.seen >= WHITE, self.ring
        if spread < _LEAST_SPREAD:
            return False
        lit = self._smoothly_lit(spread, gain)
        light = ((lit + DARK) / (self.usual + DARK)).astype(np.float32)
        if not len(ring) or not _blown_out(self.usual, light, blown, self.inner):
            return False
        # Beside what is blown out the light is known from one side alone.
        apart = np.where(_beside_solid(blown, spread), 0, self.seen - lit)
        left = self.borne(apart.astype(np.float32)) / np.maximum(1, light.mean(axis=2))
        of_both = [left[self.inner].ravel(), self.unlike(ring)[self.inner].ravel()]
        least, else_left = np.percentile(of_both, MOST_PIXELS, axis=1)
        return bool(least <= min(LEFT_OPEN, EXPLAINS * else_left))

    def _smoothly_lit(self, spread: float, gain: float) -> NDArray[np.float32]:
        """What is usual [h, w, 3], in the light that there is around each pixel.

        Light multiplies what is there, and glare is added to it: both are told from the pixels
        around by least squares (as by a guided filter, He et al. 2013).
        """
        clear = (self.seen < WHITE).astype(np.float32)
        near, lit = self._lit_around(clear, spread)
        if near.min() < _SEEN_NEAR:
            far, elsewhere = self._lit_around(clear, _FAR * spread)
            known = near >= _SEEN_NEAR
            near, lit = np.where(known, near, far), np.where(known, lit, elsewhere)
        # Of a channel that is white all around, the others tell.
        known = near >= _SEEN_NEAR
        light = np.where(known, (lit + DARK) / (self.usual + DARK), 0).sum(axis=2, keepdims=True)
        count = known.sum(axis=2, keepdims=True)
        light = np.where(count > 0, light / np.maximum(1, count), gain)
        return np.where(known, lit, (self.usual + DARK) * light - DARK).astype(np.float32)

    def _lit_around(
        self, clear: NDArray[np.float32], spread: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Share of clear pixels around [h, w, 3], and what is usual in the light of those."""
        near = _around(clear, spread)
        total = np.maximum(near, np.float32(1e-4))
        seen, usual = (_around(one * clear, spread) / total for one in (self.seen, self.usual))
        both = _around(self.seen * self.usual * clear, spread) / total - seen * usual
        texture = _around(self.usual * self.usual * clear, spread) / total - usual * usual
        # Where there is no texture, it is the light that multiplies.
        plain, factor = np.float32(NOISE_FLOOR**2), (seen + DARK) / (usual + DARK)
        times = (both + plain * factor) / (np.maximum(texture, 0) + plain)
        # Glare leaves a share of the texture; where none is left, what was there has gone.
        times = np.maximum(times, KEEPS * factor)
        return near, (seen + times * (self.usual - usual)).astype(np.float32)

    def cut_from(self, picture: Pixels) -> NDArray[np.float32]:
        """The same place [h, w, 3] in another picture of the view, as large as the learned one."""
        return _scaled(picture[self.part], (self.noise.shape[0], self.noise.shape[1]))

    def pixels(self, share: float) -> float:
        """A share of the frame's longer side in pixels of the patch."""
        return share * self.long * self.seen.shape[1] / self.place.width

    def borne(self, apart: NDArray[np.float32]) -> NDArray[np.float32]:
        """How far pixels are apart in grey levels [h, w, 3], in what may be borne [h, w]."""
        return (self.apart(apart) / self.bearable).astype(np.float32)

    @staticmethod
    def apart(apart: NDArray[np.float32]) -> NDArray[np.float32]:
        """How far pixels are apart [h, w, 3], noise aside, where channels differ most [h, w]."""
        red, green, blue = cv2.split(np.abs(cv2.GaussianBlur(apart, (0, 0), SOFT)))
        return np.maximum(np.maximum(red, green), blue).astype(np.float32, copy=False)

    @property
    def bearable(self) -> NDArray[np.float32]:
        """Grey levels that noise and shake explain [h, w]."""
        borne = NOISE_FLOOR + NOISE_SHARE * self.noise + self.shake * slope(self.usual)
        return borne.astype(np.float32, copy=False)


def patch_of(box: Box, margin: float, image: Pixels, view: LearnedView) -> Patch:
    """The map's box and so many pixels of the frame around it."""
    height, width = image.shape[:2]
    # In pixels of the learned picture, which may be smaller than the frame.
    down, across = view.picture.shape[0] / height, view.picture.shape[1] / width
    rows = span(box.y1 - margin, box.y2 + margin, down, view.picture.shape[0])
    columns = span(box.x1 - margin, box.x2 + margin, across, view.picture.shape[1])
    place = Box(columns.start / across, rows.start / down, columns.stop / across, rows.stop / down)
    size = (rows.stop - rows.start, columns.stop - columns.start)
    scale = min(1.0, WORKING_SIDE / max(size))
    size = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    whole = Box(round(place.x1), round(place.y1), round(place.x2), round(place.y2))
    down, across = size[0] / place.height, size[1] / place.width
    return Patch(
        _scaled(whole.cut(image), size),
        _scaled(view.picture[rows, columns], size),
        _scaled(view.noise[rows, columns], size),
        SHAKE * max(height, width) * across,
        (
            span(box.y1 - place.y1, box.y2 - place.y1, down, size[0]),
            span(box.x1 - place.x1, box.x2 - place.x1, across, size[1]),
        ),
        place,
        max(height, width),
        (rows, columns),
    )


def slope(image: Pixels | NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey levels from one pixel to the next [h, w], of RGB [h, w, 3], 0 to 255."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    across = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / 32)
    return cv2.magnitude(across, down).astype(np.float32, copy=False)


def _around(values: NDArray[np.float32], spread: float) -> NDArray[np.float32]:
    return cv2.GaussianBlur(values, (0, 0), spread).astype(np.float32)


def _beside_solid(blown: NDArray[np.bool_], spread: float) -> NDArray[np.bool_]:
    """What is white [h, w, 3], or within `spread` pixels of a whole area that is."""
    side = max(1, round(spread))
    solid = cv2.morphologyEx(blown.astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side)))
    reach = np.ones((2 * side + 1, 2 * side + 1), np.uint8)
    return blown | (cv2.dilate(solid, reach) > 0)


def _blown_out(
    usual: NDArray[np.float32],
    light: NDArray[np.float32],
    blown: NDArray[np.bool_],
    inner: tuple[slice, slice],
) -> bool:
    """Whether light, as much of it as there is beside it, comes near to white where all is white.

    Args:
        usual: RGB [h, w, 3].
        light: How much lighter it is around each pixel [h, w, 3].
        blown: Channels that are white [h, w, 3].
        inner: Rows and columns of what is judged.
    """
    white = blown[inner]
    if not white.any():
        return True
    due = np.log(np.maximum(1, (WHITE + DARK) / (usual[inner][white] + DARK)))
    reaches = np.log(np.maximum(light[inner][white], 1e-3)) >= REACHES * due
    return float(reaches.mean()) >= MOST_BLOWN


def span(start: float, stop: float, scale: float, most: int) -> slice:
    """Whole pixels from `start` to `stop`, both to be scaled, at least one of `most`."""
    first = min(max(int(start * scale), 0), most - 1)
    return slice(first, max(first + 1, min(most, int(np.ceil(stop * scale)))))


def _scaled(values: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.float32]:
    if values.shape[:2] != size:
        values = cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return values.astype(np.float32)


def shows_something(
    found: Detection, heat: NDArray[np.float32], image: Pixels, view: LearnedView
) -> bool:
    """Whether the pixels show anything at all where a map says so.

    A network sees steps of two grey levels that a codec leaves in a blown-out sky, and a still
    scene keeps them for seconds. What light, noise and shake explain to the last pixel is no thing:
    of 8-bit pictures nobody could tell it from nothing.

    Args:
        found: What the map says, in pixels of the frame.
        heat: The map [h, w], 1.0 where just unusual.
        image: The frame, RGB uint8 [H, W, 3].
        view: What is usually to be seen there.
    """
    if max(found.box.width, found.box.height) > WIDEST * max(image.shape[:2]):
        return True
    cell = max(image.shape[0] / heat.shape[0], image.shape[1] / heat.shape[1])
    # The map may be so far beside the thing.
    box = Box(found.box.x1 - cell, found.box.y1 - cell, found.box.x2 + cell, found.box.y2 + cell)
    patch = patch_of(box, LIGHT_CELLS * cell, image, view)
    ring = patch.ring
    if not len(ring):
        return True
    return float(np.percentile(patch.unlike(ring)[patch.inner], MOST_PIXELS)) >= 1
