import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from scenarios.dictionary import read_dictionary, write_dictionary
from scenarios.overlay import Overlay
from scenarios.ratings.records import RatingError
from scenarios.ratings.result import RatedLogit, site_dictionary
from scenarios.ratings.upstream import (
    NO_OPINION,
    NOT_AN_OBJECT,
    Opinion,
    read_opinions,
    upstream_dictionary,
    upstream_frequencies,
)
from tests.scenarios.builders import AIRPLANE, DEER, GLASS, SUV, X_RAY, small_dictionary

BASE = small_dictionary()


def a_line(number: int = 1, entry: object = None, **said: object) -> dict[str, Any]:
    """One of upstream's, for deer if nothing else is said."""
    opinion = {
        "object_noun": "deer",
        "formatted_noun": "deer",
        "dictionary_gloss": "an animal",
        "is_valid_object_noun_discussion": "It is.",
        "is_valid_object_noun": True,
        "can_conceivably_occur_discussion": "It can.",
        "can_conceivably_occur_rating": 4,
        "will_likely_occur_discussion": "It will not.",
        "will_likely_occur_rating": 2,
    }
    return {
        "entry": asdict(DEER) if entry is None else entry,
        "opinion_num": number,
        "target_noun_opinion": "deer",
        "pretty_noun_opinion": "deer",
        "opinion": opinion | said,
    }


def a_file(folder: Path, *lines: Mapping[str, Any] | str) -> Path:
    path = folder / "object_nouns_bench_output.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def test_upstreams_files_give_upstreams_dictionary(tmp_path: Path):
    """Worked out by hand from novic_spec §1.9."""
    airplane, suv = asdict(AIRPLANE), asdict(SUV)
    path = a_file(
        tmp_path,
        a_line(1),
        a_line(2, can_conceivably_occur_rating=6, will_likely_occur_rating=5),
        a_line(1, airplane, formatted_noun="Airplane"),
        a_line(2, airplane, formatted_noun="aeroplane"),
        a_line(3, airplane, formatted_noun="Airplane"),
        "",
        a_line(1, suv, can_conceivably_occur_rating=10, will_likely_occur_rating=10),
    )
    made, nouns = upstream_dictionary(BASE, read_opinions([path], BASE))
    assert made.targets == ("airplane", "deer", "suv")
    by_noun = {entry.target_noun: entry for entry in made.entries}
    # r = (2*3.5 + 5) / 3 = 4, T = 6, each 7 of 14 becomes 3
    assert (by_noun["deer"].singulars_freq, by_noun["deer"].plurals_freq) == ((3,), (3,))
    # r = 8/3, T = 2.667, so 5 5 1 4 of 15 become 0.89 0.89 0.18 0.71
    assert by_noun["airplane"].singulars_freq == (1, 1)
    assert by_noun["airplane"].plurals_freq == (1, 1)
    assert by_noun["airplane"].pretty_noun == "Airplane"
    # T = 37.5, 12.5 each, and Python rounds halves to even
    assert by_noun["suv"].singulars_freq == (12, 12, 12)
    assert by_noun["suv"].pretty_noun == "SUV"  # "deer" is another noun
    rated = {noun.target_noun: noun for noun in nouns}
    assert len(nouns) == len(BASE.entries)
    assert (rated["deer"].rating, rated["deer"].total, rated["deer"].opinions) == (4.0, 6, 2)
    assert (rated["glass"].excluded, rated["glass"].flags) == (NO_OPINION, ("unrated",))
    write_dictionary(tmp_path / "made.json", made)
    assert read_dictionary(tmp_path / "made.json") == made


def test_low_ratings_leak_through_thresholds_as_upstream_lets_them():
    assert upstream_frequencies(AIRPLANE, 1.0)[0].total_freq == 4
    said = {"airplane": RatedLogit(-30.0)}
    made, nouns = site_dictionary(BASE, said, Overlay(), rule=upstream_frequencies)
    assert made.entries[0].total_freq == nouns[0].total == 4
    assert site_dictionary(BASE, said, Overlay())[0].entries[0].total_freq == 1


@pytest.mark.parametrize(
    ("target", "said", "pretty"),
    [
        ("x ray machine", " X-Ray  Machine ", "X-Ray Machine"),
        ("deer", "déer", "déer"),
        ("deer", "reindeer", "deer"),
    ],
)
def test_display_spellings_are_those_of_the_same_noun(target: str, said: str, pretty: str):
    made, _ = upstream_dictionary(BASE, {target: [Opinion(1, said, True, 5, 5)]})
    assert made.entries[0].pretty_noun == pretty


def test_nouns_that_are_no_objects_are_dropped_on_request_by_majority():
    def opinions(*valid: bool) -> list[Opinion]:
        return [Opinion(n, "x", is_valid, 5, 5) for n, is_valid in enumerate(valid)]

    said = {
        "airplane": opinions(True, False, False),
        "deer": opinions(True, False),
        "glass": opinions(True, True, False),
    }
    assert upstream_dictionary(BASE, said)[0].targets == ("airplane", "deer", "glass")
    made, nouns = upstream_dictionary(BASE, said, drop_invalid=True)
    assert made.targets == ("deer", "glass")
    assert (nouns[0].excluded, nouns[0].total) == (NOT_AN_OBJECT, 0)


def test_opinions_may_lie_in_several_files(tmp_path: Path):
    (tmp_path / "a").mkdir()
    paths = [a_file(tmp_path, a_line(1)), a_file(tmp_path / "a", a_line(2))]
    assert [opinion.number for opinion in read_opinions(paths, BASE)["deer"]] == [1, 2]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"entry": {"id": 3', r"output\.jsonl: line 2: Invalid JSON"),
        (a_line(2, will_likely_occur_rating=11), "line 2, opinion.will_likely_occur_rating: .* 10"),
        (a_line(2, is_valid_object_noun="yes"), "line 2, opinion.is_valid_object_noun: .* boolean"),
        ({"entry": asdict(DEER), "opinion_num": 2}, "line 2, opinion: Field required"),
        (a_line(1), r"line 2 \(deer\): is opinion 1 again"),
        (a_line(2, {"target_noun": "moon"}), "line 2: 'moon' is not in the dictionary"),
        (a_line(2, {}), "line 2: None is not in the dictionary"),
        (
            a_line(2, asdict(GLASS) | {"plurals_freq": [3]}),
            r"line 2 \(glass\), entry.plurals_freq: is \[3\] here and \(4,\) in the dictionary",
        ),
    ],
)
def test_lines_that_upstream_would_not_write_are_told(
    tmp_path: Path, line: Mapping[str, Any] | str, sentence: str
):
    with pytest.raises(RatingError, match=sentence):
        read_opinions([a_file(tmp_path, a_line(1), line)], BASE)


def test_nothing_to_read_or_keep_is_told(tmp_path: Path):
    with pytest.raises(RatingError, match="cannot be read: No such file"):
        read_opinions([tmp_path / "gone.jsonl"], BASE)
    with pytest.raises(RatingError, match="no noun is left"):
        upstream_dictionary(BASE, {})
    assert read_opinions([a_file(tmp_path, a_line(1, asdict(X_RAY)))], BASE).keys() == {
        "x ray machine"
    }
