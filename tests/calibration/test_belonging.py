import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from calibration.belonging import (
    DOUBT,
    Belonging,
    Evidence,
    decide,
    frequency_of,
    smallest_flip,
)
from scenarios.belonging_rule import BelongingRule

DOG, BUS, CAT = ("dog", 0.7, 0.0), ("airbus", 0.8, 10.0), ("cat", 0.1, 0.0)


def some_evidence(count: int, seed: int = 5) -> list[Evidence]:
    """Evidence of all sorts, with and without a calibrated site."""
    rng, found = np.random.default_rng(seed), []
    for number in range(count):
        p = rng.dirichlet([0.6] * 5)
        nouns = tuple(
            (f"noun {n}", float(p[n]), float(rng.choice([0, 1, 2.5, 3, 4, 5, 8, 10])))
            for n in range(4)
        )
        site_p = float(rng.uniform(0.001, 1) ** 2) if number % 3 else None
        kind_p = float(rng.uniform(0, 1)) if number % 2 else 0.0
        found.append(Evidence(nouns, float(p[4]), kind_p, site_p))
    return found


class TestDecide:
    def test_a_noun_of_the_site_is_expected(self):
        told = decide(Evidence((BUS, CAT), 0.1))
        assert (told.word, told.gate) == ("expected", 2)
        assert told.expected == pytest.approx(0.9 * (0.8 + DOUBT) / (0.9 + 2 * DOUBT))

    def test_a_noun_that_is_none_of_the_sites_is_unexpected(self):
        told = decide(Evidence((DOG, CAT), 0.2))
        assert (told.word, told.gate) == ("unexpected", 3)
        assert told.unexpected == pytest.approx(0.8 * (0.8 + DOUBT) / (0.8 + 2 * DOUBT))

    def test_what_no_noun_fits_is_unknown(self):
        assert decide(Evidence((("dog", 0.3, 0.0),), 0.7)).word == "unknown"

    def test_names_that_do_not_agree_tell_nothing(self):
        told = decide(Evidence((("airbus", 0.4, 10.0), ("dog", 0.35, 0.0)), 0.25))
        assert (told.word, told.gate) == ("unknown", 5)

    def test_an_expected_noun_with_foreign_looks_is_unexpected(self):
        told = decide(Evidence((BUS, CAT), 0.1, site_p=0.01))
        assert (told.word, told.gate) == ("unexpected", 4)
        assert "looks" in told.why

    def test_a_plausible_noun_is_expected_only_where_it_looks_quite_usual(self):
        trolley = (("trolley", 0.9, 4.0),)
        words = [decide(Evidence(trolley, 0.1, site_p=p)).word for p in (None, 0.1, 0.3)]
        assert words == ["unexpected", "unexpected", "expected"]

    def test_probabilities_sum_to_one(self):
        for evidence in some_evidence(100):
            told = decide(evidence)
            assert told.expected + told.unexpected + told.unknown == pytest.approx(1)

    def test_candidates_that_all_are_others_say_the_less_the_less_likely_they_are(self):
        told = [decide(Evidence((("dog", p, 0.0),), 1 - p, kind_p=0.9)) for p in (0.8, 0.2, 0.05)]
        assert [one.unknown for one in told] == pytest.approx([0.1, 0.1, 0.1])
        assert told[0].unexpected > told[1].unexpected > told[2].unexpected > 0.45
        without = [Evidence((("dog", p, 0.0),), 1 - p).own_share(5.0) for p in (0.01, 0.5)]
        assert 0.5 > without[0] > without[1] > 0

    def test_weights_decide_in_place_of_the_rule_and_of_looks(self):
        strange = Evidence((BUS, CAT), 0.1, site_p=0.01, weighed=(0.8, 0.1, 0.1))
        told = decide(strange)
        assert (told.word, told.gate, told.by) == ("expected", 2, "weights")
        assert told.shares == (0.8, 0.1, 0.1)
        assert "people confirmed" in told.why
        assert decide(replace(strange, weighed=None)).by == "rule"
        assert decide(replace(strange, weighed=(0.4, 0.35, 0.25))).word == "unknown"
        with pytest.raises(ValueError, match="probabilities from 0 to 1"):
            decide(replace(strange, weighed=(float("nan"), 0.0, 1.0)))

    def test_a_thing_without_names_is_unknown(self):
        assert decide(Evidence((), 1.0)).word == "unknown"

    @pytest.mark.parametrize("p", [float("nan"), 1.5, -0.1])
    def test_what_is_no_probability_is_refused(self, p: float):
        with pytest.raises(ValueError, match="probabilities from 0 to 1"):
            decide(Evidence((("dog", p, 0.0),), 0.1))


