"""What moves while a view is learned must not blind the rest of it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.tails import held_out_threshold
from detectors.tolerance import Stirring, checked_tolerance, usual

ROAD = slice(20, 24)


def maps(count: int, seed: int, harsher: float = 1.0) -> NDArray[np.float32]:
    """A calm view, its cells more and less lively."""
    rng = np.random.default_rng((7, seed))
    lively = np.random.default_rng(7).lognormal(0, 0.15, (30, 40))
    return (harsher * 10 * lively * rng.gamma(50, 0.02, (count, 30, 40))).astype(np.float32)


def passing(found: NDArray[np.float32], moments: range, value: float = 60.0) -> None:
    """A car drives along the road at each of these frames and the two after."""
    for start in moments:
        for step in range(3):
            left = 13 * step + start % 3 * 4
            found[start + step, ROAD, left : left + 9] = value


def test_a_calm_view_has_one_threshold():
    varied = maps(60, 1, 1.5)
    found = usual(maps(60, 0), varied, 1e-3)
    assert found.threshold == held_out_threshold(varied.max(axis=(1, 2)), 1e-3)
    assert (found.tolerance == 1).all()
    assert 0.3 < found.peak < 1


def test_a_car_that_passes_again_and_again_is_borne_on_its_road_alone():
    real, varied = maps(64, 0), maps(60, 1, 1.5)
    calm = usual(real, varied, 1e-3)
    passing(real, range(0, 60, 10))
    passing(varied, range(0, 57, 12))
    found = usual(real, varied, 1e-3)
    assert found.threshold == pytest.approx(calm.threshold, rel=0.1)
    assert found.peak == pytest.approx(calm.peak, rel=0.1)
    assert (found.tolerance[:12] == 1).all()
    road = real / found.threshold / found.tolerance
    assert road[:, ROAD].max() < 1
    assert road[:, ROAD].max() == pytest.approx(found.peak, rel=0.2)


def test_who_walks_through_once_is_not_borne():
    real, varied = maps(64, 0), maps(60, 1, 1.5)
    calm = usual(real, varied, 1e-3)
    passing(real, range(51, 52))
    passing(varied, range(21, 30, 3))
    found = usual(real, varied, 1e-3)
    assert (found.tolerance == 1).all()
    assert found.threshold == pytest.approx(calm.threshold, rel=0.1)
    assert (real[51] / found.threshold).max() > 1.25


def test_who_stands_there_for_a_while_is_not_borne():
    real = maps(64, 0)
    real[22:27, ROAD, 10:14] = 60
    found = usual(real, maps(60, 1, 1.5), 1e-3)
    assert (found.tolerance == 1).all()


def test_what_stirs_frame_by_frame_is_borne_if_it_comes_again():
    calm = np.full((2, 30, 40), 0.3, np.float32)
    passing_by = calm.copy()
    passing_by[:, ROAD, 5:20] = 2.0
    again, once = Stirring(), Stirring()
    for part in range(8):
        again.add(passing_by if part in (1, 2, 5) else calm, part)
        once.add(passing_by if part in (1, 2) else calm, part)
    assert once.tolerance() is None
    borne = again.tolerance()
    assert borne is not None
    assert (2.0 / borne[ROAD, 5:20]).max() == pytest.approx(0.6, abs=1e-5)
    assert (borne[:12] == 1).all()


def test_where_all_is_restless_nothing_is_borne_more_than_elsewhere():
    real = maps(64, 0)
    real[::3, :, ::2] *= 9
    found = usual(real, maps(60, 1, 1.5), 1e-3)
    assert (found.tolerance == 1).all()


def test_cells_that_are_no_numbers_count_for_nothing():
    real, varied = maps(64, 0), maps(60, 1, 1.5)
    clean = usual(real, varied, 1e-3)
    real[3, 4, 5], varied[7, 8, 9] = np.nan, np.nan
    found = usual(real, varied, 1e-3)
    assert found.threshold == pytest.approx(clean.threshold, rel=0.01)
    assert np.isfinite(found.tolerance).all()


def test_frames_that_are_all_the_same_have_a_threshold():
    same = np.repeat(maps(1, 0), 20, axis=0)
    found = usual(same, same, 1e-3)
    assert found.threshold > same.max()
    assert 0 < found.peak < 1


@pytest.mark.parametrize("bad", [np.ones(3), np.full((2, 2), 0.5), np.full((2, 2), np.nan)])
def test_what_is_no_tolerance_is_refused(bad: NDArray[np.float64]):
    with pytest.raises(ValueError, match=r"tolerance .*: must be \[h, w\] and at least 1"):
        checked_tolerance(bad.astype(np.float32))


def test_stills_are_judged_by_one_threshold_whatever_differs():
    real, varied = maps(64, 0), maps(60, 1, 1.5)
    passing(real, range(0, 60, 10))
    passing(varied, range(0, 57, 12))
    found = usual(real, varied, 1e-3, tolerant=False)
    assert (found.tolerance == 1).all()
    assert found.threshold == held_out_threshold(varied.max(axis=(1, 2)), 1e-3)
