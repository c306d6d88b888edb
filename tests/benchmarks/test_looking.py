from dataclasses import replace
from pathlib import Path

import pytest

from app.simulator.simulation import Simulation
from app.simulator.things import lying, sliding
from app.simulator.views import scene
from benchmarks.looking import Told, fitted, watched
from benchmarks.scoring import match, poisson, presences
from detectors.configs import PadimConfig
from detectors.types import Box

QUICK = PadimConfig(longer_side=128, passes=16, held_out_passes=8)
DAY = Simulation(
    scene("garden", (120, 160)),
    3,
    72.0,
    (lying("cup", 0.25, (0.3, 0.7), 63.0, 66.0), lying("wheel", 0.25, (0.7, 0.6), 69.0, 71.0)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def told(folder: Path) -> list[Told]:
    return watched(DAY, fitted(DAY, folder, QUICK), 300)


def test_things_become_events_with_their_time_and_box(told: list[Told]):
    found, false = match(presences(DAY, 300), told)
    assert [one.presence.noun for one in found] == ["cup", "wheel"]
    for one in found:
        assert one.seen
        assert one.iou > 0.3
        assert 0.3 < one.delay_s <= 1.0
    assert len(false) <= 1


def test_what_was_looked_at_before_is_not_looked_at_again(told: list[Told], folder: Path):
    again = fitted(DAY, folder, QUICK)
    events = [(one.event, one.opened_s) for one in watched(DAY, again, 300)]
    assert again.new == 0
    assert events == [(one.event, one.opened_s) for one in told]
    other = replace(DAY, things=DAY.things[:1])
    same = fitted(other, folder, QUICK)
    assert len(list(folder.glob("detector-*"))) == 1
    assert 63.0 in [one.event.start_s for one in watched(other, same, 300, 340)]


def test_presences_need_no_picture_and_tell_the_way():
    passing = replace(DAY, things=(sliding("cat", 0.2, 0.7, 61.0, 2.0),))
    [presence] = presences(passing, 300)
    assert presence.from_s == pytest.approx(61.0, abs=0.3)
    assert presence.to_s == pytest.approx(64.0, abs=0.3)
    assert presence.at(62.0).x1 < presence.at(63.0).x1
    assert presence.at(0.0) == presence.at(presence.from_s)


def test_an_event_elsewhere_or_at_another_time_is_false(told: list[Told]):
    [first, *_] = presences(DAY, 300)
    moved = {time_s: Box(0, 0, 8, 8) for time_s in first.boxes}
    later = {time_s + 100: box for time_s, box in first.boxes.items()}
    away = replace(first, boxes=moved)
    late = replace(first, from_s=first.from_s + 100, to_s=first.to_s + 100, boxes=later)
    for one in (away, late):
        [found], false = match([one], told)
        assert not found.seen
        assert found.iou == 0
        assert len(false) == sum(not one.is_camera for one in told)


def test_rates_have_the_exact_interval_of_poisson():
    assert poisson(0, 2.0) == pytest.approx((0.0, 1.844), abs=0.001)
    assert poisson(5, 1.0) == pytest.approx((1.623, 11.668), abs=0.001)
