"""Events found by words, looks, colour and place."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import UsageError
from app.events.event import Finding
from app.feedback.answers import Answer, keep_answer
from app.search.search import find, search
from app.search.texts import text_vectors
from detectors.types import Box
from tests.app.events.findings import picture_of
from tests.app.search.stores import called, ids, keep, site


def found(place: Path, text: str, limit: int = 10) -> list[str]:
    return ids([hit.listed for hit in search([place], text, limit)])


def test_words_of_names_kinds_and_cameras_are_found_at_any_camera(tmp_path: Path):
    place = site(tmp_path)
    assert found(place, "wrenches") == ["2"]
    assert found(place, "a tool") == ["2"]
    assert found(place, "spanner") == ["2"]
    assert set(found(place, "at the gate")) == {"0", "1"}
    assert found(place, "submarine") == []


def test_a_name_counts_more_than_a_guess(tmp_path: Path):
    keep(tmp_path, called(0, "cat"), called(1, "shoe"))
    assert found(tmp_path, "shoe") == ["1", "0"]
    assert found(tmp_path, "shoe", 1) == ["1"]


def test_what_people_said_it_is_takes_the_place_of_the_decoder_s_word(tmp_path: Path):
    place = site(tmp_path)
    assert found(place, "wrench") == ["2"]
    answer = Answer("00000000000002-abc", "renamed", "pallet jack", "of the new shift", "", 1)
    keep_answer(place / "hall", answer)
    assert found(place, "pallet jack") == ["2"]
    assert found(place, "shift") == ["2"]
    assert found(place, "wrench") == []


def test_what_came_or_closed_since_the_last_search_is_found(tmp_path: Path):
    keep(tmp_path, called(0, "cat", state="opened"))
    assert found(tmp_path, "ladder") == []
    keep(tmp_path, called(0, "dog"), called(1, "ladder"))
    assert found(tmp_path, "ladder") == ["1"]
    assert found(tmp_path, "dog") == ["0"]
    assert found(tmp_path, "cat") == []


def test_a_page_that_answers_by_another_thread_each_time_searches_too(tmp_path: Path):
    place = site(tmp_path)
    for _ in range(2):
        with ThreadPoolExecutor(1) as another:
            assert another.submit(found, place, "wrenches").result() == ["2"]


def painted(finding: Finding, colour: tuple[int, int, int]) -> Finding:
    """The same of one colour."""
    picture = picture_of(finding)
    crop = np.full_like(picture.crops[0], (128, 128, 128))
    crop[20:-20, 20:-20] = colour
    return replace(finding, picture=replace(picture, crops=(crop,)))


def test_colour_and_side_decide_among_things_of_one_name(tmp_path: Path):
    red, blue, left = called(0, "bag"), called(1, "bag"), called(2, "bag")
    at_left = replace(left.event, box=Box(10, 120, 140, 300))
    left = replace(painted(left, (200, 30, 30)), event=at_left)
    keep(tmp_path, painted(red, (200, 30, 30)), painted(blue, (40, 80, 190)), left)
    assert set(found(tmp_path, "red bag", 2)) == {"0", "2"}
    assert found(tmp_path, "blue bag", 1) == ["1"]
    assert found(tmp_path, "red bag on the left", 1) == ["2"]
    (hit,) = search([tmp_path], "red bag on the left", 1)
    assert hit.by == ("words", "red", "left")
    assert found(tmp_path, "something blue", 1) == ["1"]


def test_what_is_not_known_is_said(tmp_path: Path):
    vector = np.array([1, 0], np.float32)
    keep(tmp_path, called(0, "toolbox", vector=vector), embedder="none")
    told = find([tmp_path], "red toolbox near the wing")
    assert ids([hit.listed for hit in told.hits]) == ["0"]
    looks, place = told.notes
    assert looks.startswith("Looks and meaning are not searched: ")
    assert place.startswith("Where 'wing' is in the picture is not known")


def test_things_are_found_by_looks_and_by_what_names_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path / "home"))
    cat, lorry = text_vectors("starter", ["a photo of a cat", "a photo of a lorry"])
    place = keep(
        tmp_path / "out",
        called(0, "egyptian cat", vector=cat),
        called(1, "lorry", vector=lorry),
        embedder="starter",
    )
    first, second = search([place], "kitten")
    assert ids([first.listed, second.listed]) == ["0", "1"]
    assert first.by == ("looks", "meaning")
    assert found(place, "heavy vehicle", 1) == ["1"]


def test_a_place_without_a_store_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"holds no events\.sqlite, nor does a folder in it"):
        search([tmp_path], "cat")
