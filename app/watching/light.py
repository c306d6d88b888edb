"""Patches of light, shadows and reflections: the learned picture shines through them.

Sun that falls in, headlights, or another picture in a window pane make a place lighter or darker
and leave its texture; a thing hides it. So what is found is compared with the learned picture in
what differs there. A thing that is slim or smeared by its pace lets much of it through, light all
of it: the correlation also counts of the parts where it is least. Measured in two simulated scenes
(correlation, and its lowest tenth): patches of sun and reflections from .63 and .45 on in 98 of 100
frames, headlights from .72 and .25; things of 4 to 20% of the width, at .1 to 1.5 widths a frame,
reach both .6 and .4 in 3 of 100. A plain place tells nothing, unless the light has no edge: what
changes smoothly is no thing anywhere, and what it blows out is judged by what lies around
(`detectors.patches`); or unless texture beside it tells how light the same light makes all it falls
on (`app.watching.sunlit`).

What a pane mirrors has texture of its own, but is out of focus and lets the finest texture of the
view through, paler everywhere (`app.watching.texture.Veil`). What lies where light was just before
is doubted: light tells fragments there, of which few last.

Insects close to the lens are so blurred that the view shines through them, too. They are told from
light by their way: light lies on its place or wanders, insects turn up here and there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from app.watching import texture
from app.watching.course import Since
from app.watching.faults import Fault
from app.watching.light_spell import Spell
from app.watching.sunlit import Sun, Sunlit
from app.watching.texture import Part
from detectors.learned import LearnedView
from detectors.patches import DARK, SMOOTH, WHITE, patch_of
from detectors.tracks import TrackRule
from detectors.types import Box, Detection, Frame, Pixels

OPEN_SCORE = TrackRule().open_score
LONGEST_S = 60.0
"""A patch that stays is told no longer, and still is no thing."""
_DIFFERS = 0.12
"""Of the logarithm of the light, beside that of the whole picture, where something differs."""
_BLOWN = float(np.log(WHITE + DARK))
"""White may be any light from there on: in a picture that is lighter as a whole it is no darker."""
_LEAST_DIFFERS = 0.15
"""Share of a box that must, and so much more than around it: a cloud's shadow over all of a place
is not what made one part of it unusual, ..."""
_AROUND = 0.5
"""... which is so much of its longer side beyond its edges."""
_LEAST_PIXELS = 500
"""... and so many pixels: fewer may be alike by chance."""
_FINE = 5
"""Pixels of the median that fine texture is what is beside of."""
_THING_SHARE = 0.02
"""Share of the picture's longer side from which on what hides it is a thing in the light."""
_REMEMBERED_S = 5.0
"""How long it is remembered where light was, ..."""
_KNOWN_S = 1.0
"""... and which light with hard edges there was, ..."""
_REACH = 9
"""... and so many pixels across around it."""
_LIT_SHARE = 0.7
"""Share of what differs that must have been in the light before, where texture tells nothing."""
_DOUBTED = 0.6
"""... or of a thing that may be a fragment of it."""
_STEP, _FOLLOW_S = 0.15, 60.0
"""While the whole picture is so much lighter or darker, in logarithms, than in so many seconds
before, spots of light are that: where a picture is blown out they come and go with the noise."""
_AS_TOLD = 0.5
"""What was told is found again where boxes overlap so much (IoU)."""

type _Floats = NDArray[np.float32]


