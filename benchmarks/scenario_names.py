"""Does a site's decoder name what is typical there more often, and other things less often?

Two decoders are trained in the same way (`app.sites.decoders`, starter embedder): one on a rated
site's dictionary above a threshold, one on as many of the base dictionary's most frequent nouns.
Both name the photographic cut-outs of `benchmarks.naming`, on grey and on photographs. Which of
them are typical of a site and which are never there was written down below by hand, from the
descriptions and the labels alone, before any decoder had been run; the rest is left out as neither.

A cut-out is named right if the noun of its label or another word for it is the best, or among the
five best. A noun that a dictionary lacks cannot be said, which is part of what is measured; how
many labels each dictionary has is told beside it. Intervals are 95% of a paired bootstrap over
cut-outs of the difference, site minus base.

    python -m benchmarks.scenario_names airbus --ft 2 --out FOLDER [--steps N] [--starter] [--json]

With --starter the base decoder is the starter that is shipped: 7,529 nouns, 2,000 steps. Beside
the base decoder stands what it names right when the site's nouns are all that it may say (a guide
list): whether training again brings more than leaving out does.

The same command goes on where it was stopped. Needs a rated scenario and the base dictionary, see
`nomaly scenario rate` and `nomaly scenario dictionary build`.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from app.progress import Reporter
from app.sites.decoders import BuildRequest, build_bundles
from benchmarks.naming import Stamp, backgrounds, composite, find_stamps
from novic.bundle import Bundle, load_bundle
from novic.decode import NounDecoder
from novic.embedder import Pixels, Vectors
from novic.embedders.starter import StarterEmbedder
from novic.guides import read_guide
from novic.model import NounModel, starter_bundle_path
from novic.vocabulary import canonical
from scenarios.dictionary import ObjectDictionary, read_dictionary, write_dictionary
from scenarios.paths import base_dictionary_path
from scenarios.site import find_scenario
from scenarios.wordnet import read_wordnet
from training.texts.nouns import choose_nouns

TYPICAL = {
    "airbus": """airplane, bin, box, button, camera, cap, cup, cylinder, garbage can, glove,
        grinder, hammer, jacket, key, lightbulb, mallet, marker, mug, paintbrush, pants, pen,
        pliers, saw, scissors, shirt, tape, thermometer, toolbox, wheel, wrench""",
    "nicol": """apple, avocado, ball, banana, box, button, camera, cap, car, carrot, cup, eggplant,
        garlic, glass, glove, hammer, hat, key, kettle, lemon, lime, mallet, marker, mug,
        mushroom, onion, orange, paintbrush, pear, pen, pepper, pineapple, pizza, pliers,
        potato, pumpkin, saw, scissors, strawberry, tape, teapot, tennis ball, toolbox,
        wrench""",
}
NEVER = {
    "airbus": """abalone, almond, apricot, badger, balsam, bassoon, bear, beaver, bison, blackbird,
        bull, camel, capybara, caribou, cello, chicken, chimpanzee, cow, crow, cuckoo,
        cymbal, daffodil, deer, dingo, doe, dolphin, donkey, dromedary, drum, duck, echidna,
        electric guitar, elephant, fedora, ferret, flamingo, fox, frog, giraffe, gnu, goat,
        gorilla, grasshopper, guitar, gull, hedgehog, hen, hibiscus, hippopotamus, horse,
        iguana, kangaroo, koala, lettuce, lion, lionfish, lorikeet, magpie, mantis,
        marigold, marmot, mussel, nutcracker, orca, ostrich, otter, owl, peacock, pelican,
        penguin, pig, pumpkin, rabbit, race car, racket, raspberry, rhino, rooster,
        sailboat, sea lion, seahorse, sheep, shrimp, slug, sombrero, spiny lobster,
        squirrel, tiger, toucan, trout, trumpet, turkey, violin, vulture, whale, wild boar,
        wombat, wrasse, yak, zebra""",
    "nicol": """abalone, badger, balsam, bassoon, bison, blackbird, capybara, caribou, cuckoo,
        dingo, doe, dromedary, echidna, ferret, gander, gnu, hibiscus, hornet, iguana, lark,
        lionfish, lorikeet, magpie, marmot, mussel, oak, orca, slug, spiny lobster, thyme,
        trout, vulture, wild boar, wombat, wrasse, yak""",
}
"""Nouns of labels."""

TOPS = (1, 5)
DRAWS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A cut-out's vectors and what counts as its name."""

    noun: str
    right: frozenset[str]
    vectors: Vectors
    """On each background [2, F]."""


