"""How far a site's nouns moved against the base dictionary, and which of them tell most."""

import math
from collections.abc import Iterable, Mapping

from scenarios.ratings.result import NounRating, SiteRatings

SAID = frozenset({"expected", "never_expected", "edited", "locked"})
"""Flags of nouns that a person spoke of: they tell a person nothing new."""


def surprises(ratings: SiteRatings) -> Mapping[str, float]:
    """How much more expected each noun is here than anywhere, in bits.

    log2 of its share of all frequencies here over its share in the base dictionary; nouns that
    either side leaves out count with half a unit, so that every figure is finite.
    """
    here = sum(noun.total for noun in ratings.nouns) or 1
    anywhere = sum(noun.base_total for noun in ratings.nouns) or 1
    return {
        noun.target_noun: bits(noun.total, here, noun.base_total, anywhere)
        for noun in ratings.nouns
    }


def bits(total: int, here: int, base_total: int, anywhere: int) -> float:
    """log2 of a frequency's share of all here over another's share of all anywhere."""
    return math.log2(max(total, 0.5) / here / (max(base_total, 0.5) / anywhere))


def telling(ratings: SiteRatings, most: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The nouns that are most more and most less expected here, but for those a person spoke of.

    Weighed by how often a noun is met anywhere: that a rare word moved tells little.
    """
    moved = surprises(ratings)
    nouns = [noun for noun in ratings.nouns if noun.excluded is None and not SAID & {*noun.flags}]

    def first(places: Iterable[tuple[float, NounRating]]) -> tuple[str, ...]:
        ordered = sorted(places, key=lambda pair: (-pair[0], pair[1].target_noun))
        return tuple(noun.target_noun for weight, noun in ordered[:most] if weight > 0)

    return (
        first((noun.base_total * moved[noun.target_noun], noun) for noun in nouns),
        first((-noun.base_total * moved[noun.target_noun], noun) for noun in nouns),
    )
