"""Frequencies from a mere order: what a rater that only ranks makes of a dictionary."""

from collections.abc import Mapping

from scenarios.dictionary import ObjectDictionary
from scenarios.ratings.scale import log_odds, rating_of

LEAST_P = 0.001
"""Bounds of probabilities that stand for ranks."""


def ranked(values: Mapping[str, float], dictionary: ObjectDictionary) -> dict[str, float]:
    """Log-odds that only keep the order of the prior's values, for a site's frequencies.

    Too few examples are known for more: the values of most words lie together in a place that says
    nothing of how many of them are seen. So the likeliest noun gets the rating that stands for the
    highest frequency of the dictionary, the next one that of the next, and so on: a site has as
    many nouns above each threshold as the one it is made from.

    Args:
        values: Decision values, or log-odds, by noun.
        dictionary: Where the frequencies are from.

    Returns:
        Log-odds by noun of `values`.
    """
    order = sorted(values, key=lambda noun: (-values[noun], noun))
    totals = sorted((entry.total_freq for entry in dictionary.entries), reverse=True)
    return {
        noun: log_odds(min(max((rating_of(total) - 1) / 9, LEAST_P), 1 - LEAST_P))
        for noun, total in zip(order, totals, strict=False)
    }
