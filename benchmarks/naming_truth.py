"""Pictures whose noun and meaning are known, with what a decoder says of them before any scaling.

The stamps of `benchmarks.naming` are cut out of real photographs as an event's crops are, tight and
with a 12% margin, at full size and 60 pixels long, as seen from afar; their folder tells which
meaning of the noun they show ("animals/birds/crane.png"). The photographs of
`benchmarks.naming_held_out` are named whole, as `nomaly name` does, and show the noun's commonest
meaning that can be pictured. Right is the noun, another word for that meaning, or what it is a kind
of; what it is a kind of is asked of that meaning alone, not of all that the noun may mean.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.naming import Stamp, backgrounds, composite, find_stamps, shrink
from benchmarks.naming_held_out import find_photographs
from novic.bundle import load_bundle
from novic.certainty import SCALED, Certainty, Scaling
from novic.decode import NounDecoder
from novic.embedder import Pixels
from novic.embedders.starter import StarterEmbedder
from novic.model import NounModel
from novic.vocabulary import Naming, canonical
from scenarios.wordnet import WordNet, read_wordnet
from training.texts.kinds import kinds_of
from training.texts.nouns import Noun, choose_nouns

MARGINS = (0.0, 0.12)
"""Of an event's two crops."""
AFAR = 60
"""Pixels of the longer side of what is seen from afar."""
SHOWN = {
    "animals": {"animal"},
    "food": {"food", "plant"},
    "plants": {"plant", "food"},
}
"""Lexicographer files of the meanings that a folder of stamps shows; others show artifacts."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a picture shows."""

    noun: str
    words: frozenset[str]
    """The noun and other words for the same meaning."""
    broader: frozenset[str]
    """All words for what that is a kind of."""
    kinds: frozenset[str]
    """The plain kinds (`novic.kinds`) that it is of."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One thing with what the decoder says of its crops."""

    truth: Truth
    afar: bool
    crops: tuple[Naming, ...]
    """Not scaled, at least SCALED candidates each."""

    def mass(self, scaling: Scaling) -> dict[str, float]:
        """Mean probability of every noun, scaled, as events vote."""
        mass: defaultdict[str, float] = defaultdict(float)
        for crop in self.crops:
            nouns, _ = scaling.of(crop.nouns, crop.rest)
            for one in nouns:
                mass[one.noun] += one.p / len(self.crops)
        return mass


class Truths:
    """Knows what nouns mean."""

    def __init__(self) -> None:
        self._wordnet: WordNet = read_wordnet()
        self._nouns: dict[str, Noun] = {one.text: one for one in choose_nouns(self._wordnet)}

    def of(self, noun: str, folder: str = "") -> Truth:
        """What a picture of a noun shows, in a folder of stamps if it is one."""
        senses = self._nouns[noun].senses
        wanted = SHOWN.get(folder, {"artifact"}) if folder else set()
        fitting = [one for one in senses if self._wordnet.synsets[one[0]].lexname in wanted]
        first = max(fitting or senses, key=lambda sense: sense[1])[0]
        shown = [first]
        if wanted >= {"food", "plant"}:
            # A picture of a lemon shows the fruit, of which WordNet knows as food and as plant.
            shown += [offset for offset, _ in fitting if offset != first]
        up = {over for offset in shown for over in self._wordnet.ancestors(offset)}
        return Truth(
            noun,
            self._words(shown) | {noun},
            self._words(list(up)),
            frozenset(kind for offset in shown for kind in kinds_of(self._wordnet, offset)),
        )

    def _words(self, offsets: Sequence[int]) -> frozenset[str]:
        synsets = (self._wordnet.synsets[offset] for offset in offsets)
        return frozenset(canonical(lemma) for synset in synsets for lemma in synset.lemmas)


def plain_model(bundle: Path) -> NounModel:
    """The starter with a bundle, whose p are the decoder's own; without evidence of people."""
    unscaled = replace(load_bundle(bundle), certainty=Certainty())
    return NounModel(StarterEmbedder(), NounDecoder(unscaled))


def of_dev(noun: str) -> bool:
    """Whether a noun's pictures are those that things are chosen on."""
    return hashlib.sha256(noun.encode()).digest()[0] % 2 == 0


def stamps(model: NounModel, truths: Truths) -> list[Thing]:
    """All stamps, near and afar."""
    found = find_stamps(frozenset(model.bundle.tokens.nouns))
    shown = [truths.of(one.noun, folder_of(one)) for one in found]
    things = []
    for afar in (False, True):
        crops = [crop for crops in crops_of(found, afar=afar) for crop in crops]
        named = iter(model.name(crops, SCALED))
        things += [Thing(truth, afar, tuple(next(named) for _ in MARGINS)) for truth in shown]
    return things


def photographs(model: NounModel, truths: Truths, data: Path) -> list[Thing]:
    """All photographs."""
    found = find_photographs(data, frozenset(model.bundle.tokens.nouns))
    named = model.name([image for image, _ in found], SCALED)
    pairs = zip(found, named, strict=True)
    return [Thing(truths.of(noun), False, (naming,)) for (_, noun), naming in pairs]


def folder_of(stamp: Stamp) -> str:
    """The first folder of a stamp: animals, food, ..."""
    return stamp.path.parts[stamp.path.parts.index("stamps") + 1]


def crops_of(found: Sequence[Stamp], *, afar: bool) -> Iterator[list[Pixels]]:
    """The crops that an event would have of each stamp before a photograph."""
    photos = backgrounds()
    for number, stamp in enumerate(found):
        crops = [composite(stamp.path, photos[number % len(photos)], margin) for margin in MARGINS]
        yield [shrink(crop, AFAR) for crop in crops] if afar else crops
