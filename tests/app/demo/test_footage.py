import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from app.demo.footage import (
    DemoPlan,
    Placement,
    Stage,
    plan_demo,
    render,
    write_footage,
    write_truth,
)
from app.simulator.cutouts import cutouts
from app.simulator.places import MARGIN, place, place_names
from app.simulator.scene import Camera, Weather
from detectors.types import Box
from novic.errors import UsageError

SEEDS = range(12)


@pytest.fixture(scope="module")
def plans() -> list[DemoPlan]:
    return [plan_demo(seed) for seed in SEEDS]


def crate(**changes: object) -> Placement:
    values: dict[str, object] = {
        "noun": "crate",
        "accepts": ("crate",),
        "kinds": (),
        "flip": False,
        "width_px": 20,
        "box": Box(10, 60, 30, 80),
        "size": (100, 100),
        "stands": "floor",
        "slide": (-40.0, 0.0),
        "enter_s": 10.0,
        "rest_s": 12.0,
        "leave_s": 20.0,
        "gone_s": 22.0,
    }
    return Placement(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("time_s", "box"),
    [
        pytest.param(9.9, None, id="not there yet"),
        pytest.param(10.0, None, id="out of sight when it sets out"),
        pytest.param(11.0, Box(0, 60, 20, 80), id="a quarter of the way left, cut at the edge"),
        pytest.param(12.0, Box(10, 60, 30, 80), id="at rest"),
        pytest.param(19.9, Box(10, 60, 30, 80), id="still at rest"),
        pytest.param(21.0, Box(0, 60, 20, 80), id="on its way out"),
        pytest.param(22.0, None, id="gone"),
    ],
)
def test_box_at(time_s: float, box: Box | None):
    assert crate().box_at(time_s) == box


def test_swept_covers_the_way():
    assert crate().swept == Box(0, 60, 30, 80)


def test_the_same_seed_gives_the_same_demo():
    assert plan_demo(5) == plan_demo(5)


def test_another_seed_gives_another_demo(plans: list[DemoPlan]):
    assert len({plan.place for plan in plans[:4]}) == 4 == len(place_names())
    assert len({tuple(placed.noun for placed in plan.placements) for plan in plans}) == len(plans)
    assert len({placed.box for plan in plans for placed in plan.placements}) > 5 * len(plans)


def test_a_negative_seed_is_refused():
    with pytest.raises(UsageError, match="seed must be 0 or more, got -1"):
        plan_demo(-1)


def test_every_demo_has_six_objects_and_three_normal_minutes(plans: list[DemoPlan]):
    for plan in plans:
        assert len(plan.placements) >= 6
        assert len({placed.noun for placed in plan.placements}) == len(plan.placements)
        assert plan.normal_seconds >= 180
        assert all(placed.enter_s > plan.learn_s + 5 for placed in plan.placements)
        assert all(placed.gone_s < plan.duration_s for placed in plan.placements)


def test_no_object_comes_from_the_photograph_of_its_place(plans: list[DemoPlan]):
    for plan in plans:
        used = {cutouts()[placed.noun].photo for placed in plan.placements}
        assert used.isdisjoint(place(plan.place).photos)


def test_objects_are_whole_and_of_sensible_size(plans: list[DemoPlan]):
    for plan in plans:
        height, width = plan.size
        wide = [placed for placed in plan.placements if placed.width_share > 0.06]
        assert len(wide) >= len(plan.placements) - 2
        for placed in plan.placements:
            box = placed.box
            assert 0 <= box.x1 < box.x2 <= width
            assert 0 <= box.y1 < box.y2 <= height
            assert 0.04 <= placed.width_share <= 0.26
            assert placed.leave_s - placed.rest_s >= 8


def test_objects_meet_in_time_but_never_in_space(plans: list[DemoPlan]):
    for plan in plans:
        together = [
            (one, other)
            for one, other in itertools.combinations(plan.placements, 2)
            if one.enter_s < other.gone_s and other.enter_s < one.gone_s
        ]
        assert len(together) == 1
        assert all(one.swept.overlap(other.swept) == 0 for one, other in together)


