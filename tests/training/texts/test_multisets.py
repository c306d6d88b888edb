"""Captions about several nouns."""

import inspect
from collections import Counter
from itertools import islice

from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import DEER, GLASS, SUV, large_dictionary, small_dictionary
from training.texts.multisets import multiset_captions, multiset_samples
from training.texts.prompts import Prompt, noun_captions, noun_samples, read_prompts
from training.texts.samples import Caption

ALONE = (Prompt("", "{noun}", ".", 1),)
"""A template that shows the words and nothing else."""


def test_every_set_holds_as_many_samples_as_the_plain_captions():
    dictionary, prompts = small_dictionary(), read_prompts()
    plain = noun_samples(dictionary, prompts)
    for repeats in [(1, 1, 1), (2,), (0, 3), (0, 0, 1), (0,)]:
        captions = list(multiset_captions(dictionary, prompts, repeats))
        assert sum(caption.count for caption in captions) == plain * sum(repeats)
        assert multiset_samples(dictionary, prompts, repeats) == plain * sum(repeats)


def test_single_nouns_are_the_plain_captions():
    dictionary, prompts = small_dictionary(), read_prompts()
    twice = list(multiset_captions(dictionary, prompts, (2,)))
    plain = list(noun_captions(dictionary, prompts))
    assert twice == [Caption(one.text, one.targets, 2 * one.count) for one in plain]


def test_in_each_position_every_spelling_stands_as_often_as_its_frequency():
    dictionary = small_dictionary()
    captions = list(multiset_captions(dictionary, ALONE, (0, 0, 2), seed=3))
    freqs = Counter[str]()
    for entry in dictionary.entries:
        for spelling, freq in (*entry.variants("singular"), *entry.variants("plural")):
            freqs[spelling] += 2 * freq
    for position in range(3):
        words = Counter(one.text[:-1].split(" and ")[position] for one in captions)
        assert words == freqs


def test_targets_are_the_nouns_in_the_order_of_the_text():
    dictionary = ObjectDictionary((DEER, GLASS, SUV))
    noun_of = {"deer": 0, "glass": 1, "glasses": 1, "S.U.V.": 2, "SUV": 2, "suv": 2}
    sizes = set()
    for caption in multiset_captions(dictionary, ALONE, (0, 1, 1)):
        said = [noun_of[word] for word in caption.text[:-1].split(" and ")]
        assert caption.targets == tuple(dict.fromkeys(said))
        assert caption.count == 1
        sizes.add(len(caption.targets))
    assert sizes == {1, 2, 3}


def test_a_caption_is_in_one_grammatical_number():
    singular, plural = {"deer", "glass", "S.U.V.", "SUV", "suv"}, {"deer", "glasses"}
    dictionary = ObjectDictionary((DEER, GLASS, SUV))
    for caption in multiset_captions(dictionary, ALONE, (0, 1, 1)):
        words = set(caption.text[:-1].split(" and "))
        assert words <= singular or words <= plural


def test_every_noun_has_its_own_article():
    prompt = (Prompt("a photo of ", "{article_noun}", ".", 1),)
    texts = {one.text for one in multiset_captions(small_dictionary(), prompt, (0, 1))}
    assert any("an SUV and " in text for text in texts)
    assert any(" and an aeroplane." in text for text in texts)
    assert any("a photo of glasses and " in text for text in texts)
    assert not any("a photo of SUV" in text for text in texts)


def test_the_seed_decides_and_templates_are_drawn_apart():
    dictionary, prompts = small_dictionary(), read_prompts()
    first = list(multiset_captions(dictionary, prompts, (0, 1), seed=1))
    assert first == list(multiset_captions(dictionary, prompts, (0, 1), seed=1))
    assert first != list(multiset_captions(dictionary, prompts, (0, 1), seed=2))
    singulars = sum(entry.freq("singular") for entry in dictionary.entries)
    pairs = [one.targets for one in first]
    assert pairs[:singulars] != pairs[singulars : 2 * singulars]


def test_large_sets_are_drawn_while_they_are_read():
    dictionary, prompts = large_dictionary(), read_prompts()
    captions = multiset_captions(dictionary, prompts, (0, 0, 10**9))
    assert inspect.isgenerator(captions)
    begun = list(islice(captions, 20_000))
    assert len({one.text for one in begun}) > 19_900
    assert max(max(one.targets) for one in begun) < len(dictionary.entries)
