"""Plain words for kinds of things, and how much each noun is of each.

A noun can mean several things that can be pictured: "game" is an animal and meat. So it is of a
kind by the share of its use that such a meaning has, and never by all of them at once.

    python -m training.texts.kinds    # writes novic/data/kinds.json anew
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from novic.kinds import KINDS_FILE
from scenarios.wordnet import WordNet, read_wordnet
from training.texts.nouns import Noun, choose_nouns

KINDS = {
    "animal": ("animal 1",),
    "bird": ("bird 1",),
    "dog": ("dog 1",),
    "cat": ("cat 1",),
    "big cat": ("big cat 1",),
    "hoofed animal": ("ungulate 1",),
    "deer": ("deer 1",),
    "bear": ("bear 1",),
    "monkey": ("primate 2",),
    "rodent": ("rodent 1",),
    "whale": ("cetacean 1",),
    "snake": ("snake 1",),
    "lizard": ("lizard 1",),
    "turtle": ("turtle 2",),
    "frog": ("frog 1",),
    "fish": ("fish 1",),
    "insect": ("insect 1",),
    "butterfly": ("butterfly 1",),
    "spider": ("spider 1",),
    "crustacean": ("crustacean 1",),
    "plant": ("plant 2",),
    "flower": ("flower 1", "flower 2"),
    "tree": ("tree 1",),
    "mushroom": ("mushroom 1", "fungus 1"),
    "food": ("food 1", "food 2"),
    "fruit": ("edible fruit 1",),
    "vegetable": ("vegetable 1",),
    "bread": ("bread 1",),
    "cake": ("cake 3",),
    "drink": ("beverage 1",),
    "person": ("person 1",),
    "clothing": ("clothing 1",),
    "headgear": ("headdress 1",),
    "footwear": ("footwear 1", "footwear 2"),
    "cloth": ("fabric 1",),
    "jewellery": ("jewelry 1",),
    "bag": ("bag 1", "bag 4"),
    "container": ("container 1",),
    "tableware": ("tableware 1",),
    "kitchen utensil": ("kitchen utensil 1",),
    "tool": ("tool 1", "cutter 6"),
    "weapon": ("weapon 1",),
    "machine": ("machine 1",),
    "vehicle": ("vehicle 1",),
    "motor vehicle": ("motor vehicle 1",),
    "truck": ("truck 1",),
    "two-wheeler": ("bicycle 1", "motorcycle 1"),
    "train": ("train 1", "rolling stock 1"),
    "aircraft": ("aircraft 1",),
    "boat": ("vessel 2", "boat 1"),
    "musical instrument": ("musical instrument 1",),
    "furniture": ("furniture 1",),
    "electronic device": ("electronic equipment 1", "electronic device 1"),
    "household appliance": ("home appliance 1",),
    "writing tool": ("writing implement 1",),
    "sports equipment": ("sports equipment 1",),
    "toy": ("plaything 1",),
    "building": ("building 1",),
    "barrier": ("barrier 1",),
    "sign": ("signboard 1",),
}
"""Each a word that people would say, and the meanings in WordNet that it stands for, by a lemma and
the place of the meaning among those of the lemma. Kinds of one noun alone (horse, lamp) tell no
more than the noun: chosen on the stamps of one half of the nouns (benchmarks/README.md)."""

NEVER = {"container": ("vehicle", "bag"), "weapon": ("kitchen utensil",)}
"""WordNet's wheeled vehicles are containers; nobody says so."""


def kind_shares(wordnet: WordNet, nouns: Iterable[Noun]) -> dict[str, dict[str, float]]:
    """How much each noun is of each kind, by the share of its meanings' use; 0 is left out.

    Returns:
        For each noun that is of any kind, the kinds and their shares, above 0 and at most 1.
    """
    found = {}
    for noun in nouns:
        total = sum(prior for _, prior in noun.senses)
        shares: defaultdict[str, float] = defaultdict(float)
        for offset, prior in noun.senses:
            for kind in kinds_of(wordnet, offset):
                shares[kind] += prior / total
        if shares:
            found[noun.text] = {kind: round(share, 4) for kind, share in shares.items()}
    return found


def kinds_of(wordnet: WordNet, offset: int) -> list[str]:
    """The kinds that a meaning is of, by its synset's offset."""
    up = {offset, *wordnet.ancestors(offset)}
    tops = {kind: {_offset(wordnet, name) for name in names} for kind, names in KINDS.items()}
    kinds = [kind for kind, offsets in tops.items() if not up.isdisjoint(offsets)]
    return [kind for kind in kinds if not set(NEVER.get(kind, ())) & set(kinds)]


def _offset(wordnet: WordNet, name: str) -> int:
    lemma, place = name.rsplit(" ", 1)
    return wordnet.senses[lemma][int(place) - 1]


def main() -> None:
    """Write the file."""
    wordnet = read_wordnet()
    shares = kind_shares(wordnet, choose_nouns(wordnet))
    rows = [f"{json.dumps(noun)}: {json.dumps(kinds)}" for noun, kinds in sorted(shares.items())]
    Path(KINDS_FILE).write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