def test_frequencies_come_from_totals_as_dictionaries_have_them():
    assert [frequency_of(0.375 * f * f) for f in (1, 5, 10)] == pytest.approx([1, 5, 10])
    assert (frequency_of(0), frequency_of(1e6)) == (1, 10)


def test_evidence_comes_back_as_it_was_kept():
    for evidence in some_evidence(20):
        kept = Evidence.of(evidence.as_json())
        assert decide(kept) == decide(evidence)
    with pytest.raises(ValueError, match="no evidence"):
        Evidence.of({"nouns": [["dog"]]})
    weighed = Evidence((DOG,), 0.3, seen=(("rest", -1.0),), weighed=(0.2, 0.7, 0.1))
    assert Evidence.of(weighed.as_json()) == weighed


def test_evidence_of_an_older_nomaly_is_read():
    kept = {"nouns": [["dog", 0.7, 0.0]], "rest": 0.3, "kind_p": 0.0, "site_p": None}
    assert Evidence.of(kept) == Evidence((("dog", 0.7, 0.0),), 0.3)
    with pytest.raises(ValueError, match="no evidence"):
        Evidence.of(kept | {"weighed": [1.0]})


def test_what_was_told_comes_back_as_scripts_read_it():
    told = decide(Evidence((BUS, CAT), 0.1))
    assert Belonging.of(told.as_json()).shares == pytest.approx(told.shares, abs=1e-4)
    with pytest.raises(ValueError, match="not what is told"):
        Belonging.of(told.as_json() | {"word": "odd"})


def rules(rule: BelongingRule, farthest: float) -> Iterator[BelongingRule]:
    """The rule with one setting changed by less than so much, as a logarithm of a ratio."""
    for setting in BelongingRule.model_fields:
        for step in np.linspace(-0.999, 0.999, 41) * farthest:
            with suppress(ValidationError):
                value = getattr(rule, setting) * float(np.exp(step))
                yield BelongingRule(**(rule.model_dump() | {setting: value}))


def test_what_is_surely_of_a_kind_is_not_unknown():
    doubtful = Evidence((("moped", 0.2, 0.0), ("bike", 0.1, 0.0)), 0.7)
    assert decide(doubtful).word == "unknown"
    told = decide(replace(doubtful, kind_p=0.87))
    assert (told.word, told.unknown) == ("unexpected", pytest.approx(0.13))


def test_the_room_needs_no_torch():
    rooms = "calibration, calibration.belonging, calibration.site.weights"
    code = f"import sys, {rooms}; sys.exit(bool({{'torch', 'sklearn'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class TestFlip:
    def test_the_stated_change_flips_what_is_told(self):
        flips = [(evidence, smallest_flip(evidence)) for evidence in some_evidence(200)]
        assert sum(flip is not None for _, flip in flips) > 170
        for evidence, flip in flips:
            if flip is not None:
                # As it is printed.
                changed = BelongingRule(**{flip.setting: float(f"{flip.value:.6g}")})
                assert decide(evidence, changed).word == flip.word != decide(evidence).word

    def test_where_weights_decide_only_the_line_of_sureness_still_does(self):
        for evidence in some_evidence(40):
            flip = smallest_flip(replace(evidence, weighed=(0.2, 0.7, 0.1)))
            assert flip is not None
            assert (flip.setting, flip.word) == ("sure_from", "unknown")
            assert flip.value == pytest.approx(0.7, rel=1e-4)

    def test_no_smaller_change_of_any_setting_flips_it(self):
        for evidence in some_evidence(60, seed=9):
            flip = smallest_flip(evidence)
            # It is told with five digits, up to 1e-4 of it; what lies on it flips with any step.
            farthest = 3.0 if flip is None else flip.size - 1e-4
            if farthest <= 0:
                continue
            word = decide(evidence).word
            for changed in rules(BelongingRule(), farthest):
                assert decide(evidence, changed).word == word, (changed, flip)