def build_base(site_file: Path, base: Path, ft: int, steps: int | None, out: Path) -> Path:
    """Train a base decoder of as many nouns as the site has above the threshold."""
    size = len(read_dictionary(site_file).thresholded(ft).entries)
    base_file = out / "base" / "object_nouns.json"
    base_file.parent.mkdir(parents=True, exist_ok=True)
    write_dictionary(base_file, most_frequent(read_dictionary(base), size))
    return build(base_file, 0, steps, out / "base")


def build(dictionary: Path, ft: int, steps: int | None, folder: Path) -> Path:
    """Train a decoder; gives its folder."""
    order = BuildRequest(folder=folder, dictionary=dictionary, thresholds=(ft,), steps=steps)
    reporter = Reporter()
    with reporter.stages() as tell:
        (built,) = build_bundles(order, tell, reporter.say)
    return built.path


def most_frequent(dictionary: ObjectDictionary, count: int) -> ObjectDictionary:
    """So many nouns of a dictionary, by frequency and then by name."""
    ranked = sorted(dictionary.entries, key=lambda entry: (-entry.total_freq, entry.target_noun))
    chosen = sorted(ranked[:count], key=lambda entry: entry.target_noun)
    return ObjectDictionary(tuple(chosen))


def embed(stamps: Sequence[Stamp]) -> list[Picture]:
    """Vectors of cut-outs, the same for all decoders."""
    embedder, photos, wordnet = StarterEmbedder(), backgrounds(), read_wordnet()
    senses = {noun.text: noun.senses for noun in choose_nouns(wordnet)}
    found = []
    for number, stamp in enumerate(stamps):
        images: list[Pixels] = [
            composite(stamp.path, None),
            composite(stamp.path, photos[number % len(photos)]),
        ]
        synonyms = {
            canonical(lemma)
            for offset, _ in senses.get(stamp.noun, ())
            for lemma in wordnet.synsets[offset].lemmas
        }
        vectors = embedder.embed_images(images)
        found.append(Picture(stamp.noun, frozenset({stamp.noun, *synonyms}), vectors))
    return found


def hits(decoder: NounDecoder, pictures: Sequence[Picture]) -> dict[int, NDArray[np.float64]]:
    """Share of its backgrounds on which each picture is named right [P], for each of TOPS."""
    model = NounModel(StarterEmbedder(), decoder)
    vectors = np.concatenate([picture.vectors for picture in pictures])
    named = [[score.noun for score in one.nouns] for one in model.decode(vectors, max(TOPS))]

    def right(top: int) -> list[bool]:
        return [
            not picture.right.isdisjoint(named[2 * number + scene][:top])
            for number, picture in enumerate(pictures)
            for scene in range(2)
        ]

    return {top: np.array(right(top), dtype=np.float64).reshape(-1, 2).mean(axis=1) for top in TOPS}


