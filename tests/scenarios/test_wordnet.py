import zipfile
from dataclasses import fields
from pathlib import Path

import pytest

from scenarios.wordnet import SHIPPED, WordNet, WordNetError, read_wordnet
from scenarios.wordnet_packing import LICENCE, pack

MEANING = (
    "02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 003 @ 02083346 n 0000 "
    "%p 02158846 n 0000 @i 01317541 n 0000 | a member of the genus Canis  \n"
)


def whole_files(folder: Path) -> Path:
    """A WordNet of one noun as Princeton writes it, licence, foreign pointers and all."""
    licence = "  1 This software and database is being provided to you\n"
    (folder / "data.noun").write_text(licence + MEANING)
    (folder / "index.noun").write_text(
        f"{licence}dog n 1 4 @ ~ #m %p 1 1 02084071  \ndomestic_dog n 1 2 @ ~ 1 0 02084071  \n"
    )
    (folder / "cntlist.rev").write_text("dog%1:05:00:: 1 42\nbear%2:42:00:: 1 2\n")
    (folder / "index.verb").write_text(f"{licence}go_on v 2 1 @ 2 0 00001740 00002325  \n")
    (folder / "verb.exc").write_text("saw see\n")
    (folder / "noun.exc").write_text("oxen ox\n")
    (folder / LICENCE).write_text("Permission to use, copy, modify and distribute\n")
    return folder


def test_a_missing_wordnet_says_what_to_do(tmp_path: Path):
    with pytest.raises(WordNetError, match=r"wordnet\.zip: WordNet is missing; install Nomaly"):
        read_wordnet(tmp_path / "wordnet.zip")
    with pytest.raises(WordNetError, match=r"data\.noun is missing; install Nomaly"):
        read_wordnet(tmp_path)


def test_damaged_files_are_refused(tmp_path: Path):
    damaged = whole_files(tmp_path)
    (damaged / "data.noun").write_text("00001740 03 n 02 entity\n")
    with pytest.raises(WordNetError, match=r"does not hold WordNet 3\.0's files"):
        read_wordnet(damaged)


@pytest.mark.parametrize("kept", [0, 1_000, 2_000_000])
def test_a_damaged_archive_is_refused(tmp_path: Path, kept: int):
    archive = tmp_path / "wordnet.zip"
    archive.write_bytes(SHIPPED.read_bytes()[:kept])
    with pytest.raises(WordNetError, match=r"does not hold WordNet 3\.0's files"):
        read_wordnet(archive)


def test_a_flipped_bit_in_the_archive_is_refused(tmp_path: Path):
    content = bytearray(SHIPPED.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "wordnet.zip").write_bytes(content)
    with pytest.raises(WordNetError, match=r"does not hold WordNet 3\.0's files"):
        read_wordnet(tmp_path / "wordnet.zip")


def test_what_is_packed_reads_as_the_whole_files(tmp_path: Path):
    whole, archive = whole_files(tmp_path), tmp_path / "wordnet.zip"
    pack(whole, whole / LICENCE, archive)
    before, after = read_wordnet(whole), read_wordnet(archive)
    for part in fields(WordNet):
        assert getattr(after, part.name) == getattr(before, part.name), part.name
    dog = after.synsets[2084071]
    assert dog.lemmas == ("dog", "domestic dog", "Canis familiaris")
    assert (dog.hypernyms, dog.instance) == ((2083346,), True)
    assert after.verbs == {"go on"}


def test_packing_again_makes_the_same_bytes(tmp_path: Path):
    whole = whole_files(tmp_path)
    for name in ("one.zip", "two.zip"):
        pack(whole, whole / LICENCE, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_licence_goes_with_the_data():
    """WordNet's licence asks for its notice on all copies."""
    with zipfile.ZipFile(SHIPPED) as archive:
        inside = archive.read(LICENCE).decode()
    assert inside == SHIPPED.with_name(LICENCE).read_text()
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in inside
    assert "appear on ALL copies" in " ".join(inside.split())


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
