from pathlib import Path

import pytest

from app.inspecting.card import InspectionCard
from app.inspecting.judged import Judged
from app.inspecting.layout import Still
from app.inspecting.shift import told_shift
from calibration.good import GoodThreshold

CARD = InspectionCard(GoodThreshold(1.0, 0.01, "extrapolated", 60), 0.01, 60)


def images(above: int, count: int, *, defective: bool | None) -> list[Judged]:
    still = Still(Path("a.png"), "a.png", defective=defective)
    return [Judged(still, score=1.5 if at < above else 0.5) for at in range(count)]


@pytest.mark.parametrize(("above", "told"), [(0, False), (2, False), (5, True), (40, True)])
def test_more_good_images_above_than_a_threshold_of_60_can_mean_are_told(above: int, told: bool):
    sentence = told_shift(images(above, 40, defective=False), CARD)
    assert bool(sentence) == told
    if told:
        assert f"{above} of 40 good images lie above the threshold, where about 1.0%" in sentence


def test_defects_are_no_shift():
    assert told_shift(images(40, 40, defective=True), CARD) == ""
    both = images(40, 40, defective=True) + images(1, 20, defective=False)
    assert told_shift(both, CARD) == ""


def test_where_nobody_says_what_is_good_all_have_to_lie_above():
    assert "All 8 images lie above" in told_shift(images(8, 8, defective=None), CARD)
    assert told_shift(images(7, 8, defective=None), CARD) == ""
    assert told_shift(images(7, 7, defective=None), CARD) == ""
    torn = Judged(Still(Path("b.png"), "b.png"), error="is damaged")
    assert "All 8 images" in told_shift([*images(8, 8, defective=None), torn], CARD)
