"""Which words are the same word spelt differently: colour and color, coffeepot and coffee pot."""

import re
from collections import defaultdict
from collections.abc import Sequence

from scenarios.base.senses import Word

RULES = [
    (re.compile(pattern), by)
    for pattern, by in (
        (r"(?<=[a-z]{2})our(?=s?\b|ed\b|ing\b|able\b|ful\b|er\b|ist\b|less\b)", "or"),
        (r"(?<=[a-z])is(e|er|ing|ed|ation|ator)\b", r"iz\1"),
        (r"(?<=[a-z])ys(e|er|ing|ed|ator)\b", r"yz\1"),
        (r"(?<=[bcdhtv])re\b", "er"),
        (r"(?<=[a-z])ogue\b", "og"),
        (r"(?<=[a-z])ence\b", "ense"),
        (r"(?<=[a-z])mme\b", "m"),
        (r"(?<=[a-z])ette\b", "et"),
        (r"(?<=[a-z]{2})(ie|ey)\b", "y"),
        (r"[ao]e(?=[a-z])", "e"),
        (r"\btyre", "tire"),
        (r"grey", "gray"),
        (r"mould", "mold"),
        (r"plough", "plow"),
        (r"sulph", "sulf"),
        (r"ph(?=t|an)", "f"),
        (r"([b-df-hj-np-tv-z])\1", r"\1"),
    )
]
"""Applied one after the other to both spellings; British endings become American ones."""

_PAIRS = (
    "adze:adz aeroplane:airplane aluminium:aluminum annexe:annex artefact:artifact axe:ax "
    "baulk:balk bogey:bogy chequer:checker cheque:check cosy:cozy cypher:cipher disc:disk "
    "doughnut:donut draught:draft draughtsman:draftsman furore:furor gaol:jail gauge:gage "
    "gipsy:gypsy hiccough:hiccup judgement:judgment kerb:curb ketchup:catsup licence:license "
    "manoeuvre:maneuver moustache:mustache mum:mom omelette:omelet paediatrician:pediatrician "
    "pedlar:peddler phial:vial pyjama:pajama pyjamas:pajamas sceptic:skeptic "
    "serviette:serviet storey:story syrup:sirup tsar:czar vice:vise whisky:whiskey "
    "yoghurt:yogurt yoghourt:yogurt zeppelin:zepelin"
)

PAIRS: dict[str, str] = {pair.partition(":")[0]: pair.partition(":")[2] for pair in _PAIRS.split()}
"""Pairs of words that no rule tells."""


APART = frozenset({"canvass", "humus", "pallet"})
"""Spellings of a word that are mostly a word of their own: a pallet is rarely a painter's."""


def spelling_key(noun: str) -> str:
    """What all spellings of a canonical noun have in common; no word itself."""
    if noun in APART:
        return noun
    key = " ".join(PAIRS.get(word, word) for word in noun.split())
    for pattern, by in RULES:
        key = pattern.sub(by, key)
    return key.replace(" ", "")


def merged_spellings(words: Sequence[Word]) -> list[list[Word]]:
    """Words grouped so that each group is one noun, in the order of the words.

    Two words are one noun if they share a meaning and a spelling key: a rule alone would make
    "bail" of "bale", a meaning alone "automobile" of "car".

    Returns:
        Groups of at least one word; every word is in one of them.
    """
    same = defaultdict(list)
    for place, word in enumerate(words):
        key = spelling_key(word.noun)
        for offset in word.synsets:
            same[offset, key].append(place)
    leader = list(range(len(words)))

    def first(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    for places in same.values():
        lowest = min(map(first, places))
        for place in places:
            leader[first(place)] = lowest
    groups = defaultdict(list)
    for place, word in enumerate(words):
        groups[first(place)].append(word)
    return list(groups.values())
