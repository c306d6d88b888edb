"""What else a verdict silences, tried with other things in the learned view."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.feedback.saying import LIKENESS
from app.feedback.verdicts import Leak, Verdict
from app.simulator.cutouts import cutouts
from app.watching.leak import measured, view_of
from app.watching.namer import Elected
from app.watching.pasting import PLACES, Pasted, others_in
from detectors.base import DetectorError
from detectors.files import write_folder
from detectors.learned import LearnedView
from detectors.signatures import Signatures
from tests.app.builders import BrightnessNames
from tests.app.feedback.verdicts import a_signature, a_vector, a_verdict
from tests.detectors.views import normal_views

VIEW = LearnedView.of(normal_views(3, seed=1)).rounded


@pytest.fixture(scope="module")
def others() -> list[Pasted]:
    return others_in(VIEW, 0.2, BrightnessNames())


def verdict_on(other: Pasted) -> Verdict:
    """That it is normal, as it was seen."""
    return replace(
        a_verdict(0),
        nouns=other.elected.candidates,
        vector=other.elected.vector,
        signature=other.signatures.now,
    )


def an_other(noun: str, degrees: float) -> Pasted:
    """It looks like this; see `a_signature`."""
    look = a_signature(degrees)
    return Pasted(noun, Elected((("dog", 1.0),), a_vector(degrees)), Signatures(look, look, 1.0))


def test_the_leak_is_counted_on_things_that_the_likeness_was_not_chosen_on(others: list[Pasted]):
    nothing_alike = replace(a_verdict(0), vector=a_vector(0)[:2])
    verdict = measured(nothing_alike, others)
    assert verdict.leak is not None
    assert 0.8 <= verdict.leak.others / (PLACES * len(cutouts()) / 2) <= 1
    assert (verdict.leak.silenced, verdict.leak.same) == ((), "")
    assert verdict.likeness == LIKENESS


def test_a_thing_that_is_among_the_others_is_told_by_itself_and_known_again(others: list[Pasted]):
    first, *again = (other for other in others if other.noun == "cup")
    verdict = measured(verdict_on(first), others)
    assert verdict.leak is not None
    assert verdict.leak.same == "cup"
    assert "cup" not in verdict.leak.silenced
    assert np.mean([other.likeness(verdict) >= verdict.likeness for other in again]) >= 0.8
    # Their names are those of two brightnesses only.
    far = [other for other in others if other.noun != "cup"]
    assert np.mean([other.likeness(verdict) >= verdict.likeness for other in far]) < 0.2


def test_what_others_are_like_must_be_more_like_itself():
    far, near = an_other("box", 180), an_other("ball", 10)
    assert far.likeness(a_verdict(0)) < LIKENESS < near.likeness(a_verdict(0))
    same = an_other("cat", 0)
    assert measured(a_verdict(0), [same, far]).likeness == LIKENESS
    assert measured(a_verdict(0), [same, near]).likeness == near.likeness(a_verdict(0))
    # What is all but the same is told, and does not make the thing itself unlike.
    assert measured(a_verdict(0), [same]).leak == Leak(0, (), "cat")


def test_the_view_comes_from_the_detectors_folder(tmp_path: Path):
    facts = {"frame_size": VIEW.frame_size}
    write_folder(tmp_path / "seeing", facts, VIEW.tensors())
    assert np.array_equal(view_of(tmp_path / "seeing").picture, VIEW.picture)
    write_folder(tmp_path / "blind", facts, {"mean": torch.zeros(1)})
    with pytest.raises(DetectorError, match="keeps no picture of its view; fit it again"):
        view_of(tmp_path / "blind")
