"""More normal footage for a detector that has learned."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.feedback.verdicts import FEEDBACK, Verdicts
from app.progress import Reporter
from app.watching.fitting import fit_detector, teach_more
from app.watching.keeping import check_place, put_detector
from detectors.base import Detector, DetectorError
from detectors.build import load_detector
from detectors.configs import DetectorConfig, DiagonalConfig, PadimConfig
from detectors.types import Pixels
from tests.app.feedback.verdicts import a_verdict
from tests.detectors.views import normal_views

CPU = torch.device("cpu")
SMALL = PadimConfig(passes=12, held_out_passes=8, channels=8, longer_side=64)


def learned(folder: Path, config: DetectorConfig = SMALL) -> Detector:
    detector = fit_detector(config, normal_views(9, 1), CPU, Reporter(quiet=True), lambda: None)
    detector.save(folder)
    return detector


def more(folder: Path, frames: list[Pixels]) -> Detector:
    return fit_detector(SMALL, frames, CPU, Reporter(quiet=True), lambda: None, folder)


def test_footage_is_added_in_a_new_folder_and_what_people_said_comes_along(tmp_path: Path):
    old, new = tmp_path / "old", tmp_path / "new"
    before = learned(old)
    Verdicts(old).add(a_verdict(0))
    check_place(new, overwrite=False, more=old)
    larger = [cv2.resize(frame, (400, 320)).astype(np.uint8) for frame in normal_views(9, 2)]
    put_detector(more(old, larger), new, old)
    facts = [json.loads((one / "detector.json").read_text()) for one in (old, new)]
    assert facts[1]["pictures"] == 2 * facts[0]["pictures"] > 0
    assert load_detector(old, CPU).threshold == before.threshold
    assert load_detector(new, CPU).frame_size == (160, 200)
    assert len(Verdicts(new).all()) == 1
    # In its own place it is replaced whole, and the feedback stays.
    put_detector(more(new, larger), new, new)
    assert json.loads((new / "detector.json").read_text())["pictures"] > facts[1]["pictures"]
    assert (new / FEEDBACK).exists()


def test_what_cannot_be_added_to_is_refused_and_stays(tmp_path: Path):
    old, diagonal = tmp_path / "old", tmp_path / "diagonal"
    learned(old)
    tall = [np.zeros((200, 160, 3), np.uint8)] * 8
    with pytest.raises(DetectorError, match="learned pictures of 200x160 pixels, and 160x200 have"):
        more(old, tall)
    learned(diagonal, DiagonalConfig(passes=12, held_out_passes=8, channels=8, longer_side=64))
    with pytest.raises(DetectorError, match="the kind diagonal cannot add to what it learned"):
        more(diagonal, normal_views(9, 2))
    card = json.loads((old / "detector.json").read_text())
    del card["pictures"]
    (old / "detector.json").write_text(json.dumps(card))
    with pytest.raises(DetectorError, match="does not say from how many pictures it learned"):
        teach_more(old, normal_views(9, 2), CPU, Reporter(quiet=True), lambda: None)
    with pytest.raises(DetectorError, match="no detector here"):
        check_place(tmp_path / "new", overwrite=False, more=tmp_path / "none")
