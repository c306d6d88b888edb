"""What else a verdict silences, tried with other things in the learned view."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.feedback.saying import LIKENESS
from app.simulator.cutouts import cutouts
from app.watching.leak import PLACES, measured, view_of
from detectors.base import DetectorError
from detectors.files import write_folder
from detectors.learned import LearnedView
from tests.app.builders import BrightnessNames
from tests.app.feedback.verdicts import EMBEDDER, a_signature, a_vector, a_verdict
from tests.detectors.views import normal_views

VIEW = LearnedView.of(normal_views(3, seed=1)).rounded


def test_the_leak_is_counted_on_things_that_the_likeness_was_not_chosen_on():
    nothing_alike = replace(a_verdict(0), vector=a_vector(0)[:2])
    verdict = measured(nothing_alike, VIEW, 0.2, BrightnessNames())
    assert verdict.leak is not None
    assert 0.8 <= verdict.leak.others / (PLACES * len(cutouts()) / 2) <= 1
    assert verdict.leak.silenced == ()
    assert verdict.likeness >= LIKENESS


def test_a_verdict_that_is_like_many_things_must_be_more_like():
    grey = np.zeros_like(a_signature(0))
    grey[:] = 0.03
    vague = replace(a_verdict(0), vector=a_vector(45)[:2], signature=grey, embedder=EMBEDDER)
    few = measured(vague, VIEW, 0.2, BrightnessNames())
    assert few.likeness >= LIKENESS
    assert few.leak is not None
    assert len(few.leak.silenced) < few.leak.others


def test_the_view_comes_from_the_detectors_folder(tmp_path: Path):
    facts = {"frame_size": VIEW.frame_size}
    write_folder(tmp_path / "seeing", facts, VIEW.tensors())
    assert np.array_equal(view_of(tmp_path / "seeing").picture, VIEW.picture)
    write_folder(tmp_path / "blind", facts, {"mean": torch.zeros(1)})
    with pytest.raises(DetectorError, match="keeps no picture of its view; fit it again"):
        view_of(tmp_path / "blind")
