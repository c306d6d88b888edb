"""Detectors for Python programs; what they do is in the examples of docs/python.md."""

import numpy as np
import pytest

import nomaly


def test_a_setting_that_is_not_there_is_told_with_those_that_are():
    frames = np.zeros((8, 32, 32, 3), np.uint8)
    with pytest.raises(nomaly.NomalyError, match=r"no setting 'side'; there are .*longer_side"):
        nomaly.fit_detector(list(frames), settings={"side": 320})


def test_settings_reach_the_detector():
    frames = np.random.default_rng(0).integers(0, 256, (8, 64, 96, 3), dtype=np.uint8)
    settings = {"longer_side": 64, "channels": 8, "passes": 8, "held_out_passes": 4}
    maps = nomaly.fit_detector(list(frames), settings=settings).maps([frames[0]]).maps
    assert maps.shape == (1, 6, 8)