def compared(right: Mapping[str, NDArray[np.float64]]) -> dict[str, object]:
    """Shares named right by each decoder, and the paired difference site minus base."""
    difference = right["site"] - right["base"]
    draws = np.random.default_rng(0).integers(len(difference), size=(DRAWS, len(difference)))
    low, high = np.quantile(difference[draws].mean(axis=1), [0.025, 0.975])
    return {
        **{decoder: round(float(share.mean()), 4) for decoder, share in right.items()},
        "difference": round(float(difference.mean()), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
    }


def decoders_of(site: Bundle, base: Bundle) -> dict[str, NounDecoder]:
    """What is compared: both decoders, and the base one held to the site's nouns it knows."""
    guide = read_guide(site.tokens.nouns, base.tokens)
    return {
        "site": NounDecoder(site),
        "base": NounDecoder(base),
        "restricted": NounDecoder(base, guide=guide),
    }


def measure(name: str, site: Path, base: Path) -> dict:
    """Compare two decoders on both kinds of cut-outs."""
    labels = load_bundle(starter_bundle_path()).tokens.nouns
    stamps = find_stamps(frozenset(labels))
    if not stamps:
        sys.exit("no cut-outs: apt-get install tuxpaint-stamps-default")
    bundles = {"site": load_bundle(site), "base": load_bundle(base)}
    known = {key: frozenset(bundle.tokens.nouns) for key, bundle in bundles.items()}
    decoders = decoders_of(**bundles)
    result: dict = {"scenario": name, "nouns": {key: len(nouns) for key, nouns in known.items()}}
    for kind, text in (("typical", TYPICAL[name]), ("never", NEVER[name])):
        listed = _listed(text, frozenset(labels))
        pictures = embed([stamp for stamp in stamps if stamp.noun in listed])
        right = {key: hits(decoder, pictures) for key, decoder in decoders.items()}
        result[kind] = {
            "cutouts": len(pictures),
            "sayable": {
                key: sum(not picture.right.isdisjoint(nouns) for picture in pictures)
                for key, nouns in known.items()
            },
            **{
                f"top{top}": compared({key: shares[top] for key, shares in right.items()})
                for top in TOPS
            },
        }
    return result


def _listed(text: str, labels: frozenset[str]) -> frozenset[str]:
    """Nouns with commas between.

    Raises:
        ValueError: If one is no label: a slip of the pen would go unnoticed.
    """
    found = frozenset(" ".join(noun.split()) for noun in text.split(","))
    if unknown := sorted(found - labels):
        raise ValueError(f"'{unknown[0]}' is no noun of the labels")
    return found


def show(result: dict, console: Console) -> None:
    """Print the table."""
    table = Table(title=f"{result['scenario']}: named right, site and base decoder")
    for title in ("cut-outs", "rank", "site", "base", "restricted", "difference", "95% interval"):
        table.add_column(title)
    for kind in ("typical", "never"):
        for top in TOPS:
            row = result[kind][f"top{top}"]
            low, high = row["interval"]
            table.add_row(
                f"{kind} ({result[kind]['cutouts']})",
                f"top {top}",
                f"{row['site']:.3f}",
                f"{row['base']:.3f}",
                f"{row['restricted']:.3f}",
                f"{row['difference']:+.3f}",
                f"{low:+.3f} to {high:+.3f}",
            )
    console.print(table)


def main() -> None:
    """Train both, measure, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("scenario", choices=sorted(TYPICAL))
    parser.add_argument("--root", type=Path, help="folder of scenarios")
    parser.add_argument("--base-dictionary", type=Path, default=base_dictionary_path())
    parser.add_argument("--ft", type=int, default=2, help="threshold of the site's dictionary")
    parser.add_argument("--steps", type=int, help="of both trainings")
    parser.add_argument("--starter", action="store_true", help="compare with the shipped starter")
    parser.add_argument("--out", type=Path, required=True, help="folder for both decoders")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    options = parser.parse_args()
    site_file = find_scenario(options.scenario, options.root).site_dictionary_path
    how = (options.ft, options.steps)
    site = build(site_file, *how, options.out / "site")
    base = (
        starter_bundle_path()
        if options.starter
        else build_base(site_file, options.base_dictionary, *how, options.out)
    )
    result = measure(options.scenario, site, base)
    if not options.json:
        show(result, Console())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
