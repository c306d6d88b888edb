"""What the real model said about both presets (scenarios_spec §6, rows 7 and 13)."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scenarios.raters.local.rater import LocalRater
from scenarios.raters.local.wordings import LINES, QUESTION, WORDINGS
from scenarios.ratings.records import Place, RatingError, RawScores
from scenarios.ratings.scale import Calibration, auc, calibrate
from scenarios.ratings.store import RatingStore
from tests.scenarios.llm.answering import Answering

DATA = Path(__file__).parents[3] / "data"

type Said = dict[str, dict[str, dict[str, dict[str, float]]]]


AUCS = {
    "airbus": {"lines": 0.983, "question": 0.979, "list": 0.986, "thing": 0.850},
    "nicol": {"lines": 0.978, "question": 0.939, "list": 0.977, "thing": 0.853},
}
"""On the labelled nouns. At nicol what counts as seen is also what is common as a toy: forms that
show examples, toys among them, tell the model. With ten examples, no animals, `lines` had 0.904."""

RIGHT = {
    "airbus": {"lines": 0.904, "question": 0.917},
    "nicol": {"lines": 0.894, "question": 0.894},
}
"""Share of the labelled nouns on the right side of 0 after calibration on the examples."""


def recorded(site: str) -> Said:
    return json.loads((DATA / f"local_{site}.json").read_text("utf-8"))["wordings"]


@pytest.fixture(params=["airbus", "nicol"])
def said(request: pytest.FixtureRequest) -> Said:
    return recorded(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RatingStore]:
    with RatingStore(tmp_path / "ratings.sqlite") as opened:
        yield opened


def labelled(said: Said, wording: str) -> tuple[list[float], list[float]]:
    values = said[wording]["labelled"]
    return [*values["seen"].values()], [*values["never"].values()]


def calibrated(said: Said, wording: str) -> Calibration:
    examples = said[wording]["examples"]
    return calibrate(RawScores({}, {}, examples["seen"], examples["never"]))


def place_of(said: Said) -> Place:
    examples = said[LINES.name]["examples"]
    return Place("A hall.", tuple(examples["seen"]), tuple(examples["never"]))


def examples_of(said: Said, sign: float = 1.0) -> Answering:
    return Answering(
        {
            wording: {
                noun: sign * value
                for kind in recorded["examples"].values()
                for noun, value in kind.items()
            }
            for wording, recorded in said.items()
        }
    )


@pytest.mark.parametrize("site", AUCS)
def test_labelled_nouns_are_told_apart_as_well_as_was_measured(site: str):
    said = recorded(site)
    seen, never = labelled(said, LINES.name)
    assert min(len(seen), len(never)) >= 60
    found = {wording: auc(*labelled(said, wording)) for wording in said}
    assert found == pytest.approx(AUCS[site], abs=0.001)


@pytest.mark.parametrize("site", RIGHT)
def test_log_odds_fitted_to_the_examples_say_who_is_right(site: str):
    said = recorded(site)
    for wording, share in RIGHT[site].items():
        fitted = calibrated(said, wording)
        seen, never = labelled(said, wording)
        right = [fitted.logit(raw) > 0 for raw in seen] + [fitted.logit(raw) < 0 for raw in never]
        assert np.mean(right) == pytest.approx(share, abs=0.001)


def test_a_rater_that_says_the_opposite_is_refused(said: Said):
    examples = said[QUESTION.name]["examples"]
    with pytest.raises(RatingError, match="does not rank what is seen here above"):
        calibrate(RawScores({}, {}, examples["never"], examples["seen"]))


def test_lines_are_chosen_for_both_presets(said: Said, store: RatingStore):
    choice = LocalRater(Path(), place_of(said), store, engine=examples_of(said)).choose()
    assert choice.wording is LINES
    assert choice.judged.auc >= 0.9


def test_a_model_that_has_it_all_wrong_is_refused(said: Said, store: RatingStore):
    rater = LocalRater(Path(), place_of(said), store, engine=examples_of(said, sign=-1.0))
    with pytest.raises(RatingError, match="does not tell this site's examples apart") as refused:
        rater.choose()
    assert all(wording.name in str(refused.value) for wording in WORDINGS)
