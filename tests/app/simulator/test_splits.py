import pytest

from app.errors import UsageError
from app.simulator.cutouts import cutouts
from app.simulator.splits import other_half, split
from app.simulator.views import scene, scene_names


def test_dev_and_report_share_nothing_and_leave_nothing_out():
    dev, report = split("dev"), split("report")
    assert set(dev.scenes).isdisjoint(report.scenes)
    assert set(dev.nouns).isdisjoint(report.nouns)
    assert {dev.seed(n) for n in range(1000)}.isdisjoint(report.seed(n) for n in range(1000))
    assert sorted(dev.scenes + report.scenes) == scene_names()
    assert sorted(dev.nouns + report.nouns) == sorted(cutouts())


@pytest.mark.parametrize("number", range(5))
def test_a_number_is_a_split_of_its_own_with_another_half(number: int):
    half, other = split(str(number)), other_half(number)
    assert half == split(str(number))
    assert sorted(half.scenes + other.scenes) == scene_names()
    assert sorted(half.nouns + other.nouns) == sorted(cutouts())
    seeds = {one.seed(7) for one in (half, other, split("dev"), split("report"))}
    assert len(seeds) == 4


def test_numbers_draw_different_splits():
    assert len({split(str(number)).scenes for number in range(8)}) > 4


@pytest.mark.parametrize("name", ["dev", "report"])
def test_every_scene_of_a_split_has_things_that_may_turn_up(name: str):
    one = split(name)
    for scene_name in one.scenes:
        place = scene(scene_name)
        nouns = one.nouns_for(place)
        assert len(nouns) >= 3
        assert all(cutouts()[noun].photo not in place.photos for noun in nouns)


def test_an_unknown_split_is_refused():
    with pytest.raises(UsageError, match="no split 'test'; there are dev, report, and any"):
        split("test")
