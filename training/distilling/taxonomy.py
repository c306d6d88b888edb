"""How far apart meanings are, and what a classifier would answer for a picture of each.

Distance after Jiang and Conrath 1997 (arXiv cmp-lg/9709008):
JC(a, b) = IC(a) + IC(b) - 2 IC(their most informative common ancestor), where the information
content IC of a meaning is -log of the share of the dictionary's meanings that lie under it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

CLASS_UNDER = 0.3
"""Shrinks the distance to classes that are a kind of the meaning: a frog is one of the three frog
classes, not something like them."""


def distances(
    ancestors: Mapping[int, Sequence[int]], meanings: Sequence[int], classes: Sequence[int]
) -> NDArray[np.float32]:
    """Jiang-Conrath distances from every meaning to every class.

    Args:
        ancestors: Of every meaning and class, the ids of all it is a kind of.
        meanings: Ids of the dictionary's meanings, S of them; information is counted over these.
        classes: Ids of the classifier's classes, K of them; each must be among the meanings.

    Returns:
        Distances [S, K], from 0; those to classes under a meaning are shrunk by CLASS_UNDER.
    """
    meanings_under, classes_under = _under(ancestors, meanings), _under(ancestors, classes)
    content = {
        node: np.log(len(meanings)) - np.log(len(below)) for node, below in meanings_under.items()
    }
    shared = np.zeros((len(meanings), len(classes)), dtype=np.float32)
    # From the general to the special: what is written last is the most informative ancestor.
    for node in sorted(content, key=content.__getitem__):
        if node in classes_under:
            shared[np.ix_(meanings_under[node], classes_under[node])] = content[node]
    of_meaning = np.array([content[m] for m in meanings], dtype=np.float32)
    of_class = np.array([content[c] for c in classes], dtype=np.float32)
    found = np.maximum(of_meaning[:, None] + of_class[None, :] - 2 * shared, 0.0)
    for row, meaning in enumerate(meanings):
        found[row, classes_under.get(meaning, [])] *= CLASS_UNDER
    return found


def simulated_answers(
    jiang_conrath: NDArray[np.float32], sharpness: float = 1.0
) -> NDArray[np.float32]:
    """What the classifier would answer for a picture of each meaning: P(c | s) ~ exp(-JC / tau).

    Args:
        jiang_conrath: Distances [S, K].
        sharpness: 1 / tau.

    Returns:
        Rows that sum to 1 [S, K].
    """
    weights = np.exp(-sharpness * (jiang_conrath - jiang_conrath.min(axis=1, keepdims=True)))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _under(ancestors: Mapping[int, Sequence[int]], ids: Sequence[int]) -> dict[int, list[int]]:
    """For every node the places in `ids` of itself and all that is a kind of it."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, member in enumerate(ids):
        for node in (member, *ancestors[member]):
            found[node].append(place)
    return dict(found)
