from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.ratings.frequencies import split_total, with_frequency
from scenarios.ratings.scale import frequency
from tests.scenarios.builders import AIRPLANE, DEER, GLASSES, SUV

freqs = st.lists(st.integers(1, 20), max_size=5)


@st.composite
def nouns(draw: st.DrawFn) -> NounEntry:
    """Random spellings in any number, with equal frequencies often."""
    singular, plural = draw(st.tuples(freqs, freqs).filter(any))
    return NounEntry(
        0,
        "noun",
        "noun",
        ("noun", *(f"noun {n}" for n in range(1, len(singular))))[: len(singular)],
        tuple(f"nouns {n}" for n in range(len(plural))),
        tuple(singular),
        tuple(plural),
    )


@given(st.integers(0, 60), st.lists(st.integers(0, 30), min_size=1, max_size=9).filter(any))
def test_parts_sum_to_the_total_and_are_exact_shares_rounded(total: int, weights: list[int]):
    parts = split_total(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@given(st.integers(1, 40), st.lists(st.integers(1, 30), min_size=2, max_size=9))
def test_a_larger_weight_never_gets_less_and_of_equals_the_first_gets_more(
    total: int, weights: list[int]
):
    parts = split_total(total, sorted(weights, reverse=True))
    assert parts == sorted(parts, reverse=True)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (7, [1, 1, 1], [3, 2, 2]),
        (1, [5, 5], [1, 0]),
        (10, [6, 3, 1], [6, 3, 1]),
        (4, [5, 3, 1], [2, 1, 1]),  # exact 2.22, 1.33, 0.44
        (0, [2, 1], [0, 0]),
    ],
)
def test_known_splits(total: int, weights: list[int], parts: list[int]):
    assert split_total(total, weights) == parts


def test_the_targets_own_spelling_wins_ties_and_lost_spellings_are_told():
    entry, gone = with_frequency(AIRPLANE, 1)
    assert (entry.singulars, entry.singulars_freq) == (("airplane",), (1,))
    assert (entry.plurals, entry.plurals_freq) == ((), ())
    assert gone == ("aeroplane", "aeroplanes", "airplanes")
    assert with_frequency(SUV, 2)[0].singulars == ("S.U.V.", "suv")
    assert with_frequency(DEER, 1)[0] == replace(
        DEER, plurals=(), singulars_freq=(1,), plurals_freq=()
    )
    assert with_frequency(GLASSES, 3) == (replace(GLASSES, plurals_freq=(3,)), ())


@given(nouns(), st.integers(1, 38))
def test_a_noun_gets_exactly_its_frequency_and_no_spelling_is_left_at_zero(
    noun: NounEntry, total: int
):
    changed, gone = with_frequency(noun, total)
    assert changed.total_freq == total
    assert min(changed.singulars_freq + changed.plurals_freq) >= 1
    spellings = changed.singulars + changed.plurals
    assert sorted(spellings + gone) == sorted(noun.singulars + noun.plurals)


def naive(entry: NounEntry, total: float) -> int:
    """Upstream's rule: each spelling by itself, zeros lifted to 1 (novic_spec §1.9)."""
    freqs = entry.singulars_freq + entry.plurals_freq
    return sum(max(round(freq * total / entry.total_freq), 1) for freq in freqs)


def test_when_every_noun_is_rated_1_none_passes_a_threshold(dictionary: ObjectDictionary):
    ours = [with_frequency(entry, frequency(1.0))[0] for entry in dictionary.entries]
    assert {entry.total_freq for entry in ours} == {1}
    leaked = [naive(entry, 0.375) > 2 for entry in dictionary.entries]
    spellings = [len(entry.singulars + entry.plurals) for entry in dictionary.entries]
    assert leaked == [count > 2 for count in spellings]
    assert any(leaked)


def test_thresholds_keep_exactly_the_nouns_rated_above_them(dictionary: ObjectDictionary):
    rng = np.random.default_rng(0)
    ratings = 1 + 9 * rng.beta(0.5, 6, len(dictionary.entries))
    rated = ObjectDictionary(
        tuple(
            with_frequency(entry, frequency(rating))[0]
            for entry, rating in zip(dictionary.entries, ratings, strict=True)
        )
    )
    for threshold in (0, 2, 4, 6, 9):
        expected = [
            entry.target_noun
            for entry, rating in zip(dictionary.entries, ratings, strict=True)
            if threshold == 0 or 0.375 * rating**2 > threshold + 0.5
        ]
        assert list(rated.thresholded(threshold).targets) == expected
