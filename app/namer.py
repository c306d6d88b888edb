"""Names tracks by their pictures: one batch for all crops, then a vote in each track."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from app.evidence import Picture
from detectors.types import Pixels
from novic.model import NounScore

TOP = 5
"""Candidates kept for an event."""
VOTERS = 10
"""Candidates of every crop that take part in the vote."""


class Names(Protocol):
    """Whatever names images; `novic.model.NounModel` does."""

    def name(self, images: Sequence[Pixels], top: int = 5) -> list[list[NounScore]]:
        """Candidates of each image, best first."""
        ...


def name_tracks(model: Names, tracks: Sequence[Sequence[Picture]]) -> list[list[tuple[str, float]]]:
    """Name tracks.

    Args:
        model: Names images.
        tracks: The pictures of each track.

    Returns:
        For each track at most TOP nouns with probabilities, best first.
    """
    crops = [crop for pictures in tracks for picture in pictures for crop in picture.crops]
    named = iter(model.name(crops, VOTERS)) if crops else iter(())
    return [
        vote(
            [next(named) for picture in pictures for _ in picture.crops],
            [picture.quality for picture in pictures for _ in picture.crops],
        )
        for pictures in tracks
    ]


def vote(
    candidates: Sequence[Sequence[NounScore]], weights: Sequence[float]
) -> list[tuple[str, float]]:
    """Mean probability of every noun over the crops of a track, better views counting more.

    Args:
        candidates: Candidates of each crop.
        weights: Weight of each crop, above 0.

    Returns:
        At most TOP (noun, probability), best first.
    """
    total = sum(weights)
    mass: defaultdict[str, float] = defaultdict(float)
    for nouns, weight in zip(candidates, weights, strict=True):
        for noun in nouns:
            mass[noun.noun] += noun.p * weight / total
    return sorted(mass.items(), key=lambda pair: -pair[1])[:TOP]
