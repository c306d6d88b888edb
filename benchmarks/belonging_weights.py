"""Do weights of answered events tell better than the rule whether things belong? What does it cost?

Of each of twenty sites as `benchmarks.belonging` has them the stamps of half of the nouns, and a
third of the same blurred, are answered as people answer events, and weights are fitted to them as
`nomaly calibrate --events` does. Weights, where they are used, and the rule are then tried on
stamps of the other half of the nouns. What weights may ask of looks and of levels is not there.
Nothing of the fit was chosen on these stamps. Intervals: 5% to 95% of the sites.

With `--cost`: how long it takes to name a crop, and to say of an event whether it belongs, by a
calibrated site with weights; both in turn, in one run.

    python -m benchmarks.belonging_weights [--json] [--cost] [--bundle FOLDER]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from app.events.event import Event
from app.unknown.site import Site
from app.watching.holding import Holding
from app.watching.namer import Elected, Words
from benchmarks.belonging import SITES, evidence, over_sites, share_of, things, word_of
from benchmarks.naming import find_stamps
from benchmarks.naming_truth import Thing, crops_of, plain_model
from benchmarks.timing import side_by_side
from calibration.belonging import WORDS, Belonging, Evidence, Word, decide
from calibration.site.calibrated import Bindings, calibrated
from calibration.site.crops import Crops
from calibration.site.weights import Answered, Weight, Weights, fit_weights, seen_of
from detectors.types import Box
from novic.bundle import load_bundle
from novic.certainty import SCALED, Certainty
from novic.embedder import Pixels
from novic.model import NounModel, starter_bundle_path
from scenarios.belonging_rule import BelongingRule

NOTHING = Evidence((), 1.0)
EVENTS, RUNS = 10, 40
"""Events told, and how often, of which a median is taken."""


def answers(
    seed: int, sharp: Sequence[Thing], hidden: Sequence[Thing], certainty: Certainty
) -> tuple[list[Answered], list[Answered]]:
    """Events of a site that were answered, and those of the other nouns."""
    rng = np.random.default_rng(seed)
    nouns = sorted({thing.truth.noun for thing in sharp})
    order = [nouns[number] for number in rng.permutation(len(nouns))]
    own, asked = set(order[::2]), set(order[: len(order) // 2])
    site = Site(sorted(own))
    shown = [(one, False) for one in sharp] + [(one, True) for one in hidden[::3]]
    parts: tuple[list[Answered], list[Answered]] = ([], [])
    for time_us, number in enumerate(rng.permutation(len(shown))):
        thing, blurred = shown[number]
        noun = thing.truth.noun
        word: Word = "unknown" if blurred else word_of(thing, own)
        known = evidence(thing, certainty, site)
        one = Answered(time_us, word, seen_of(known, BelongingRule()), decide(known))
        parts[noun not in asked].append(one)
    return parts


def at_site(answered: Sequence[Answered], others: Sequence[Answered]) -> dict[str, float]:
    """Figures of one site."""
    weights = fit_weights(answered).weights
    by_rule = [one.by_rule for one in others]
    told = by_rule
    if weights is not None:
        shares = [weights.shares(one.seen, one.by_rule.shares) for one in others]
        told = [decide(replace(NOTHING, weighed=one)) for one in shares]
    figures = {"answered events": float(len(answered)), "weights are used": float(told != by_rule)}
    for name, some in (("rule", by_rule), ("weights", told)):
        figures |= {f"{name}: {key}": value for key, value in _figures(some, others).items()}
    return figures


def _figures(told: Sequence[Belonging], others: Sequence[Answered]) -> dict[str, float]:
    truth: list[Word] = [one.word for one in others]
    words = [one.word for one in told]
    losses = [
        -np.log(max(0.01, share_of(one, word))) for one, word in zip(told, truth, strict=True)
    ]
    right = {
        f"{word} told so": float(
            np.mean([one == word for one, true in zip(words, truth, strict=True) if true == word])
        )
        for word in WORDS
    }
    score = float(f1_score(truth, words, average="macro", labels=WORDS))
    return {"macro-F1": score, "log loss": float(np.mean(losses)), **right}


def cost(model: NounModel, crops: Sequence[Pixels]) -> dict[str, float]:
    """Milliseconds of naming a crop, and of all that decides whether an event belongs."""
    named = model.name(crops, SCALED)
    rng = np.random.default_rng(0)
    looks = np.stack([one.vector for one in named])
    normal = looks[rng.integers(len(looks), size=512)] + rng.normal(0, 0.02, (512, looks.shape[1]))
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    at_s, half = np.sort(rng.uniform(0, 3600, 512)), np.full(512, 0.5)
    seen = Crops(normal.astype(np.float32), half, half, at_s, (1e6 * at_s).astype(np.int64))
    weight = Weight(0.0, 1.0, (0.1, 0.2, 0.3))
    asked: dict[str, Weight] = dict.fromkeys(
        ("rest", "dictionary", "kind", "looks", "level"), weight
    )
    weights = Weights(WORDS, asked, (0.0, 0.0, 0.0), 0.1, 50)
    site = replace(calibrated(Bindings("", "", ""), seen, 3600.0)[0], weights=weights)
    words = replace(Words.of(model, Holding(site)), frequency=lambda _: 5.0)
    best = tuple((one.noun, one.p) for one in named[0].nouns[:5])
    elected = Elected(best, named[0].vector, rest=1 - sum(p for _, p in best))
    event = Event("a", "", "closed", 0, 1, 0, 1, Box(0, 0, 9, 9), (99, 99), 2, 9, bar=1.2, level=2)
    told = words.named(event, elected).belongs
    if told is None or told.by != "weights":
        raise SystemExit("weights do not decide, so nothing can be timed")
    naming, verdicts, _ = side_by_side(
        lambda: model.name(crops[:2], SCALED),
        lambda: [words.named(event, elected).belongs for _ in range(EVENTS)],
        RUNS,
    )
    return {"name a crop, ms": 1000 * naming / 2, "tell an event, ms": 1000 * verdicts / EVENTS}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--bundle", type=Path, default=starter_bundle_path())
    told = parser.parse_args()
    model = plain_model(told.bundle)
    if told.cost:
        found = find_stamps(frozenset(model.bundle.tokens.nouns))[:32]
        figures = cost(model, [crop for crops in crops_of(found, afar=False) for crop in crops])
        for name, value in figures.items():
            print(f"{name:<24} {value:.3f}")
        return
    sharp, hidden = things(model)
    certainty = load_bundle(told.bundle).certainty
    sites = [at_site(*answers(seed, sharp, hidden, certainty)) for seed in range(SITES)]
    rows = over_sites(sites)
    if told.json:
        print(json.dumps(rows))
        return
    for name, (mean, low, high) in rows.items():
        print(f"{name:<28} {mean:.3f}  [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
