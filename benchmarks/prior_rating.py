"""How quick and how good is a rating without any language model?

Seconds for rating 40,000 nouns once their word vectors are cached, and how well 10 or 20 examples
of each kind, drawn from the hand-labelled nouns of both presets, order the other labelled nouns.
The nouns come from WordNet. The first time their texts, four a noun, are embedded: 8.5 CPU-ms a
text (scenarios_spec §4), that is 23 CPU-minutes.

    python -m benchmarks.prior_rating [--json] [--nouns N] [--vectors FOLDER]
"""

import argparse
import json
import re
import time
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from novic.vocabulary import canonical
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.paths import vectors_folder
from scenarios.raters.vectors.nouns import Embed, noun_vectors, text_vectors
from scenarios.raters.vectors.prior import Prior, rate_by_prior
from scenarios.ratings.records import Place
from scenarios.ratings.scale import auc
from scenarios.wordnet import read_wordnet

PRESETS = ("airbus", "nicol")
DRAWS = 30
SCALE_NOUNS = 3000
"""Nouns beside the labelled ones, for the spread of each axis."""
KINDS = frozenset({"animal", "artifact", "body", "food", "object", "plant"})
"""Lexicographer files that the nouns come from."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How quick and good is the prior?")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    parser.add_argument("--nouns", type=int, default=40_000)
    parser.add_argument("--vectors", type=Path, default=vectors_folder(), help="their cache")
    args = parser.parse_args()
    embed = partial(text_vectors, folder=args.vectors)
    dictionary = wordnet_nouns(args.nouns)
    result: dict[str, float] = {"nouns": args.nouns}
    table = Table("", "airbus", "nicol")
    priors = {preset: prior_among(preset, dictionary, args.vectors, embed) for preset in PRESETS}
    for examples in (10, 20):
        cells = []
        for preset, prior in priors.items():
            found = np.array([one_auc(prior, preset, examples, draw) for draw in range(DRAWS)])
            result[f"{preset}_auc_{examples}"] = round(float(found.mean()), 4)
            result[f"{preset}_sd_{examples}"] = round(float(found.std()), 4)
            cells.append(f"{found.mean():.3f} ± {found.std():.3f}")
        table.add_row(f"AUC, {examples} + {examples} examples", *cells)
    result |= seconds(dictionary, args.vectors, embed)
    if not args.json:
        Console().print(table)
        print(f"{args.nouns} nouns: {result['cpu_seconds']} CPU-s, {result['wall_seconds']} s")
    print(json.dumps(result))


def prior_among(preset: str, others: ObjectDictionary, folder: Path, embed: Embed) -> Prior:
    """A preset's prior over its labelled nouns and some of a dictionary, which set the scales."""
    step = max(1, len(others.targets) // SCALE_NOUNS)
    nouns = {*others.targets[::step], *(noun for kind in labels(preset) for noun in kind)}
    vectors = noun_vectors(dictionary_of([*nouns]), folder)
    return Prior(vectors, description(preset), embed)


def one_auc(prior: Prior, preset: str, examples: int, draw: int) -> float:
    """AUC of the labelled nouns that this draw did not make examples."""
    random = np.random.default_rng(draw)
    drawn = [random.permutation(nouns).tolist() for nouns in labels(preset)]
    values = prior.scores(drawn[0][:examples], drawn[1][:examples]).nouns
    held_out = [[values[noun] for noun in kind[examples:]] for kind in drawn]
    return auc(held_out[0], held_out[1])


def description(preset: str) -> str:
    """What a preset says of its site."""
    file = files("scenarios") / "library" / preset / "scenario.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))["description"]


def labels(preset: str) -> tuple[list[str], list[str]]:
    """The hand-labelled nouns of a preset: seen and never."""
    file = files("scenarios") / "library" / preset / "labels.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content["seen"], content["never"]


def seconds(dictionary: ObjectDictionary, folder: Path, embed: Embed) -> dict[str, float]:
    """Time of a rating with 10 + 10 examples, reading the cached vectors included."""
    noun_vectors(dictionary, folder)
    # Which nouns are examples makes no difference to the time.
    place = Place(description(PRESETS[0]), dictionary.targets[:10], dictionary.targets[-10:])
    cpu, wall = time.process_time(), time.perf_counter()
    rate_by_prior(place, noun_vectors(dictionary, folder), embed)
    return {
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "wall_seconds": round(time.perf_counter() - wall, 2),
    }


def wordnet_nouns(count: int) -> ObjectDictionary:
    """Every noun of physical things, thinned out evenly to the number asked for."""
    nouns = {
        noun
        for synset in read_wordnet().synsets.values()
        if synset.lexname in KINDS and not synset.instance
        for lemma in synset.lemmas
        if re.fullmatch(r"[0-9a-z]+( [0-9a-z]+)*", noun := canonical(lemma)) and len(noun) > 1
    }
    listed = sorted(nouns)
    if len(listed) < count:
        raise SystemExit(f"--nouns {count}: WordNet has {len(listed)} such nouns, ask for fewer")
    chosen = np.linspace(0, len(listed) - 1, count).astype(int)
    return dictionary_of([listed[number] for number in chosen])


def dictionary_of(nouns: list[str]) -> ObjectDictionary:
    """A dictionary of nouns with a singular each."""
    return ObjectDictionary(
        tuple(
            NounEntry(number, noun, noun, (noun,), (), (1,), ())
            for number, noun in enumerate(sorted(nouns))
        )
    )


if __name__ == "__main__":
    main()
