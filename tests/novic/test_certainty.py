"""When a name is a fact: the line of a decoder, and the nouns that want more."""

import json
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from novic.bundle import (
    Bundle,
    BundleError,
    load_bundle,
    read_card,
    save_bundle,
    save_new_bundle,
)
from novic.certainty import CERTAINTY, Certainty, KindLine, Scaling, guesses, is_sensitive
from novic.decode import NounDecoder
from novic.embedders.starter import StarterEmbedder
from novic.errors import UsageError
from novic.gencfg import parse_gencfg
from novic.kinds import KindScaling
from novic.model import NounModel, starter_bundle_path
from novic.vocabulary import UNNAMED, Naming, NounScore, ThingKind
from scenarios.wordnet import WordNet
from tests.novic.builders import random_decoder, random_nouns


@pytest.mark.parametrize(
    "noun",
    [
        *("drug", "weapon", "gun", "corpse", "bomb", "knife", "blood", "nude"),
        *("machine gun", "Machine-Gun", "guns", "hand grenades", "crack cocaine", "drug dealer"),
        *("monkey", "spider monkey", "gorilla", "thief", "prisoner", "prison"),
    ],
)
def test_what_alarms_or_accuses_is_sensitive(noun: str):
    assert is_sensitive(noun)


@pytest.mark.parametrize(
    "noun",
    [
        *("cup", "mug", "drugstore", "gunny", "bombazine", "skull cap", "monkey puzzle", ""),
        *("glue gun", "rivet gun", "Nail Gun", "staple guns", "bath bomb", "butter knife"),
        *("soap", "chalk", "rope", "person", "woman", "helmet", "chair"),
    ],
)
def test_what_only_sounds_like_it_is_not(noun: str):
    assert not is_sensitive(noun)


def test_the_list_holds_each_noun_once_in_its_canonical_form():
    text = (files("novic") / "data" / "sensitive_nouns.txt").read_text(encoding="utf-8")
    nouns = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(nouns) == len(set(nouns)) > 300
    assert all(noun == noun.lower().strip() for noun in nouns)
    # An exception that excepts nothing is a slip.
    assert all(is_sensitive(noun[1:].split()[-1]) for noun in nouns if noun.startswith("-"))


def test_no_weapon_hard_drug_ape_or_corpse_that_the_starter_can_say_is_missed(wordnet: WordNet):
    rows = json.loads((starter_bundle_path() / "nouns.json").read_text(encoding="utf-8"))
    meanings = {noun: wordnet.senses[noun][0] for noun, *_ in rows if noun in wordnet.senses}
    roots = ("firearm", "explosive device", "hard drug", "great ape", "monkey", "dead body")
    for root in roots:
        top = wordnet.senses[root][0]
        below = {n for n, first in meanings.items() if top in (first, *wordnet.ancestors(first))}
        assert below
        assert {noun for noun in below if not is_sensitive(noun)} == set()


def test_from_the_line_on_a_name_is_a_fact_and_a_sensitive_one_later():
    certainty = Certainty(sure_from=0.6, sensitive_from=0.9)
    assert [certainty.sure("cat", p) for p in (0.59, 0.6, 1.0)] == [False, True, True]
    assert [certainty.sure("gun", p) for p in (0.6, 0.89, 0.9)] == [False, False, True]
    assert not certainty.sure("cat", math.nan)
    assert not certainty.sure("", 1.0)


def test_a_naming_tells_its_noun_only_when_it_is_sure():
    nouns = (NounScore("cup", 0.8), NounScore("mug", 0.1))
    vector = np.ones(2, np.float32)
    assert Naming(nouns, vector, 0.1, sure=True).headline == "cup"
    assert Naming(nouns, vector, 0.1).headline == UNNAMED == "something unnamed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokens = random_nouns(50, vocabulary=20, longest=4)
    save_bundle(tmp_path / "bundle", Bundle(random_decoder(tokens), tokens, "starter"))
    return tmp_path / "bundle"


def measured(folder: Path, **other: object) -> None:
    """Lay a measurement beside a bundle."""
    said = {
        "format": "nomaly-certainty",
        "version": 1,
        "weights_sha256": read_card(folder)["weights_sha256"],
        "sure_from": 0.4,
        "sensitive_from": 0.8,
    }
    (folder / CERTAINTY).write_text(json.dumps(said | other))