class Light:
    """Tells light from things among what is found in the frames of one camera."""

    def __init__(self, view: LearnedView | None, open_score: float = OPEN_SCORE) -> None:
        """Begin.

        Args:
            view: What the camera usually shows; without it everything is a thing.
            open_score: What a thing must reach to be told.
        """
        self._view, self._spell = view, Spell(open_score)
        self._learned = None if view is None else texture.logs(view.picture)
        self._usual, self._seen_s = 0.0, -np.inf
        """How much lighter than learned the whole picture has been, and when that was seen."""
        self._suns: tuple[float, Sequence[Sun]] = (-np.inf, ())
        """When light with hard edges was last seen, and which."""
        self._veiled_s = -np.inf
        """When a wide reflection was last seen."""
        size = (1, 1) if view is None else view.picture.shape[:2]
        self._lit = np.full(size, -np.inf)
        """When each pixel of the learned picture [h, w] was last in some light, seconds."""

    @property
    def since(self) -> Since | None:
        """Where the light that lasts began."""
        return self._spell.since

    def places(self, now_s: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Cells of a map [h, w] that were in some light in the last seconds."""
        lit = (now_s - self._lit < _REMEMBERED_S).astype(np.uint8)
        return cv2.resize(lit, shape[::-1], interpolation=cv2.INTER_AREA) > 0

    def fault(self, now_s: float) -> Fault | None:
        """What is to be told of now: "lit", "insects", or None."""
        since = self.since
        if since is None or now_s - since.at_s > LONGEST_S:
            return None
        return "insects" if self._spell.flits else "lit"

    def see(
        self,
        frame: Frame,
        found: Sequence[Detection],
        told: Sequence[Box] = (),
        *,
        altered: bool = False,
    ) -> list[Detection]:
        """Take what was found in the next frame.

        Args:
            frame: RGB uint8 [H, W, 3], laid on the view.
            found: Boxes in its pixels.
            told: Where things are that were told.
            altered: Whether the whole picture is another than was learned: its texture is, too.

        Returns:
            The things among it; of a thing in the light, only what it hides, unless all of it was
            told as a thing: slim ones let the view through, and a cloud may pass over them. Doubted
            are those that lie where light just was: it tells fragments, of which few last.
        """
        things = [*found]
        if found and self._view is not None and self._learned is not None:
            lit = frame.pts_s - self._lit < _REMEMBERED_S
            suns = self._suns[1] if frame.pts_s - self._suns[0] <= _KNOWN_S else ()
            now = _Seen.of(frame.image, self._view, self._learned, lit, suns)
            if altered:
                self._veiled_s = -np.inf
            elif any(now.wide_veil(one) for one in found):
                self._veiled_s = frame.pts_s
            veils = frame.pts_s - self._veiled_s <= _REMEMBERED_S
            judged = [(one, now.thing(one, veils=veils)) for one in found]
            things = [
                now.doubted(_as_told(one, thing, told))
                for one, thing in judged
                if thing is not None
            ]
            self._lit[now.shines] = frame.pts_s
            if now.sunlit.suns:
                self._suns = frame.pts_s, now.sunlit.suns
            if self._follow(now.lighter, frame.pts_s):
                self._spell.see(frame, [one for one, thing in judged if thing is None], now.around)
        self._spell.follow(frame.pts_s)
        return things

    def _follow(self, lighter: float, now_s: float) -> bool:
        """Whether the whole picture is as light as in the last minute; pauses are no time."""
        passed_s, self._seen_s = min(now_s - self._seen_s, 1.0), now_s
        self._usual += float(-np.expm1(-passed_s / _FOLLOW_S)) * (lighter - self._usual)
        return abs(lighter - self._usual) <= _STEP


def _as_told(found: Detection, thing: Detection, told: Sequence[Box]) -> Detection:
    """What was found if that was told, else the part of it that is a thing."""
    return found if any(found.box.iou(box) >= _AS_TOLD for box in told) else thing


@dataclass(frozen=True, eq=False)
class _Seen:
    """One frame beside the learned picture."""

    image: Pixels
    view: LearnedView
    now: _Floats
    """Logarithm of the frame's light [h, w], ..."""
    learned: _Floats
    """... and of the learned picture's."""
    lighter: float
    """How much lighter it is as a whole."""
    scale: tuple[float, float]
    """From pixels of the frame to theirs, (x, y)."""
    lit: NDArray[np.bool_]
    """What was in some light just before [h, w]."""
    shines: NDArray[np.bool_]
    """What is [h, w], by what was judged so far, ..."""
    around: NDArray[np.bool_]
    """... and with what is beside it and lighter or darker, too: where light ends softly, the map
    shows but a spot of it. Of what is hardly so it is the box."""
    sunlit: Sunlit
    """Light with hard edges in it."""

    @classmethod
    def of(
        cls,
        image: Pixels,
        view: LearnedView,
        learned: _Floats,
        lit: NDArray[np.bool_],
        suns: Sequence[Sun] = (),
    ) -> "_Seen":
        height, width = image.shape[:2]
        size = learned.shape
        scale = (size[1] / width, size[0] / height)
        small = image
        if image.shape[:2] != size:
            small = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        small = small.astype(np.uint8)
        now = texture.logs(small)
        lighter = float(np.median((now - learned)[::4, ::4]))
        shines, around = np.zeros_like(lit), np.zeros_like(lit)
        sunlit = Sunlit(small, view.picture, suns)
        return cls(image, view, now, learned, lighter, scale, lit, shines, around, sunlit)

    @cached_property
    def _clear(self) -> float:
        """Share of the finest learned texture that is seen in most of the picture."""
        return texture.Veil.of(self.now, self.learned).clear

    def wide_veil(self, found: Detection) -> bool:
        """Whether something found is certainly a reflection, wide as it is."""
        part = self._part(found)
        differs = self._differs(part)
        if not texture.is_wide(differs, self.now.size):
            return False
        veil = texture.Veil.of(self.now[part], self.learned[part])
        return veil.lies_widely_on(differs, self._clear, self.now.size)

    def _part(self, found: Detection) -> Part:
        height, width = self.now.shape
        return _pixels(found.box.scaled(*self.scale).grown(0.1, (height, width)))

    def thing(self, found: Detection, *, veils: bool = False) -> Detection | None:
        """What is a thing of something found: all, a part, or None if it is light alone.

        Args:
            found: Its box in pixels of the frame.
            veils: Whether reflections lie on the view: small ones are told by less.
        """
        height, width = self.now.shape
        x, y = self.scale
        scaled = found.box.scaled(x, y)
        around = scaled.grown(_AROUND, (height, width))
        part = self._part(found)
        now, learned = self.now[part], self.learned[part]
        differs = self._differs(part)
        if self.sunlit.explains(part):
            return self._shine(scaled, part, differs)
        if min(now.shape) < 2 * _FINE:
            return found
        if self._is_smooth(found.box):
            return self._shine(scaled, part, differs)
        if veils:
            veil = texture.Veil.of(now, learned)
            if veil.lies_on(differs, self._clear):
                return self._in_light(found, part, differs, self._hidden(veil.hidden))
        if differs.mean() < _LEAST_DIFFERS:
            return found
        beside = _beside(self._differs(_pixels(around)), differs)
        fine, usual = now - _smooth(now), learned - _smooth(learned)
        hides = texture.hidden(fine, usual, np.exp(learned)) & differs
        thing = self._hidden(hides)
        rest = differs.copy()
        if thing is not None:
            rest[thing] = False
        stands_out = differs.mean() >= _LEAST_DIFFERS + beside
        many = rest.mean() >= differs.mean() / 2 and int(rest.sum()) >= _LEAST_PIXELS
        seen = texture.through(now, learned, rest)
        # A plain place tells nothing by itself, but light that was seen there just before.
        before = float(self.lit[part][differs].mean()) >= _LIT_SHARE
        light = (stands_out and many and seen.shines) or (before and not seen.hidden)
        return self._in_light(found, part, differs, thing) if light else found

    def _hidden(self, hides: NDArray[np.bool_]) -> Part | None:
        return texture.largest(hides, _THING_SHARE * max(self.now.shape))

    def _in_light(
        self,
        found: Detection,
        part: Part,
        differs: NDArray[np.bool_],
        thing: Part | None,
    ) -> Detection | None:
        """What is left of something found if light lies on it: the part that a thing hides."""
        x, y = self.scale
        if thing is not None:
            left, top = part[1].start + thing[1].start, part[0].start + thing[0].start
            right, bottom = part[1].start + thing[1].stop, part[0].start + thing[0].stop
            if not self.sunlit.explains((slice(top, bottom), slice(left, right))):
                return replace(found, box=Box(left / x, top / y, right / x, bottom / y))
        return self._shine(found.box.scaled(x, y), part, differs)

    def doubted(self, thing: Detection) -> Detection:
        """The thing, and whether it lies where light was just before."""
        lit = self.lit[_pixels(thing.box.scaled(*self.scale))]
        return replace(thing, doubted=bool(lit.size) and float(lit.mean()) >= _DOUBTED)

    def _is_smooth(self, box: Box) -> bool:
        """Whether all that changed there is light without an edge."""
        size = self.image.shape[:2]
        margin = 3 * SMOOTH * max(size)
        patch = patch_of(box.grown(0.1, size), margin, self.image, self.view)
        return patch.in_light(float(np.exp(self.lighter)))

    def _shine(self, box: Box, part: Part, differs: NDArray[np.bool_]) -> None:
        """Note where light was."""
        reach = np.ones((_REACH, _REACH), np.uint8)
        self.shines[part] |= cv2.dilate(differs.astype(np.uint8), reach) > 0
        wide = SMOOTH * max(self.now.shape) / max(box.width, box.height)
        around = _pixels(box.grown(1 + 3 * wide, (self.now.shape[0], self.now.shape[1])))
        lighter = self._differs(around)
        self.around[around] |= lighter
        if not lighter.any():
            self.around[_pixels(box)] = True

    def _differs(self, part: Part) -> NDArray[np.bool_]:
        """Where the light of a part is another than learned, beside that of the whole picture."""
        usual = np.minimum(self.learned[part] + self.lighter, _BLOWN)
        return np.abs(_smooth(np.minimum(self.now[part], _BLOWN) - usual)) > _DIFFERS


def _pixels(box: Box) -> Part:
    """Rows and columns of a box."""
    rows = slice(int(box.y1), int(np.ceil(box.y2)))
    return rows, slice(int(box.x1), int(np.ceil(box.x2)))


def _beside(around: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    """Share that differs of the surroundings without what is inside."""
    return float((around.sum() - inside.sum()) / max(1, around.size - inside.size))


def _smooth(values: _Floats) -> _Floats:
    return cv2.medianBlur(values, _FINE).astype(np.float32)
