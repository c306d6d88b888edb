"""Frequencies of spellings that sum to a noun's frequency exactly (scenarios_spec §3.2).

Upstream scales and rounds each spelling by itself and lifts zeros to 1, so a noun with three
spellings is above threshold 2 whatever its rating. Here the sum is what was asked for, and a
spelling without a share is removed.
"""

from collections.abc import Sequence
from dataclasses import replace

from scenarios.dictionary import NounEntry


def split_total(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number in proportion to weights, by largest remainder (Hamilton's method).

    Every part is its exact share rounded down, or up for those with the largest remainders; of
    equal remainders the first listed are rounded up.

    Args:
        total: At least 0.
        weights: At least 0 each, not all 0.

    Returns:
        Parts in the order of the weights; they sum to `total`.
    """
    whole = sum(weights)
    parts, remainders = zip(*(divmod(total * weight, whole) for weight in weights), strict=True)
    by_remainder = sorted(range(len(weights)), key=lambda place: -remainders[place])
    up = set(by_remainder[: total - sum(parts)])
    return [part + (place in up) for place, part in enumerate(parts)]


def with_frequency(entry: NounEntry, total: int) -> tuple[NounEntry, tuple[str, ...]]:
    """A noun with its spellings' frequencies split anew, in proportion to those it has.

    Of equal claims the target noun's own spelling comes first, then singulars, then plurals.

    Args:
        entry: The noun.
        total: Frequency of all spellings together, at least 1.

    Returns:
        The noun, and the spellings that got nothing and are gone from it, singulars first; one
        that is both singular and plural may be gone as one of them only.
    """
    variants = [*entry.variants("singular"), *entry.variants("plural")]
    singulars = len(entry.singulars)
    order = sorted(range(len(variants)), key=lambda place: variants[place][0] != entry.target_noun)
    parts = split_total(total, [variants[place][1] for place in order])
    split = [(variants[place][0], part) for place, part in sorted(zip(order, parts, strict=True))]
    kept_singulars = [(word, freq) for word, freq in split[:singulars] if freq]
    kept_plurals = [(word, freq) for word, freq in split[singulars:] if freq]
    changed = replace(
        entry,
        singulars=tuple(word for word, _ in kept_singulars),
        plurals=tuple(word for word, _ in kept_plurals),
        singulars_freq=tuple(freq for _, freq in kept_singulars),
        plurals_freq=tuple(freq for _, freq in kept_plurals),
    )
    return changed, tuple(word for word, freq in split if not freq)
