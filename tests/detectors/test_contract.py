"""What every detector must do, whichever it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from detectors.base import Detector, DetectorError
from detectors.boxes import find_boxes
from detectors.build import DEFAULT, NAMES, build_detector, load_detector
from detectors.models.padim import PadimDetector
from detectors.types import Box, Pixels

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture(params=[DEFAULT])
def detector(request: pytest.FixtureRequest, fitted: PadimDetector) -> Detector:
    """Every fitted detector, by name."""
    return {"padim": fitted}[request.param]


def test_every_registered_detector_is_tested_here():
    assert NAMES == (DEFAULT,)


def test_maps_cover_the_frame_and_scores_are_their_peaks(
    detector: Detector, normal: Sequence[Pixels]
):
    result = detector.detect(normal[:3])
    assert result.maps.dtype == result.scores.dtype == np.float32
    assert len(result.maps) == 3
    assert result.maps.shape[2] / result.maps.shape[1] == pytest.approx(200 / 160, rel=0.1)
    np.testing.assert_array_equal(result.scores, result.maps.max(axis=(1, 2)))


def test_normal_frames_stay_below_1(detector: Detector, normal: Sequence[Pixels]):
    assert detector.detect(normal).scores.max() < 1


def test_an_intruder_is_boxed(detector: Detector, intruder: tuple[Pixels, tuple[slice, slice]]):
    frame, (rows, columns) = intruder
    found = find_boxes(detector.detect([frame]).maps[0], frame.shape[:2])
    true = Box(columns.start, rows.start, columns.stop, rows.stop)
    assert found[0].box.iou(true) >= 0.3


def test_what_stays_put_stays_unusual(
    detector: Detector, intruder: tuple[Pixels, tuple[slice, slice]]
):
    frame, _ = intruder
    first = detector.detect([frame]).scores[0]
    for _ in range(10):
        detector.detect([frame] * 8)
    assert detector.detect([frame]).scores[0] == pytest.approx(first, rel=1e-5)


def test_a_frame_scores_the_same_alone_and_in_a_batch(detector: Detector, normal: Sequence[Pixels]):
    together = detector.detect(normal[:11]).maps
    alone = np.concatenate([detector.detect([frame]).maps for frame in normal[:11]])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)


def test_no_frames_give_no_maps(detector: Detector):
    result = detector.detect([])
    assert len(result.maps) == len(result.scores) == 0


def test_another_frame_size_is_refused_with_both_sizes(detector: Detector):
    with pytest.raises(DetectorError, match=r"64x48 pixels .* fitted on 200x160: fit it again"):
        detector.detect([np.zeros((48, 64, 3), np.uint8)])


def test_a_loaded_detector_gives_the_same_maps(
    detector: Detector, normal: Sequence[Pixels], tmp_path: Path
):
    detector.save(tmp_path / "view")
    loaded = load_detector(tmp_path / "view", CPU)
    assert loaded.threshold == detector.threshold
    np.testing.assert_array_equal(loaded.detect(normal).maps, detector.detect(normal).maps)


@pytest.mark.parametrize("name", NAMES)
class TestUnfitted:
    def test_cannot_look_or_save(self, name: str, tmp_path: Path):
        detector = build_detector(name, CPU)
        with pytest.raises(DetectorError, match="not learned a view yet"):
            detector.detect([np.zeros((48, 64, 3), np.uint8)])
        with pytest.raises(DetectorError, match="nothing to save"):
            detector.save(tmp_path / "view")

    def test_too_few_frames(self, name: str):
        frames = [np.zeros((48, 64, 3), np.uint8)] * 7
        with pytest.raises(DetectorError, match="7 normal frames are too few: at least 8"):
            build_detector(name, CPU).fit(frames)
        with pytest.raises(DetectorError, match="no normal frames: at least 8"):
            build_detector(name, CPU).fit([])

    def test_mixed_sizes(self, name: str):
        frames = [np.zeros((48, 64, 3), np.uint8), np.zeros((60, 80, 3), np.uint8)] * 4
        with pytest.raises(DetectorError, match="different sizes given together: 64x48, 80x60"):
            build_detector(name, CPU).fit(frames)

    def test_not_rgb(self, name: str):
        frames = [np.zeros((48, 64), np.uint8)] * 8
        with pytest.raises(
            DetectorError, match=r"RGB \[H, W, 3\], got an array of shape \(48, 64\)"
        ):
            build_detector(name, CPU).fit(frames)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(DetectorError, match="unknown detector 'magic'; there are padim"):
        build_detector("magic", CPU)