def test_a_bundle_brings_its_measured_lines_and_others_have_the_usual_ones(folder: Path):
    assert load_bundle(folder).certainty == Certainty()
    measured(folder)
    assert load_bundle(folder).certainty == Certainty(0.4, 0.8)


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({"format": "card"}, "certainty.json is not one of Nomaly's"),
        ({"version": 3}, "version 3; update Nomaly"),
        ({"scaling": {"power": 0.7}}, "scaling must hold numbers: power, rest"),
        ({"scaling": {"power": 0, "rest": 1}}, "power of scaling must be above 0"),
        ({"scaling": [0.7, 1]}, "scaling must hold numbers"),
        ({"kinds": {"mass": "1", "size": 1, "offset": 0, "sure_from": 0.8}}, "kinds must hold"),
        ({"kinds": {"mass": 1, "size": 1, "offset": 0, "sure_from": 2}}, "sure_from above 0"),
        ({"weights_sha256": "0" * 64}, "measured on other weights; remove it"),
        ({"sure_from": 0}, "sure_from must be a number above 0"),
        ({"sensitive_from": "often"}, "sensitive_from must be a number"),
        ({"sensitive_from": 1.5}, "at most 1"),
    ],
)
def test_lines_that_cannot_be_believed_are_refused(
    folder: Path, other: dict[str, object], fault: str
):
    measured(folder, **other)
    with pytest.raises(BundleError, match=fault):
        load_bundle(folder)


def test_new_weights_leave_the_old_measurement_behind(folder: Path):
    measured(folder)
    save_bundle(folder, load_bundle(folder), half=False)
    assert load_bundle(folder).certainty == Certainty()
    measured(folder)
    save_new_bundle(folder, load_bundle(folder), half=True, overwrite=True)
    assert load_bundle(folder).certainty == Certainty()


def test_a_bundle_brings_its_scaling_and_kinds(folder: Path):
    kinds = {"mass": 0.9, "size": 0.5, "offset": -1, "sure_from": 0.8}
    measured(folder, version=2, scaling={"power": 0.7, "rest": 1.5}, kinds=kinds)
    line = KindLine(KindScaling(0.9, 0.5, -1.0), 0.8)
    assert load_bundle(folder).certainty == Certainty(0.4, 0.8, Scaling(0.7, 1.5), line)


def test_the_starters_p_were_measured():
    certainty = load_bundle(starter_bundle_path()).certainty
    assert certainty != Certainty()
    assert (certainty.sure_from, certainty.sensitive_from) == (0.7, 0.9)
    assert certainty.scaling.power < 1  # its own p are too sure
    assert certainty.kinds is not None


def test_a_strategy_with_fewer_candidates_than_were_measured_keeps_its_own_p(starter: NounModel):
    few = NounModel(starter.embedder, starter.decoder, parse_gencfg("beam_k5"))
    assert few.certainty == Certainty()
    vector = starter.embedder.embed_texts(["cat"])
    assert few.decode(vector)[0].nouns[0].p > starter.decode(vector)[0].nouns[0].p


@pytest.mark.parametrize("strategy", ["beam_k10_gp_t0.5", "beam_k10_gp_a1", "beam_k10_gr"])
def test_what_a_strategy_makes_of_the_probabilities_is_never_a_fact(
    starter: NounModel, strategy: str
):
    assert starter.certainty == starter.bundle.certainty
    other = NounModel(starter.embedder, starter.decoder, parse_gencfg(strategy))
    assert not other.certainty.sure("cup", 1.0)


def test_a_share_of_wrong_names_moves_the_lines_of_a_measured_decoder(
    starter: NounModel,
):
    careful = NounModel(starter.embedder, starter.decoder, wrong_names=0.1)
    assert careful.certainty == starter.certainty.at_most_wrong(0.1)
    decoder, strategy = starter.decoder, parse_gencfg("beam_k5")
    with pytest.raises(UsageError, match="nobody knows how often its names are wrong"):
        NounModel(starter.embedder, decoder, strategy, wrong_names=0.1)


@pytest.fixture(scope="module")
def starter() -> NounModel:
    return NounModel(StarterEmbedder(), NounDecoder(load_bundle(starter_bundle_path())))


def test_a_kind_that_is_one_of_the_nouns_is_one_guess():
    nouns = (("Person", 0.33), ("ball", 0.03))
    likely = ThingKind("person", 0.45, sure=False)
    assert guesses(nouns, likely, sure=False) == (("person", 0.45), ("ball", 0.03))
    assert guesses(nouns, replace(likely, sure=True), sure=False) == (("ball", 0.03),)
    assert guesses(nouns, replace(likely, sure=True), sure=True) == (("ball", 0.03),)
