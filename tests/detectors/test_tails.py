import numpy as np
import pytest

from detectors.tails import gumbel_threshold


def test_the_wanted_share_of_gumbel_maxima_is_above():
    rng = np.random.default_rng(0)
    threshold = gumbel_threshold(rng.gumbel(10, 2, 20_000), 1, 0.01)
    assert np.mean(rng.gumbel(10, 2, 200_000) > threshold) == pytest.approx(0.01, rel=0.15)


def test_the_rate_is_per_frame_not_per_block():
    rng = np.random.default_rng(1)
    frames = rng.gumbel(10, 2, (20_000, 4))
    by_frame = gumbel_threshold(frames.ravel(), 1, 1e-3)
    by_block = gumbel_threshold(frames.max(axis=1), 4, 1e-3)
    assert by_block == pytest.approx(by_frame, rel=0.03)


def test_maxima_that_agree_by_chance_leave_room():
    assert gumbel_threshold(np.array([10.0, 10.0]), 1, 1e-4) > 11


def test_one_maximum_is_too_few():
    with pytest.raises(ValueError, match="at least 2 block maxima, got 1"):
        gumbel_threshold(np.array([3.0]), 1, 1e-3)
