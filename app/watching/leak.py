"""What else a verdict silences: other things are pasted into the learned view and tried on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.errors import UsageError
from app.events.event import Event, Picture
from app.events.media import CONTEXT_MARGIN
from app.feedback.heeding import Seen
from app.feedback.saying import LIKENESS, Said, said_there
from app.feedback.verdicts import Leak, Verdict
from app.simulator.cutouts import Sticker, cutouts, sticker
from app.simulator.places import MARGIN, Place
from app.simulator.scene import lay
from app.watching.namer import Elected, Names, name_pictures, vote
from detectors import changes
from detectors.base import DetectorError
from detectors.files import read_facts, read_tensors
from detectors.frames import checked_size
from detectors.learned import LearnedView
from detectors.signatures import Signatures
from detectors.types import Box, Pixels
from novic.device import resolve_device
from novic.model import ModelOptions, load_model

PLACES = 6
"""Where each thing is pasted, in another size each time."""
LEAKS = 0.01
"""Share of the things by which the likeness is chosen that may go silent."""
_SEED = 7


@dataclass(frozen=True, slots=True, eq=False)
class _Pasted:
    """One other thing in the view."""

    noun: str
    picture: Picture
    signatures: Signatures


@dataclass(frozen=True, slots=True, eq=False)
class Other:
    """One other thing in the view, and its name."""

    noun: str
    """What it is."""
    elected: Elected
    signatures: Signatures

    def likeness(self, verdict: Verdict) -> float:
        """Log-odds that it is what a verdict speaks of, had the same become of it.

        What is below LIKENESS is not worked out exactly.
        """
        event = replace(EVENT, change=verdict.change, candidates=self.elected.candidates)
        missing = verdict.change == "missing"
        signature = self.signatures.before if missing else self.signatures.now
        return Seen(event, verdict.embedder, self.elected.vector, signature).likeness(
            verdict, LIKENESS
        )


def measure(out: Path, said: Said, model: Path | None) -> Verdict:
    """Measure what else a verdict silences that was just said, and keep that with it.

    Args:
        out: Folder of the run.
        said: The verdict.
        model: Decoder that named the event; None for what Nomaly ships.

    Raises:
        NomalyError: If it cannot be measured: the model is another one, or a package is missing.
    """
    verdicts = said_there(out)
    view = view_of(verdicts.path.parent)
    names = load_model(model, resolve_device("auto"), ModelOptions(), many_images=True)
    if names.bundle.embedder != said.verdict.embedder:
        raise UsageError("the event was named by another model; name that with --model")
    verdict = measured(said.verdict, tried(view, said.width, names))
    if verdict.leak is not None:
        verdicts.measured(verdict.number, verdict.likeness, verdict.leak)
    return verdict


def measured(verdict: Verdict, others: Sequence[Other]) -> Verdict:
    """The verdict with a likeness that lets few others go silent, and what its leak then is.

    The likeness is chosen on half of the other things; the leak is that of the other half. If one
    of them is seen to be the very thing, it is in neither, and told by itself.

    Args:
        verdict: As it was said.
        others: What `tried` gave.
    """
    alike: dict[str, list[float]] = {}
    for other in others:
        alike.setdefault(other.noun, []).append(other.likeness(verdict))
    same = max(alike, key=lambda noun: float(np.median(alike[noun])), default="")
    if not same or np.median(alike[same]) < LIKENESS:
        same = ""
    nouns = sorted({*alike} - {same})
    likeness = _line([value for noun in nouns[::2] for value in alike[noun]])
    rest = [(noun, value) for noun in nouns[1::2] for value in alike[noun]]
    silenced = tuple(noun for noun, value in rest if value >= likeness)
    return replace(verdict, likeness=likeness, leak=Leak(len(rest), silenced, same))


def tried(view: LearnedView, share: float, names: Names) -> list[Other]:
    """Other things in the view, to try verdicts on.

    Args:
        view: What the view usually looks like.
        share: Width of the verdict's thing, over that of the view; others are about as wide.
        names: What named the verdict's event.

    Raises:
        NomalyError: If the photographs of the other things are not installed.
    """
    pasted = list(_others(view, share))
    named = name_pictures(names, [one.picture for one in pasted])
    return [
        Other(one.noun, vote({one.picture: named[one.picture]}), one.signatures) for one in pasted
    ]


def _line(others: Sequence[float]) -> float:
    """From which log-odds on something is the same, by how like it others are."""
    return max(LIKENESS, float(np.quantile(others, 1 - LEAKS)) if others else LIKENESS)


def view_of(detector: Path) -> LearnedView:
    """The picture that a detector in a folder keeps of its view.

    Raises:
        DetectorError: If there is no detector, or it keeps none.
    """
    facts = read_facts(detector)
    try:
        return LearnedView.from_tensors(
            read_tensors(detector, facts), checked_size(facts["frame_size"])
        )
    except (KeyError, ValueError) as error:
        raise DetectorError(f"{detector}: keeps no picture of its view; fit it again") from error


def _others(view: LearnedView, share: float) -> Iterator[_Pasted]:
    """All the simulator's things at PLACES places each."""
    picture, rng = view.picture, np.random.default_rng(_SEED)
    height, width = picture.shape[:2]
    rim = ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
    world = np.pad(picture, rim, mode="edge")
    place = Place("view", (), (height, width), world, (), (), None, 0.0)
    for number in range(PLACES):
        for cutout in cutouts().values():
            wide = max(8, round(width * min(0.5, share * rng.uniform(0.7, 1.4))))
            cut = sticker(cutout, wide, flip=bool(cutout.flips and number % 2))
            left, top, right, bottom = cut.covered
            if right - left >= width or bottom - top >= height:
                continue
            x = int(rng.integers(0, width - (right - left)))
            y = int(rng.integers(0, height - (bottom - top)))
            box = Box(x, y, x + right - left, y + bottom - top)
            pasted = _pasted(picture, _laid(cut, (x - left, y - top), place), box, cutout.noun)
            if pasted is not None:
                yield pasted


def _laid(cut: Sticker, corner: tuple[int, int], place: Place) -> Pixels:
    """The view with a thing in it."""
    world = place.world.copy()
    lay(cut, (corner[0] + MARGIN, corner[1] + MARGIN), place, shadow=False).over(world)
    return world[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _pasted(before: Pixels, now: Pixels, box: Box, noun: str) -> _Pasted | None:
    size = (now.shape[0], now.shape[1])
    part = box.grown(changes.MARGIN, size)
    left, top = int(part.x1), int(part.y1)
    inside = Box(box.x1 - left, box.y1 - top, box.x2 - left, box.y2 - top)
    place = changes.Place.of(part.cut(before), part.cut(now), inside)
    signatures = Signatures.of(place) if place is not None else None
    if signatures is None:
        return None
    crops = tuple(one.cut(now).copy() for one in (box, box.grown(CONTEXT_MARGIN, size)))
    nothing = np.zeros((1, 1), np.float32)
    return _Pasted(noun, Picture(0.0, box, size, crops, now, nothing, 1.0), signatures)


EVENT = Event("", "", "closed", 0.0, 0.0, 0, 0, Box(0, 0, 1, 1), (1, 1), 1.0, 1)
"""Of which only what has happened is looked at."""
