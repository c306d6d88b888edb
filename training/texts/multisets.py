"""Captions about one, two or three nouns at once: upstream's multisets (novic_spec §3.1).

A picture often shows several things; a decoder that has only read texts about one noun does not
know vectors that lie between nouns. M1 are the plain noun captions. M2 and M3 hold exactly as many
samples; in each position every spelling of every noun stands as often, for each template, as in M1,
and its neighbours are drawn at random. All nouns of a caption are singular or all plural.

With upstream's dictionary one set of each size is 40 million samples: they are drawn while they
are read, one template after the other, and never held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenarios.dictionary import NUMBERS, Number, ObjectDictionary
from training.texts.prompts import Prompt, noun_captions, noun_samples
from training.texts.samples import Caption

DEFAULT_REPEATS = (1, 1, 1)
"""Upstream's `multi_target_freq` of all released models."""


def multiset_captions(
    dictionary: ObjectDictionary,
    prompts: Sequence[Prompt],
    repeats: Sequence[int] = DEFAULT_REPEATS,
    seed: int = 0,
) -> Iterator[Caption]:
    """All captions, the same for the same arguments.

    Args:
        dictionary: The nouns.
        prompts: The templates.
        repeats: How many sets to draw of captions about one noun, two nouns, and so on.
        seed: Another number draws other neighbours; every template has a random stream of its own.

    Yields:
        Captions about one noun once each with their count; captions about several one by one, their
        targets in the order of the text. If chance puts two spellings of one noun into a caption,
        that noun is its target once.
    """
    if repeats and repeats[0]:
        for caption in noun_captions(dictionary, prompts):
            yield replace(caption, count=caption.count * repeats[0])
    expanded: dict[Number, _Expanded] = {
        number: _expanded(dictionary, number) for number in NUMBERS
    }
    for size, sets in enumerate(repeats[1:], start=2):
        for set_ in range(sets):
            yield from _one_set(prompts, expanded, size, (seed, size, set_))


def multiset_samples(
    dictionary: ObjectDictionary,
    prompts: Sequence[Prompt],
    repeats: Sequence[int] = DEFAULT_REPEATS,
) -> int:
    """Samples that `multiset_captions` stands for: every set holds as many as M1."""
    return sum(repeats) * noun_samples(dictionary, prompts)


type _Expanded = tuple[list[str], NDArray[np.int32]]
"""Every spelling as often as its frequency says, and the number of its noun."""


def _expanded(dictionary: ObjectDictionary, number: Number) -> _Expanded:
    spellings, nouns = [], []
    for noun, entry in enumerate(dictionary.entries):
        for spelling, freq in entry.variants(number):
            spellings += [spelling] * freq
            nouns += [noun] * freq
    return spellings, np.array(nouns, dtype=np.int32)


def _one_set(
    prompts: Sequence[Prompt],
    expanded: dict[Number, _Expanded],
    size: int,
    seeds: tuple[int, ...],
) -> Iterator[Caption]:
    """One set of captions about `size` nouns, singular then plural, template by template."""
    for which, number in enumerate(NUMBERS):
        for place, prompt in enumerate(prompts):
            if prompt.suits(number):
                stream = np.random.default_rng([*seeds, which, place])
                yield from _drawn(prompt, number, expanded[number], size, stream)


def _drawn(
    prompt: Prompt, number: Number, expanded: _Expanded, size: int, stream: np.random.Generator
) -> Iterator[Caption]:
    """Captions for one template: every position is a permutation of its own."""
    spellings, nouns = expanded
    words = [prompt.word(spelling, number) for spelling in spellings]
    for _ in range(prompt.freq):
        order = np.stack([stream.permutation(len(words)) for _ in range(size)], axis=1)
        for picked, targets in zip(order.tolist(), nouns[order].tolist(), strict=True):
            text = prompt.sentence([words[place] for place in picked])
            yield Caption(text, tuple(dict.fromkeys(targets)))
