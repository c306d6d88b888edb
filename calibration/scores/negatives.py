"""Which nouns may stand for what does not belong to a site (ood_spec §1.9).

A negative noun that means something of the site makes normal things unknown, so what is spelt like,
looks like or is a kind of a site's noun is left out first. Of many candidates those far from all of
the site's nouns are kept (NegMining, Jiang et al. 2024).
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.scores.protocol import Ints, ScoreError, unit_rows
from novic import vocabulary

ALIKE = 0.95
"""Cosine from which on two nouns mean the same (CSP's rule)."""
SHARE, QUANTILE = 0.15, 0.95
MANY = 5000
"""Of fewer candidates mining takes more than it gives."""


def canonical(noun: str) -> str:
    """A noun in small letters, without dots and apostrophes, its words apart by one space."""
    plain = noun.replace("_", " ").replace("’", "")  # noqa: RUF001 - the typographic one, too
    return vocabulary.canonical(plain)


def spellings(noun: str) -> frozenset[str]:
    """The canonical form and what its plural or singular may be, by English endings."""
    one = canonical(noun)
    found = {one, f"{one}s", f"{one}es"}
    if one.endswith("y"):
        found.add(f"{one[:-1]}ies")
    if one.endswith("ies"):
        found.add(f"{one[:-3]}y")
    if one.endswith("es"):
        found.add(one[:-2])
    if one.endswith("s") and not one.endswith("ss"):
        found.add(one[:-1])
    return frozenset(found)


def foreign(
    candidates: Sequence[str],
    site: Sequence[str],
    vectors: NDArray[np.floating],
    site_vectors: NDArray[np.floating],
    aliases: Collection[str] = (),
    related: Callable[[str], bool] = lambda _: False,
) -> Ints:
    """Numbers of the candidates that mean nothing of the site's, ascending.

    Args:
        candidates: M nouns.
        site: P nouns of the site.
        vectors: Of the candidates [M, F].
        site_vectors: Of the site's nouns [P, F].
        aliases: Other names of the site's nouns.
        related: Whether a noun is a kind of one of the site's nouns, or the other way round.

    Raises:
        ScoreError: If nouns and vectors do not match.
    """
    rows, own = unit_rows("negatives", vectors), unit_rows("negatives", site_vectors)
    if len(rows) != len(candidates) or len(own) != len(site) or rows.shape[1] != own.shape[1]:
        raise ScoreError(
            f"negatives: {len(candidates)} and {len(site)} nouns need as many vectors of one "
            f"width, these are {list(rows.shape)} and {list(own.shape)}"
        )
    taken = frozenset().union(*map(spellings, [*site, *aliases]))
    far = (rows @ own.T).max(axis=1) < ALIKE
    kept = [
        number
        for number, noun in enumerate(candidates)
        if far[number] and canonical(noun) not in taken and not related(noun)
    ]
    return np.array(kept, np.int64)


def mined(
    vectors: NDArray[np.floating],
    site_vectors: NDArray[np.floating],
    share: float = SHARE,
    quantile: float = QUANTILE,
    least: int = MANY,
) -> Ints:
    """Numbers of the candidates that are farthest from the site's nouns, ascending.

    Args:
        vectors: Of candidates [M, F].
        site_vectors: Of the site's nouns [P, F].
        share: Of the candidates that is kept.
        quantile: Of its cosines to the site's nouns, how near a candidate is.
        least: All are kept of fewer candidates than these.
    """
    if len(vectors) < least:
        return np.arange(len(vectors))
    if not (0 < share <= 1 and 0 <= quantile <= 1):
        raise ScoreError(f"negatives: share {share} and quantile {quantile} must be from 0 to 1")
    near = np.quantile(
        unit_rows("negatives", vectors) @ unit_rows("negatives", site_vectors).T, quantile, axis=1
    )
    kept = max(1, round(share * len(near)))
    return np.sort(np.argsort(near, kind="stable")[:kept])
