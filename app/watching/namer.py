"""Names tracks by their pictures: one batch for all crops, then a vote in each track."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from app.events.event import Picture
from detectors.types import Pixels
from novic.vocabulary import Naming

TOP = 5
"""Candidates kept for an event."""
VOTERS = 10
"""Candidates of every crop that take part in the vote."""


class Names(Protocol):
    """Whatever names images; `novic.model.NounModel` does."""

    def name(self, images: Sequence[Pixels], top: int = 5) -> list[Naming]:
        """What each image was named, up to `top` candidates."""
        ...


def name_pictures(model: Names, pictures: Sequence[Picture]) -> None:
    """Name pictures that have no nouns yet, all their crops in one batch.

    Args:
        model: Names images.
        pictures: Each picture's `nouns` are filled in, one list a crop.
    """
    new = [picture for picture in pictures if not picture.nouns]
    crops = [crop for picture in new for crop in picture.crops]
    named = iter(model.name(crops, VOTERS)) if crops else iter(())
    for picture in new:
        picture.nouns.extend(list(next(named).nouns) for _ in picture.crops)


def vote(pictures: Sequence[Picture]) -> list[tuple[str, float]]:
    """Mean probability of every noun over the crops of a track, better views counting more.

    Args:
        pictures: Named pictures of one track.

    Returns:
        At most TOP (noun, probability), best first.
    """
    ballots = [(nouns, picture.quality) for picture in pictures for nouns in picture.nouns]
    total = sum(weight for _, weight in ballots)
    mass: defaultdict[str, float] = defaultdict(float)
    for nouns, weight in ballots:
        for noun in nouns:
            mass[noun.noun] += noun.p * weight / total
    return sorted(mass.items(), key=lambda pair: -pair[1])[:TOP]
