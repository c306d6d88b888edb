"""A rated site as small as a hand."""

from pathlib import Path

from app.sites.review.session import ReviewSession
from scenarios.overlay import Overlay
from scenarios.ratings.result import NounRating, SiteRatings


def rated(
    noun: str,
    rating: float,
    total: int,
    base_total: int,
    flags: tuple[str, ...] = (),
    excluded: str | None = None,
) -> NounRating:
    return NounRating(
        target_noun=noun,
        logit=0.0,
        p=0.5,
        rating=rating,
        total=total,
        base_total=base_total,
        opinions=1,
        raters=("local",),
        flags=flags,
        removed_variants=(),
        excluded=excluded,
    )


SITE = SiteRatings(
    "hall",
    "A hall in which aeroplanes are built.",
    {},
    (
        rated("airplane", 9.9, 37, 9),
        rated("apple", 2.0, 2, 12),
        rated("cow", 1.0, 1, 12),
        rated("cowl", 6.0, 14, 1, ("estimated",)),
        rated("rivet", 8.0, 24, 2),
        rated("slur", 5.0, 0, 3, (), "the overlay excludes it"),
    ),
)


def site_session(folder: Path) -> ReviewSession:
    return ReviewSession(SITE, Overlay(), folder / "overlay.yaml")
