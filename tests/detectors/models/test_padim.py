from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional

from detectors.configs import PadimConfig
from detectors.features import extractors
from detectors.features.backbones import choose_channels
from detectors.features.extractors import Extractors
from detectors.features.loading import load_backbone
from detectors.maps import blur
from detectors.models.anomalib_models import fit_gaussians
from detectors.models.gaussians import CellGaussians
from detectors.models.padim import PadimDetector
from detectors.types import Pixels
from novic.runtime import TorchRuntime
from tests.detectors.views import normal_views

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
TINY = PadimConfig(passes=8, channels=8, longer_side=160)


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    """Images [10, 160, 192, 3], uint8."""
    return torch.from_numpy(np.stack(normal_views(10, seed=4))[:, :, :192])


def test_our_maps_are_anomalibs(frames: torch.Tensor):
    from anomalib.models.image.padim.torch_model import PadimModel

    backbone = load_backbone("lite0")
    chosen = choose_channels(backbone.channels, 20, seed=0)
    features = backbone.net(chosen, (160, 192))(frames)
    mean, inverse = fit_gaussians(features[:8], shrinkage=0.1)
    ours = CellGaussians.from_inverse(mean, inverse, (20, 24)).distances(features)

    layers = ["blocks.2", "blocks.3"]
    model = PadimModel(backbone.network, layers, pre_trained=False, n_features=20).eval()  # pyright: ignore[reportArgumentType]
    model.idx = chosen
    model.gaussian.mean, model.gaussian.inv_covariance = mean, inverse
    images = (frames.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    embedding = model.generate_embedding(model.feature_extractor(images))
    stats = [model.gaussian.mean, model.gaussian.inv_covariance]
    theirs = model.anomaly_map_generator.compute_distance(embedding, stats)
    torch.testing.assert_close(ours, theirs[:, 0], rtol=5e-3, atol=5e-3)

    # anomalib blurs after scaling up to the image, by 4 pixels; we before, by half a cell of 8.
    smooth = functional.interpolate(blur(ours, 0.5)[:, None], scale_factor=8.0, mode="bilinear")
    whole = model(images).anomaly_map
    both = torch.stack([smooth.flatten(), whole.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.99
    torch.testing.assert_close(smooth.amax((1, 2, 3)), whole.amax((1, 2, 3)), rtol=0.1, atol=0)


def test_distances_are_mahalanobis_distances():
    # One cell, two features: variance 4 and 1, so (2, 1) off the mean is sqrt(1 + 1) away.
    mean = torch.tensor([[1.0], [1.0]])
    inverse = torch.tensor([[[0.25, 0.0], [0.0, 1.0]]])
    cell = CellGaussians.from_inverse(mean, inverse, (1, 1))
    features = torch.tensor([[3.0, 2.0], [1.0, 1.0]])[:, :, None, None]
    torch.testing.assert_close(cell.distances(features)[:, 0, 0], torch.tensor([2**0.5, 0.0]))


@pytest.mark.parametrize("depth", [1, 31, 48, 49, 70, 100])
def test_any_number_of_channels_is_cut_into_blocks_and_put_together_again(depth: int):
    generator = torch.Generator().manual_seed(depth)
    mean, features = (
        torch.randn(size, generator=generator) for size in ((6, depth), (3, depth, 2, 3))
    )
    whole = torch.randn(6, depth, depth, generator=generator).tril()
    cells = CellGaussians(mean, whole, (2, 3))
    assert torch.equal(cells.whitening, whole)
    apart = features.flatten(2).permute(2, 0, 1) - mean[:, None]
    expected = (apart @ whole).norm(dim=2).T.reshape(3, 2, 3)
    torch.testing.assert_close(cells.distances(features), expected)


def test_in_bfloat16_distances_stay_and_so_does_what_is_saved(frames: torch.Tensor):
    features = load_backbone("lite0").net(torch.arange(20), (160, 192))(frames)
    mean, inverse = fit_gaussians(features[:8], shrinkage=0.1)
    exact = CellGaussians.from_inverse(mean, inverse, (20, 24))
    rounded = exact.rounded
    assert rounded.whitening.nbytes == exact.whitening.nbytes / 2
    expected = exact.distances(features)
    torch.testing.assert_close(rounded.distances(features), expected, rtol=0.01, atol=1e-3)
    loaded = CellGaussians.from_tensors(rounded.tensors(), (20, 24))
    torch.testing.assert_close(loaded.whitening.float(), rounded.whitening.float(), rtol=0, atol=0)
    torch.testing.assert_close(loaded.distances(features), expected, rtol=0.01, atol=1e-3)


def test_few_frames_give_finite_distances_even_where_nothing_ever_changes():
    still = torch.zeros(3, 6, 2, 2)
    cells = CellGaussians.from_inverse(*fit_gaussians(still, shrinkage=0.1), (2, 2))
    assert cells.distances(still).abs().max() == 0
    assert torch.isfinite(cells.distances(still + 5)).all()


@pytest.fixture
def plain_torch(monkeypatch: pytest.MonkeyPatch):
    """No OpenVINO: converting for one more size takes seconds."""
    monkeypatch.setattr(
        extractors,
        "build_runtime",
        lambda net, size, device, precision: TorchRuntime(net, device, precision),
    )


@pytest.mark.usefixtures("plain_torch")
@pytest.mark.parametrize("size", [(1, 1), (3, 17), (479, 353)], ids=str)
def test_odd_frames(size: tuple[int, int]):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (*size, 3), np.uint8) for _ in range(8)]
    detector = PadimDetector(TINY, CPU, Extractors())
    detector.fit(frames)
    assert np.isfinite(detector.detect(frames).maps).all()


@pytest.mark.usefixtures("plain_torch")
def test_a_black_view_with_something_in_it():
    dark = [np.zeros((80, 80, 3), np.uint8)] * 8
    detector = PadimDetector(PadimConfig(passes=16, longer_side=160), CPU, Extractors())
    detector.fit(dark)
    lit = dark[0].copy()
    lit[20:60, 20:60] = 255
    result = detector.detect([dark[0], lit])
    assert result.scores[0] < 1 < result.scores[1]


@pytest.mark.usefixtures("plain_torch")
def test_a_20_megapixel_frame():
    small = normal_views(1, seed=0)[0]
    large = np.kron(small, np.ones((25, 25, 1), np.uint8))[:3900, :5000]
    detector = PadimDetector(TINY, CPU, Extractors())
    detector.fit([large] * 8)
    assert detector.detect([large]).maps.shape == (1, 16, 20)


@pytest.mark.usefixtures("plain_torch")
def test_progress_ends_at_its_total(normal: Sequence[Pixels]):
    told: list[tuple[int, int]] = []
    detector = PadimDetector(PadimConfig(passes=16, channels=8, longer_side=160), CPU, Extractors())
    detector.fit(normal, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    # Rows of Gaussians and the wait for anomalib count too: nothing long goes by untold.
    shares = [0.0, *(done / total for done, total in told)]
    assert max(after - before for before, after in pairwise(shares)) < 0.7
    assert len(told) > 16


@pytest.mark.usefixtures("plain_torch")
def test_the_same_frames_give_the_same_detector(normal: Sequence[Pixels]):
    config = PadimConfig(passes=16, channels=8, longer_side=160)
    one, other = (PadimDetector(config, CPU, Extractors()) for _ in range(2))
    one.fit(normal)
    other.fit(normal)
    assert one.threshold == pytest.approx(other.threshold, rel=1e-4)
