import math

import pytest
import torch
from torch import Generator
from torch.nn import functional

from novic.errors import UsageError
from training.noise import (
    UPSTREAM,
    NoiseConfig,
    add_noise,
    gauss_angle,
    gauss_elem,
    gauss_vec,
    uniform_angle,
)

ALL = (
    "GaussElem:3.25",
    "GaussVec:3.25",
    "GaussAngle:30,60",
    "UniformAngle:45,75",
    "GaussElemUniformAngle:3.25,45,75,0.15",
)


def unit_vectors(count: int, width: int) -> torch.Tensor:
    return functional.normalize(
        torch.randn(count, width, generator=Generator().manual_seed(3)), dim=1
    )


def angles_deg(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.rad2deg(torch.acos((a * b).sum(dim=1).clamp(-1, 1)))


@pytest.mark.parametrize(("width", "spread"), [(768, 1.92), (1024, 1.67), (1152, 1.58)])
def test_gauss_elem_moves_by_about_atan_of_its_norm(width: int, spread: float):
    clean = unit_vectors(2000, width)
    noisy = gauss_elem(clean, 3.25, Generator().manual_seed(0))
    moved = angles_deg(clean, noisy)
    assert float(moved.mean()) == pytest.approx(math.degrees(math.atan(3.25)), abs=0.3)
    assert float(moved.std()) == pytest.approx(spread, abs=0.15)


def test_gauss_vec_is_normal_along_a_random_line():
    clean = unit_vectors(4000, 768)
    moved = angles_deg(clean, gauss_vec(clean, 3.25, Generator().manual_seed(0)))
    # Across random directions the angle is atan |norm z|, and the median of |z| is 0.6745.
    median = math.degrees(math.atan(3.25 * 0.6745))
    assert float(moved.median()) == pytest.approx(median, abs=1.5)
    assert float(moved.std()) > 15


def test_gauss_angle_is_clamped():
    clean = unit_vectors(4000, 64)
    moved = angles_deg(clean, gauss_angle(clean, 30, 45, Generator().manual_seed(0)))
    assert float(moved.max()) <= 45.05
    # |z| of 30 degrees exceeds 45 for 13.4% of normal draws, and has a median of 20.2.
    assert float((moved > 44.95).float().mean()) == pytest.approx(0.134, abs=0.02)
    assert float(moved.median()) == pytest.approx(20.2, abs=1)


def test_uniform_angle_stays_between_its_bounds():
    clean = unit_vectors(2000, 64)
    moved = angles_deg(clean, uniform_angle(clean, 45, 75, Generator().manual_seed(0)))
    assert float(moved.min()) >= 44.95
    assert float(moved.max()) <= 75.05
    assert float(moved.mean()) == pytest.approx(60.0, abs=0.6)
    assert float(moved.std()) == pytest.approx(8.7, abs=0.3)


def test_the_released_mixture_moves_by_71_degrees():
    clean = unit_vectors(8000, 768)
    moved = angles_deg(clean, add_noise(clean, UPSTREAM, Generator().manual_seed(0)))
    assert 70.8 <= float(moved.mean()) <= 71.1
    assert 5.8 <= float(moved.std()) <= 6.1


@pytest.mark.parametrize("text", ALL)
def test_noise_is_unit_repeatable_and_not_in_place(text: str):
    clean = unit_vectors(64, 48)
    before = clean.clone()
    noise = NoiseConfig.parse(text)
    noisy = add_noise(clean, noise, Generator().manual_seed(5))
    torch.testing.assert_close(noisy.norm(dim=1), torch.ones(64))
    assert torch.equal(clean, before)
    assert torch.equal(noisy, add_noise(clean, noise, Generator().manual_seed(5)))
    assert not torch.equal(noisy, add_noise(clean, noise, Generator().manual_seed(6)))


def test_no_noise_gives_the_vectors_themselves():
    clean = unit_vectors(2, 8)
    assert add_noise(clean, NoiseConfig.parse(""), Generator()) is clean


@pytest.mark.parametrize("text", ALL)
def test_names_are_read_in_any_case_and_written_back(text: str):
    assert str(NoiseConfig.parse(text.upper())) == text
    assert NoiseConfig.parse(text.lower()) == NoiseConfig.parse(text)


def test_the_released_noise_is_what_its_text_says():
    assert NoiseConfig.parse("GaussElemUniformAngle:3.25,45,75,0.15") == UPSTREAM


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Perlin:1", "unknown noise 'Perlin'; use one of GaussElem, "),
        ("GaussElem", "write it as GaussElem:NORM"),
        ("UniformAngle:45", "write it as UniformAngle:LEAST_DEG,MOST_DEG"),
        ("UniformAngle:45,x", "write it as UniformAngle:LEAST_DEG,MOST_DEG"),
        ("UniformAngle:75,45", "angles must rise and be at most 180"),
        ("GaussElem:-1", "numbers must be 0 or more"),
        ("GaussElem:nan", "numbers must be 0 or more"),
        ("GaussElemUniformAngle:3.25,45,75,1.5", "the mix must be at most 1"),
    ],
)
def test_wrong_noise_is_refused(text: str, said: str):
    with pytest.raises(UsageError, match=said):
        NoiseConfig.parse(text)
