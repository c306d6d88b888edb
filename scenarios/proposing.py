"""Examples proposed from the description of a site, for its author to check.

No language model: the description says which kinds of places the site is like
(`scenarios.raters.vectors.axes`), and the texts "the place where you usually see a NOUN" say how
far each noun belongs to them. Only plain, common things are proposed. What is never there is chosen
from a list of familiar things. It knows topics: whoever takes a proposal unread gets topics rated.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Vectors
from novic.vocabulary import sanitised
from scenarios.base.own import meant_by, own_nouns
from scenarios.base.packages import class_names
from scenarios.dictionary import ObjectDictionary
from scenarios.raters.vectors.axes import PLACES
from scenarios.raters.vectors.nouns import Embed, NounVectors

_FAMILIAR = """
elephant, giraffe, lion, tiger, camel, kangaroo, penguin, polar bear, crocodile, whale, shark,
octopus, jellyfish, lobster, parrot, peacock, flamingo, owl, horse, cow, sheep, pig, chicken, wolf,
fox, deer, squirrel, hedgehog, frog, snake, butterfly, dragonfly, palm tree, cactus, sunflower,
rose, tulip, mushroom, pumpkin, pineapple, watermelon, cauliflower, pizza, birthday cake, ice cream,
wedding dress, bride, clown, snowman, sleigh, christmas tree, violin, harp, trumpet, grand piano,
accordion, drum, crown, throne, sword, cannon, tank, missile, submarine, sailboat, canoe, surfboard,
lighthouse, cathedral, castle, windmill, tombstone, coffin, volcano, glacier, waterfall, iceberg,
coral reef, beach, mountain, hot air balloon, parachute, helicopter, airplane, spacecraft,
locomotive, bus, tractor, combine, excavator, fire engine, ambulance, motorcycle, bicycle,
baby carriage, teddy bear, doll, rocking horse, carousel, ferris wheel, swing, tent, hammock,
bathtub, toilet, shower, bed, pillow, nightgown, kimono, bikini, lipstick, perfume, necklace, tiara,
golf ball, tennis racket, basketball, ski, snowboard, skateboard, boxing glove, trampoline,
roulette wheel, slot machine, totem pole, oil rig, blast furnace, gallows, operating table,
x ray machine, wheelchair, stethoscope, microscope, telescope, beehive, plow, scarecrow,
fishing rod, anchor, fountain, statue, fireworks, parasol, harpoon, igloo
"""

FAMILIAR = tuple(" ".join(noun.split()) for noun in _FAMILIAR.split(","))
"""Things that everybody knows, from all kinds of places."""

LEAST_FREQUENCY = 3
"""Of names of image classes that are proposed as seen: others are breeds and birds."""

LIKE = 6
"""Places that the site is taken to be like."""

NEARNESS, ALL_PLACES = 0.25, 0.3
"""Weights of the nearness to the description itself, and of all places, beside the likest ones. The
places alone order the labelled nouns of the presets with an AUC of .87 and .84, with these .88 and
.81; to the eye the proposals are better with them."""

COMMONNESS, COMMON_STEPS = 0.2, 8
"""Weight of a step of frequency for what is proposed as seen, and most steps: an author knows of a
printer at once whether it is there."""

ALIKE = 0.5
"""Cosine of two nouns from which only the first is proposed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Examples for an author to check."""

    seen: tuple[str, ...]
    """Typical things, the most typical first, as they are displayed."""
    never: tuple[str, ...]


def propose(
    description: str,
    dictionary: ObjectDictionary,
    vectors: NounVectors,
    embed: Embed,
    count: int = 12,
) -> Proposal:
    """Propose examples of what is seen at a site and of what never is.

    Args:
        description: Of the site, in English.
        dictionary: Where nouns are from.
        vectors: Of its nouns.
        embed: For the description and the kinds of places.
        count: Most examples of each kind.
    """
    texts = embed([*PLACES, description])
    score = _belonging(vectors, texts[: len(PLACES)], texts[-1])
    said = {*re.findall(r"[a-z]+", description.lower())}
    familiar = _numbers(FAMILIAR, dictionary, vectors)
    common = _common(dictionary, vectors) - familiar
    shown = [entry.pretty_noun for entry in dictionary.entries]
    often = np.array([entry.total_freq - LEAST_FREQUENCY + 1 for entry in dictionary.entries])
    known = score + COMMONNESS * np.clip(often, 0, COMMON_STEPS)
    seen = _diverse(known, common, vectors, said, count)
    never = _diverse(-score, familiar, vectors, said, count)
    return Proposal(tuple(shown[n] for n in seen), tuple(shown[n] for n in never))


def _belonging(vectors: NounVectors, places: Vectors, site: Vectors) -> NDArray[np.float64]:
    """How far each noun belongs to the site [N]."""
    like = _spread(places @ site)
    where = _spread(vectors.where @ places.T)
    best = np.argsort(-like)[:LIKE]
    weights = np.exp(like[best])
    near = (_spread(vectors.photo @ site) + _spread(vectors.where @ site)) / 2
    return (
        where[:, best] @ (weights / weights.sum())
        + NEARNESS * near
        + ALL_PLACES * _spread(where @ like)
    )


def _spread(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """In standard deviations over the first axis."""
    exact = values.astype(np.float64)
    return (exact - exact.mean(axis=0)) / np.maximum(exact.std(axis=0), 1e-6)


def _common(dictionary: ObjectDictionary, vectors: NounVectors) -> set[int]:
    """Nouns of image classes that are not rare, and of our own list."""
    classes = _numbers(class_names(), dictionary, vectors)
    known = {
        number for number in classes if dictionary.entries[number].total_freq >= LEAST_FREQUENCY
    }
    return known | _numbers([own.noun for own in own_nouns()], dictionary, vectors)


def _numbers(nouns: Sequence[str], dictionary: ObjectDictionary, vectors: NounVectors) -> set[int]:
    """Numbers of those that the dictionary has."""
    found = (meant_by(dictionary, noun) for noun in nouns)
    return {vectors.numbers[entries[0].target_noun] for entries in found if entries}


def _diverse(
    score: NDArray[np.float64],
    allowed: set[int],
    vectors: NounVectors,
    said: set[str],
    count: int,
) -> list[int]:
    """The highest scores of nouns that are neither said in the description nor like another."""
    chosen: list[int] = []
    words: set[str] = set()
    for number in sorted(allowed, key=lambda one: -score[one]):
        own = set(vectors.nouns[number].split())
        plural = {f"{word}s" for word in own}
        if (own | plural) & said or own & words:
            continue
        if chosen and (vectors.bare[chosen] @ vectors.bare[number]).max() > ALIKE:
            continue
        chosen.append(number)
        words |= own
        if len(chosen) == count:
            break
    return chosen


def checked(proposed: Sequence[str], answer: str) -> list[str]:
    """A proposal after what its author typed: "2, -hay, +ladder" or just "ladder".

    Args:
        proposed: The nouns, numbered from 1.
        answer: With commas: numbers and nouns with - are taken out, other nouns are added.
    """
    kept, added = dict.fromkeys(proposed), list[str]()
    numbered = {str(number): noun for number, noun in enumerate(proposed, start=1)}
    by_target = {sanitised(noun): noun for noun in proposed}
    for piece in filter(None, (" ".join(part.split()) for part in answer.split(","))):
        text = piece.lstrip("-").strip()
        if noun := numbered.get(text) or (piece[0] == "-" and by_target.get(sanitised(text))):
            kept.pop(noun, None)
        elif piece[0] != "-" and not text.isdecimal():
            added.append(piece.lstrip("+ "))
    return list(dict.fromkeys([*kept, *added]))
