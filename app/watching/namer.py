"""Names tracks by their pictures: one batch for all crops, then a vote in each track."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, Picture
from detectors.types import Pixels
from novic.certainty import Certainty
from novic.surrounded import Surrounded
from novic.vocabulary import Naming, ThingKind

if TYPE_CHECKING:
    from novic.model import NounModel

TOP = 5
"""Candidates kept for an event."""
VOTERS = 10
"""Candidates of every crop that take part in the vote."""


class Names(Protocol):
    """Whatever names images; `novic.model.NounModel` does."""

    def name(
        self,
        images: Sequence[Pixels],
        top: int = 5,
        around: Sequence[Surrounded | None] = (),
    ) -> list[Naming]:
        """What each image, RGB uint8 [H, W, 3], shows: up to `top` candidates, best first.

        Args:
            images: Crops.
            top: Candidates of each.
            around: What each lies in, if known.
        """
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """What a decoder knows of the nouns that it says."""

    surprise: Callable[[str], float | None] = lambda _: None
    """How unexpected a noun is at the site, bits; None if that is unknown."""
    certainty: Certainty = field(default_factory=Certainty)
    """When a best noun is told as a fact."""

    @classmethod
    def of(cls, model: "NounModel") -> "Words":
        """What the decoder of a model knows."""
        return cls(model.bundle.surprise_bits, model.certainty)

    def named(self, event: Event, elected: "Elected") -> Event:
        """The event with what its crops agree on, and what the decoder knows of that."""
        return replace(
            event,
            candidates=elected.candidates,
            surprise_bits=self.surprise(elected.noun),
            sure_from=self.certainty.line(elected.noun),
            thing=elected.thing,
            people=elected.people,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Elected:
    """What the crops of a track agree on."""

    candidates: tuple[tuple[str, float], ...]
    """At most TOP (noun, probability), best first."""
    vector: NDArray[np.float32] | None
    """Unit vector [F] of the crop that says the best noun most surely; None if none says one."""
    thing: ThingKind | None = None
    """What kind of thing they say it is."""
    people: int = 0
    """How many people most of them show; 0 if they show nobody."""

    @property
    def noun(self) -> str:
        """The best noun; empty if there is none."""
        return self.candidates[0][0] if self.candidates else ""


def name_pictures(names: Names, pictures: Iterable[Picture]) -> dict[Picture, tuple[Naming, ...]]:
    """Name pictures, all their crops in one batch.

    Args:
        names: What names them.
        pictures: Their crops are RGB uint8 [H, W, 3] of any size.

    Returns:
        One naming for each crop of each picture.
    """
    listed = list(pictures)
    crops = [crop for picture in listed for crop in picture.crops]
    around = [picture.around for picture in listed for _ in picture.crops]
    named = iter(names.name(crops, VOTERS, around) if crops else ())
    return {picture: tuple(next(named) for _ in picture.crops) for picture in listed}


def vote(named: Mapping[Picture, Sequence[Naming]], certainty: Certainty | None = None) -> Elected:
    """Mean probability of every noun over the crops of a track, better views counting more.

    Args:
        named: The pictures of one track with the namings of their crops, weighed by `quality`.
        certainty: Tells of what kind a thing is; without, nothing is said of that.

    Returns:
        Probabilities from 0 to 1, and the unit vector [F] behind the best noun.
    """
    ballots = [(naming, picture.quality) for picture in named for naming in named[picture]]
    total = sum(weight for _, weight in ballots)
    mass: defaultdict[str, float] = defaultdict(float)
    for naming, weight in ballots:
        for noun in naming.nouns:
            mass[noun.noun] += noun.p * weight / total
    ranked = sorted(mass.items(), key=lambda pair: -pair[1])[:TOP]
    if not ranked:
        return Elected((), None)
    best = max((naming for naming, _ in ballots), key=lambda one: _said(one, ranked[0][0]))
    thing = certainty.kind(mass.items()) if certainty is not None else None
    return Elected(tuple(ranked), best.vector, thing, _people(named))


def _people(named: Mapping[Picture, Sequence[Naming]]) -> int:
    """The count that pictures agree on most, better views counting more."""
    views: defaultdict[int, float] = defaultdict(float)
    for picture, namings in named.items():
        views[max((naming.people for naming in namings), default=0)] += picture.quality
    return max(views, key=lambda count: (views[count], count))


def _said(naming: Naming, noun: str) -> float:
    """Probability of a noun in one naming, 0 if it is not among its candidates."""
    return next((score.p for score in naming.nouns if score.noun == noun), 0.0)
