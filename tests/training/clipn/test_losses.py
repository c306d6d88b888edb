"""CLIPN's losses on vectors whose answers are known."""

import math

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from tests.novic.clipn.known import fixed_vectors
from training.clipn.losses import clipn_losses

KNOWN = {
    1: (0.368174, 0.651261, 0.635517, 0.827476),
    10: (0.002006, 0.859949, 0.635517, 0.748736),
    100: (0.000000, 6.945190, 0.635517, 3.790353),
}
"""Yes, no, opposite and total by scale (clipn_spec §2.1)."""


def some(count: int, seed: int = 0) -> Tensor:
    draw = torch.randn(count, 24, generator=Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(draw, dim=1)


@pytest.mark.parametrize("scale", [1, 10, 100])
def test_known_losses(scale: int):
    images, texts, no_texts = map(torch.from_numpy, fixed_vectors())
    found = clipn_losses(images, texts, no_texts, scale)
    values = (found.yes, found.no, found.opposite, found.total)
    assert [float(value) for value in values] == pytest.approx(KNOWN[scale], abs=6e-7)


@pytest.mark.parametrize("scale", [1, 20, 100])
def test_a_copy_begins_at_the_known_total(scale: int):
    texts = some(16)
    found = clipn_losses(some(16, seed=1), texts, texts, scale)
    assert float(found.yes) == pytest.approx(math.log(2))
    assert float(found.no) == pytest.approx(math.log(2))
    assert float(found.opposite) == pytest.approx(1.99)
    assert float(found.total) == pytest.approx(1.688147, abs=1e-6)


def test_it_is_what_softmax_and_logarithm_give():
    images, texts, no_texts = some(5), some(5, 1), some(5, 2)
    yes, no = 7 * images @ texts.T, 7 * images @ no_texts.T
    p_no = torch.stack([yes, no]).softmax(dim=0)[1]
    found = clipn_losses(images, texts, no_texts, 7)
    assert float(found.yes) == pytest.approx(float(-(1 - p_no).diagonal().log().mean()))
    off = ~torch.eye(5, dtype=torch.bool)
    assert float(found.no) == pytest.approx(float(-p_no[off].log().mean()))


def test_large_scales_do_not_overflow():
    texts = some(4).float()
    no_texts = (-texts).requires_grad_()
    total = clipn_losses(some(4, 3).float(), texts, no_texts, 1e5).total
    total.backward()
    assert no_texts.grad is not None
    assert torch.isfinite(total)
    assert torch.isfinite(no_texts.grad).all()


def test_related_pairs_are_left_out_of_the_mean():
    images, texts, no_texts = some(3), some(3, 1), some(3, 2)
    related = torch.zeros(3, 3, dtype=torch.bool)
    related[0, 1] = related[1, 0] = True
    margin = 5 * images @ (texts - no_texts).T
    kept = [margin[0, 2], margin[1, 2], margin[2, 0], margin[2, 1]]
    expected = functional.softplus(torch.stack(kept)).mean()
    found = clipn_losses(images, texts, no_texts, 5, related)
    assert float(found.no) == pytest.approx(float(expected))
    assert float(found.yes) == float(clipn_losses(images, texts, no_texts, 5).yes)
    alone = clipn_losses(images, texts, no_texts, 5, torch.ones(3, 3, dtype=torch.bool))
    assert float(alone.no) == 0
