"""Caption data sets: reading, checking, writing, sampling."""

import json
from collections import Counter
from pathlib import Path

import pytest

from novic.errors import UsageError
from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import AIRPLANE, DEER, SUV, large_dictionary, small_dictionary
from training.texts.captions import (
    CaptionError,
    NounCaptions,
    caption_samples,
    nouns_without_captions,
    read_captions,
    wanted_captions,
    write_captions,
)
from training.texts.samples import Caption

DEER_CAPTIONS = NounCaptions(
    "deer", ("A {singular} in the snow", "One {singular} by a road"), ("Two {plural} at dusk",)
)


def test_what_is_written_is_read(tmp_path: Path):
    captions = {"deer": DEER_CAPTIONS, "suv": NounCaptions("suv", ("A {singular}",), ())}
    write_captions(tmp_path / "c.json", small_dictionary(), captions)
    assert read_captions(tmp_path / "c.json") == captions


def test_the_file_has_upstreams_fields(tmp_path: Path):
    write_captions(tmp_path / "c.json", small_dictionary(), {"deer": DEER_CAPTIONS})
    text = (tmp_path / "c.json").read_text(encoding="utf-8")
    (entry,) = json.loads(text)
    assert list(entry) == [
        *("id", "target_noun", "pretty_noun", "singulars", "plurals", "singulars_freq"),
        *("plurals_freq", "hypernyms", "singular_captions", "plural_captions"),
        *("num_singular_captions", "num_plural_captions"),
    ]
    assert (entry["num_singular_captions"], entry["num_plural_captions"]) == (70, 70)
    assert text == json.dumps([entry], indent=2)


def test_reading_needs_only_the_noun_and_its_captions(tmp_path: Path):
    path = tmp_path / "c.json"
    entry = {"target_noun": "owl", "singular_captions": ["An {singular}"], "plural_captions": []}
    path.write_text(json.dumps([entry]))
    assert read_captions(path) == {"owl": NounCaptions("owl", ("An {singular}",), ())}


def test_wanted_captions_end_at_a_hundred():
    assert wanted_captions(DEER, "singular") == 70
    assert wanted_captions(SUV, "singular") == 100
    assert wanted_captions(SUV, "plural") == 0


def entry_with(**changed: object) -> dict:
    return {
        "target_noun": "deer",
        "singular_captions": ["A {singular} in the snow"],
        "plural_captions": ["Two {plural} at dusk"],
    } | changed


@pytest.mark.parametrize(
    ("changed", "where", "what"),
    [
        (
            {"singular_captions": ["A {singular}", "A deer"]},
            "entry 2 (deer), singular_captions 2",
            "'A deer' holds no {singular}",
        ),
        (
            {"plural_captions": ["Two {singular}"]},
            "entry 2 (deer), plural_captions 1",
            "holds no {plural}",
        ),
        (
            {"plural_captions": ["{plural} and a {singular}"]},
            "entry 2 (deer), plural_captions 1",
            "holds {singular} among the plural captions",
        ),
        (
            {"singular_captions": ["A {singular}", "One {singular}", "A {singular}"]},
            "entry 2 (deer), singular_captions 3",
            "is caption 1 already",
        ),
        ({"singular_captions": [" A {singular}"]}, "singular_captions 1", "stray spaces"),
        ({"singular_captions": [""]}, "singular_captions 1", "not empty"),
        ({"singular_captions": [None]}, "singular_captions 1", "must be text"),
        ({"singular_captions": None}, "entry 2 (deer), singular_captions", "must be a list"),
        ({"target_noun": "owl"}, "entry 2 (owl), target_noun", "has an entry already"),
        ({"target_noun": 3}, "entry 2, target_noun", "there is no target noun"),
    ],
)
def test_each_broken_rule_names_entry_and_field(
    tmp_path: Path, changed: dict, where: str, what: str
):
    path = tmp_path / "c.json"
    owl = {"target_noun": "owl", "singular_captions": ["An {singular}"], "plural_captions": []}
    path.write_text(json.dumps([owl, entry_with(**changed)]))
    with pytest.raises(CaptionError) as error:
        read_captions(path)
    assert str(error.value).startswith(f"{path}: ")
    assert where in str(error.value)
    assert what in str(error.value)


