"""Reading, checking, writing, thresholding and searching of noun dictionaries."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from scenarios.dictionary import (
    DictionaryError,
    NounEntry,
    ObjectDictionary,
    read_dictionary,
    write_dictionary,
)
from tests.scenarios.builders import AIRPLANE, DEER, GLASS, GLASSES, SUV, small_dictionary


def written(path: Path, entries: list[dict]) -> Path:
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def small_entries() -> list[dict]:
    return [asdict(entry) for entry in small_dictionary().entries]


def test_reads_every_field(tmp_path: Path):
    path = tmp_path / "object_nouns.json"
    write_dictionary(path, small_dictionary())
    assert read_dictionary(path) == small_dictionary()


def test_writing_gives_upstreams_file_byte_for_byte(dictionary_file: Path, tmp_path: Path):
    dictionary = read_dictionary(dictionary_file)
    shuffled = ObjectDictionary(dictionary.entries[::-1])
    write_dictionary(tmp_path / "again.json", shuffled)
    assert (tmp_path / "again.json").read_bytes() == dictionary_file.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.json"]


def test_non_ascii_spellings_stay_as_they_are(tmp_path: Path):
    entry = NounEntry(1, "cafe", "café", ("café", "cafe"), (), (2, 1), ())
    write_dictionary(tmp_path / "d.json", ObjectDictionary((entry,)))
    assert "café" in (tmp_path / "d.json").read_text(encoding="utf-8")
    assert read_dictionary(tmp_path / "d.json").entries == (entry,)


def test_thresholds_are_strict(dictionary: ObjectDictionary):
    sizes = {n: len(dictionary.thresholded(n).entries) for n in (0, 2, 9)}
    assert sizes == {0: 2330, 2: 2037, 9: 338}
    small = small_dictionary()
    assert small.thresholded(14).targets == ("airplane", "suv")  # 15 and 15; the deer has 14.


def test_threshold_above_everything_is_refused():
    with pytest.raises(DictionaryError, match="above 15; the highest is 15"):
        small_dictionary().thresholded(15)


def test_threshold_drops_hypernyms_that_went(tmp_path: Path):
    kind = replace(AIRPLANE, hypernyms=(DEER.id, SUV.id))
    kept = ObjectDictionary((kind, DEER, SUV)).thresholded(14)
    assert kept.entries[0].hypernyms == (SUV.id,)
    write_dictionary(tmp_path / "d.json", kept)
    assert read_dictionary(tmp_path / "d.json") == kept


@pytest.mark.parametrize(
    ("typed", "nouns"),
    [
        ("Aeroplanes", ["airplane"]),
        ("s.u.v.", ["suv"]),
        ("  X-RAY   machine ", ["x ray machine"]),
        ("x/ray machine", ["x ray machine"]),
        ("glasses", ["glasses", "glass"]),
        ("glass", ["glass"]),
        ("Déer", ["deer"]),
        ("unheard-of thing", []),
        ("", []),
    ],
)
def test_what_people_type_leads_to_nouns(typed: str, nouns: list[str]):
    assert [entry.target_noun for entry in small_dictionary().resolve(typed)] == nouns


def test_every_spelling_of_a_large_dictionary_resolves(dictionary: ObjectDictionary):
    for entry in dictionary.entries:
        for spelling in (*entry.singulars, *entry.plurals, entry.pretty_noun):
            assert entry in dictionary.resolve(spelling)


def test_variants_carry_their_frequencies():
    assert AIRPLANE.variants("singular") == (("aeroplane", 5), ("airplane", 5))
    assert AIRPLANE.variants("plural") == (("aeroplanes", 1), ("airplanes", 4))
    assert (AIRPLANE.freq("singular"), AIRPLANE.freq("plural"), AIRPLANE.total_freq) == (10, 5, 15)
    assert SUV.variants("plural") == ()


BROKEN = [
    ("id", -1, "-1 is not a whole number"),
    ("id", True, "True is not a whole number"),
    ("id", "7", "'7' is not a whole number"),
    ("id", 20431, "is the id of entry 1 already"),
    ("target_noun", "Deer", "must be words of a-z"),
    ("target_noun", "", "must be words of a-z"),
    ("target_noun", "red  deer", "single spaces"),
    ("target_noun", "dée", "must be words of a-z"),
    ("target_noun", None, "must be words of a-z"),
    ("pretty_noun", "moose", "canonically 'moose', not the target noun"),
    ("pretty_noun", "deer ", "without leading, trailing"),
    ("pretty_noun", 5, "must be text"),
    ("singulars", ["deer "], "without leading, trailing"),
    ("singulars", ["red  deer"], "without leading, trailing"),
    ("singulars", [""], "not empty"),
    ("singulars", ["de\x00er"], "must be text"),
    ("singulars", ["\ud800"], "must be text"),
    ("singulars", [4], "must be text"),
    ("singulars", "deer", "must be a list"),
    ("plurals", [" deer"], "without leading, trailing"),
    ("singulars_freq", [0], "0 is not a whole number from 1"),
    ("singulars_freq", [1.5], "1.5 is not a whole number"),
    ("singulars_freq", [True], "True is not a whole number"),
    ("singulars_freq", [], "0 frequencies for 1 singulars"),
    ("singulars_freq", 7, "must be a list"),
    ("plurals_freq", [1, 2], "2 frequencies for 1 plurals"),
    ("plurals_freq", [-3], "-3 is not a whole number"),
    ("hypernyms", [99999], "99999 is not the id of another entry"),
    ("hypernyms", [7], "7 is not the id of another entry"),
    ("hypernyms", ["animal"], "must be a list of ids"),
    ("hypernyms", None, "must be a list of ids"),
    ("colour", "brown", "there is no such field"),
]


@pytest.mark.parametrize(("field", "value", "what"), BROKEN)
def test_each_broken_rule_names_entry_and_field(
    tmp_path: Path, field: str, value: object, what: str
):
    entries = small_entries()
    entries[1][field] = value
    path = written(tmp_path / "broken.json", entries)
    with pytest.raises(DictionaryError) as error:
        read_dictionary(path)
    assert str(path) in str(error.value)
    assert "entry 2 (" in str(error.value)
    assert f", {field}: " in str(error.value)
    assert what in str(error.value)


@pytest.mark.parametrize("field", list(asdict(DEER)))
def test_missing_fields_are_named(tmp_path: Path, field: str):
    entries = small_entries()
    del entries[1][field]
    with pytest.raises(DictionaryError, match=f"entry 2 .*, {field}: the field is missing"):
        read_dictionary(written(tmp_path / "broken.json", entries))


def test_a_noun_without_spellings_is_refused(tmp_path: Path):
    entries = small_entries()
    entries[1] |= {"singulars": [], "plurals": [], "singulars_freq": [], "plurals_freq": []}
    with pytest.raises(DictionaryError, match=r"entry 2 \(deer\), singulars: empty like plurals"):
        read_dictionary(written(tmp_path / "broken.json", entries))


def test_two_entries_of_one_noun_are_refused(tmp_path: Path):
    again = asdict(replace(DEER, id=99))
    entries = [*small_entries()[:2], again, *small_entries()[2:]]
    with pytest.raises(DictionaryError, match=r"entry 3 \(deer\), target_noun: .* entry 2 already"):
        read_dictionary(written(tmp_path / "broken.json", entries))


def test_entries_out_of_order_are_refused(tmp_path: Path):
    entries = [asdict(GLASSES), asdict(GLASS)]
    with pytest.raises(DictionaryError, match=r"entry 2 \(glass\), target_noun: .* 'glasses'"):
        read_dictionary(written(tmp_path / "broken.json", entries))


def test_many_faults_are_told_at_once(tmp_path: Path):
    entries = [asdict(replace(DEER, id=-1, target_noun="deer")) for _ in range(40)]
    with pytest.raises(DictionaryError) as error:
        read_dictionary(written(tmp_path / "broken.json", entries))
    lines = str(error.value).splitlines()
    assert "40 faults" in lines[0]
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", ":1:1: not JSON"),
        (b'[\n  {"id": 1,\n', ":3:1: not JSON"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"{}", "must be a JSON list"),
        (b"[]", "at least one noun"),
        (b"[7]", "entry 1: must be an object"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_files_that_are_no_dictionary(tmp_path: Path, content: bytes, what: str):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(DictionaryError) as error:
        read_dictionary(path)
    assert str(error.value).startswith(str(path))
    assert what in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DictionaryError, match=r"none\.json: cannot be read: No such file"):
        read_dictionary(tmp_path / "none.json")
