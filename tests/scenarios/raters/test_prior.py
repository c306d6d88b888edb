"""The prior: its quality on hand-labelled nouns, its label, and examples that are no use."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import yaml

from novic.starter import TextModel
from scenarios.raters.prior import RATER, fit_prior, prior_scores, rate_by_prior
from scenarios.raters.vectors import NounVectors, noun_vectors
from scenarios.ratings.records import Place, RatingError
from scenarios.ratings.scale import auc
from tests.scenarios.raters.test_vectors import dictionary_of

PRESETS = ("airbus", "nicol")
DRAWS = 30

SEEN = ("wrench", "hammer", "forklift", "drill")
NEVER = ("elephant", "violin", "palm tree", "lobster")


def labels(preset: str) -> tuple[list[str], list[str]]:
    file = files("scenarios") / "library" / preset / "labels.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content["seen"], content["never"]


@pytest.fixture(scope="module")
def vectors(text_model: TextModel, tmp_path_factory: pytest.TempPathFactory) -> NounVectors:
    """Of all labelled nouns and of the few above."""
    nouns = {noun for preset in PRESETS for kind in labels(preset) for noun in kind}
    folder = tmp_path_factory.mktemp("vectors")
    return noun_vectors(dictionary_of([*(nouns | {*SEEN, *NEVER})]), folder, embed=text_model.embed)


@pytest.mark.parametrize(("preset", "measured"), [("airbus", 0.879), ("nicol", 0.853)], ids=PRESETS)
def test_quality_on_labelled_nouns(vectors: NounVectors, preset: str, measured: float):
    """What was measured when it was written, over draws of 10 + 10 examples.

    Below the 0.93 that issue 5 asks for: unlike the easy 40 + 40 of scenarios_spec §4 (0.944 and
    0.950), these labels hold things of the right topic that are not there, and the reverse.
    """
    seen, never = labels(preset)
    assert min(len(seen), len(never)) >= 60
    found = []
    for draw in range(DRAWS):
        random = np.random.default_rng(draw)
        rows = [
            vectors.mean[[vectors.numbers[noun] for noun in random.permutation(nouns)]]
            for nouns in (seen, never)
        ]
        rule = fit_prior(rows[0][:10], rows[1][:10])
        held_out = [rule.values(kind[10:]).tolist() for kind in rows]
        found.append(auc(held_out[0], held_out[1]))
    assert np.mean(found) == pytest.approx(measured, abs=0.01)


def test_examples_are_judged_without_being_given(vectors: NounVectors):
    scores = prior_scores(vectors, SEEN, NEVER)
    assert set(scores.nouns) == set(vectors.nouns)
    assert tuple(scores.seen) == SEEN
    assert tuple(scores.never) == NEVER
    others = prior_scores(vectors, SEEN[1:], NEVER)
    assert scores.seen[SEEN[0]] == pytest.approx(others.nouns[SEEN[0]], abs=1e-6)
    others = prior_scores(vectors, SEEN, NEVER[:-1])
    assert scores.never[NEVER[-1]] == pytest.approx(others.nouns[NEVER[-1]], abs=1e-6)


def test_examples_that_tell_nothing_are_not_flattered():
    """Leaving one out must not tell its kind by how many are left of each."""
    row = np.full(384, 384**-0.5, dtype=np.float32)
    nouns = tuple(f"noun {number}" for number in range(8))
    alike = NounVectors(nouns, np.tile(row, (8, 1)), np.tile(row, (8, 1)))
    scores = prior_scores(alike, nouns[:4], nouns[4:])
    np.testing.assert_allclose([*scores.seen.values(), *scores.never.values()], 0, atol=1e-4)


def test_it_is_labelled_as_a_prior(vectors: NounVectors):
    place = Place("A hall.", SEEN, NEVER)
    found = rate_by_prior(place, vectors)
    assert found.rater == RATER == "prior"
    assert "no language model" in found.question.model
    assert rate_by_prior(replace(place, description="A room."), vectors).question == found.question
    fewer = replace(place, seen=SEEN[1:])
    assert rate_by_prior(fewer, vectors).question != found.question


@pytest.mark.parametrize(
    ("seen", "never", "message"),
    [
        (SEEN[:2], NEVER, "2 examples of things seen there and 4 of things never seen are too few"),
        ((*SEEN[:2], SEEN[0]), NEVER, "2 examples of things seen"),
        (SEEN, (*NEVER, "wrench"), "wrench: given both as seen there and as never seen"),
        ((*SEEN, "flux gate"), NEVER, "examples that the dictionary does not have: flux gate"),
    ],
)
def test_examples_that_are_no_use_are_told(
    vectors: NounVectors, seen: tuple[str, ...], never: tuple[str, ...], message: str
):
    with pytest.raises(RatingError, match=message):
        prior_scores(vectors, seen, never)


def test_places_of_examples_do_not_matter(vectors: NounVectors):
    first = prior_scores(vectors, SEEN, NEVER).nouns
    second = prior_scores(vectors, SEEN[::-1], NEVER[::-1]).nouns
    assert list(first.values()) == pytest.approx(list(second.values()), abs=1e-4)
