"""Words for one thing are one candidate."""

import numpy as np
import pytest

from app.events.event import Picture
from app.names.naming import NamedImage
from app.watching.namer import vote
from detectors.types import Box
from novic.certainty import Certainty, KindLine, Scaling
from novic.kinds import KindScaling
from novic.synonyms import further_words, joined
from novic.vocabulary import Naming, NounScore
from scenarios.wordnet import WordNet
from training.texts.nouns import choose_nouns
from training.texts.synonyms import synonyms

MEASURED = Certainty(0.7, 0.9, Scaling(), KindLine(KindScaling(1.0, 0.0, 0.0), 0.8))


def test_the_p_of_words_for_one_thing_are_added_up_and_the_likeliest_is_told():
    said = [("truck", 0.3), ("car", 0.2), ("automobile", 0.15), ("dog", 0.1)]
    assert joined(said) == [
        ("car", pytest.approx(0.35)),
        ("truck", 0.3),
        ("dog", 0.1),
    ]
    assert joined([]) == []


def test_the_other_words_for_a_thing_are_known():
    assert further_words("binoculars") == ("field glasses", "opera glasses")
    assert "binoculars" in further_words("opera glasses")
    assert further_words("zqqz") == ()


def test_a_named_image_tells_further_words_for_its_best_noun():
    told = NamedImage("a.png", (NounScore("binoculars", 0.84), NounScore("car", 0.1))).as_json()
    assert told["also"] == ["field glasses", "opera glasses"]
    assert "also" not in NamedImage("a.png", (NounScore("zqqz", 0.8),)).as_json()


def test_the_shipped_words_are_those_that_wordnet_gives(wordnet: WordNet):
    wanted = frozenset({"binoculars", "field glasses", "opera glasses", "crane", "game", "mug"})
    (group,) = synonyms(choose_nouns(wordnet, wanted))
    assert group == ["binoculars", "field glasses", "opera glasses"]
    assert [group[0], *further_words(group[0])] == group


def test_a_decoder_whose_p_was_not_measured_keeps_its_words_apart():
    said = (NounScore("car", 0.5), NounScore("automobile", 0.25))
    assert Certainty().joined(said) == said
    assert MEASURED.joined(said) == (NounScore("car", 0.75),)


def test_crops_that_use_different_words_for_one_thing_agree():
    crop = np.zeros((4, 4, 3), np.uint8)
    picture = Picture(
        0.0, Box(0, 0, 4, 4), (4, 4), (crop, crop), crop, np.zeros((1, 1), np.float32), 1.0
    )
    named = [
        Naming((NounScore(word, 0.8), NounScore("dog", 0.1)), np.ones(2, np.float32), 0.1)
        for word in ("binoculars", "field glasses")
    ]
    elected = vote({picture: named}, MEASURED)
    assert elected.candidates == (("binoculars", pytest.approx(0.8)), ("dog", pytest.approx(0.1)))
    assert elected.rest == pytest.approx(0.1)
    assert len(vote({picture: named}).candidates) == 3
