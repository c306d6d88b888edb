"""Whether the images that were judged are of another kind than those that were learned."""

from collections.abc import Sequence

from scipy.stats import betabinom

from app.inspecting.card import InspectionCard
from app.inspecting.judged import Judged

LEAST = 8
"""Images of which nobody says what they show, that are enough to tell by."""
RARE = 0.01
"""Chance of as many good ones above the threshold, if they were like those learned."""
_WHY = (
    "they differ as a whole from the good images that were learned: other light, another piece "
    "or batch, or learned images that show one piece again and again. Learn from good images that "
    "were taken like these"
)


def told_shift(images: Sequence[Judged], card: InspectionCard) -> str:
    """What is wrong with the verdicts as a whole, in a sentence; empty if nothing is known to be.

    Of n + 1 images that are alike each is as likely the highest; so the share of good images above
    the k-th highest of n is distributed as Beta(k, n + 1 - k), and how many of others lie there is
    beta-binomial.
    """
    judged = [one for one in images if not one.error]
    good = [one for one in judged if one.still.defective is False]
    above = sum(one.unusual for one in good)
    seen = card.image.seen
    rank = max(1, round(card.image.share * (seen + 1)))
    if good and betabinom.sf(above - 1, len(good), rank, seen + 1 - rank) < RARE:
        return (
            f"{above} of {len(good)} good images lie above the threshold, where about "
            f"{100 * card.image.share:.1f}% were expected: {_WHY}."
        )
    nobody_says = all(one.still.defective is None for one in judged)
    if nobody_says and len(judged) >= LEAST and all(one.unusual for one in judged):
        return (
            f"All {len(judged)} images lie above the threshold; unless all are defective, {_WHY}."
        )
    return ""
