"""What a camera's numbers mean, from crops of a known law."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.scores.protocol import ScoreError
from calibration.site.calibrated import Bindings, calibrated, unnameable
from calibration.site.crops import CALIBRATE, FIT, TEST, parts
from tests.calibration.site.footage import BOUND, WIDTH, crops, vectors


def test_parts_are_whole_stretches_that_take_turns():
    part = parts(np.arange(3600), 3600)
    shares = [float((part == one).mean()) for one in (FIT, CALIBRATE, TEST)]
    assert shares == [pytest.approx(0.6), pytest.approx(0.2), pytest.approx(0.2)]
    # 20 stretches of three minutes, so few changes; each part comes back in every quarter.
    assert (np.diff(part) != 0).sum() < 20
    assert all({*part[at : at + 900]} == {FIT, CALIBRATE, TEST} for at in range(0, 3600, 900))


def test_short_footage_has_five_stretches():
    assert (np.diff(parts(np.arange(100), 100)) != 0).sum() == 3


def test_normal_crops_have_p_as_it_says_and_strange_ones_hardly_any():
    seen = crops(1500)
    fitted, held_out = calibrated(BOUND, seen, 3600)
    assert len(held_out.at) > 250
    for level in (0.05, 0.1, 0.2):
        assert (held_out.site_p <= level).mean() == pytest.approx(level, abs=0.05)
        assert (held_out.unnameable_p <= level).mean() == pytest.approx(level, abs=0.05)
    strange = [fitted.site_p(one) for one in vectors(50, 9, shift=1.5)]
    assert np.median([p for p in strange if p is not None]) < 0.02


def test_what_the_decoder_cannot_name_is_rarer_than_what_it_can():
    fitted, _ = calibrated(BOUND, crops(200), 3600)
    assert fitted.unnameable_ranks is not None
    named, unnamed = fitted.unnameable_ranks.p(unnameable([0.9, 0.01], [0.01, 0.97]))
    assert unnamed < 0.02 < 0.5 < named


def test_too_few_crops_are_told_and_left_out():
    fitted, held_out = calibrated(BOUND, crops(37), 3600)
    assert fitted.said["site_p"].startswith("site_p: not fitted, ")
    assert "60 are needed" in fitted.said["site_p"]
    assert fitted.site_p(vectors(1, 0)[0]) is None
    assert fitted.betting() is None
    assert len(held_out.site_p) == 0
    with pytest.raises(ScoreError, match="not fitted for this camera"):
        fitted.distances(vectors(1, 0))


def test_crops_that_are_all_alike_are_told_and_left_out():
    seen = crops(300)
    same = replace(seen, vectors=np.repeat(seen.vectors[:1], 300, axis=0))
    fitted, _ = calibrated(BOUND, replace(same, top_p=np.full(300, 0.5)), 3600)
    assert "all alike" in fitted.said["site_p"]
    assert fitted.site is None
    constant = replace(seen, top_p=np.full(300, 0.5), rest=np.full(300, 0.5))
    fitted, _ = calibrated(BOUND, constant, 3600)
    assert "the same score" in fitted.said["unnameable_p"]
    assert fitted.unnameable_ranks is None


def test_vectors_and_probabilities_that_are_no_numbers_are_told():
    seen = crops(300)
    broken = seen.vectors.copy()
    broken[0, 0] = np.nan
    fitted, _ = calibrated(BOUND, replace(seen, vectors=broken), 3600)
    assert "not a finite number" in fitted.said["site_p"]
    fitted, _ = calibrated(BOUND, replace(seen, rest=np.full(300, np.nan)), 3600)
    assert "strategy gives none" in fitted.said["unnameable_p"]


def test_a_vector_of_another_width_is_refused():
    fitted, _ = calibrated(BOUND, crops(300), 3600)
    with pytest.raises(ScoreError, match=f"columns where it learned {WIDTH}"):
        fitted.site_p(np.ones(WIDTH + 1))
    with pytest.raises(ScoreError, match="needs probabilities"):
        unnameable([float("nan")], [0.5])


def test_no_crop_at_all_fits_nothing():
    seen = crops(1)
    none = type(seen)(
        seen.vectors[:0], seen.top_p[:0], seen.rest[:0], seen.at_s[:0], seen.time_us[:0]
    )
    fitted, held_out = calibrated(BOUND, none, 0.0)
    assert (fitted.site, fitted.unnameable_ranks, len(held_out.at)) == (None, None, 0)


def test_scores_without_candidates_are_finite():
    assert np.isfinite(unnameable([0.0, 1.0], [1.0, 0.0])).all()


def test_what_differs_is_named_with_both_hashes():
    other = replace(BOUND, detector="a" * 64)
    assert BOUND.differs(other) == f"detector {'d' * 12}, here it is {'a' * 12}"
    assert BOUND.differs(replace(BOUND, dictionary="")) == ""
    assert "starter" in BOUND.differs(replace(BOUND, embedder="openclip:x"))
    assert Bindings("a", "b", "c").differs(Bindings("a", "b", "c")) == ""
