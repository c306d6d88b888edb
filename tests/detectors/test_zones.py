import numpy as np
import pytest

from detectors.zones import Zones

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
TOP_LEFT_TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


def test_no_polygons_watch_everything():
    assert Zones().grid((3, 4)).all()


def test_outside_the_included_nothing_is_watched():
    expected = [[True, True, False, False]] * 2
    np.testing.assert_array_equal(Zones(include=(LEFT_HALF,)).grid((2, 4)), expected)


def test_excluding_wins():
    zones = Zones(include=(LEFT_HALF,), exclude=(((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)),))
    expected = [[False] * 4, [True, True, False, False]]
    np.testing.assert_array_equal(zones.grid((2, 4)), expected)


def test_a_slanted_edge_takes_cells_by_their_centre():
    expected = [[True, True, False], [True, False, False], [False, False, False]]
    grid = Zones(include=(TOP_LEFT_TRIANGLE,)).grid((3, 3))
    np.testing.assert_array_equal(grid, expected)


@pytest.mark.parametrize(
    ("polygon", "reason"),
    [
        (((0.0, 0.0), (1.0, 1.0)), "at least 3 corners, got 2"),
        (((0.0, 0.0), (640.0, 0.0), (0.0, 480.0)), r"corner \(640.0, 0.0\) is outside the frame"),
        (((0.0, 0.0), (float("nan"), 0.0), (0.0, 1.0)), "is outside the frame"),
    ],
)
def test_impossible_polygons_are_refused(polygon: tuple[tuple[float, float], ...], reason: str):
    with pytest.raises(ValueError, match=reason):
        Zones(exclude=(polygon,))
