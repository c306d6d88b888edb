"""Articles, templates and plain noun captions."""

import json
from pathlib import Path

import pytest

from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import AIRPLANE, DEER, SUV, large_dictionary, small_dictionary
from training.texts.prompts import (
    Prompt,
    PromptError,
    article,
    noun_captions,
    noun_samples,
    read_prompts,
)
from training.texts.samples import Caption


def prompts_file(path: Path, collections: dict) -> Path:
    path.write_text(json.dumps({"prompts": collections}), encoding="utf-8")
    return path


def filled(template: str, number: str, noun: str) -> str:
    (prompt,) = [prompt for prompt in read_prompts() if prompt.template == template]
    return prompt.sentence((prompt.word(noun, number),))  # type: ignore[arg-type]


def test_census_of_the_shipped_prompts():
    """The counts of novic_spec §1.7, from which the paper's data set sizes follow."""
    prompts = read_prompts()
    singular = [prompt.freq for prompt in prompts if prompt.suits("singular")]
    plural = [prompt.freq for prompt in prompts if prompt.suits("plural")]
    assert len(prompts) == 86
    assert (len(singular), sum(singular)) == (85, 97)
    assert (len(plural), sum(plural)) == (68, 79)
    assert sorted(prompt.freq for prompt in prompts) == [1] * 74 + [2] * 12


@pytest.mark.parametrize(
    ("collection", "census"),
    [
        (
            "ImageNet1K",
            {
                "{article_noun}": 23,
                "{article_singular}": 1,
                "{singular}": 16,
                "{noun}": 39,
                "{plural}": 1,
            },
        ),
        ("CIFAR", {"{article_noun}": 7, "{singular}": 2, "{noun}": 9}),
    ],
)
def test_census_of_each_collection(collection: str, census: dict[str, int]):
    held = [prompt.placeholder for prompt in read_prompts(collections=collection)]
    assert {placeholder: held.count(placeholder) for placeholder in set(held)} == census


def test_size_of_the_plain_noun_data_set():
    dictionary, prompts = large_dictionary(), read_prompts()
    singular = sum(entry.freq("singular") for entry in dictionary.entries)
    plural = sum(entry.freq("plural") for entry in dictionary.entries)
    assert noun_samples(dictionary, prompts) == 97 * singular + 79 * plural
    counts = [caption.count for caption in noun_captions(dictionary, prompts)]
    assert sum(counts) == noun_samples(dictionary, prompts)
    assert 97 * 110_040 + 79 * 34_419 == 13_392_981  # Upstream's dictionary, by the same formula.


@pytest.mark.parametrize(
    ("noun", "wanted"),
    [
        ("dog", "a"),
        ("apple", "an"),
        ("Apple", "an"),
        ("FBI agent", "an"),
        ("HD TV", "an"),
        ("MRI scanner", "an"),
        ("SUV", "an"),
        ("LED", "an"),
        ("NASA rocket", "a"),  # Capitals with an A behind the first are read as a word.
        ("LEDs", "a"),  # The word does not end behind the capitals.
        ("ld", "a"),  # Capitals only.
        ("UV lamp", "an"),  # By rule, whatever people say.
        ("x-ray", "an"),
        ("X-ray", "an"),
        ("X ray", "a"),
        ("S.U.V.", "an"),
        ("u.s. flag", "a"),
        ("T-shirt", "a"),
        ("e-reader", "an"),
        ("u-boat", "a"),
        ("hourglass", "an"),
        ("house", "a"),
        ("eucalyptus", "a"),
        ("ewe", "a"),
        ("eel", "an"),
        ("one piece", "a"),
        ("once-over", "a"),
        ("onion", "an"),
        ("oncologist", "an"),
        ("unicorn", "a"),
        ("union", "a"),
        ("urchin", "an"),
        ("urinal", "a"),
        ("usurper", "a"),
        ("ukulele", "a"),
        ("umbrella", "an"),
        ("undershirt", "an"),
        ("utensil", "a"),
        ("ufo", "a"),
        ("ulcer", "an"),
        ("8 ball", "a"),
        ("école", "a"),
    ],
)
def test_article_rules_in_their_order(noun: str, wanted: str):
    assert article(noun) == wanted


def test_templates_are_filled_by_number():
    assert filled("art of {article_noun}.", "singular", "owl") == "art of an owl."
    assert filled("art of {article_noun}.", "plural", "owls") == "art of owls."
    assert filled("the {noun} in a video game.", "plural", "owls") == "the owls in a video game."
    sculpture = "a sculpture of {article_singular}."
    assert filled(sculpture, "singular", "SUV") == "a sculpture of an SUV."


