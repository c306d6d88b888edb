from pathlib import Path

import pytest

from scenarios.wordnet import WordNet, WordNetError, read_wordnet


def test_a_missing_wordnet_names_its_package(tmp_path: Path):
    with pytest.raises(WordNetError, match="install the Debian package wordnet-base"):
        read_wordnet(tmp_path)


def test_damaged_files_are_refused(tmp_path: Path):
    for name in ("index.noun", "cntlist.rev", "index.verb", "verb.exc", "noun.exc"):
        (tmp_path / name).write_text("")
    (tmp_path / "data.noun").write_text("00001740 03 n 02 entity\n")
    with pytest.raises(WordNetError, match=r"does not hold WordNet 3\.0's files"):
        read_wordnet(tmp_path)


def test_all_nouns_are_read(wordnet: WordNet):
    assert len(wordnet.synsets) == 82_115
    assert len(wordnet.senses) == 117_798


def test_ancestors_come_nearest_first_without_the_synset(wordnet: WordNet):
    cat = wordnet.senses["cat"][0]
    names = [wordnet.synsets[offset].lemmas[0] for offset in wordnet.ancestors(cat)]
    assert names[:2] == ["feline", "carnivore"]
    assert names[-1] == "entity"
    assert "cat" not in names


def test_uses_are_counted_by_part_of_speech(wordnet: WordNet):
    assert wordnet.noun_counts["dog"][wordnet.senses["dog"][0]] == 42
    assert wordnet.verb_counts["bear"] > 50
    assert wordnet.adjective_counts["young"] > 50


def test_particular_things_are_known_as_instances(wordnet: WordNet):
    assert wordnet.synsets[wordnet.senses["einstein"][0]].instance
    assert not wordnet.synsets[wordnet.senses["cat"][0]].instance


def test_irregular_plurals_and_glosses_are_read(wordnet: WordNet):
    assert wordnet.plurals["foot"] == ("feet",)
    assert wordnet.plurals["ox"] == ("oxen",)
    assert "motor vehicle" in wordnet.synsets[wordnet.senses["car"][0]].gloss
