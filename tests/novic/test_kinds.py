"""What kind of thing something is, where its noun is doubtful."""

import math

import numpy as np
import pytest

from novic.certainty import Certainty, KindLine, Scaling, guesses, headline
from novic.kinds import KindScaling, is_kind, kind_masses, kind_sizes, most_specific
from novic.vocabulary import UNNAMED, Naming, NounScore, ThingKind
from scenarios.wordnet import WordNet
from training.texts.kinds import KINDS, kind_shares
from training.texts.nouns import choose_nouns

SCALING = KindScaling(mass=1.0, size=0.0, offset=0.0)
"""The mass itself."""
CERTAINTY = Certainty(0.7, 0.9, Scaling(), KindLine(SCALING, 0.8))
BIRDS = (("pigeon", 0.4), ("crow", 0.3), ("gull", 0.2))


def test_the_shipped_kinds_are_those_that_wordnet_gives(wordnet: WordNet):
    shares = kind_shares(wordnet, choose_nouns(wordnet, frozenset({"crow", "game", "mug"})))
    assert shares["crow"] == {"animal": 1.0, "bird": 1.0}
    assert shares["mug"] == {"container": 1.0}
    for noun, kinds in shares.items():
        assert {kind: kind_masses([(noun, 1.0)])[kind] for kind in kinds} == kinds


def test_a_noun_is_of_a_kind_by_what_it_is_mostly_used_for():
    assert kind_masses([("game", 1.0)]) == pytest.approx({"animal": 0.91, "food": 0.09}, abs=0.01)
    assert (is_kind("game", "animal"), is_kind("game", "food")) == (True, False)
    assert "container" not in kind_masses([("car", 1.0)])


def test_every_kind_has_nouns_and_none_is_its_own_only_one():
    assert set(kind_sizes()) == set(KINDS)
    assert min(kind_sizes().values()) > 2


def test_the_kind_is_sure_where_the_noun_is_not():
    kind = CERTAINTY.kind(BIRDS)
    assert kind is not None
    assert (kind.noun, kind.sure, kind.maybe) == ("bird", True, "pigeon")
    assert kind.p == pytest.approx(0.9)
    assert kind.told == "bird (pigeon?)"
    assert kind.as_json() == {"kind": "bird", "p": 0.9, "sure": True}
    assert headline("pigeon", kind, sure=False) == "bird (pigeon?)"
    assert headline("pigeon", kind, sure=True) == "pigeon"


def test_the_most_specific_kind_that_is_sure_is_told():
    assert most_specific([NounScore("animal", 0.95), NounScore("bird", 0.9)]) == NounScore(
        "bird", 0.9
    )
    mixed = CERTAINTY.kind([("pigeon", 0.3), ("fox", 0.3), ("cat", 0.3)])
    assert mixed is not None
    assert (mixed.noun, mixed.sure) == ("animal", True)
    assert most_specific([]) is None


def test_a_likely_kind_is_a_guess_and_an_unlikely_one_nothing():
    likely = CERTAINTY.kind([("pigeon", 0.3), ("crow", 0.2)])
    assert likely is not None
    assert (likely.noun, likely.sure) == ("bird", False)
    assert headline("pigeon", likely, sure=False) == UNNAMED
    assert CERTAINTY.kind([("pigeon", 0.2), ("hammer", 0.2)]) is None
    assert CERTAINTY.kind([]) is None


def test_what_may_be_a_person_is_an_animal_by_no_more_than_the_rest():
    scaling = KindScaling(mass=0.9, size=0.5, offset=-0.8)
    certainty = Certainty(0.7, 0.9, Scaling(), KindLine(scaling, 0.8))
    alone = certainty.kind_p([("terrier", 0.4), ("fox", 0.2)])
    mixed = certainty.kind_p([("person", 0.3), ("terrier", 0.7 * 0.4), ("fox", 0.7 * 0.2)])
    assert mixed["animal"] == pytest.approx(0.7 * alone["animal"])
    assert mixed["person"] == pytest.approx(0.3)
    assert certainty.kind_p([("person", 1.0)]) == {"person": 1.0}
    assert Certainty().kind_p([("fox", 1.0)]) == {}


def test_what_is_a_likely_kind_and_a_noun_is_guessed_once():
    said = [("person", 0.5), ("bear", 0.04)]
    kind = CERTAINTY.kind(said)
    assert kind == ThingKind("person", 0.5, sure=False)
    assert guesses(said, kind, sure=False) == (("person", 0.5), ("bear", 0.04))


def test_what_alarms_needs_more_and_is_never_asked_in_brackets():
    weapons = [("pistol", 0.5), ("rifle", 0.35)]
    assert CERTAINTY.kind(weapons) is None
    sure = CERTAINTY.kind([("pistol", 0.5), ("rifle", 0.45)])
    assert sure is not None
    assert sure.told == "weapon"


def test_fewer_wrong_names_are_fewer_facts_and_what_alarms_is_never_told_sooner():
    careful, bold = CERTAINTY.at_most_wrong(0.05), CERTAINTY.at_most_wrong(0.5)
    assert (careful.sure_from, careful.sensitive_from) == (0.95, 0.95)
    assert (bold.sure_from, bold.sensitive_from) == (0.5, 0.9)
    kinds = [one.kind(BIRDS) for one in (careful, CERTAINTY, bold)]
    assert [kind is not None and kind.sure for kind in kinds] == [False, True, True]
    assert not Certainty().measured


def test_without_a_measurement_no_kind_is_told():
    assert Certainty().kind(BIRDS) is None


def test_a_naming_tells_its_kind_where_that_alone_is_sure():
    nouns = (NounScore("pigeon", 0.4), NounScore("crow", 0.3))
    kind = ThingKind("bird", 0.9, sure=True, maybe="pigeon")
    naming = Naming(nouns, np.ones(2, np.float32), 0.3, kind=kind)
    assert naming.headline == "bird (pigeon?)"


def test_scaled_candidates_and_the_rest_sum_to_one_in_the_same_order():
    nouns = (NounScore("cup", 0.7), NounScore("mug", 0.2))
    scaled, rest = Scaling(0.675, 1.555).of(nouns, 0.1)
    assert [one.noun for one in scaled] == ["cup", "mug"]
    masses = [0.7**0.675, 0.2**0.675, 0.1**0.675 * math.exp(1.555)]
    assert [one.p for one in scaled] == pytest.approx([m / sum(masses) for m in masses[:2]])
    assert rest == pytest.approx(masses[2] / sum(masses))
    assert Scaling().of(nouns, 0.0) == (nouns, 0.0)
