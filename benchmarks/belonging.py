"""Are things told as expected, unexpected or unknown that are so?

Each of twenty sites has half of the nouns of the held-out stamps (`benchmarks.naming_truth`) in its
dictionary. Their stamps are expected there, those of the other half are known but unexpected, and
stamps that are blurred until nobody could name them are unknown. Nothing was chosen on them but
what `certainty.json` holds, of the other stamps. Intervals: 5% to 95% of the sites, which share the
pictures, so they are no independent evidence.

* left out / own: by what is told of expected, and by the share of the known alone;
* lacked / own: nouns that the decoder itself lacks, here those left out, by the probability of
  unknown. "silent" forbids it to say them and leaves their probability to nothing; "never heard of"
  shares that out among the others, as a decoder would that was trained without. The first is more,
  the second about what can be reached;

With `--dev` it takes the stamps that things are chosen on.

    python -m benchmarks.belonging [--json] [--dev] [--bundle FOLDER]
"""

import argparse
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter
from sklearn.metrics import f1_score

from app.unknown.site import Site
from benchmarks.naming import find_stamps
from benchmarks.naming_truth import MARGINS, Thing, Truths, crops_of, folder_of, of_dev, plain_model
from calibration.belonging import WORDS, Belonging, Evidence, Word, decide
from calibration.ranking import auroc
from novic.bundle import load_bundle
from novic.certainty import SCALED, Certainty
from novic.decode import NounDecoder
from novic.embedder import Pixels
from novic.gencfg import GenConfig
from novic.guides import read_guide
from novic.model import NounModel, starter_bundle_path

SITES = 20
LACKING = 6
"""Sites of which a decoder lacks nouns, which takes longer."""
BLURRED = 0.15
"""Radius of the blur over the longer side of a crop."""


def blurred(crop: Pixels) -> Pixels:
    """A crop in which nothing can be made out."""
    radius = BLURRED * max(crop.shape[:2])
    return np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(radius)))


def things(model: NounModel, *, dev: bool = False) -> tuple[list[Thing], list[Thing]]:
    """The held-out stamps, or those that things are chosen on, and the same blurred."""
    every = find_stamps(frozenset(model.bundle.tokens.nouns))
    found = [one for one in every if of_dev(one.noun) == dev]
    truths = Truths()
    shown = [truths.of(one.noun, folder_of(one)) for one in found]
    crops = [crop for crops in crops_of(found, afar=False) for crop in crops]
    told = []
    for pictures in (crops, [blurred(crop) for crop in crops]):
        named = iter(model.name(pictures, SCALED))
        told.append([Thing(one, False, tuple(next(named) for _ in MARGINS)) for one in shown])
    return told[0], told[1]


def evidence(thing: Thing, certainty: Certainty, site: Site) -> Evidence:
    """What is known of a thing at a site."""
    mass = sorted(thing.mass(certainty.scaling).items(), key=lambda one: -one[1])
    nouns = tuple((noun, p, 10.0 if site.holds(noun) else 0.0) for noun, p in mass[:5])
    kind = certainty.kind(mass)
    rest = max(0.0, 1 - sum(p for _, p, _ in nouns))
    return Evidence(nouns, rest, 0.0 if kind is None else kind.p)


