import numpy as np
import pytest

from app.simulator.nuisances import nuisance_names
from app.simulator.simulation import Simulation
from benchmarks.detector_nuisances import RIGHT
from benchmarks.scenes import material
from detectors.types import Box


def test_dev_and_report_share_no_scene_and_no_thing():
    dev, report = material("dev"), material("report")
    assert set(dev.scenes).isdisjoint(report.scenes)
    assert set(dev.stamps).isdisjoint(report.stamps)
    assert min(len(dev.scenes), len(report.scenes)) >= 3


@pytest.mark.parametrize("name", ["dev", "report", "3"])
def test_every_scene_can_be_drawn_with_something_in_it(name: str):
    drawn = material(name)
    rng = np.random.default_rng(1)
    for scene in drawn.scenes:
        place = drawn.place(scene, (120, 160))
        thing, (x, y) = drawn.placed(place, 0.1, rng, [Box(0, 0, 80, 120)])
        lies = type(thing)(thing.noun, 0.1, ((0.0, x, y), (1.0, x, y)), picture=thing.picture)
        [truth] = Simulation(place, 1, 1.0, (lies,)).truth(0)
        assert truth.seen == 1
        assert truth.box.x1 >= 80
        assert truth.box.width == pytest.approx(16, abs=4)


def test_every_name_that_is_right_belongs_to_a_nuisance():
    assert all(any(name.startswith(known) for name in nuisance_names()) for known in RIGHT)


def test_things_never_come_from_the_photograph_of_the_scene():
    drawn = material("report", stamps=False)
    rng = np.random.default_rng(2)
    workshop = drawn.place("workshop")
    nouns = {drawn.thing(workshop, 0.1, rng).noun for _ in range(30)}
    assert nouns == {"cat", "dahlia", "helmet"}
