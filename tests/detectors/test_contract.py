"""What every detector must do, whichever it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from detectors.base import Detector, DetectorError, LearnsMore
from detectors.boxes import find_boxes
from detectors.build import build_detector, load_detector
from detectors.configs import CONFIGS, DetectorConfig, read_config
from detectors.features.extractors import Extractors
from detectors.types import Box, Pixels
from detectors.views import detect_views
from tests.detectors.conftest import QUICK
from tests.detectors.views import normal_views

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")

COMMON = {"passes": 32, "held_out_passes": 30, "longer_side": 160}
QUICK_SETTINGS: dict[str, dict[str, object]] = {
    "patchcore": {"vectors": 500, "candidates": 5000},
    "bank": {"vectors": 200, "candidates": 5000},
    "subspace": {"backbone": "lite0", "channels": 100},
    "reconstruction": {"steps": 40, "width": 16, "layers": 1},
    "anomalib": {"model": "Padim", "longer_side": 192},
}
"""What makes a detector quick to fit beside `COMMON`; all look through one network."""
ANYWHERE = ("patchcore", "bank", "subspace")
"""Kinds to which normal is normal wherever it is."""
LEARN_MORE = {"padim"}
"""Kinds that take up more footage; all others refuse it."""


def config_of(kind: str) -> DetectorConfig:
    if kind == QUICK.kind:
        return QUICK
    return read_config({"kind": kind, **COMMON, **QUICK_SETTINGS.get(kind, {})})


@pytest.fixture(scope="module", params=list(CONFIGS))
def config(request: pytest.FixtureRequest) -> DetectorConfig:
    """The settings of every detector that there is."""
    return config_of(request.param)


@pytest.fixture(scope="module")
def small(normal: Sequence[Pixels], extractors: Extractors) -> Detector:
    """Keeps the network alive that all but padim look through here."""
    detector = build_detector(config_of("diagonal"), CPU, extractors)
    detector.fit(normal)
    return detector


@pytest.fixture(scope="module")
def detector(
    config: DetectorConfig,
    normal: Sequence[Pixels],
    fitted: Detector,
    small: Detector,
    extractors: Extractors,
) -> Detector:
    """Every detector, fitted."""
    if config == QUICK:
        return fitted
    detector = build_detector(config, CPU, extractors)
    detector.fit(normal)
    return detector


def test_maps_cover_the_frame_and_scores_are_their_peaks(
    detector: Detector, normal: Sequence[Pixels]
):
    result = detector.detect(normal[:3])
    assert result.maps.dtype == result.scores.dtype == np.float32
    assert len(result.maps) == 3
    assert result.maps.shape[2] / result.maps.shape[1] == pytest.approx(200 / 160, rel=0.1)
    np.testing.assert_array_equal(result.scores, result.maps.max(axis=(1, 2)))
    assert np.isfinite(result.maps).all()


def test_normal_frames_stay_below_1(detector: Detector, normal: Sequence[Pixels]):
    assert detector.detect(normal).scores.max() < 1


def test_an_intruder_is_boxed(
    config: DetectorConfig, detector: Detector, intruder: tuple[Pixels, tuple[slice, slice]]
):
    frame, (rows, columns) = intruder
    heat = detector.detect([frame]).maps[0]
    true = Box(columns.start, rows.start, columns.stop, rows.stop)
    if config.kind in ANYWHERE:  # where it is most unusual; it may still be normal elsewhere
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        down, across = frame.shape[0] / heat.shape[0], frame.shape[1] / heat.shape[1]
        assert rows.start <= (row + 0.5) * down < rows.stop
        assert columns.start <= (column + 0.5) * across < columns.stop
    else:
        found = find_boxes(heat, frame.shape[:2])
        assert found[0].box.iou(true) >= 0.3


def test_a_view_in_which_nothing_ever_changes(
    config: DetectorConfig, fitted: Detector, small: Detector, extractors: Extractors
):
    detector = build_detector(
        config.model_copy(update={"passes": 8, "held_out_passes": 8}), CPU, extractors
    )
    dark = np.zeros((160, 200, 3), np.uint8)
    detector.fit([dark] * 8)
    lit = dark.copy()
    lit[60:100, 110:150] = skimage.data.chelsea()[80:240:4, 140:300:4]
    result = detector.detect([dark, lit])
    assert np.isfinite(result.maps).all()
    assert result.scores[0] < result.scores[1]


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
    detector: Detector, normal: Sequence[Pixels], tmp_path: Path, extractors: Extractors
):
    detector.save(tmp_path / "view")
    loaded = load_detector(tmp_path / "view", CPU, extractors)
    assert loaded.threshold == detector.threshold
    np.testing.assert_array_equal(loaded.detect(normal).maps, detector.detect(normal).maps)


def test_no_frames_give_no_features_either(detector: Detector, normal: Sequence[Pixels]):
    none, some = (detector.detect(frames, features=True) for frames in ([], normal[:1]))
    assert none.maps.shape == (0, *some.maps.shape[1:])
    if some.features is not None:
        assert none.features is not None
        assert none.features.shape == (0, *some.features.shape[1:])


def test_features_come_on_request_and_belong_to_the_maps_cells(
    detector: Detector, normal: Sequence[Pixels]
):
    plain = detector.detect(normal[:9])
    asked = detector.detect(normal[:9], features=True)
    assert plain.features is None
    np.testing.assert_array_equal(asked.maps, plain.maps)
    if asked.features is not None:
        assert asked.features.dtype == np.float32
        assert asked.features.shape[0] == 9
        assert asked.features.shape[2:] == asked.maps.shape[1:]
        alone = detector.detect([normal[4]], features=True).features
        assert alone is not None
        np.testing.assert_allclose(asked.features[4:5], alone, rtol=1e-3, atol=1e-3)


def test_a_higher_threshold_makes_maps_lower(detector: Detector, normal: Sequence[Pixels]):
    higher = detector.with_threshold(2 * detector.threshold)
    assert higher.threshold == 2 * detector.threshold
    before = detector.detect(normal[:2]).maps
    np.testing.assert_allclose(higher.detect(normal[:2]).maps, before / 2, rtol=1e-6)
    np.testing.assert_array_equal(detector.detect(normal[:2]).maps, before)


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_threshold_is_refused(detector: Detector, threshold: float):
    with pytest.raises(ValueError, match=r"threshold .*: must be above 0 and finite"):
        detector.with_threshold(threshold)


def test_a_threshold_that_was_set_is_saved(
    detector: Detector, tmp_path: Path, extractors: Extractors
):
    detector.with_threshold(12.5).save(tmp_path / "view")
    assert load_detector(tmp_path / "view", CPU, extractors).threshold == 12.5


def test_more_footage_is_taken_up_or_refused_in_a_sentence(
    config: DetectorConfig,
    detector: Detector,
    normal: Sequence[Pixels],
    tmp_path: Path,
    extractors: Extractors,
):
    detector.save(tmp_path / "before")
    taught = load_detector(tmp_path / "before", CPU, extractors)
    if not isinstance(taught, LearnsMore):
        return
    parked = [frame.copy() for frame in normal_views(12, seed=3)]
    for frame in parked:
        frame[60:100, 110:150] = 40
    before = taught.detect(parked).maps
    if config.kind not in LEARN_MORE:
        with pytest.raises(DetectorError, match="cannot add to what it learned; fit a new one"):
            taught.learn_more(parked)
        np.testing.assert_array_equal(taught.detect(parked).maps, before)
        return
    taught.learn_more(parked)
    assert before.max() > 1 > taught.detect(parked).maps.max()
    assert taught.detect(normal).maps.max() < 1
    with pytest.raises(DetectorError, match=r"64x48 pixels .* fitted on 200x160"):
        taught.learn_more([np.zeros((48, 64, 3), np.uint8)] * 8)
    taught.save(tmp_path / "after")
    again = load_detector(tmp_path / "after", CPU, extractors)
    np.testing.assert_array_equal(again.detect(parked).maps, taught.detect(parked).maps)


@pytest.fixture(scope="module")
def views(
    config: DetectorConfig,
    detector: Detector,
    tmp_path_factory: pytest.TempPathFactory,
    extractors: Extractors,
) -> list[Detector]:
    """Two detectors of one owner, each with a view of its own, one of them loaded."""
    folder = tmp_path_factory.mktemp("views") / "first"
    detector.save(folder)
    other = build_detector(config, CPU, extractors)
    other.fit([np.ascontiguousarray(view[:, ::-1]) for view in normal_views(8, seed=5)])
    return [load_detector(folder, CPU, extractors), other]


def test_two_views_at_once_give_what_each_gives_alone(
    views: list[Detector], normal: Sequence[Pixels]
):
    frames = [normal[:3], [np.ascontiguousarray(view[:, ::-1]) for view in normal[3:9]]]
    together = detect_views(list(zip(views, frames, strict=True)), features=True)
    for detector, own, found in zip(views, frames, together, strict=True):
        alone = detector.detect(own, features=True)
        np.testing.assert_allclose(found.maps, alone.maps, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found.scores, alone.scores, rtol=1e-3, atol=1e-4)
        assert (found.features is None) == (alone.features is None)
        if found.features is not None and alone.features is not None:
            np.testing.assert_allclose(found.features, alone.features, rtol=1e-3, atol=1e-3)


def test_each_view_is_judged_by_what_it_learned(
    config: DetectorConfig, views: list[Detector], normal: Sequence[Pixels]
):
    own, foreign = detect_views([(views[0], normal[:2]), (views[1], normal[:2])])
    assert own.scores.max() < 1
    if config.kind not in ANYWHERE:
        assert foreign.scores.min() > 1


def test_a_view_without_frames_stays_in_its_place(views: list[Detector], normal: Sequence[Pixels]):
    none, some = detect_views([(views[0], []), (views[1], normal[:2])])
    assert (len(none.maps), len(some.maps)) == (0, 2)


def test_one_view_of_another_size_is_refused(views: list[Detector], normal: Sequence[Pixels]):
    small = [np.zeros((48, 64, 3), np.uint8)]
    with pytest.raises(DetectorError, match=r"64x48 pixels .* fitted on 200x160"):
        detect_views([(views[0], normal[:1]), (views[1], small)])


def test_no_views_give_no_maps():
    assert detect_views([]) == []


class TestUnfitted:
    def test_cannot_look_or_save(
        self, config: DetectorConfig, extractors: Extractors, tmp_path: Path
    ):
        detector = build_detector(config, CPU, extractors)
        assert np.isnan(detector.threshold)
        with pytest.raises(DetectorError, match="not learned a view yet"):
            detector.detect([np.zeros((48, 64, 3), np.uint8)])
        with pytest.raises(DetectorError, match="not learned a view yet"):
            detect_views([(detector, [np.zeros((48, 64, 3), np.uint8)])])
        with pytest.raises(DetectorError, match="not learned a view yet"):
            detector.with_threshold(1.0)
        with pytest.raises(DetectorError, match="nothing to save"):
            detector.save(tmp_path / "view")

    def test_too_few_frames(self, config: DetectorConfig, extractors: Extractors):
        frames = [np.zeros((48, 64, 3), np.uint8)] * 7
        with pytest.raises(DetectorError, match="7 normal frames are too few: at least 8"):
            build_detector(config, CPU, extractors).fit(frames)
        with pytest.raises(DetectorError, match="no normal frames: at least 8"):
            build_detector(config, CPU, extractors).fit([])

    def test_mixed_sizes(self, config: DetectorConfig, extractors: Extractors):
        frames = [np.zeros((48, 64, 3), np.uint8), np.zeros((60, 80, 3), np.uint8)] * 4
        with pytest.raises(DetectorError, match="different sizes given together: 64x48, 80x60"):
            build_detector(config, CPU, extractors).fit(frames)

    def test_not_rgb(self, config: DetectorConfig, extractors: Extractors):
        frames = [np.zeros((48, 64), np.uint8)] * 8
        with pytest.raises(
            DetectorError, match=r"RGB \[H, W, 3\], got an array of shape \(48, 64\)"
        ):
            build_detector(config, CPU, extractors).fit(frames)
