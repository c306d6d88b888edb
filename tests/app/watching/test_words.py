"""What a decoder and a calibrated site know of what is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.events.event import Event
from app.watching.namer import Elected, Words
from calibration.site.calibrated import Bindings, SiteCalibration, calibrated
from calibration.site.files import read_calibration, write_calibration
from detectors.types import Box
from novic.certainty import Scaling
from novic.vocabulary import ThingKind
from scenarios.belonging_rule import BelongingRule
from tests.app.events.findings import a_finding
from tests.calibration.site.footage import crops, vectors

BOUND = Bindings("d" * 64, "starter", "n" * 64)


@pytest.fixture(scope="module")
def site() -> SiteCalibration:
    return calibrated(BOUND, crops(400), 3600.0)[0]


def told(words: Words, vector: np.ndarray | None = None, p: float = 0.9) -> Event:
    elected = Elected((("airbus", p), ("crane", 0.05)), vector, rest=0.95 - p)
    return words.named(a_finding(1, 0.0).event, elected)


def airbus(noun: str) -> float:
    return 10.0 if noun == "airbus" else 0.0


def test_without_a_site_nothing_is_expected():
    event = told(Words())
    assert event.belongs is not None
    assert event.belongs.word == "unexpected"
    assert event.as_json()["belongs"]["provisional"]


def test_a_noun_of_the_site_is_expected_until_its_looks_are_foreign(site: SiteCalibration):
    words = Words(frequency=airbus, site=site)
    usual, foreign = (vectors(1, seed=3, shift=shift)[0] for shift in (0.0, 30.0))
    words_told = []
    for vector in (usual, foreign):
        event = told(words, vector)
        assert event.belongs is not None
        assert not event.as_json()["belongs"]["provisional"]
        words_told.append((event.belongs.word, event.belongs.gate))
    assert words_told == [("expected", 2), ("unexpected", 4)]


def test_a_site_says_from_when_on_it_is_sure():
    strict = Words(frequency=airbus, belonging=BelongingRule(sure_from=0.95))
    event = told(strict)
    assert event.belongs is not None
    assert event.belongs.word == "unknown"


def test_p_of_names_is_what_it_is_worth_at_the_site(site: SiteCalibration):
    usual = told(Words(), p=0.6)
    there = told(Words(site=replace(site, names=Scaling(1.0, 2.0))), p=0.6)
    assert there.noun == usual.noun == "airbus"
    rest = 0.35 * np.exp(2)
    assert there.p == pytest.approx(0.6 / (0.65 + rest))
    assert there.evidence is not None
    assert there.evidence.rest == pytest.approx(rest / (0.65 + rest))


@pytest.mark.parametrize("kind", [("animal", "spaniel"), ("dog", ""), ("hoofed animal", "sheep")])
def test_what_is_far_away_is_never_told_to_be_an_animal(kind: tuple[str, str]):
    noun, maybe = kind
    elected = Elected((("spaniel", 0.05),), None, ThingKind(noun, 0.9, sure=True, maybe=maybe))
    event = a_finding(1, 0.0).event
    for side, of_sure_kind in ((35.0, False), (45.0, True)):
        there = Words().named(replace(event, box=Box(0, 0, 16, side)), elected)
        assert there.of_sure_kind == of_sure_kind
    tool = replace(elected, thing=ThingKind("tool", 0.9, sure=True))
    assert Words().named(replace(event, box=Box(0, 0, 16, 35)), tool).of_sure_kind


def test_what_has_no_name_has_no_evidence():
    event = Words().named(a_finding(1, 0.0).event, Elected((), None))
    assert (event.evidence, event.belongs) == (None, None)


def test_the_calibration_of_another_detector_is_told_and_left(
    tmp_path: Path, site: SiteCalibration
):
    write_calibration(tmp_path, site)
    said: list[str] = []

    def read(detector: str) -> SiteCalibration | None:
        return read_calibration(
            tmp_path,
            embedder="starter",
            decoder_sha256="n" * 64,
            detector_sha256=detector,
            say=said.append,
        )

    assert read("d" * 64) is not None
    assert read("e" * 64) is None
    assert said[0].endswith("It goes on uncalibrated.")
    assert "detector dddddddddddd, here it is eeeeeeeeeeee" in said[0]


def test_sums_of_p_a_trifle_above_1_harm_nothing():
    elected = Elected((("lamp", 1.0000000000000002),), None, rest=0.0)
    event = Words().named(a_finding(1, 0.0).event, elected)
    assert event.belongs is not None
    assert event.belongs.unexpected == pytest.approx(1.03 / 1.06)
    assert event.belongs.unknown == 0
