"""The two-stage rule: what is asked, in which order, when it ends, and after a kill."""

from collections.abc import Collection, Mapping
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.raters.vectors.nouns import NounVectors
from scenarios.raters.vectors.student import (
    StageRule,
    Step,
    Student,
    estimates,
    first_nouns,
    next_block,
    next_step,
    share_seen,
    should_stop,
)
from scenarios.ratings.records import RatingError

NOUNS = 900
RULE = StageRule(others=100, block=80, sample=60)


class Site:
    """Nouns whose log-odds are partly in their vectors, partly noise.

    Args:
        seen: Share of nouns with log-odds above 0.
        known: How much of their spread the vectors explain.
        seed: Of everything.
    """

    def __init__(self, seen: float, known: float, seed: int, nouns: int = NOUNS) -> None:
        random = np.random.default_rng(seed)
        names = [f"noun {number:04}" for number in range(nouns)]
        rows = random.normal(size=(2, nouns, 6)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=2, keepdims=True)
        self.vectors = NounVectors(tuple(names), rows[0], rows[1], rows[0], rows[1])
        signal = self.vectors.both @ random.normal(size=12)
        noise = random.normal(size=nouns)
        values = known * signal / signal.std() + (1 - known**2) ** 0.5 * noise
        values -= np.quantile(values, 1 - seen)
        self.truth = dict(zip(names, values.tolist(), strict=True))
        frequencies = random.integers(1, 6, size=nouns)
        self.dictionary = ObjectDictionary(
            tuple(
                NounEntry(number, name, name, (name,), (), (int(frequency),), ())
                for number, (name, frequency) in enumerate(zip(names, frequencies, strict=True))
            )
        )

    def step(self, logits: Mapping[str, float], seed: int, given_up: Collection[str] = ()) -> Step:
        return next_step(
            self.dictionary, self.vectors, logits, given_up=given_up, seed=seed, rule=RULE
        )

    def rate(self, seed: int, logits: dict[str, float] | None = None) -> dict[str, float]:
        """Drive a whole run, as the loop in the module's documentation does."""
        logits = dict(logits or {})
        while nouns := self.step(logits, seed).nouns:
            assert set(nouns) - logits.keys()
            logits |= {noun: self.truth[noun] for noun in nouns}
        return logits


sites = st.builds(
    Site,
    seen=st.sampled_from([0.002, 0.02, 0.1, 0.5]),
    known=st.sampled_from([0.0, 0.5, 0.95]),
    seed=st.integers(0, 2**32 - 1),
)


@settings(max_examples=10, deadline=None)
@given(site=sites, seed=st.integers(0, 1000))
def test_it_ends_only_when_a_random_sample_of_what_is_left_says_so(site: Site, seed: int):
    rated: dict[str, float] = {}
    last: list[tuple[str, ...]] = []
    while (step := site.step(rated, seed)).nouns:
        assert not set(step.nouns) & rated.keys()
        assert step.left == NOUNS - len(rated)
        last.append(step.nouns)
        rated |= {noun: site.truth[noun] for noun in step.nouns}
    left = site.step(rated, seed).left
    assert left == NOUNS - len(rated)
    assert last[0] == first_nouns(site.dictionary, seed, RULE)
    if left:
        assert share_seen(last[-2], rated) < RULE.enough
        assert share_seen(last[-1], rated) <= RULE.enough
        assert len(last[-1]) == RULE.sample
        # At most 0 of 60 were seen: 95% sure that less than 5% of what was left are.
    values = estimates(site.vectors, rated)
    assert set(values) | set(rated) == set(site.vectors.nouns)
    assert not set(values) & set(rated)


@settings(max_examples=10, deadline=None)
@given(
    site=sites,
    seed=st.integers(0, 1000),
    kills=st.lists(st.integers(0, 150), min_size=1, max_size=6),
    chance=st.randoms(use_true_random=False),
)
def test_a_killed_run_asks_exactly_what_an_uninterrupted_one_does(
    site: Site, seed: int, kills: list[int], chance: Random
):
    """Killed again and again, within a stage after answers in any order."""
    rated: dict[str, float] = {}
    for answered in kills:
        nouns = [noun for noun in site.step(rated, seed).nouns if noun not in rated]
        chance.shuffle(nouns)
        rated |= {noun: site.truth[noun] for noun in nouns[:answered]}
    killed, whole = site.rate(seed, rated), site.rate(seed)
    assert killed == whole
    assert estimates(site.vectors, killed) == estimates(site.vectors, whole)


@settings(max_examples=8, deadline=None)
@given(site=sites, seed=st.integers(0, 1000), scale=st.sampled_from([0.25, 2.0, 8.0]))
def test_the_scale_of_log_odds_changes_nothing(site: Site, seed: int, scale: float):
    """A better calibration in the middle of a run does not undo what was chosen."""
    whole = site.rate(seed)
    assert site.step({noun: scale * value for noun, value in whole.items()}, seed).nouns == ()


