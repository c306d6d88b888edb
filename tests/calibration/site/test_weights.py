"""What evidence is worth by what people confirmed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.belonging import WORDS, Evidence
from calibration.site.calibrated import SiteCalibration
from calibration.site.files import CalibrationError, load_calibration, write_calibration
from calibration.site.weights import LEAST, Answered, Weighed, Weights, fit_weights, seen_of
from detectors.files import CALIBRATION
from scenarios.belonging_rule import BelongingRule
from tests.calibration.site.footage import BOUND, answered

type Damage = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def done() -> Weighed:
    return fit_weights(answered(120))


@pytest.fixture(scope="module")
def weights(done: Weighed) -> Weights:
    assert done.weights is not None
    return done.weights


def right(weights: Weights, events: list[Answered]) -> float:
    """Share of events whose likeliest word is what they were."""
    told = [weights.shares(one.seen, one.by_rule.shares) for one in events]
    assert all(shares is not None and sum(shares) == pytest.approx(1) for shares in told)
    pairs = zip(events, told, strict=True)
    return float(np.mean([one.word == WORDS[int(np.argmax(p or ()))] for one, p in pairs]))


def test_weights_are_fitted_to_what_people_confirmed_and_hold_for_other_events(
    done: Weighed, weights: Weights
):
    assert weights.words == WORDS
    assert weights.events == 120
    assert done.said.startswith("verdict: weights fitted on 120 confirmed events decide (right ")
    assert done.measured is not None
    assert done.measured["log_loss"] < done.measured["rule_log_loss"] / 2
    assert right(weights, answered(400, seed=3)) > 0.8
    expected, unexpected, _ = weights.features["dictionary"].of
    assert expected > 0 > unexpected


def test_a_word_is_no_likelier_because_it_was_confirmed_more_often():
    events = answered(400, seed=5, unknown=0.0, tells=0.8)
    many = [one for n, one in enumerate(events) if one.word == "expected" or n % 4 == 0]
    counts = [sum(one.word == word for one in many) for word in WORDS]
    assert counts[0] > 6 * counts[1] > 6 * 20
    found = fit_weights(many).weights
    assert found is not None
    # Between both, where the numbers tell nothing.
    shares = found.shares({"rest": -1, "dictionary": 0, "kind": 0, "level": 0.8}, (0.5, 0.5, 0.0))
    assert shares is not None
    assert shares[0] == pytest.approx(0.5, abs=0.12)


def test_without_unknown_ones_what_is_unknown_stays_the_rules():
    done = fit_weights(answered(100, unknown=0.0))
    assert done.weights is not None
    assert done.said.endswith("what is unknown stays the rule's")
    shares = done.weights.shares(answered(1)[0].seen, (0.1, 0.2, 0.7))
    assert shares is not None
    assert shares[2] == 0.7
    assert sum(shares) == pytest.approx(1)


def test_numbers_that_tell_nothing_leave_the_rule():
    done = fit_weights(answered(100, unknown=0.0, tells=0.0))
    assert done.weights is None
    assert done.said.startswith("verdict: the rule is kept, weights fitted on 100 confirmed events")


def test_few_or_one_sided_answers_leave_the_rule():
    events = answered(LEAST)
    assert fit_weights(events[1:]).said == (
        f"verdict: the rule is kept, {LEAST - 1} confirmed events with evidence, {LEAST} are needed"
    )
    normal = [replace(one, word="expected") for one in events]
    assert fit_weights(normal).said.startswith(
        f"verdict: the rule is kept, of the confirmed events are {LEAST} expected, 0 unexpected"
    )
    late = [replace(one, word="unexpected") if n < 6 else one for n, one in enumerate(normal * 2)]
    for number, one in enumerate(late):
        late[number] = replace(one, time_us=number)
    assert "lie in one stretch of time" in fit_weights(late).said
    same = [replace(one, seen={"rest": 1.0}) for one in answered(LEAST, unknown=0.0)]
    assert "are the same" in fit_weights(same).said


def test_weights_say_nothing_where_a_number_is_missing(weights: Weights):
    seen = dict(answered(1)[0].seen)
    del seen["level"]
    assert weights.shares(seen, (0.1, 0.2, 0.7)) is None


def test_a_number_far_beyond_what_was_confirmed_counts_as_at_the_edge(weights: Weights):
    seen = answered(1)[0].seen
    far, farther = (
        weights.shares({**seen, "dictionary": value}, (0.1, 0.2, 0.7)) for value in (50.0, 5000.0)
    )
    assert far == farther


def test_numbers_of_an_event_are_those_that_are_known():
    evidence = Evidence((("bus", 0.6, 8.0), ("dog", 0.2, 0.0)), 0.2, kind_p=1.0)
    seen = seen_of(evidence, BelongingRule())
    assert list(seen) == ["rest", "dictionary", "kind"]
    assert seen["rest"] == pytest.approx(np.log(0.2 / 0.8), abs=1e-4)
    assert seen["dictionary"] == pytest.approx(np.log(0.63 / 0.23), abs=1e-4)
    assert seen["kind"] == 7.0
    every = seen_of(replace(evidence, site_p=0.05), BelongingRule(), 1.5, 9.25)
    assert every["looks"] == pytest.approx(np.log(0.05 / 0.95), abs=1e-4)
    assert (every["level"], every["surprise"]) == (pytest.approx(np.log(1.5), abs=1e-4), 9.25)


def test_a_calibration_keeps_weights_so_that_people_can_read_them(weights: Weights, tmp_path: Path):
    write_calibration(tmp_path, SiteCalibration(BOUND, weights=weights))
    assert load_calibration(tmp_path).weights == weights
    kept = json.loads((tmp_path / CALIBRATION).read_text())["weights"]
    assert list(kept["features"]["rest"]) == ["middle", "spread", *WORDS]
    assert kept["version"] == 1


def test_a_calibration_of_before_there_were_weights_is_read(tmp_path: Path):
    write_calibration(tmp_path, SiteCalibration(BOUND))
    file = tmp_path / CALIBRATION
    kept = json.loads(file.read_text())
    del kept["weights"]
    file.write_text(json.dumps(kept))
    assert load_calibration(tmp_path).weights is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda k: k.update(version=9), "of version 9", id="a later version"),
        pytest.param(lambda k: k.update(words=["odd", "even"]), "not known", id="other words"),
        pytest.param(lambda k: k["features"].update(mood=k["features"]["rest"]), "mood", id="more"),
        pytest.param(lambda k: k["features"].clear(), "nothing", id="none"),
        pytest.param(lambda k: k["features"]["rest"].pop("spread"), "missing", id="half a number"),
        pytest.param(lambda k: k["features"]["rest"].update(spread=0), "above 0", id="no spread"),
        pytest.param(lambda k: k["offsets"].update(expected=1e999), "numbers", id="infinite"),
        pytest.param(lambda k: k.pop("offsets"), "offsets", id="no offsets"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    change: Damage, why: str, weights: Weights, tmp_path: Path
):
    write_calibration(tmp_path, SiteCalibration(BOUND, weights=weights))
    file = tmp_path / CALIBRATION
    kept = json.loads(file.read_text())
    change(kept["weights"])
    file.write_text(json.dumps(kept))
    with pytest.raises(CalibrationError, match=why):
        load_calibration(tmp_path)