def test_files_that_are_no_captions(tmp_path: Path):
    path = tmp_path / "c.json"
    with pytest.raises(CaptionError, match="cannot be read"):
        read_captions(path)
    path.write_text("{}")
    with pytest.raises(CaptionError, match="must be a JSON list"):
        read_captions(path)
    path.write_text('["deer"]')
    with pytest.raises(CaptionError, match="entry 1, target_noun"):
        read_captions(path)


def test_spellings_use_the_captions_in_turn():
    """Small enough to follow: aeroplanes 1 and airplanes 4, two samples each, three captions."""
    captions = {
        "airplane": NounCaptions("airplane", (), ("{plural} A", "{plural} B", "{plural} C"))
    }
    samples = list(
        caption_samples(
            ObjectDictionary((AIRPLANE,)), captions, captions_per_freq=1, samples_per_freq=2
        )
    )
    order = [sample.text[-2] for sample in samples[2:5]]
    assert sorted(order) == ["A", "B", "C"]
    third, first, second = order  # The second spelling begins where the first ended.
    assert samples == [
        Caption(f"aeroplanes {first}.", (0,), 1),
        Caption(f"aeroplanes {second}.", (0,), 1),
        Caption(f"airplanes {third}.", (0,), 3),
        Caption(f"airplanes {first}.", (0,), 3),
        Caption(f"airplanes {second}.", (0,), 2),
    ]


def many(word: str, count: int) -> tuple[str, ...]:
    return tuple(f"{{{word}}} number {place}" for place in range(count))


def all_captions(dictionary: ObjectDictionary, count: int) -> dict[str, NounCaptions]:
    return {
        noun: NounCaptions(noun, many("singular", count), many("plural", count))
        for noun in dictionary.targets
    }


def test_every_spelling_gets_twenty_samples_for_each_unit_of_frequency():
    dictionary = small_dictionary()
    samples = list(caption_samples(dictionary, all_captions(dictionary, 400)))
    assert sum(one.count for one in samples) == 20 * sum(e.total_freq for e in dictionary.entries)
    of_spelling = Counter[str]()
    for one in samples:
        of_spelling[one.text.split(" number ")[0]] += one.count
    wanted = Counter[str]()
    for entry in dictionary.entries:
        for spelling, freq in (*entry.variants("singular"), *entry.variants("plural")):
            wanted[spelling] += 20 * freq
    assert of_spelling == wanted
    assert len({one.text for one in samples if one.text.startswith("S.U.V.")}) == 100
    assert 20 * (110_040 + 34_419) == 2_889_180  # Upstream's dictionary.


def test_at_most_ten_captions_for_each_unit_of_frequency_are_used():
    dictionary = ObjectDictionary((DEER,))
    samples = list(caption_samples(dictionary, all_captions(dictionary, 400)))
    assert len({one.text for one in samples[:70]}) == 70
    assert len(samples) == 140
    assert {one.count for one in samples} == {2}


def test_the_choice_follows_the_seed_and_survives_a_threshold():
    dictionary = large_dictionary().thresholded(10)
    captions = all_captions(dictionary, 400)
    first = list(caption_samples(dictionary, captions, seed=1))
    assert first == list(caption_samples(dictionary, captions, seed=1))
    assert first != list(caption_samples(dictionary, captions, seed=2))
    frequent = dictionary.thresholded(12)
    texts = [one.text for one in caption_samples(frequent, captions, seed=1)]
    kept = {dictionary.targets.index(noun) for noun in frequent.targets}
    assert texts == [one.text for one in first if one.targets[0] in kept]


def test_nouns_without_captions_give_no_samples_and_are_told():
    dictionary = small_dictionary()
    captions = {"deer": NounCaptions("deer", ("A {singular}.",), ()), "ghost": DEER_CAPTIONS}
    samples = list(caption_samples(dictionary, captions))
    assert samples == [Caption("A deer.", (1,), 140)]
    assert nouns_without_captions(dictionary, captions) == list(dictionary.targets)
    full = all_captions(dictionary, 1)
    assert nouns_without_captions(dictionary, full) == []
    full["suv"] = NounCaptions("suv", ("A {singular}",), ())  # It has no plural.
    assert nouns_without_captions(dictionary, full) == []


def test_more_captions_than_samples_are_refused():
    with pytest.raises(UsageError, match=r"21 captions .* with 20 samples"):
        next(caption_samples(small_dictionary(), {}, captions_per_freq=21))