def test_where_hardly_anything_is_seen_most_is_spared():
    site = Site(seen=0.002, known=0.95, seed=1, nouns=2000)
    rated = site.rate(seed=0)
    common = sum(entry.total_freq > RULE.common_above for entry in site.dictionary.entries)
    assert len(rated) - common < 0.5 * (2000 - common)
    missed = [noun for noun, value in site.truth.items() if value > 0 and noun not in rated]
    assert not missed


def test_where_all_is_seen_all_is_asked():
    assert len(Site(seen=1.0, known=0.5, seed=1).rate(seed=0)) == NOUNS


def test_a_surprise_in_the_sample_goes_on():
    """Seen things that the student cannot expect: the block says stop, the sample does not."""
    site = Site(seen=0.002, known=0.95, seed=1)
    first = first_nouns(site.dictionary, 0, RULE)
    rated = {noun: site.truth[noun] for noun in first}
    block = site.step(rated, 0)
    assert block.stage.startswith("block 1")
    rated |= dict.fromkeys(block.nouns, -1.0)
    sample = site.step(rated, 0)
    assert sample.stage.startswith("random nouns")
    assert len(sample.nouns) == RULE.sample
    surprised = rated | dict.fromkeys(sample.nouns[:1], 1.0)
    surprised |= dict.fromkeys(sample.nouns[1:], -1.0)
    assert site.step(surprised, 0).stage.startswith("block 2")
    assert not site.step(rated | dict.fromkeys(sample.nouns, -1.0), 0).nouns


def test_nouns_asked_in_vain_are_not_asked_again_and_are_estimated():
    site = Site(seen=0.1, known=0.8, seed=2)
    logits: dict[str, float] = {}
    given_up: set[str] = set()
    while nouns := site.step(logits, 0, given_up).nouns:
        assert set(nouns) - logits.keys() - given_up
        logits |= {noun: site.truth[noun] for noun in nouns if not noun.endswith("7")}
        given_up |= set(nouns) - logits.keys()
    assert given_up
    assert given_up <= estimates(site.vectors, logits).keys()


def test_a_rater_that_answers_nothing_is_told():
    site = Site(seen=0.1, known=0.8, seed=2)
    first = site.step({}, 0).nouns
    with pytest.raises(RatingError, match="0 rated nouns are too few to estimate others from"):
        site.step({}, 0, given_up=first)


def test_the_first_stage_is_common_nouns_and_random_others():
    site = Site(seen=0.1, known=0.8, seed=3)
    first, other = (first_nouns(site.dictionary, seed, RULE) for seed in (0, 1))
    common = {entry.target_noun for entry in site.dictionary.entries if entry.total_freq > 2}
    assert common <= set(first)
    assert len(first) == len(common) + RULE.others
    assert list(first) == sorted(first)
    assert len(set(first) & set(other)) < len(first)
    few = ObjectDictionary(site.dictionary.entries[:50])
    assert first_nouns(few, 0, RULE) == few.targets


def test_a_block_is_what_is_expected_most():
    predicted = np.array([0.1, 3.0, 2.0, 2.0, -1.0])
    assert next_block("abcde", predicted, {"b"}, 3) == ("c", "d", "a")
    assert next_block("abcde", predicted, set("abcd"), 3) == ("e",)


def test_the_rule_of_ending():
    block, sample = [f"b{n}" for n in range(200)], [f"s{n}" for n in range(300)]
    rare = dict.fromkeys([*block, *sample], -1.0)
    assert should_stop(block, sample, rare, 0.01)
    assert should_stop(block, sample, rare | {"b0": 1.0, "s0": 1.0, "s1": 1.0, "s2": 1.0}, 0.01)
    assert not should_stop(block, sample, rare | dict.fromkeys(sample[:4], 1.0), 0.01)
    assert not should_stop(block, sample, rare | {"b0": 1.0, "b1": 1.0}, 0.01)
    assert not should_stop(block, (), rare, 0.01)


def test_the_student_is_ridge_regression():
    """Against scikit-learn's, learning in parts."""
    from sklearn.linear_model import Ridge

    site = Site(seen=0.3, known=0.8, seed=4, nouns=400)
    names = site.vectors.nouns
    student = Student(site.vectors)
    student.learn(names[:100], site.truth)
    student.learn(names[100:300], site.truth)
    ridge = Ridge(alpha=2.0).fit(
        site.vectors.both[:300].astype(np.float64), [site.truth[noun] for noun in names[:300]]
    )
    expected = ridge.predict(site.vectors.both.astype(np.float64))
    np.testing.assert_allclose(student.predict(), expected, atol=1e-6)
