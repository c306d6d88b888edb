"""Do few digits agree with one-noun-three-opinions ratings as well as those agree with themselves?

A simulated rater. Every noun has true log-odds L, normal with mean -2.5 and sd 2: a tenth is above
0. Our scale is worded in steps of log-frequency, so its true digit is 5 + L. The other protocol
(scenarios_spec §3.1) has three opinions with two ratings from 1 to 10 each, likely, 1 + 9 s(L), and
conceivable, 1 + 9 s(L + 3), with s the logistic function, combined as upstream does. Each judgement
is off by a normal error (sd 0.8 steps of its scale), each request by another (sd 0.3), and is then
rounded and cut to the scale. `floor` is a harder case for us: L - 2.5, so that most nouns are
impossible and get 0. Repeatability is the rank correlation of two runs of the other protocol.

    python -m benchmarks.rating_agreement [--nouns N] [--json]
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from scenarios.llm.transport import ChatRequest, Reply, Way
from scenarios.raters.digits.prompts import digit_question
from scenarios.raters.digits.rounds import digit_scores, rate_by_digits
from scenarios.ratings.records import Line, Place
from scenarios.ratings.store import RatingStore

NOUN_ERROR = 0.8
REQUEST_ERROR = 0.3

type Floats = NDArray[np.float64]


class SimulatedRater:
    """Answers with digits, each off by errors. Implements `Transport`."""

    backend: Way = "direct"

    def __init__(self, truth: Mapping[str, float], drawn: np.random.Generator) -> None:
        self.lines = 0
        self._truth, self._drawn = truth, drawn

    def highest_cost(self, request: ChatRequest) -> float:
        """Free."""
        del request
        return 0.0

    def ask(self, requests: Iterable[ChatRequest], take: Callable[[Reply], None]) -> None:
        """Answer all."""
        for request in requests:
            rows = request.body["messages"][1]["content"].splitlines()
            named = dict(row.split(" ", 1) for row in rows)
            true = np.array([self._truth[noun] for noun in named.values()])
            off = self._drawn.normal(0, REQUEST_ERROR) + self._drawn.normal(
                0, NOUN_ERROR, len(true)
            )
            digits = np.clip(np.rint(true + off), 0, 9).astype(int).tolist()
            self.lines += len(digits)
            take(Reply(request.request_id, json.dumps(dict(zip(named, digits, strict=True)))))


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nouns", type=int, default=5000)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    result = {
        "usual": simulate(arguments.nouns, seed=0),
        "floor": simulate(arguments.nouns, seed=0, mean=-5.0),
    }
    if not arguments.json:
        for case, row in result.items():
            for name, value in row.items():
                print(f"{case:<6} {name:<22} {value:.4f}")
    print(json.dumps(result))


def simulate(nouns: int, seed: int, mean: float = -2.5) -> dict[str, float]:
    """Rank correlations of both protocols with each other, themselves and the truth."""
    drawn = np.random.default_rng(seed)
    true = drawn.normal(mean, 2, nouns)
    names = [f"noun {number}" for number in range(nouns)]
    seen, never = [f"seen {n}" for n in range(10)], [f"never {n}" for n in range(10)]
    truth = dict(zip(names, (5 + true).tolist(), strict=True))
    truth |= dict.fromkeys(seen, 7.0) | dict.fromkeys(never, 0.5)
    place = Place("A simulated place.", tuple(seen), tuple(never))
    question = digit_question("simulated", place)
    rater = SimulatedRater(truth, drawn)
    with (
        tempfile.TemporaryDirectory() as folder,
        RatingStore(Path(folder) / "ratings.sqlite") as store,
    ):
        lines = [Line(name, name) for name in names]
        rate_by_digits(store, question, place, lines, rater, seed=seed)
        scores = digit_scores(store, question, names)
        asked = store.spent(question).requests
    ours = np.array([scores.nouns.get(name, np.nan) for name in names])
    first, second = one_by_one(true, drawn), one_by_one(true, drawn)
    repeatability, agreement = ranks(first, second), ranks(ours, first)
    return {
        "opinions": float(np.mean([scores.opinions.get(name, 0) for name in names])),
        "lines_per_noun": rater.lines / nouns,
        "requests": float(asked),
        "unrated": float(np.mean(np.isnan(ours))),
        "repeatability": repeatability,
        "agreement": agreement,
        "share_of_repeatability": agreement / repeatability,
        "truth_ours": ranks(ours, true),
        "truth_one_by_one": ranks(first, true),
    }


def one_by_one(true: Floats, drawn: np.random.Generator) -> Floats:
    """Upstream's rating of each noun, 1 to 10: (2 likely + conceivable) / 3, means of three."""
    total = np.zeros(len(true))
    for _ in range(3):
        request = drawn.normal(0, REQUEST_ERROR, len(true))
        for shift, weight in ((0, 2), (3, 1)):
            meant = 1 + 9 / (1 + np.exp(-true - shift))
            off = request + drawn.normal(0, NOUN_ERROR, len(true))
            total += weight * np.clip(np.rint(meant + off), 1, 10) / 9
    return total


def ranks(one: Floats, other: Floats) -> float:
    """Spearman's rank correlation over the nouns that both rated."""
    both = ~(np.isnan(one) | np.isnan(other))
    return float(np.asarray(spearmanr(one[both], other[both]))[0])


if __name__ == "__main__":
    main()
