"""What takes up more pictures is what all of them at once would have taught."""

import numpy as np
import pytest
import torch

from detectors.models.anomalib_models import fit_gaussians
from detectors.models.gaussians import CellGaussians
from detectors.models.merging import merged, nearer

GRID = (3, 4)
DEPTH = 6


def features(count: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Channels of very different spread that go together, [count, DEPTH, 3, 4]."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(0).normal(0, 1, (DEPTH, DEPTH)) * np.logspace(-1, 1, DEPTH)[:, None]
    drawn = rng.normal(0, 1, (count, *GRID, DEPTH)) @ mix.T + shift * np.logspace(-1, 1, DEPTH)
    return torch.from_numpy(drawn.transpose(0, 3, 1, 2).astype(np.float32))


def learned(pictures: torch.Tensor) -> CellGaussians:
    return CellGaussians.from_inverse(*fit_gaussians(pictures, 0.1), GRID)


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_both_in_turn_teach_what_both_at_once_do(shift: float):
    old, new = features(40, seed=1), features(30, seed=2, shift=shift)
    together = learned(torch.cat([old, new]))
    in_turn = merged(learned(old), len(old), new, 0.1)
    torch.testing.assert_close(in_turn.mean, together.mean, rtol=1e-4, atol=1e-4)
    seen = features(50, seed=3, shift=1.0)
    wanted, found = together.distances(seen), in_turn.distances(seen)
    # The old one was kept in half precision.
    torch.testing.assert_close(found, wanted, rtol=0.02, atol=0.02)
    apart = (learned(old).distances(seen) - wanted).abs().max()
    assert apart > 5 * (found - wanted).abs().max()


def test_old_pictures_are_nearer_to_what_has_seen_others_too():
    old = learned(features(40, seed=1))
    assert nearer(old, old) == pytest.approx(1.0, abs=0.01)
    assert nearer(old, merged(old, 40, features(200, seed=2), 0.1)) == pytest.approx(1.0, abs=0.15)
    wider = merged(old, 40, features(40, seed=2, shift=20.0), 0.1)
    assert nearer(old, wider) < 0.8
