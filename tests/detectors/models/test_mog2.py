from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from detectors.base import DetectorError
from detectors.build import load_detector
from detectors.configs import Mog2Config
from detectors.models.mog2 import MOST_PICTURES, Mixture, Mog2Detector, without_light
from detectors.types import Pixels
from tests.detectors.test_files import spoil

CPU = torch.device("cpu")
SMALL = Mog2Config(longer_side=96, passes=16, held_out_passes=8)


@pytest.fixture(scope="module")
def taught(normal: Sequence[Pixels]) -> Mog2Detector:
    detector = Mog2Detector(SMALL, CPU)
    detector.fit(normal)
    return detector


def test_light_is_taken_out(normal: Sequence[Pixels]):
    darker = (normal[0] * 0.6).astype(np.uint8)
    before = np.abs(normal[0].astype(float) - darker).mean()
    after = np.abs(without_light(normal[0]).astype(float) - without_light(darker)).mean()
    assert after < before / 5


def test_looking_teaches_nothing(taught: Mog2Detector, normal: Sequence[Pixels]):
    white = [np.full_like(normal[0], 255)] * 30
    before = taught.detect(normal).maps
    taught.detect(white)
    np.testing.assert_array_equal(taught.detect(normal).maps, before)


def test_what_is_further_off_scores_higher():
    grey = torch.full((8, 16, 16, 3), 100, dtype=torch.uint8)
    grey += torch.randint(
        0, 6, grey.shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    model = Mixture(grey)
    asked = grey[:3].clone()
    asked[1, 4:8, 4:8] = 130
    asked[2, 4:8, 4:8] = 220
    usual, near, far = model.distances(asked)[:, 1, 1].tolist()
    assert usual < near < far


def test_pictures_that_are_kept_are_bounded_and_checked(taught: Mog2Detector, tmp_path: Path):
    taught.save(tmp_path / "view")
    pictures = load_file(tmp_path / "view" / "detector.safetensors")["pictures"]
    assert len(pictures) <= MOST_PICTURES
    for wrong in (pictures[:, :8].contiguous(), pictures.int(), pictures[:0]):
        spoil(tmp_path / "view", pictures=wrong)
        with pytest.raises(DetectorError, match=r"pictures torch\..*: must be up to 256 of"):
            load_detector(tmp_path / "view", CPU)
