import math

import torch
from torch import Generator
from torch.nn import functional

from training.noise import gauss_elem, uniform_angle


def unit_vectors(count: int, width: int) -> torch.Tensor:
    return functional.normalize(
        torch.randn(count, width, generator=Generator().manual_seed(3)), dim=1
    )


def angles_deg(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.rad2deg(torch.acos((a * b).sum(dim=1).clamp(-1, 1)))


def test_gauss_elem_moves_by_about_atan_of_its_norm():
    clean = unit_vectors(2000, 768)
    noisy = gauss_elem(clean, 3.25, Generator().manual_seed(0))
    torch.testing.assert_close(noisy.norm(dim=1), torch.ones(2000))
    moved = angles_deg(clean, noisy)
    assert abs(float(moved.mean()) - math.degrees(math.atan(3.25))) < 0.3
    assert 1.7 < float(moved.std()) < 2.2


def test_uniform_angle_stays_between_its_bounds():
    clean = unit_vectors(2000, 64)
    noisy = uniform_angle(clean, 45, 75, Generator().manual_seed(0))
    torch.testing.assert_close(noisy.norm(dim=1), torch.ones(2000))
    moved = angles_deg(clean, noisy)
    assert float(moved.min()) >= 44.95
    assert float(moved.max()) <= 75.05
    assert abs(float(moved.mean()) - 60) < 1


def test_noise_repeats_with_its_seed():
    clean = unit_vectors(3, 8)
    first = gauss_elem(clean, 1.0, Generator().manual_seed(5))
    assert torch.equal(first, gauss_elem(clean, 1.0, Generator().manual_seed(5)))
