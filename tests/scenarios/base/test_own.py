"""The nouns of our own list, in the list and in the base dictionary."""

import re
from collections import defaultdict

import pytest

from novic.vocabulary import sanitised
from scenarios.base.build import with_additions
from scenarios.base.own import OwnNoun, meant_by, own_nouns
from scenarios.base.senses import is_noun
from scenarios.base.spelling import spelling_key
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.json_files import is_tidy
from scenarios.site import targets
from scenarios.wordnet import WordNet

GROUPS = {
    "Devices",
    "Protective equipment",
    "Hand and power tools",
    "Vehicles",
    "Packaging and logistics",
    "People by work",
    "Construction and building",
    "Medical",
    "Laboratory",
    "Office",
    "Kitchen and food service",
    "Cleaning",
    "Agriculture and garden",
    "Security and public places",
    "Factory and machines",
    "Home, clothing and toys",
}


@pytest.fixture(scope="module")
def entries(base_dictionary: ObjectDictionary) -> dict[str, NounEntry]:
    return {entry.target_noun: entry for entry in base_dictionary.entries}


def names() -> list[str]:
    return [name for own in own_nouns() for name in (own.noun, *own.others)]


def meant(own: OwnNoun, entries: dict[str, NounEntry]) -> NounEntry:
    return entries[sanitised(own.noun)]


def test_there_are_enough_of_all_kinds():
    assert len(own_nouns()) >= 1_500
    assert {own.group for own in own_nouns()} == GROUPS


def test_every_name_is_a_tidy_noun_that_stands_there_once():
    assert all(is_tidy(name) and is_noun(sanitised(name)) for name in names())
    # Spellings of one noun may differ by what the spelling rules know; two nouns may not.
    owners: dict[str, set[str]] = defaultdict(set)
    for own in own_nouns():
        for key in _keys(own):
            owners[key].add(own.noun)
    assert {key: nouns for key, nouns in owners.items() if len(nouns) > 1} == {}


def _keys(own: OwnNoun) -> set[str]:
    return {spelling_key(sanitised(name)) for name in (own.noun, *own.others)}


def test_every_noun_has_a_meaning_in_a_phrase():
    for own in own_nouns():
        assert re.fullmatch(r"\S.{4,90}[^\s.]", own.meaning), own
        assert own.meaning.casefold() != own.noun.casefold()


def test_none_is_known_without_the_list(
    base_dictionary: ObjectDictionary, entries: dict[str, NounEntry]
):
    listed = {sanitised(own.noun) for own in own_nouns()}
    others = ObjectDictionary(
        tuple(e for e in base_dictionary.entries if e.target_noun not in listed)
    )
    assert [name for name in names() if others.resolve(name)] == []


def test_all_are_in_the_base_dictionary_with_plurals(entries: dict[str, NounEntry]):
    found = [meant(own, entries) for own in own_nouns()]
    assert all(entry.total_freq >= 1 and entry.plurals for entry in found)
    without = {entry.target_noun for entry in found if not entry.singulars}
    assert {"safety goggles", "ear defenders"} <= without
    assert all(noun.endswith("s") for noun in without)


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("engineer", "engineers"),
        ("smartphone", "smartphones"),
        ("rivet gun", "rivet guns"),
        ("safety goggles", "safety goggles"),
        ("quadcopter", "quadcopters"),
        ("power strip", "power strips"),
        ("bag of crisps", "bags of crisps"),
        ("shelf label", "shelf labels"),
        ("steel shelf", "steel shelves"),
    ],
)
def test_what_is_seen_at_sites_is_known(entries: dict[str, NounEntry], noun: str, plural: str):
    assert plural in entries[noun].plurals


@pytest.mark.parametrize("name", ["hi-vis vest", "Pallet-Jack", "safety vest", "thumb drive"])
def test_other_names_lead_to_the_noun(base_dictionary: ObjectDictionary, name: str):
    listed = {sanitised(other): own.noun for own in own_nouns() for other in own.others}
    noun = sanitised(listed[sanitised(name)])
    assert [entry.target_noun for entry in meant_by(base_dictionary, name)] == [noun]
    assert targets([name], base_dictionary) == (noun,)
    assert with_additions(base_dictionary, [name]) is base_dictionary


def test_frequencies_are_those_of_the_same_recipe(entries: dict[str, NounEntry], wordnet: WordNet):
    assert entries["smartphone"].total_freq > 4
    assert entries["memory card"].total_freq > 4
    assert entries["tool foam insert"].total_freq == 2  # Nobody counted it.
    # Most uses of the word are of the verb.
    assert wordnet.verb_counts["cook"] > sum(wordnet.noun_counts["cook"].values())
    assert entries["cook"].total_freq < entries["engineer"].total_freq
