"""How often are real photographs named right, against what the same classifier can say?

Debian's `tuxpaint-stamps-default` holds photographs cut out along their outlines, with a sentence
for each. Every cut-out is put on grey and on a photograph, and named by

* argmax: EfficientNet-Lite2's best ImageNet classes, with timm's own crop; any synonym counts;
* argmax, squeezed: the same with the embedder's preparation (whole image, mirrored too);
* nearest: the ConSE vector and the nearest noun in text space;
* ours: the ConSE vector and the shipped decoder.

All are asked about the same pictures, whose true noun stands in the bundle's dictionary. "exact"
wants that noun (among all names of the class for argmax), "synonym" also takes another word for
any meaning of it, and "kind" also what the thing is a kind of ("bird" for a crow).

These stamps are no held-out set: the teacher's seven weights were fitted to their nouns
(`benchmarks.teacher_fit` tells what that is worth on nouns that were not fitted), the squeezed
preparation and some frequency limits of the dictionary were chosen by looking at them, and the
label rules and excluded folders were settled after first results. The decoder never saw them.
Expect somewhat less elsewhere; `benchmarks.naming_held_out` has pictures nothing was chosen on.

    python -m benchmarks.naming [--json] [--bundle FOLDER]
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from novic.bundle import load_bundle
from novic.decode import NounDecoder
from novic.embedder import Pixels
from novic.embedders.starter import StarterEmbedder
from novic.model import NounModel, starter_bundle_path
from novic.vocabulary import canonical
from scenarios.wordnet import read_wordnet
from training.texts.nouns import choose_nouns, class_synsets

STAMPS = Path("/usr/share/tuxpaint/stamps")

NO_PHOTOGRAPH = re.compile(
    r"cartoon|/symbols/|/seasonal/|/toys/|/plastic/|/space/|/flags/|/roadsigns/|/people/|/military/|/naturalforces/"
)
"""Folders with drawings, clip art, letters and coins, made things without a name of their own
(seasonal decorations), planets, drawn fire and lightning, and two
with persons and insignia known by name only."""

OF_HEADS = frozenset({"pair", "bunch", "string", "head", "quarter"})
"""Words before "of" that only count or portion what follows."""

TAILS = frozenset({"fruit", "flower", "plant", "tree", "bulb", "root"})
"""Words that add nothing behind a noun of the dictionary: "an avocado fruit"."""

ARTICLES = frozenset({"a", "an", "the", "two", "some"})
MARGIN = 0.1
"""Background around the object, as a share of its longer side."""
CROP = 0.89
"""Share of the shorter side that timm's recipe cuts out."""
TOP = 10


