"""What is found by zone, size and hour."""

import json

import pytest

from calibration.blindness import BlindMap, Planted, Share


def planted(zone: int, size: float, found: int, of: int, hour: int = 9) -> list[Planted]:
    return [Planted(zone, size, hour, number < found) for number in range(of)]


SEEING = [*planted(0, 0.02, 2, 10), *planted(0, 0.04, 9, 10), *planted(0, 0.08, 10, 10)]
BLIND = [*planted(1, 0.02, 0, 10, 22), *planted(1, 0.04, 0, 10, 22), *planted(1, 0.08, 1, 10, 22)]
MAP = BlindMap((*SEEING, *BLIND), (1, 2))


def test_shares_are_those_of_a_zone_a_size_and_an_hour():
    assert MAP.share(0, 0.04) == Share(9, 10)
    assert MAP.share(hour=22) == Share(1, 30)
    assert MAP.share(zone=0, hour=22) == Share(0, 0)
    assert MAP.share() == Share(22, 60)


def test_thin_things_are_counted_apart_and_kept():
    thin = (Planted(0, 0.02, 9, False, True), Planted(1, 0.04, 9, True, True))
    both = BlindMap((*MAP.things, *thin), MAP.grid)
    assert both.share() == MAP.share()
    assert both.least_size(0) == MAP.least_size(0)
    assert (both.thin(), both.thin(0.04), both.thin(0.08)) == (
        Share(1, 2),
        Share(1, 1),
        Share(0, 0),
    )
    facts = json.loads(json.dumps(both.as_json()))
    assert BlindMap.of(facts).thin() == both.thin()
    del facts["thin"]  # as it was written before they were counted
    assert BlindMap.of(facts).share() == MAP.share()


def test_intervals_are_wilsons():
    assert Share(9, 10).interval == (
        pytest.approx(0.5958, abs=1e-4),
        pytest.approx(0.9821, abs=1e-4),
    )
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(0, 10).interval[0] == 0.0
    assert Share(10, 10).interval[1] == pytest.approx(1.0)


def test_the_least_size_is_found_from_there_on_upwards():
    assert MAP.least_size(0) == 0.04
    assert MAP.least_size(1) is None
    holed = BlindMap((*planted(0, 0.02, 10, 10), *planted(0, 0.04, 0, 10), *planted(0, 0.08, 9, 9)))
    assert holed.least_size(0) == 0.08
    assert BlindMap(tuple(planted(0, 0.02, 4, 4))).least_size(0) is None


def test_a_blind_zone_is_told():
    assert [MAP.blind(zone) for zone in MAP.zones] == [False, True]
    assert not BlindMap(()).blind(0)


def test_a_map_is_read_back_as_it_was_written():
    facts = json.loads(json.dumps(MAP.as_json()))
    read = BlindMap.of(facts)
    assert read.as_json() == facts
    assert read.share(0, 0.04) == MAP.share(0, 0.04)
    for wrong in ({"zone": 9}, {"found": 11}, {"of": -1}):
        cell = {"zone": 0, "size": 0.1, "hour": 1, "found": 1, "of": 2} | wrong
        with pytest.raises(ValueError, match="is none"):
            BlindMap.of({"grid": [1, 2], "cells": [cell]})
