from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from detectors.base import DetectorError
from detectors.build import load_detector
from detectors.configs import PadimConfig
from detectors.features import extractors
from detectors.features.extractors import Extractors
from detectors.learned import LearnedView
from detectors.models.padim import PadimDetector
from detectors.models.probes import check_agreement, checked_probe, probe_pictures
from detectors.types import Pixels
from novic.runtime import Precision, Runtime, TorchRuntime

CPU = torch.device("cpu")


@pytest.fixture
def maps() -> np.ndarray:
    """A quiet map and one with a place that is unusual."""
    both = np.full((2, 4, 5), 6.0, np.float32)
    both[1, 2, 3] = 24.0
    return both


BORNE = np.full((1, 1), 20.0, np.float32)


def check(maps: np.ndarray, found: np.ndarray) -> None:
    check_agreement(maps, found, BORNE, "bfloat16", "torch computes it in float32 here")


def test_small_differences_agree(maps: np.ndarray):
    check(maps, maps)
    check(maps, maps * 1.05)
    check(np.zeros_like(maps), np.zeros_like(maps))


@pytest.mark.parametrize("value", [19.0, float("nan")])
def test_a_place_that_is_not_unusual_any_more_is_told(maps: np.ndarray, value: float):
    found = maps.copy()
    found[1, 2, 3] = value
    said = r"fitted in bfloat16, torch computes it in float32 here, .*: 1 of 40 places"
    with pytest.raises(DetectorError, match=said):
        check(maps, found)


def test_a_place_that_has_become_unusual_is_told(maps: np.ndarray):
    found = maps.copy()
    found[0, 0, 0] = 20.1
    with pytest.raises(DetectorError, match=r"1 of 40 places.* fit it again on this machine"):
        check(maps, found)


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_another_scale_is_told(maps: np.ndarray, factor: float):
    with pytest.raises(DetectorError, match=f"values {factor:.2f} times as high"):
        check(maps, maps * factor)


def test_a_probe_of_another_shape_is_refused():
    assert checked_probe(None, (4, 5)) is None
    good = torch.ones(2, 4, 5)
    assert checked_probe(good, (4, 5)) is not None
    for bad in (good.half(), good[:1], good * float("inf"), -good):
        with pytest.raises(ValueError, match="probe"):
            checked_probe(bad, (4, 5))


def test_half_of_the_second_picture_is_turned_around():
    picture = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    view = LearnedView(picture, np.ones((32, 64), np.float32), (64, 128))
    usual, strange = probe_pictures(view, (32, 64))
    np.testing.assert_array_equal(usual, picture)
    np.testing.assert_array_equal(strange[:, :32], picture[:, :32])
    np.testing.assert_array_equal(strange[:, 32:], picture[::-1, :31:-1])


def opened_where(
    monkeypatch: pytest.MonkeyPatch, folder: Path, spoil: Callable[[nn.Module], None]
) -> PadimDetector:
    """The detector of a folder on a machine without OpenVINO whose network is another."""

    def build(
        net: nn.Module, size: tuple[int, int], device: torch.device, precision: Precision
    ) -> Runtime:
        del size
        runtime = TorchRuntime(net, device, precision)
        spoil(runtime._network)
        return runtime

    monkeypatch.setenv("NOMALY_HOME", str(folder / "nothing kept"))
    monkeypatch.setattr(extractors, "build_runtime", build)
    detector = load_detector(folder, CPU, Extractors())
    assert isinstance(detector, PadimDetector)
    return detector


@pytest.mark.slow
def test_without_openvino_it_agrees_and_where_the_network_differs_it_is_refused(
    fitted: PadimDetector,
    intruder: tuple[Pixels, tuple[slice, slice]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    fitted.save(tmp_path / "view")
    elsewhere = opened_where(monkeypatch, tmp_path / "view", lambda net: None)
    assert elsewhere.extractor.runtime.name == "torch"
    there, here = (one.detect([intruder[0]]).maps for one in (elsewhere, fitted))
    assert here.max() > 1.1
    assert not ((here > 1.1) & (there <= 1)).any()
    assert not ((there > 1.1) & (here <= 1)).any()

    def blind(net: nn.Module) -> None:
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.mul_(0.98)

    other = opened_where(monkeypatch, tmp_path / "view", blind)
    for _ in range(2):
        with pytest.raises(DetectorError, match="judges its own learned picture otherwise"):
            other.detect([intruder[0]])
        with pytest.raises(DetectorError, match="judges its own learned picture otherwise"):
            other.with_threshold(1.0).detect([intruder[0]])


@pytest.mark.slow
def test_the_precision_that_was_asked_for_is_kept(normal: list[Pixels], tmp_path: Path):
    config = PadimConfig(passes=8, channels=8, longer_side=160, precision="float32")
    shared = Extractors()
    detector = PadimDetector(config, CPU, shared)
    detector.fit(normal)
    detector.save(tmp_path / "view")
    loaded = load_detector(tmp_path / "view", CPU, shared)
    assert isinstance(loaded, PadimDetector)
    assert loaded.extractor is detector.extractor
    assert loaded.extractor.runtime.precision == "float32"
