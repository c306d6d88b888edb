from dataclasses import replace

import pytest

from scenarios.comparing import compare, search, similar_nouns, statistics
from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import AIRPLANE, DEER, GLASS, GLASSES, SUV, X_RAY, small_dictionary


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("glass", ["glass", "glasses"]),
        ("AEROPL", ["airplane"]),
        ("s.u.v.", ["suv"]),
        ("x-ray", ["x ray machine"]),
        ("glass*", ["glass", "glasses"]),
        ("*plane", ["airplane"]),
        ("d?er", ["deer"]),
        ("?", []),
        ("zeppelin", []),
    ],
)
def test_a_part_of_any_spelling_finds_its_noun(pattern: str, found: list[str]):
    assert [entry.target_noun for entry in search(small_dictionary(), pattern)] == found


def test_the_commonest_is_found_first():
    assert [entry.target_noun for entry in search(small_dictionary(), "*e*")] == [
        "airplane",
        "deer",
        "glass",
        "glasses",
        "x ray machine",
    ]


def test_similar_nouns_share_letters_or_a_word():
    assert similar_nouns(small_dictionary(), "airplaine") == ["airplane"]
    assert similar_nouns(small_dictionary(), "washing machine") == ["x ray machine"]
    assert similar_nouns(small_dictionary(), "qqqq") == []


def test_statistics_count_nouns_spellings_and_frequencies():
    counted = statistics(small_dictionary(), most=2)
    assert (counted.nouns, counted.phrases, counted.plural_only) == (6, 1, 1)
    assert (counted.singulars, counted.plurals) == (8, 5)
    assert (counted.singular_freq, counted.plural_freq) == (41, 22)
    assert counted.above == {0: 6, 2: 5, 4: 5, 6: 4, 9: 4}
    assert counted.commonest == (AIRPLANE, SUV)


def test_a_comparison_tells_every_kind_of_change():
    before = small_dictionary()
    rarer = replace(AIRPLANE, singulars_freq=(1, 1))
    commoner = replace(X_RAY, singulars_freq=(9,))
    split_otherwise = replace(GLASS, singulars_freq=(7,), plurals_freq=(5,))
    sofa = replace(SUV, id=99, target_noun="sofa", pretty_noun="sofa")
    after = ObjectDictionary((rarer, GLASSES, split_otherwise, sofa, SUV, commoner))
    difference = compare(before, after)
    assert difference.added == (sofa,)
    assert difference.gone == (DEER,)
    assert [(c.after.target_noun, c.step) for c in difference.ups] == [("x ray machine", 8)]
    assert [(c.after.target_noun, c.step) for c in difference.downs] == [("airplane", -8)]
    assert difference.respelt == 1
    assert difference.above[2] == (5, 6)


def test_a_dictionary_does_not_differ_from_itself():
    difference = compare(small_dictionary(), small_dictionary())
    assert [*difference.added, *difference.gone, *difference.ups, *difference.downs] == []
    assert difference.respelt == 0