def at_site(
    seed: int, sharp: Sequence[Thing], hidden: Sequence[Thing], certainty: Certainty
) -> dict[str, float]:
    """Figures of one site."""
    rng = np.random.default_rng(seed)
    nouns = sorted({thing.truth.noun for thing in sharp})
    own = {nouns[number] for number in rng.permutation(len(nouns))[: len(nouns) // 2]}
    site = Site(sorted(own))
    told = [decide(evidence(thing, certainty, site)) for thing in (*sharp, *hidden)]
    truth: list[Word] = [*(word_of(one, own) for one in sharp), *(WORDS[2] for _ in hidden)]
    unknown = [one.unknown for one in told]
    foreign = [1 - one.expected for one in told]
    share = [one.unexpected / max(one.unexpected + one.expected, 1e-9) for one in told]
    of = {word: [n for n, one in enumerate(truth) if one == word] for word in WORDS}
    known = [*of["expected"], *of["unexpected"]]
    return {
        "unknown / known AUROC": auroc(_at(unknown, known), _at(unknown, of["unknown"])),
        **{
            name: auroc(_at(values, of["expected"]), _at(values, of["unexpected"]))
            for name, values in (
                ("left out / own AUROC", foreign),
                ("left out / own AUROC, of the known", share),
            )
        },
        "log loss, left out and own": float(
            np.mean([-np.log(max(0.01, share_of(told[n], truth[n]))) for n in known])
        ),
        "three-way macro-F1": float(
            f1_score(truth, [one.word for one in told], average="macro", labels=WORDS)
        ),
        **{
            f"{word} told so": float(np.mean([told[n].word == word for n in of[word]]))
            for word in WORDS
        },
    }


def word_of(thing: Thing, own: Collection[str]) -> Word:
    """What a thing that can be seen is at a site, by the site's own nouns."""
    return "expected" if thing.truth.noun in own else "unexpected"


def lacked(
    seed: int, sharp: Sequence[Thing], model: NounModel, certainty: Certainty
) -> dict[str, float]:
    """AUROC of unknown, of nouns that the decoder lacks against others."""
    rng = np.random.default_rng(seed)
    nouns = sorted({thing.truth.noun for thing in sharp})
    own = {nouns[number] for number in rng.permutation(len(nouns))[: len(nouns) // 2]}
    said = [noun for noun in model.bundle.tokens.nouns if noun in own or noun not in nouns]
    decoder = NounDecoder(model.bundle, guide=read_guide(said, model.bundle.tokens))
    site, here = Site(sorted(own)), [thing.truth.noun in own for thing in sharp]
    vectors = np.stack([crop.vector for thing in sharp for crop in thing.crops])
    figures = {}
    ways = {"silent": GenConfig(guide="p"), "never heard of": GenConfig(guide="r")}
    for name, config in ways.items():
        renamed = NounModel(model.embedder, decoder, config)
        answers = iter(renamed.decode(vectors, SCALED))
        again = [replace(one, crops=tuple(next(answers) for _ in one.crops)) for one in sharp]
        told = [decide(evidence(one, certainty, site)).unknown for one in again]
        pairs = list(zip(told, here, strict=True))
        figures[f"lacked / own AUROC, {name}"] = auroc(
            [one for one, known in pairs if known], [one for one, known in pairs if not known]
        )
    return figures


def share_of(told: Belonging, word: Word) -> float:
    """Probability of a word."""
    return told.shares[WORDS.index(word)]


def _at(values: Sequence[float], numbers: Sequence[int]) -> list[float]:
    return [values[number] for number in numbers]


def measure(bundle: Path, *, dev: bool = False) -> dict[str, Any]:
    """Figures over all sites: mean, 5% and 95%."""
    certainty, model = load_bundle(bundle).certainty, plain_model(bundle)
    sharp, hidden = things(model, dev=dev)
    sites = [at_site(seed, sharp, hidden, certainty) for seed in range(SITES)]
    rows = over_sites(sites)
    rows |= over_sites([lacked(seed, sharp, model, certainty) for seed in range(LACKING)])
    return {"stamps": len(sharp), "blurred": len(hidden), "sites": SITES, "figures": rows}


def over_sites(sites: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Mean, 5% and 95% of each figure."""
    rows = {}
    for name in sites[0]:
        values = [site[name] for site in sites]
        low, high = np.quantile(values, (0.05, 0.95))
        rows[name] = [round(float(one), 3) for one in (np.mean(values), low, high)]
    return rows


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--bundle", type=Path, default=starter_bundle_path())
    told = parser.parse_args()
    result = measure(told.bundle, dev=told.dev)
    if told.json:
        print(json.dumps(result))
        return
    print(f"{result['stamps']} stamps, {result['blurred']} blurred, {result['sites']} sites")
    for name, (mean, low, high) in result["figures"].items():
        print(f"{name:<35} {mean:.3f}  [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
