"""Names judged by WordNet and by the shipped vectors of words."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.evaluating.pipeline.meaning import NEAR, Meanings
from calibration.events import TrueThing
from detectors.types import Box
from scenarios.raters.vectors.shipped import shipped_vectors
from tests.app.evaluating.pipeline.conftest import shipped


def thing(noun: str, *aliases: str) -> TrueThing:
    return TrueThing(noun, (0.0,), (Box(0, 0, 9, 9),), 0.1, aliases)


@pytest.mark.parametrize(
    ("said", "true", "right"),
    [
        (("bicycle", "bike", "Bicycle"), thing("bicycle"), True),
        (("car", "vehicle", "motorcycle", ""), thing("bicycle"), False),
        (("carton", "Cardboard-Box"), thing("cardboard box", "carton"), True),
        (("box",), thing("cardboard box", "carton"), False),
    ],
)
def test_a_name_is_right_by_noun_alias_or_synonym(
    said: Sequence[str], true: TrueThing, right: bool, meanings: Meanings
):
    assert [meanings.named(word, true) for word in said] == [right] * len(said)


@pytest.mark.parametrize(
    ("said", "true"), [("automobile", "car"), ("kitten", "cat"), ("banana", "car"), ("owl", "cup")]
)
def test_what_is_meant_is_a_cosine_from_the_line_on_to_the_nearest_right_word(
    said: str, true: str, meanings: Meanings
):
    words = sorted(meanings.words(thing(true)))
    packed = shipped_vectors()
    assert packed is not None
    known = [word for word in words if word in packed.nouns]
    nearest = max(float(np.dot(*shipped([said, word]))) for word in known)
    assert meanings.meant(said, thing(true)) is (said in words or nearest >= NEAR)
    assert meanings.meant(true, thing(true))
    assert not meanings.meant("", thing(true))


@pytest.mark.parametrize(
    ("said", "true", "levels"),
    [
        # WordNet: dog, domestic animal, animal, organism, living thing, whole, object.
        ("dog", "dog", 0),
        ("domestic dog", "dog", 0),
        ("canine", "dog", -1),
        ("animal", "dog", -2),
        ("object", "dog", -6),
        ("poodle", "dog", 1),
        ("toy poodle", "dog", 2),
        ("cat", "dog", None),
        ("", "dog", None),
        ("xyzzy", "dog", None),
    ],
)
def test_levels_are_those_of_wordnet_by_the_shortest_way(
    said: str, true: str, levels: int | None, meanings: Meanings
):
    assert meanings.steps(said, thing(true)) == levels


def test_a_noun_that_wordnet_does_not_know_is_right_by_its_word_alone(meanings: Meanings):
    vest = thing("hi vis vest")
    assert meanings.steps("hi-vis vest", vest) == 0
    assert meanings.steps("vest", vest) is None
    assert meanings.sense("hi vis vest") is None


def test_a_noun_means_the_commonest_thing_before_persons_and_places(meanings: Meanings):
    # "turkey" the bird, not Turkey; "officer" has no thing, so it is a person.
    for noun, kind in (("turkey", "bird"), ("officer", "person")):
        meant, wanted = meanings.sense(noun), meanings.sense(kind)
        assert meant is not None
        assert wanted in meanings.kinds(meant)
