"""AUROC, AUPRO and F1 of maps, against figures worked out directly."""

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.pixels import MOST_FALSE, PixelCounts, PixelFigures
from calibration.ranking import auroc, f1_max


def figures(*images: tuple[NDArray[np.float32], NDArray[np.bool_]]) -> PixelFigures:
    counts = PixelCounts()
    for heat, mask in images:
        counts.add(heat, mask)
    found = counts.figures()
    assert found is not None
    return found


def scene(seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A noisy map with a large and a small defect, the small one found less surely."""
    rng = np.random.default_rng(seed)
    heat = rng.lognormal(-0.5, 0.4, (40, 60))
    mask = np.zeros((40, 60), np.bool_)
    mask[5:20, 10:30] = True
    mask[30:33, 50:53] = True
    heat[5:20, 10:30] *= rng.uniform(1.5, 3)
    heat[30:33, 50:53] *= rng.uniform(1, 2)
    return heat.astype(np.float32), mask


def direct_aupro(scenes: list[tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> float:
    """By every threshold there is."""
    good = np.sort(np.concatenate([heat[~mask] for heat, mask in scenes]))
    regions = [
        np.sort(heat[rows, columns].ravel())
        for heat, _ in scenes
        for rows, columns in ((slice(5, 20), slice(10, 30)), (slice(30, 33), slice(50, 53)))
    ]
    levels = np.unique(np.concatenate([good, *regions]))[::-1]
    rate = np.array([1 - np.searchsorted(good, level, "left") / len(good) for level in levels])
    covered = np.mean(
        [
            [1 - np.searchsorted(one, level, "left") / len(one) for level in levels]
            for one in regions
        ],
        axis=0,
    )
    rate, covered = np.append(0, rate), np.append(0, covered)
    grid = np.linspace(0, MOST_FALSE, 3001)
    return float(np.trapezoid(np.interp(grid, rate, covered), grid)) / MOST_FALSE


def test_a_perfect_map_has_full_marks():
    mask = np.zeros((10, 10), np.bool_)
    mask[2:4, 2:4] = mask[7:9, 5:9] = True
    found = figures((np.where(mask, 3.0, 0.3).astype(np.float32), mask))
    assert (found.auroc.value, found.aupro.value, found.f1.value) == (1, 1, 1)


def test_a_defect_counts_once_however_large_it_is():
    mask = np.zeros((10, 100), np.bool_)
    mask[:, :40] = True
    mask[0, 99] = True
    heat = np.full((10, 100), 0.5, np.float32)
    heat[:, :40] = 2.0
    # The single pixel scores below everything good, so half of the defects is covered before.
    heat[0, 99] = 0.1
    found = figures((heat, mask))
    assert found.aupro.value == pytest.approx(0.5, abs=1e-3)
    assert found.auroc.value == pytest.approx(400 / 401, abs=1e-3)


def test_counting_in_bins_changes_nothing_that_matters():
    scenes = [scene(seed) for seed in range(4)]
    good = np.concatenate([heat[~mask] for heat, mask in scenes])
    bad = np.concatenate([heat[mask] for heat, mask in scenes])
    found = figures(*scenes)
    assert found.auroc.value == pytest.approx(auroc(good, bad), abs=1e-3)
    assert found.f1.value == pytest.approx(f1_max(good, bad)[0], abs=2e-3)
    assert found.aupro.value == pytest.approx(direct_aupro(scenes), abs=3e-3)
    assert found.aupro.low < found.aupro.value < found.aupro.high
    assert found.aupro.images == 4


def test_good_images_alone_give_no_figures():
    counts = PixelCounts()
    counts.add(np.ones((4, 4), np.float32), np.zeros((4, 4), np.bool_))
    assert counts.figures() is None


def test_values_that_are_no_numbers_count_as_lowest_and_a_map_is_brought_to_its_mask():
    mask = np.zeros((8, 8), np.bool_)
    mask[:4] = True
    heat = np.array([[4.0, 4.0], [np.nan, -1.0]], np.float32)
    assert figures((heat, mask)).auroc.value == pytest.approx(1, abs=0.05)
