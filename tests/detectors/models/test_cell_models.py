"""What detectors learn of cells, against other ways to the same."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from detectors.configs import LowRankConfig
from detectors.models.anomalib_models import fit_gaussians
from detectors.models.bank import white_axes
from detectors.models.diagonal import DiagonalGaussians
from detectors.models.gaussians import CellGaussians
from detectors.models.lowrank import LowRankModel
from detectors.models.memory import Bank, Sample, k_centre
from detectors.models.moments import Moments
from detectors.models.reconstruction import HiddenCells, hidden_errors, quarters
from detectors.models.subspace import Subspace


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def untold(steps: int) -> None:
    """Nobody listens."""


def test_the_bank_holds_what_anomalibs_sampler_picks():
    from anomalib.models.components.sampling import KCenterGreedy

    vectors = drawn(400, 24) * torch.linspace(0.1, 3, 24) + 5
    sampler = KCenterGreedy(vectors, sampling_ratio=0.2)
    theirs = sampler.select_coreset_idxs()
    ours = k_centre(sampler.features, 80, first=theirs[0])
    assert ours.tolist() == theirs


def test_no_vector_is_picked_twice_even_if_all_are_alike():
    assert sorted(k_centre(torch.ones(5, 3), 9, first=2).tolist()) == [0, 1, 2, 3, 4]


def test_distances_to_a_bank_are_those_to_its_nearest_vector():
    vectors, queries = drawn(30, 8) + 100, drawn(5000, 8, seed=1) + 100
    found = Bank(vectors).distances(torch.cat((queries, vectors[:2])))
    nearest = (queries[:, None] - vectors).norm(dim=2).amin(1)
    torch.testing.assert_close(found[:-2], nearest, rtol=1e-3, atol=1e-3)
    assert found[-2:].tolist() == [0, 0]


def test_a_sample_is_drawn_from_every_batch_and_bounded():
    sample = Sample(100, pictures=10, seed=0)
    for number in range(20):
        sample.add(torch.full((50, 1), float(number)), pictures=1)
    vectors = sample.vectors
    assert vectors.shape == (100, 1)
    assert len(vectors.unique()) == 20


def test_axes_of_a_stream_are_principal_axes():
    vectors = drawn(500, 6) * torch.tensor([9.0, 5, 2, 1, 0.1, 0.01]) + 1000
    moments = Moments()
    for batch in vectors.split(64):
        moments.add(batch)
    axes, variances = moments.axes(0.95)
    whole = PCA(0.95).fit(vectors.double().numpy())
    assert axes.shape == (6, whole.n_components_)
    np.testing.assert_allclose(moments.mean, whole.mean_, rtol=1e-5)
    np.testing.assert_allclose(variances * 500 / 499, whole.explained_variance_, rtol=1e-3)
    np.testing.assert_allclose(
        np.abs(whole.components_ @ axes.numpy()), np.eye(len(variances)), atol=1e-3
    )


def test_vectors_that_never_change_have_one_axis():
    moments = Moments()
    moments.add(torch.ones(10, 4))
    axes, variances = moments.axes(0.99)
    assert (axes.shape, variances.tolist()) == ((4, 1), [0.0])
    assert torch.isfinite(white_axes(moments, 0.99, 0.07)).all()


def test_whitened_vectors_have_as_much_of_everything():
    vectors = drawn(2000, 5) * torch.tensor([8.0, 4, 2, 1, 0.5])
    moments = Moments()
    moments.add(vectors)
    white = (vectors - moments.mean) @ white_axes(moments, 1.0, 0.0)
    torch.testing.assert_close(torch.cov(white.T), torch.eye(5), rtol=1e-2, atol=1e-2)


def test_what_lies_in_the_subspace_is_normal():
    axes = torch.linalg.qr(drawn(6, 2))[0]
    model = Subspace(torch.ones(6), axes)
    inside = 1 + axes @ torch.tensor([3.0, -2.0])
    outside = torch.linalg.qr(drawn(6, 6))[0][:, 5]
    outside = outside - axes @ (axes.T @ outside)
    features = torch.stack((inside, inside + 4 * outside / outside.norm()))
    found = model.distances(features[:, :, None, None]).flatten()
    torch.testing.assert_close(found, torch.tensor([0.0, 4.0]), rtol=1e-4, atol=1e-4)


def test_all_axes_together_are_the_whole_covariance():
    # With every axis but one the low rank is the full one, up to the last axis' own variance.
    features = drawn(200, 6, 2, 3) * torch.tensor([3.0, 1, 1, 2, 1, 1])[:, None, None]
    mean, inverse = fit_gaussians(features, shrinkage=0.1)
    full = CellGaussians.from_inverse(mean, inverse, (2, 3)).distances(features[:20])
    low = LowRankModel.fitted(features, 5, 0.1, untold).distances(features[:20])
    torch.testing.assert_close(low, full, rtol=2e-2, atol=2e-2)


def test_a_low_rank_never_reaches_all_channels_or_frames():
    model = LowRankModel.fitted(drawn(8, 5, 1, 1), 100, LowRankConfig().shrinkage, untold)
    assert model.cells.axes.shape == (1, 5, 4)


def test_independent_channels_have_a_diagonal_covariance():
    features = drawn(4000, 3, 1, 2) * torch.tensor([1.0, 5, 0.2])[:, None, None]
    found = DiagonalGaussians.fitted(features, 1e-6).distances(features)
    expected = torch.linalg.vector_norm(
        features / torch.tensor([1.0, 5, 0.2])[:, None, None], dim=1
    )
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.1)


def test_every_block_is_shown_by_one_pattern_of_four():
    patterns = torch.cat(list(quarters((5, 7))))
    assert patterns.shape == (4, 1, 5, 7)
    assert torch.equal(patterns.sum(dim=0), torch.ones(1, 5, 7))


def test_a_hidden_cell_is_told_from_others_alone():
    torch.manual_seed(0)
    net = HiddenCells(3, (8, 8), width=4, layers=1).eval()
    features = drawn(1, 3, 8, 8)
    for shown in quarters((8, 8)):
        other = torch.where(shown > 0, features, drawn(1, 3, 8, 8, seed=5))
        torch.testing.assert_close(net(features, shown), net(other, shown))
    assert hidden_errors(net, features).shape == features.shape


@pytest.mark.parametrize("count", [1, 3])
def test_a_network_tells_many_pictures_as_each_alone(count: int):
    torch.manual_seed(0)
    net = HiddenCells(3, (6, 4), width=4, layers=2).eval()
    features = drawn(count, 3, 6, 4)
    alone = torch.cat([hidden_errors(net, one[None]) for one in features])
    torch.testing.assert_close(hidden_errors(net, features), alone, rtol=1e-4, atol=1e-5)