def test_render_repeats_itself_pixel_for_pixel():
    plan = plan_demo(0)
    first, second = (list(itertools.islice(render(plan), 4)) for _ in range(2))
    assert [pts_s for pts_s, _ in first] == [0.0, 0.2, 0.4, 0.6]
    for (_, one), (_, again) in zip(first, second, strict=True):
        assert one.shape == (*plan.size, 3)
        assert one.dtype == np.uint8
        assert np.array_equal(one, again)
    assert not np.array_equal(first[0][1], first[1][1])


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_truth_is_where_the_picture_differs(seed: int):
    plan = plan_demo(seed)
    where = place(plan.place)
    camera = Camera(where, plan.seed, plan.frames, plan.fps)
    stage = Stage(plan, where)
    for placed in plan.placements:
        index = round((placed.rest_s + placed.leave_s) / 2 * plan.fps)
        with_it = camera.picture(index, stage.world_at(index / plan.fps))
        without = camera.picture(index, where.world)
        strong = np.abs(with_it.astype(int) - without).max(axis=2) > 10
        others = [other for other in plan.placements if other is not placed]
        for other in others:
            there = other.box_at(index / plan.fps)
            if there is not None:
                around = there.grown(0.35, plan.size)
                strong[int(around.y1) : int(around.y2), int(around.x1) : int(around.x2)] = False
        around = placed.box.grown(0.35, plan.size)
        inside = np.zeros_like(strong)
        inside[int(around.y1) : int(around.y2) + 1, int(around.x1) : int(around.x2) + 1] = True
        assert not (strong & ~inside).any(), placed.noun
        ys, xs = np.nonzero(strong)
        box = placed.box
        assert xs.min() <= box.x1 + 3, placed.noun
        assert xs.max() >= box.x2 - 4, placed.noun
        assert ys.min() <= box.y1 + 4, placed.noun
        assert ys.max() >= box.y2 - 5, placed.noun


def test_normal_frames_are_only_the_place():
    plan = plan_demo(3)
    stage = Stage(plan, place(plan.place))
    assert stage.world_at(10.0) is place(plan.place).world


def test_the_light_stays_near_the_places_own():
    plan = plan_demo(1)
    where = place(plan.place)
    camera = Camera(where, plan.seed, plan.frames, plan.fps)
    own = where.world[MARGIN:-MARGIN, MARGIN:-MARGIN].mean()
    seen = [camera.picture(i, where.world).mean() for i in range(0, plan.frames, 150)]
    assert 0.85 * own < min(seen) < max(seen) < 1.1 * own


def test_a_harder_day_wanders_farther_and_is_as_repeatable():
    plan = plan_demo(1)
    where = place(plan.place)
    hard = Weather(exposure=2.0, warmth=2.0, shade=2.0, jpeg=(50, 60))
    ordinary, harder, again = (
        Camera(where, 1, plan.frames, plan.fps, weather) for weather in (None, hard, hard)
    )
    times = range(0, plan.frames, 100)
    calm, wild = (
        [camera.picture(index, where.world).mean() for index in times]
        for camera in (ordinary, harder)
    )
    assert np.ptp(wild) > 1.5 * np.ptp(calm)
    assert np.array_equal(harder.picture(7, where.world), again.picture(7, where.world))


def test_compression_of_a_day_leaves_its_light_alone():
    plan = plan_demo(1)
    where = place(plan.place)
    plain, packed = (
        Camera(where, 1, plan.frames, plan.fps, Weather(jpeg=jpeg)).picture(7, where.world)
        for jpeg in (None, (30, 30))
    )
    assert plain.mean() == pytest.approx(packed.mean(), abs=1)
    assert 2 < np.abs(plain.astype(int) - packed).mean() < 12


def test_the_truth_is_written_as_json(tmp_path: Path):
    plan = plan_demo(2)
    write_truth(plan, tmp_path / "truth.json")
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["seed"] == 2
    assert truth["normal_seconds"] == plan.normal_seconds
    box = plan.placements[0].box
    assert truth["placements"][0]["box"] == [box.x1, box.y1, box.x2, box.y2]


def test_footage_is_written_as_a_video(tmp_path: Path):
    whole = plan_demo(0)
    short = DemoPlan(whole.seed, whole.place, whole.size, whole.fps, 1.0, 2.0, ())
    told: list[tuple[int, int]] = []
    write_footage(short, tmp_path / "demo.mp4", lambda done, total: told.append((done, total)))
    assert told == [(n, 10) for n in range(1, 11)]
    assert (tmp_path / "demo.mp4").stat().st_size > 10_000