def test_every_noun_gets_an_article_of_its_own():
    prompt = Prompt("a photo of ", "{article_noun}", ".", 1)
    words = [prompt.word(noun, "singular") for noun in ("owl", "dog", "SUV")]
    assert prompt.sentence(words) == "a photo of an owl and a dog and an SUV."


def test_captions_come_by_entry_number_template_and_spelling(tmp_path: Path):
    rows = [[2, "{article_singular}"], [1, "many {plural}"], [3, " the  {noun} "]]
    prompts = read_prompts(prompts_file(tmp_path / "prompts.json", {"mine": rows}), "mine")
    captions = list(noun_captions(ObjectDictionary((AIRPLANE, SUV)), prompts))
    assert captions == [
        Caption("an aeroplane.", (0,), 10),
        Caption("an airplane.", (0,), 10),
        Caption("the aeroplane.", (0,), 15),
        Caption("the airplane.", (0,), 15),
        Caption("many aeroplanes.", (0,), 1),
        Caption("many airplanes.", (0,), 4),
        Caption("the aeroplanes.", (0,), 3),
        Caption("the airplanes.", (0,), 12),
        Caption("an S.U.V..", (1,), 10),
        Caption("an SUV.", (1,), 10),
        Caption("a suv.", (1,), 10),
        Caption("the S.U.V..", (1,), 15),
        Caption("the SUV.", (1,), 15),
        Caption("the suv.", (1,), 15),
    ]


def test_a_word_that_is_its_own_plural_gets_both_shares():
    captions = list(noun_captions(ObjectDictionary((DEER,)), read_prompts()))
    the = [caption.count for caption in captions if caption.text == "a bad photo of the deer."]
    assert the == [14, 14]  # In both collections, singular 7 and plural 7.


def test_frequencies_of_equal_templates_add_up(tmp_path: Path):
    path = prompts_file(
        tmp_path / "prompts.json",
        {"a": [[1, "the {noun}"], [0, "my {noun}"]], "b": [[4, "the  {noun}."], [2, "my {noun}"]]},
    )
    found = {prompt.template: prompt.freq for prompt in read_prompts(path, "a | b")}
    assert found == {"the {noun}.": 5, "my {noun}.": 2}
    assert [prompt.template for prompt in read_prompts(path, "a")] == ["the {noun}."]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ([1, "a photo"], "holds 0 placeholders"),
        ([1, "{noun} and {noun}"], "holds 2 placeholders"),
        ([1, "a {thing}"], "holds {thing}; the placeholders are {noun}"),
        ([1, "a {noun} }"], "a brace outside"),
        ([-1, "a {noun}"], "-1 is not a whole number"),
        ([True, "a {noun}"], "True is not a whole number"),
        ([1.0, "a {noun}"], "1.0 is not a whole number"),
        ([1, None], "None must be text"),
        ([1], "must be [freq, template]"),
        ("{noun}", "must be [freq, template]"),
    ],
)
def test_a_broken_template_is_named(tmp_path: Path, row: object, what: str):
    path = prompts_file(tmp_path / "prompts.json", {"mine": [[1, "the {noun}"], row]})
    with pytest.raises(PromptError) as error:
        read_prompts(path, "mine")
    assert str(error.value).startswith(f"{path}: mine, template 2: ")
    assert what in str(error.value)


def test_other_faults_of_a_file(tmp_path: Path):
    path = tmp_path / "prompts.json"
    with pytest.raises(PromptError, match="cannot be read"):
        read_prompts(path)
    path.write_text("[]")
    with pytest.raises(PromptError, match=r'must be \{"prompts"'):
        read_prompts(path)
    with pytest.raises(PromptError, match=r"no collection 'CIFAR100'; there are a"):
        read_prompts(prompts_file(path, {"a": [[1, "{noun}"]]}), "a|CIFAR100")
    with pytest.raises(PromptError, match="every template of a has frequency 0"):
        read_prompts(prompts_file(path, {"a": [[0, "{noun}"]]}), "a")
    with pytest.raises(PromptError, match="a: must be a list"):
        read_prompts(prompts_file(path, {"a": "{noun}"}), "a")


def test_captions_of_the_whole_small_dictionary_hold_their_noun():
    dictionary = small_dictionary()
    for caption in noun_captions(dictionary, read_prompts()):
        entry = dictionary.entries[caption.targets[0]]
        assert any(word in caption.text for word in (*entry.singulars, *entry.plurals))
