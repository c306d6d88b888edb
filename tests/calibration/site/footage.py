"""Crops of a camera, and what people said of its events, drawn from simple laws."""

import numpy as np

from calibration.belonging import WORDS, Belonging
from calibration.site.calibrated import Bindings
from calibration.site.confirmed import Confirmed
from calibration.site.crops import Crops
from calibration.site.weights import Answered
from novic.vocabulary import NounScore

BOUND = Bindings("d" * 64, "starter", "e" * 64, "f" * 64)
WIDTH = 12


def vectors(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Unit vectors around one direction; `shift` turns them away from it."""
    rng = np.random.default_rng(seed)
    middle = np.zeros(WIDTH)
    middle[0], middle[1] = 1.0, shift
    rows = middle + rng.normal(0, 0.2, (count, WIDTH))
    return (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32)


def crops(count: int, seed: int = 0, length_s: float = 3600.0) -> Crops:
    """As a calm hour gives them."""
    rng = np.random.default_rng(seed + 1)
    at_s = np.sort(rng.uniform(0, length_s, count))
    top_p = rng.uniform(0.1, 0.9, count)
    rest = (1 - top_p) * rng.uniform(0.2, 0.9, count)
    return Crops(vectors(count, seed), top_p, rest, at_s, (1e6 * at_s).astype(np.int64))


def confirmed(count: int, seed: int = 0, power: float = 0.4) -> list[Confirmed]:
    """Events whose p is far too high: the truth follows p ** power."""
    rng = np.random.default_rng(seed)
    nouns = ("cat", "dog", "bin", "cart", "bird")
    events = []
    for number in range(count):
        logits = rng.normal(0, 4, len(nouns) + 1)
        p = np.exp(logits) / np.exp(logits).sum()
        true = np.exp(power * logits) / np.exp(power * logits).sum()
        drawn = int(rng.choice(len(nouns) + 1, p=true))
        order = np.argsort(-p[:-1])
        candidates = tuple(NounScore(nouns[i], float(p[i])) for i in order)
        noun = nouns[drawn] if drawn < len(nouns) else "kite"
        events.append(Confirmed(f"{number}", number * 60_000_000, candidates, 2.0, noun))
    return events


def answered(count: int, seed: int = 0, unknown: float = 0.1, tells: float = 1.5) -> list[Answered]:
    """Events of which people said what they were, and whose rule knows nothing of that.

    Args:
        count: How many, a minute apart.
        seed: Of what is drawn.
        unknown: Share of unknown ones; two thirds of the others are expected.
        tells: How far the dictionary's share tells expected from unexpected, in spreads.
    """
    rng = np.random.default_rng(seed)
    known = 1 - unknown
    events = []
    for number in range(count):
        word = WORDS[int(rng.choice(3, p=[known * 2 / 3, known / 3, unknown]))]
        side = {"expected": tells, "unexpected": -tells, "unknown": 0.0}[word]
        seen = {
            "rest": float(rng.normal(3 if word == "unknown" else -1)),
            "dictionary": float(rng.normal(side)),
            "kind": float(rng.normal()),
            "level": float(abs(rng.normal())),
        }
        shares = [float(one) for one in rng.dirichlet([1, 1, 1])]
        best = WORDS[int(np.argmax(shares))]
        told = Belonging(best, shares[0], shares[1], shares[2], 2, "drawn")
        events.append(Answered(number * 60_000_000, word, seen, told))
    return events
