import cv2
import numpy as np
import pytest

from detectors.zones import Zones, contains

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


def test_a_point_is_in_a_polygon_as_a_cell_of_the_grid_is():
    assert contains(LEFT_HALF, 0.3, 0.5)
    assert not contains(LEFT_HALF, 0.7, 0.5)
    # Of two zones side by side a point between them is in one.
    right_half = tuple((x + 0.5, y) for x, y in LEFT_HALF)
    assert contains(LEFT_HALF, 0.5, 0.5) != contains(right_half, 0.5, 0.5)


def test_what_stands_on_any_edge_can_count_as_inside():
    for x, y in ((0.0, 0.5), (0.5, 0.5), (0.25, 0.0), (0.25, 1.0), (0.5, 1.0)):
        assert contains(LEFT_HALF, x, y, edge=True)
    assert contains(TOP_LEFT_TRIANGLE, 0.3, 0.7, edge=True)
    assert not contains(TOP_LEFT_TRIANGLE, 0.31, 0.7, edge=True)


def test_points_are_inside_where_another_library_has_them_inside():
    rng = np.random.default_rng(0)
    for _ in range(40):
        corners = rng.uniform(0, 1, (int(rng.integers(3, 8)), 2)).astype(np.float32)
        polygon = [(float(x), float(y)) for x, y in corners]
        for x, y in rng.uniform(0, 1, (25, 2)).tolist():
            there = cv2.pointPolygonTest(corners, (x, y), True)
            # Nearer than this, single precision may take it for the other side.
            if abs(there) > 1e-5:
                assert contains(polygon, x, y, edge=True) == contains(polygon, x, y) == (there > 0)
