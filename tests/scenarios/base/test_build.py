"""The base dictionary as a whole: rows 15 and 16 of scenarios_spec §6, and its traps."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scenarios.base.build import ensure_base, with_additions
from scenarios.base.own import meant_by
from scenarios.comparing import count_above
from scenarios.dictionary import (
    DictionaryError,
    NounEntry,
    ObjectDictionary,
    read_dictionary,
    write_dictionary,
)
from tests.scenarios.builders import small_dictionary

LIBRARY = Path(__file__).parents[3] / "scenarios" / "library"
BUILD = "from app.commands.dictionary import cli; cli()"


@pytest.fixture(scope="module")
def nouns(base_dictionary: ObjectDictionary) -> dict[str, NounEntry]:
    return {entry.target_noun: entry for entry in base_dictionary.entries}


def labelled_nouns() -> list[str]:
    labels = [yaml.safe_load(path.read_text()) for path in sorted(LIBRARY.glob("*/labels.yaml"))]
    return [noun for site in labels for noun in (*site["seen"], *site["never"])]


def test_it_has_the_expected_size(base_dictionary: ObjectDictionary):
    assert 48_700 <= len(base_dictionary.entries) <= 49_100
    assert count_above(base_dictionary, 2) == pytest.approx(9_923, rel=0.02)
    assert count_above(base_dictionary, 6) == pytest.approx(2_744, rel=0.02)


@pytest.mark.timeout(400)  # Two builds, if it is the first to need the base dictionary.
def test_another_process_makes_the_same_file(base_file: Path, tmp_path: Path):
    out = tmp_path / "again.json"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, "build", "--out", out, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == base_file.read_bytes()
    told = json.loads(done.stdout.splitlines()[-1])
    assert list(told) == ["nouns", "ft2", "ft6", "ft9", "seconds", "sha256"]
    # Processor time, which does not depend on what else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime <= 40


def test_it_is_made_only_once(
    home_with_base: Path, base_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOMALY_HOME", str(home_with_base))
    made = base_file.stat().st_mtime_ns
    assert ensure_base() == base_file
    assert base_file.stat().st_mtime_ns == made


@pytest.mark.parametrize(
    "word",
    ["have", "or", "first", "must", "being", "someone", "genus rosa", "family felidae", "einstein"],
)
def test_grammar_taxa_and_particular_things_are_no_nouns(nouns: dict[str, NounEntry], word: str):
    assert word not in nouns


@pytest.mark.parametrize("plural", ["pubiss", "dermiss", "cnss", "porks", "mikadoes"])
def test_plurals_that_nobody_uses_are_left_out(base_dictionary: ObjectDictionary, plural: str):
    assert not base_dictionary.resolve(plural)


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("axe", "ax"),
        ("armour", "armor"),
        ("theatre", "theater"),
        ("aeroplane", "airplane"),
        ("tyre", "tire"),
        ("moustache", "mustache"),
        ("chain saw", "chainsaw"),
        ("carburettor", "carburetor"),
        ("neighbour", "neighbor"),
        ("pyjama", "pajama"),
    ],
)
def test_spelling_variants_are_one_noun(
    base_dictionary: ObjectDictionary, british: str, american: str
):
    found = {entry.target_noun for entry in base_dictionary.resolve(british)}
    assert len(found) == 1
    assert found <= {entry.target_noun for entry in base_dictionary.resolve(american)}


def test_a_spelling_that_is_mostly_another_thing_stays_apart(nouns: dict[str, NounEntry]):
    assert "pallet" in nouns
    assert "palette" in nouns
    assert "scooter" in nouns
    assert "scoter" in nouns


def test_words_are_in_the_number_in_which_they_are_said(nouns: dict[str, NounEntry]):
    assert nouns["foot"].plurals == ("feet",)
    assert nouns["child"].plurals == ("children",)
    assert nouns["gas"].plurals[0] == "gases"
    assert nouns["deer"].plurals == nouns["deer"].singulars == ("deer",)
    assert nouns["glasses"].singulars == ()
    assert nouns["swimming trunks"].singulars == ()
    for noun in ("bus", "lens", "atlas", "octopus", "canvas", "gas"):
        assert noun in nouns[noun].singulars


def test_a_rare_noun_keeps_its_plural(nouns: dict[str, NounEntry]):
    assert nouns["eelblenny"].plurals == ()  # Nobody wrote it.
    assert nouns["torque wrench"].plurals == ("torque wrenches",)
    assert nouns["torque wrench"].total_freq == 2


def test_phrases_are_as_common_as_they_were_counted(nouns: dict[str, NounEntry]):
    assert nouns["life of man"].total_freq <= 2
    assert nouns["fill in"].total_freq <= 2
    assert nouns["digital camera"].total_freq > 6


def test_a_word_counts_for_the_share_of_its_uses_that_can_be_seen(nouns: dict[str, NounEntry]):
    assert nouns["hold"].total_freq < 6 < nouns["car"].total_freq
    assert nouns["drill"].total_freq > 2


def test_image_classes_outside_wordnets_visible_things_are_nouns(nouns: dict[str, NounEntry]):
    assert {"street sign", "traffic light", "potted plant", "hair drier"} <= nouns.keys()


def test_every_labelled_noun_can_be_added(base_dictionary: ObjectDictionary, tmp_path: Path):
    labels = labelled_nouns()
    assert len(labels) >= 240
    full = with_additions(base_dictionary, labels)
    path = tmp_path / "object_nouns.json"
    write_dictionary(path, full)
    assert read_dictionary(path) == full
    assert all(meant_by(full, noun) for noun in labels)
    kept = {entry.id: entry for entry in full.entries}
    assert all(kept[entry.id] == entry for entry in base_dictionary.entries)


def test_additions_get_ids_beyond_the_largest_plurals_and_frequencies():
    full = with_additions(small_dictionary(), ["Smartphone", "exit  sign", "S.U.V.", "deers"])
    new = {entry.target_noun: entry for entry in full.entries if entry.id > 20431}
    assert list(new) == ["deers", "exit sign", "smartphone"]
    assert [new[noun].id for noun in new] == [20432, 20433, 20434]
    assert new["smartphone"].pretty_noun == "Smartphone"
    assert "smartphones" in new["smartphone"].plurals
    assert new["smartphone"].total_freq > 1
    assert new["exit sign"].pretty_noun == "exit sign"


def test_known_nouns_are_not_added_again():
    known = small_dictionary()
    assert with_additions(known, ["airplane", "Aeroplanes", "x-ray machine"]) is known


@pytest.mark.parametrize("text", ["", "  ", "x", "the", "!?", "42"])
def test_what_is_no_noun_cannot_be_added(text: str):
    with pytest.raises(DictionaryError, match="cannot be a noun of the dictionary"):
        with_additions(small_dictionary(), [text])