@dataclass(frozen=True, slots=True)
class Stamp:
    """One cut-out and its true noun."""

    path: Path
    noun: str


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What counts as right for one noun."""

    exact: frozenset[str]
    synonym: frozenset[str]
    kind: frozenset[str]


def find_stamps(nouns: frozenset[str]) -> list[Stamp]:
    """Photographic stamps whose label ends in a noun of the dictionary."""
    found = []
    for path in sorted(STAMPS.rglob("*.png")):
        text = path.with_suffix(".txt")
        if NO_PHOTOGRAPH.search(f"{path}") or not text.is_file():
            continue
        noun = labelled_noun(text.read_text(encoding="utf-8").split("\n")[0], nouns)
        if noun:
            found.append(Stamp(path, noun))
    return found


def labelled_noun(label: str, nouns: frozenset[str]) -> str | None:
    """The longest noun that ends a label such as "A pair of cherries.", or None.

    Labels that are sentences (more than four words, or no article) name nothing reliably.
    """
    words = canonical(
        re.sub("[\u201c\u201d\u2018\u2019]", "", re.split(r"[.,!?:;(]", label)[0])
    ).split()
    if words and words[0] in ARTICLES:
        words = words[1:]
    elif len(words) > 2:
        return None
    if "of" in words:
        at = words.index("of")
        words = words[at + 1 :] if words[at - 1] in OF_HEADS else words[:at]
    if not words or len(words) > 4:
        return None
    shorter = _ending(words[:-1], nouns) if words[-1] in TAILS else None
    return shorter or _ending(words, nouns)


def _ending(words: Sequence[str], nouns: frozenset[str]) -> str | None:
    for start in range(max(len(words) - 3, 0), len(words)):
        phrase = " ".join(words[start:])
        for form in (phrase, phrase.removesuffix("s"), re.sub("ies$", "y", phrase)):
            if form in nouns:
                return form
    return None


def backgrounds() -> list[Pixels]:
    """Photographs that packages carry: bricks, gravel, grass, and a Chinese palace."""
    skimage = Path(str(files("skimage"))) / "data"
    paths = [skimage / name for name in ("brick.png", "gravel.png", "grass.png")]
    paths.append(Path(str(files("sklearn"))) / "datasets" / "images" / "china.jpg")
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def composite(path: Path, background: Pixels | None, share: float = MARGIN) -> Pixels:
    """Put a cut-out on a background, grey for None, in a box of its own shape with a margin."""
    stamp = Image.open(path).convert("RGBA")
    stamp = stamp.crop(stamp.getchannel("A").getbbox())
    margin = int(share * max(stamp.size))
    size = (stamp.width + 2 * margin, stamp.height + 2 * margin)
    if background is None:
        canvas = Image.new("RGB", size, (128, 128, 128))
    else:
        canvas = Image.fromarray(background).resize(size, Image.Resampling.BICUBIC)
    canvas.paste(stamp, (margin, margin), stamp)
    return np.asarray(canvas)


def shrink(image: Pixels, longest: int) -> Pixels:
    """The image as a camera would see it from afar, its longer side this many pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((longest, longest), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def middle(image: Pixels) -> Pixels:
    """The square that timm's recipe looks at."""
    side = max(int(CROP * min(image.shape[:2])), 1)
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[top : top + side, left : left + side]


class Namers:
    """All namers over one dictionary."""

    def __init__(self, bundle: Path) -> None:
        self.model = NounModel(StarterEmbedder(), NounDecoder(load_bundle(bundle)))
        self.nouns = self.model.bundle.tokens.nouns
        self._embedder = StarterEmbedder()
        wordnet = read_wordnet()
        self._classes = [
            [canonical(lemma) for lemma in wordnet.synsets[offset].lemmas]
            for offset in class_synsets()
        ]
        self._wordnet = wordnet
        self._meanings = {noun.text: noun.senses for noun in choose_nouns(wordnet)}

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """Of all nouns; minutes of work, so only for who compares with the nearest."""
        return self._embedder.embed_texts(self.nouns)

    def right(self, noun: str) -> Answers:
        """What counts as right for a noun."""
        senses = self._meanings.get(noun, ())
        synonyms = {noun} | {
            canonical(lemma)
            for offset, _ in senses
            for lemma in self._wordnet.synsets[offset].lemmas
        }
        kinds = set(self.model.bundle.hypernyms.get(noun, ()))
        return Answers(frozenset({noun}), frozenset(synonyms), frozenset(synonyms | kinds))

    def name(self, images: Sequence[Pixels]) -> dict[str, list[list[list[str]]]]:
        """For each namer and image the ranked answers, each a list of equally good words."""
        squeezed = self._embedder.class_probabilities(images)
        plain = self._embedder.class_probabilities([middle(image) for image in images])
        vectors = self._embedder.embed_images(images)
        near = np.argsort(-(vectors @ self._vectors.T), axis=1)[:, :TOP]
        return {
            "argmax": self._argmax(plain),
            "argmax, squeezed": self._argmax(squeezed),
            "nearest": [[[self.nouns[n]] for n in row] for row in near],
            "ours": [
                [[score.noun] for score in naming.nouns]
                for naming in self.model.decode(vectors, top=TOP)
            ],
        }

    def _argmax(self, probabilities: NDArray[np.float32]) -> list[list[list[str]]]:
        best = np.argsort(-probabilities, axis=1)[:, :TOP]
        return [[self._classes[c] for c in row] for row in best]


def score(ranked: list[list[list[str]]], rights: Sequence[Answers]) -> dict[str, float]:
    """Shares of pictures named right, by strictness and rank."""
    found = {}
    for level in ("exact", "synonym", "kind"):
        for top in (1, 3, 5):
            hits = [
                any(not getattr(right, level).isdisjoint(words) for words in row[:top])
                for row, right in zip(ranked, rights, strict=True)
            ]
            found[f"{level}_top{top}"] = round(sum(hits) / len(hits), 4)
    return found


def measure(bundle: Path) -> dict:
    """Run everything."""
    namers = Namers(bundle)
    stamps = find_stamps(frozenset(namers.nouns))
    if not stamps:
        sys.exit(f"no stamps in {STAMPS}: apt-get install tuxpaint-stamps-default")
    rights = [namers.right(stamp.noun) for stamp in stamps]
    photos = backgrounds()
    grey = [composite(stamp.path, None) for stamp in stamps]
    photo = [composite(s.path, photos[i % len(photos)]) for i, s in enumerate(stamps)]
    scenes = {
        "grey": grey,
        "photograph": photo,
        "photograph, 60 px": [shrink(image, 60) for image in photo],
    }
    results = {
        scene: {name: score(ranked, rights) for name, ranked in namers.name(images).items()}
        for scene, images in scenes.items()
    }
    return {
        "stamps": len(stamps),
        "nouns": len(namers.nouns),
        **ratios(results),
        "results": results,
    }


def ratios(results: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """Ours over plain argmax, means over the two full-size scenes.

    `exact_ratio` holds ours to the label's own noun while argmax may use any synonym of the class;
    `synonym_ratio` and `kind_ratio` judge both alike.
    """

    def mean(namer: str, key: str) -> float:
        return (results["grey"][namer][key] + results["photograph"][namer][key]) / 2

    return {
        f"{level}_ratio_top{top}": round(
            mean("ours", f"{level}_top{top}") / mean("argmax", f"{level}_top{top}"), 3
        )
        for level in ("exact", "synonym", "kind")
        for top in (1, 5)
    }


def show(result: dict, console: Console) -> None:
    """Print the table."""
    table = Table(title=f"{result['stamps']} cut-outs, {result['nouns']} nouns: top-1 / top-5")
    for title in ("background", "namer", "exact", "synonym", "kind"):
        table.add_column(title)
    for scene, namers in result["results"].items():
        for name, scores in namers.items():
            cells = [
                f"{scores[f'{level}_top1']:.3f} / {scores[f'{level}_top5']:.3f}"
                for level in ("exact", "synonym", "kind")
            ]
            table.add_row(scene, name, *cells)
    console.print(table)


def main() -> None:
    """Measure, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    parser.add_argument("--bundle", type=Path, default=starter_bundle_path())
    options = parser.parse_args()
    torch.manual_seed(0)
    result = measure(options.bundle)
    if not options.json:
        show(result, Console())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
