"""Other things pasted into a learned view, to try verdicts on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from app.events.event import Event, Picture
from app.events.media import CONTEXT_MARGIN
from app.feedback.seen import Like, Seen
from app.simulator.cutouts import Sticker, cutouts, sticker
from app.simulator.places import MARGIN, Place
from app.simulator.scene import lay
from app.watching.namer import Elected, Names, name_pictures, vote
from detectors import changes
from detectors.learned import LearnedView
from detectors.signatures import Signatures
from detectors.types import Box, Pixels

PLACES = 6
"""Where each thing is pasted, in another size each time."""
_SEED = 7
_LEAST_PX = 8
"""Width of what is pasted."""


@dataclass(frozen=True, slots=True, eq=False)
class Pasted:
    """One thing in the view, and its name."""

    noun: str
    """What it is."""
    elected: Elected
    signatures: Signatures

    def likeness(self, verdict: Like, least: float = -np.inf) -> float:
        """Log-odds that it is what a verdict or a rule speaks of, had the same become of it.

        What cannot reach `least` is not worked out exactly.
        """
        event = replace(EVENT, change=verdict.change, candidates=self.elected.candidates)
        missing = verdict.change == "missing"
        signature = self.signatures.before if missing else self.signatures.now
        seen = Seen(event, verdict.embedder, self.elected.vector, signature)
        return seen.likeness(verdict, least)


def others_in(view: LearnedView, share: float, names: Names) -> list[Pasted]:
    """All the simulator's things at PLACES places each.

    Args:
        view: What the view usually looks like.
        share: Width of the verdict's thing, over that of the view; others are about as wide.
        names: What named the verdict's event.

    Raises:
        NomalyError: If the photographs of the other things are not installed.
    """
    stage, width = _Stage.of(view), view.picture.shape[1]
    laid = []
    for number in range(PLACES):
        for cutout in cutouts().values():
            size = min(0.5, share * stage.rng.uniform(0.7, 1.4))
            wide = max(_LEAST_PX, round(width * size))
            cut = sticker(cutout, wide, flip=bool(cutout.flips and number % 2))
            laid.append((cutout.noun, cut))
    return _named(stage.pasted(laid), names)


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """A view as the simulator takes its places."""

    picture: Pixels
    place: Place
    rng: np.random.Generator

    @classmethod
    def of(cls, view: LearnedView) -> "_Stage":
        picture = view.picture
        rim = ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
        world = np.pad(picture, rim, mode="edge")
        size = (picture.shape[0], picture.shape[1])
        place = Place("view", (), size, world, (), (), None, 0.0)
        return cls(picture, place, np.random.default_rng(_SEED))

    def pasted(self, laid: list[tuple[str, Sticker]]) -> Iterator[tuple[str, Picture, Signatures]]:
        """Each thing by itself, wherever it has room and can be seen."""
        height, width = self.place.size
        for noun, cut in laid:
            left, top, right, bottom = cut.covered
            if right - left >= width or bottom - top >= height:
                continue
            x = int(self.rng.integers(0, width - (right - left)))
            y = int(self.rng.integers(0, height - (bottom - top)))
            box = Box(x, y, x + right - left, y + bottom - top)
            seen = _seen(self.picture, self._with(cut, (x - left, y - top)), box)
            if seen is not None:
                yield noun, *seen

    def _with(self, cut: Sticker, corner: tuple[int, int]) -> Pixels:
        """The view with a thing in it."""
        world = self.place.world.copy()
        at = (corner[0] + MARGIN, corner[1] + MARGIN)
        lay(cut, at, self.place, shadow=False).over(world)
        return world[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _named(pasted: Iterator[tuple[str, Picture, Signatures]], names: Names) -> list[Pasted]:
    shown = list(pasted)
    named = name_pictures(names, [picture for _, picture, _ in shown])
    return [
        Pasted(noun, vote({picture: named[picture]}), signatures)
        for noun, picture, signatures in shown
    ]


def _seen(before: Pixels, now: Pixels, box: Box) -> tuple[Picture, Signatures] | None:
    size = (now.shape[0], now.shape[1])
    place = _place(before, now, box)
    signatures = Signatures.of(place) if place is not None else None
    if signatures is None:
        return None
    crops = tuple(one.cut(now).copy() for one in (box, box.grown(CONTEXT_MARGIN, size)))
    nothing = np.zeros((1, 1), np.float32)
    return Picture(0.0, box, size, crops, now, nothing, 1.0), signatures


def _place(before: Pixels, now: Pixels, box: Box) -> changes.Place | None:
    """The box and its surroundings in two pictures of one size."""
    part = box.grown(changes.MARGIN, (now.shape[0], now.shape[1]))
    return changes.Place.of(part.cut(before), part.cut(now), box.within(part))


EVENT = Event("", "", "closed", 0.0, 0.0, 0, 0, Box(0, 0, 1, 1), (1, 1), 1.0, 1)
"""Of which only what has happened is looked at."""
