"""Crops that stand for what a camera usually shows."""

import numpy as np
import pytest

from app.watching.sampling import PLACES, Sampler
from detectors.types import Box
from tests.app.builders import a_frame, a_map

LEFT, RIGHT = (1, 2, 2), (12, 8, 2)
"""Spots of a map."""


def test_of_one_place_and_minute_there_is_one_crop():
    sampler, heat = Sampler(10.0), a_map(LEFT, RIGHT)
    taken = [sampler.crops(a_frame(float(at_s)), heat) for at_s in range(125)]
    assert [at_s for at_s, crops in enumerate(taken) if crops] == [0, 60, 120]
    assert len({crop.place for crop in taken[0]}) == len(taken[0]) >= 2
    assert all(0 <= crop.place < PLACES[0] * PLACES[1] for crops in taken for crop in crops)
    assert taken[60][0].time_us == 61_000_000


def test_no_crop_touches_what_is_told():
    everywhere, left = Box(0, 0, 80, 60), Box(0, 5, 20, 25)
    assert Sampler(10.0).crops(a_frame(), a_map(LEFT), [everywhere]) == []
    found = Sampler(10.0).crops(a_frame(), a_map(LEFT, RIGHT), [left])
    assert [one.picture.box.x1 >= 20 for one in found] == [True]


def test_a_share_of_the_crops_is_chosen_by_chance_and_always_the_same():
    def chosen(share: float) -> list[tuple[float, int]]:
        sampler, heat = Sampler(60.0, share), a_map(LEFT, RIGHT)
        crops = [sampler.crops(a_frame(60.0 * minute), heat) for minute in range(400)]
        return [(one.at_s, one.place) for some in crops for one in some]

    everything, quarter = chosen(1.0), chosen(0.25)
    assert set(quarter) < set(everything)
    assert len(quarter) == pytest.approx(len(everything) / 4, rel=0.25)
    assert quarter == chosen(0.25)


def test_who_goes_on_takes_nothing_twice():
    heat = a_map(LEFT, RIGHT)
    sampler = Sampler(10.0)
    before = sampler.crops(a_frame(61.0), heat)
    taken = [(one.at_s, one.place) for one in before]
    again = Sampler(10.0, taken=taken, seen_s=62.0)
    assert not again.due(63.0)
    assert again.crops(a_frame(63.0), heat) == []
    assert again.crops(a_frame(75.0), heat) == []
    assert len(again.crops(a_frame(121.0), heat)) == len(before)


def test_a_map_of_no_numbers_has_no_places():
    assert Sampler(1.0).crops(a_frame(), np.full((12, 16), np.nan, np.float32)) == []
