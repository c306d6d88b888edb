"""People are seen as people, and what is known of them is mixed into the names."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage import data

from novic import persons
from novic.embedder import Pixels
from novic.embedders.starter import StarterEmbedder
from novic.gencfg import parse_gencfg
from novic.model import ModelOptions, NounModel, load_model
from novic.packaged import WeightsError
from novic.persons import (
    ALONE,
    BOTH,
    FLOOR,
    PEDESTRIANS,
    POSE,
    PersonEvidence,
    Persons,
    find_persons,
    network_path,
    with_person,
)
from novic.surrounded import CONTEXT, WIDE, WIDE_SIDE, Edges, Place, Surrounded
from novic.vocabulary import PERSON, TIMES, Naming, NounScore

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def evidence() -> PersonEvidence:
    return PersonEvidence()


@pytest.fixture(scope="module")
def embedder() -> StarterEmbedder:
    return StarterEmbedder()


def a_naming(*nouns: tuple[str, float]) -> Naming:
    rest = 1 - sum(p for _, p in nouns)
    return Naming(tuple(NounScore(*one) for one in nouns), np.ones(1, np.float32), rest)


def test_a_person_is_seen_and_a_cat_a_cup_and_a_rocket_are_none(evidence: PersonEvidence):
    def seen(image: Pixels) -> float:
        return evidence.look(Surrounded.whole(image)).p

    assert seen(data.astronaut()) > 0.9
    assert max(seen(image) for image in (data.chelsea(), data.coffee(), data.rocket())) < 0.1


def test_only_who_lies_on_the_thing_counts(evidence: PersonEvidence):
    astronaut = data.astronaut()
    picture = np.full((1000, 1400, 3), 120, np.uint8)
    picture[200:712, 100:612] = astronaut
    person = evidence.look(Surrounded.of(picture, (100, 200, 612, 712)))
    beside = evidence.look(Surrounded.of(picture, (640, 200, 1152, 712)))
    assert person.p > 0.9 > 0.1 > beside.p
    (place,) = person.places
    assert 0 <= place.edges[0] < place.edges[2] <= 1
    assert place.p > 0.9
    assert beside.places == ()


def cut_off(beside: float = 0.0) -> Surrounded:
    """Somebody of whom a box holds the chest, down to where the picture ends."""
    picture = np.full((1100, 1400, 3), 120, np.uint8)
    picture[300:812, 400:912] = data.astronaut()
    return Surrounded.of(picture, (480.0 + beside, 560.0, 780.0 + beside, 812.0))


def test_a_box_that_holds_the_lower_part_of_somebody_alone_is_known_as_his(
    evidence: PersonEvidence,
):
    assert evidence.look(cut_off()).p < FLOOR
    wider = evidence.look_wider(cut_off())
    assert (wider.p > 0.9, wider.places) == (True, ())
    assert evidence.look_wider(cut_off(beside=250.0)).p < 0.1


def test_where_nothing_is_known_farther_around_nobody_is_seen_there(evidence: PersonEvidence):
    assert evidence.look_wider(Surrounded.whole(data.astronaut())) == Persons(0.0)


@pytest.mark.parametrize(
    ("thing", "part"),
    [
        pytest.param((0.4, 0.5, 0.6, 0.9), True, id="legs"),
        pytest.param((0.4, 0.1, 0.6, 0.5), True, id="chest and head"),
        pytest.param((0.4, 0.3, 0.6, 0.6), False, id="what is held before him"),
        pytest.param((0.4, 0.8, 0.6, 0.9), False, id="a shoe"),
        pytest.param((0.55, 0.5, 0.75, 0.9), False, id="what stands beside him"),
    ],
)
def test_a_part_of_somebody_is_large_lies_in_his_box_and_reaches_an_end_of_it(
    thing: Edges, part: bool
):
    assert persons._is_part(thing, (0.4, 0.1, 0.6, 0.9)) is part


def test_without_the_second_network_the_first_is_enough(
    evidence: PersonEvidence, monkeypatch: pytest.MonkeyPatch
):
    def first_alone(network: persons.NetworkFile) -> object:
        if network is POSE:
            raise WeightsError("not here")
        return network_path(PEDESTRIANS)

    monkeypatch.setattr(persons, "network_path", first_alone)
    assert PersonEvidence().look(Surrounded.whole(data.astronaut())).p > 0.9


def test_without_the_networks_it_is_said_once_what_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(persons, "find_spec", lambda _: None)
    network_path.cache_clear()
    find_persons.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert [find_persons(), find_persons()] == [None, None]
    finally:
        network_path.cache_clear()
        find_persons.cache_clear()
    (said,) = [record.getMessage() for record in caplog.records]
    assert "people will hardly be named as people" in said
    assert "requirements-persons.lock" in said


def test_the_square_around_a_thing_reaches_beyond_the_picture():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (60, 100, 3), dtype=np.uint8)
    seen = Surrounded.of(image, (0.0, 10.0, 20.0, 50.0))
    side = seen.square.shape[0]
    assert seen.square.shape == (side, side, 3)
    assert side == pytest.approx(CONTEXT * 40, abs=1)
    left, top, right, bottom = (round(side * edge) for edge in seen.thing)
    np.testing.assert_array_equal(seen.square[top:bottom, left:right], image[10:50, :20])
    # Beyond the left edge its column goes on.
    np.testing.assert_array_equal(seen.square[top:bottom, 0], image[10:50, 0])
    np.testing.assert_array_equal(seen.piece(0.0), image[10:50, :20])


@pytest.mark.parametrize("thing", [(0.0, 10.0, 20.0, 50.0), (70.0, 5.0, 100.0, 25.0)])
def test_places_in_the_square_are_told_in_pixels_of_the_picture(thing: Edges):
    seen = Surrounded.of(np.zeros((60, 100, 3), np.uint8), thing)
    assert seen.in_picture(seen.thing, thing) == pytest.approx(thing)
    x1, y1, x2, y2 = seen.in_picture((0.0, 0.0, 1.0, 1.0), thing)
    side = seen.square.shape[0]
    assert (x2 - x1, y2 - y1) == (pytest.approx(side), pytest.approx(side))


def test_the_wide_square_has_the_thing_in_its_middle_and_is_never_large():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (400, 500, 3), dtype=np.uint8)
    small = Surrounded.of(image, (200.0, 150.0, 240.0, 230.0))
    assert small.wide is not None
    assert small.wide.shape == (WIDE * 80, WIDE * 80, 3)
    edges = (round(small.wide.shape[0] * edge) for edge in small.thing_in_wide)
    left, top, right, bottom = edges
    np.testing.assert_array_equal(small.wide[top:bottom, left:right], image[150:230, 200:240])
    for thing in ((0.0, 0.0, 500.0, 400.0), (0.0, 100.0, 5.0, 399.0), (480.0, 0.0, 500.0, 200.0)):
        large = Surrounded.of(image, thing)
        assert large.wide is not None
        assert large.wide.shape == (WIDE_SIDE, WIDE_SIDE, 3)


def test_a_square_of_a_dot_is_a_square():
    seen = Surrounded.of(np.zeros((5, 5, 3), np.uint8), (2.0, 2.0, 3.0, 3.0))
    assert seen.square.shape[0] == seen.square.shape[1] >= 2
    assert seen.piece(0.1).size > 0


def test_names_are_mixed_by_total_probability():
    mixed = with_person(a_naming(("plane", 0.5), ("person", 0.1), ("ball", 0.2)), Persons(0.8))
    assert [(one.noun, pytest.approx(one.p)) for one in mixed.nouns] == [
        ("person", 0.2 * 0.1 + 0.8),
        ("plane", 0.2 * 0.5),
        ("ball", 0.2 * 0.2),
    ]
    assert sum(one.p for one in mixed.nouns) + mixed.rest == pytest.approx(1)
    plain = a_naming(("plane", 0.5))
    assert with_person(plain, Persons(0.29)) is plain


def test_several_people_are_counted():
    places = (Place((0.0, 0.0, 0.4, 1.0), 0.9), Place((0.5, 0.0, 0.9, 1.0), 0.8))
    person = replace(a_naming(("person", 0.5)), sure=True)
    two = with_person(person, Persons(0.9, places))
    assert (two.headline, two.places) == (f"person {TIMES} 2", places)
    assert with_person(person, Persons(0.9)).headline == "person"
    assert with_person(person, Persons(0.2, places)).people == 0


def test_two_people_side_by_side_are_two_and_a_head_is_nobody_else(evidence: PersonEvidence):
    astronaut = data.astronaut()[:, 60:380]
    picture = np.full((560, 800, 3), 120, np.uint8)
    picture[24:536, 50:370], picture[24:536, 430:750] = astronaut, astronaut[:, ::-1]
    assert len(evidence.look(Surrounded.of(picture, (50, 24, 750, 536))).places) == 2
    assert len(evidence.look(Surrounded.of(picture, (50, 24, 370, 536))).places) == 1


def test_what_was_fitted_says_person_where_both_networks_do():
    assert BOTH.of(0.9, 0.99) > 0.9 > ALONE.of(0.5, 0.5) > BOTH.of(0.02, 0.99) > BOTH.of(0.01, 0.01)


def test_the_starter_names_a_person_a_person_and_knows_what_he_wears(embedder: StarterEmbedder):
    astronaut = data.astronaut()
    model = load_model(None, CPU, embedder=embedder)
    [named] = model.name([astronaut])
    assert (named.nouns[0].noun, named.sure) == (PERSON, True)
    plain = load_model(None, CPU, ModelOptions(persons=False), embedder=embedder)
    [before] = plain.name([astronaut])
    assert before.nouns[0].noun != PERSON
    assert before.nouns[0].noun in [one.noun for one in named.nouns]
    # Of what lies around nothing is known.
    [unknown] = model.name([astronaut], around=[None])
    assert unknown.nouns == before.nouns


def test_a_part_of_somebody_is_named_a_person_by_what_lies_around_it(embedder: StarterEmbedder):
    seen = cut_off()
    model = load_model(None, CPU, embedder=embedder)
    crop = seen.piece(0.0)
    [alone] = model.name([crop], around=[replace(seen, wide=None)])
    assert alone.nouns[0].noun != PERSON
    [named] = model.name([crop], around=[seen])
    assert (named.nouns[0].noun, named.sure, named.people) == (PERSON, True, 1)
    assert named.kind is not None
    assert named.kind.noun == PERSON


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            lambda: ModelOptions(guide=["airliner", "ball"]), id="a guide without the word"
        ),
        pytest.param(
            lambda: ModelOptions(config=parse_gencfg("beam_k10_vnone_gp_t1_a1")),
            id="scores that are no probabilities",
        ),
    ],
)
def test_where_person_cannot_be_said_nothing_changes(
    options: Callable[[], ModelOptions], embedder: StarterEmbedder
):
    astronaut = data.astronaut()
    given = options()
    with_it = load_model(None, CPU, given, embedder=embedder)
    without = NounModel(embedder, with_it.decoder, given.config)
    assert with_it.name([astronaut])[0].nouns == without.name([astronaut])[0].nouns
