"""Models of anomalib that are trained, and those that cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from detectors.base import Detector, DetectorError
from detectors.build import build_detector, load_detector
from detectors.configs import AnomalibConfig
from detectors.features.backbones import BackboneError
from detectors.types import Pixels

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
TINY = AnomalibConfig(model="stfpm", longer_side=64, passes=8, held_out_passes=4, steps=3)


def untaught(**settings: str) -> Detector:
    return build_detector(TINY.model_copy(update=settings), CPU)


@pytest.fixture(scope="module")
def stfpm(normal: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that learned a little, saved."""
    detector = untaught()
    detector.fit(normal)
    folder = tmp_path_factory.mktemp("anomalib") / "view"
    detector.save(folder)
    np.savez(folder.parent / "maps.npz", maps=detector.detect(normal[:2]).maps)
    return folder


def test_what_was_trained_comes_back_without_training(stfpm: Path, normal: list[Pixels]):
    maps = load_detector(stfpm, CPU).detect(normal[:2]).maps
    assert np.isfinite(maps).all()
    np.testing.assert_allclose(maps, np.load(stfpm.parent / "maps.npz")["maps"], rtol=1e-4)


def test_nothing_but_json_and_safetensors_is_left(stfpm: Path):
    assert sorted(path.name for path in stfpm.iterdir()) == [
        "detector.json",
        "detector.safetensors",
    ]


def test_a_model_of_another_anomalib_is_refused(stfpm: Path):
    card = stfpm / "detector.json"
    whole = card.read_text()
    try:
        card.write_text(json.dumps(json.loads(whole) | {"anomalib": "1.2"}))
        with pytest.raises(DetectorError, match=r"fitted with anomalib 1\.2, this is .*again"):
            load_detector(stfpm, CPU)
    finally:
        card.write_text(whole)


def test_an_unknown_model_lists_the_known(normal: list[Pixels]):
    detector = untaught(model="Nope")
    with pytest.raises(DetectorError, match=r"no image model 'Nope'; there are AnomalyDINO, .*Win"):
        detector.fit(normal)


def test_missing_weights_of_a_teacher_say_which_file_and_where(
    normal: list[Pixels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    from detectors.models import anomalib_models

    monkeypatch.setattr(anomalib_models, "get_pretrained_weights_dir", lambda: tmp_path / "w")
    detector = untaught(model="EfficientAd")
    said = (
        r"needs .*/w/efficientad_pretrained_weights/pretrained_teacher_small.pth, which is missing"
    )
    with pytest.raises(BackboneError, match=said) as told:
        detector.fit(normal)
    assert told.value.exit_code == 4


def test_what_anomalib_cannot_build_is_one_sentence(normal: list[Pixels], tmp_path: Path):
    folder = f"local-dir:{tmp_path}"
    detector = untaught(model="Stfpm", backbone=folder)
    with pytest.raises(DetectorError, match=r"^anomalib's Stfpm cannot be built: "):
        detector.fit(normal)


def test_a_model_of_transformers_is_given_dinov2_for_a_lite(
    normal: list[Pixels], monkeypatch: pytest.MonkeyPatch
):
    from detectors.models import anomalib_models

    def missing(name: str) -> str:
        raise BackboneError(f"no weights of {name} here")

    monkeypatch.setattr(anomalib_models, "timm_folder", missing)
    for model in ("Rad", "Dinomaly"):
        with pytest.raises(BackboneError, match="no weights of dinov2-s here"):
            untaught(model=model).fit(normal)


def test_a_model_can_ask_for_the_size_of_its_pictures():
    from detectors.models.anomalib_models import build_model

    assert build_model("Stfpm", "lite0", 96).input_size == (96, 96)
