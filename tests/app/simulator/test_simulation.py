import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import UsageError
from app.simulator.nuisances import Nuisance, nuisance_names
from app.simulator.places import MARGIN
from app.simulator.scene import Weather
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, lying, relocated, removed, sliding, spot
from app.simulator.views import scene, scene_names
from detectors.types import Box

SMALL = (120, 160)
CALM = Weather(exposure=0.0, warmth=0.0, shade=0.0)


def small(*things: Thing, nuisance: Nuisance | None = None, seed: int = 1) -> Simulation:
    nuisances = (nuisance,) if nuisance else ()
    return Simulation(scene("yard", SMALL), seed, 60.0, things, nuisances, weather=CALM)


def change(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(one.astype(np.float32) - other).mean())


def test_the_same_values_give_the_same_pixels_in_any_order():
    things = (lying("cup", 0.12, (0.5, 0.7), 2.0), sliding("cat", 0.2, 0.7, 1.0, 2.0))
    first, again = (small(*things, nuisance=Nuisance("rain", 1.0)) for _ in range(2))
    late = first.shot(20)
    for index in (3, 20):
        assert np.array_equal(first.shot(index).image, again.shot(index).image)
        assert first.shot(index).truth == again.shot(index).truth
    assert np.array_equal(first.shot(20).image, late.image)
    assert first.key == again.key != small(*things).key


def test_another_seed_is_another_day():
    assert change(small(seed=1).shot(3).image, small(seed=2).shot(3).image) > 0.5


def test_shots_are_timed_and_may_be_thinned_out():
    shots = list(small().shots(5, 15, 5))
    assert [shot.time_s for shot in shots] == [1.0, 2.0]
    assert shots[0].image.shape == (*SMALL, 3)
    assert shots[0].image.dtype == np.uint8
    assert small().frames == 300


@pytest.mark.parametrize("name", scene_names())
def test_every_scene_fits_any_size(name: str):
    made = scene(name, (90, 160))
    assert made.world.shape == (90 + 2 * MARGIN, 160 + 2 * MARGIN, 3)
    assert Simulation(made, 1, 1.0).shot(0).image.std() > 15


def test_an_unknown_scene_or_nuisance_is_refused():
    with pytest.raises(UsageError, match="no scene 'moon'; there are desk, flowerbed"):
        scene("moon")
    with pytest.raises(UsageError, match="no nuisance 'hail'; there are brighter 20%"):
        small(nuisance=Nuisance("hail")).shot(0)


@pytest.mark.parametrize("width", [0.06, 0.12, 0.2])
@pytest.mark.parametrize("noun", ["cup", "cat", "helmet"])
def test_the_box_is_what_changed(noun: str, width: float):
    place = scene("yard", (240, 320))
    thing = lying(noun, width, (0.5, 0.7), 0.0)
    with_it, without = (
        Simulation(place, 1, 10.0, things, weather=CALM) for things in ((thing,), ())
    )
    shot = with_it.shot(4)
    strong = np.abs(shot.image.astype(int) - without.shot(4).image).max(axis=2) > 12
    ys, xs = np.nonzero(cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2))))
    changed = Box(float(xs.min()), float(ys.min()), xs.max() + 1.0, ys.max() + 1.0)
    [truth] = shot.truth
    assert changed.iou(truth.box) > 0.7
    assert truth.width_share == pytest.approx(width, abs=0.012)
    assert (truth.noun, truth.kind, truth.id, truth.seen) == (noun, "arrived", 0, 1.0)


def test_a_thing_that_slides_is_cut_off_at_the_edge_and_goes_at_its_pace():
    passing = small(sliding("cat", 0.2, 0.7, 0.0, 1.5))
    boxes = [shot.truth[0].box for shot in passing.shots(1, 19) if shot.truth]
    assert boxes[0].x1 == 0
    assert boxes[0].width < 30
    middle = [box for box in boxes if box.x1 > 0 and box.x2 < 160]
    steps = np.diff([box.x1 for box in middle])
    assert steps == pytest.approx(0.2 * 160 * 1.5 / 5, abs=1.1)
    assert boxes[-1].x2 == 160


def test_contrast_fades_a_thing():
    plain, faint = (
        small(Thing("cup", 0.2, ((0.0, 0.5, 0.7), (9.0, 0.5, 0.7)), contrast=contrast)).shot(3)
        for contrast in (1.0, 0.25)
    )
    empty = small().shot(3).image
    ratio = change(faint.image, empty) / change(plain.image, empty)
    assert ratio == pytest.approx(0.25, abs=0.05)


def test_what_was_there_and_goes_is_missing_from_then_on():
    gone = small(removed(lying("cup", 0.2, (0.5, 0.7), 0.0), 4.0))
    assert gone.shot(19).truth == ()
    [truth] = gone.shot(20).truth
    assert truth.kind == "missing"
    part = np.s_[int(truth.box.y1) : int(truth.box.y2), int(truth.box.x1) : int(truth.box.x2)]
    assert change(gone.shot(19).image[part], small().shot(19).image[part]) > 15
    assert change(gone.shot(20).image[part], small().shot(20).image[part]) == 0


def test_what_is_moved_is_missing_here_and_has_arrived_there():
    things = relocated(lying("cup", 0.12, (0.3, 0.7), 0.0), 4.0, (0.7, 0.8))
    assert small(*things).shot(10).truth == ()
    there = small(*things).shot(30).truth
    assert [(truth.kind, truth.moved) for truth in there] == [("missing", True), ("arrived", True)]
    assert there[0].box.x2 < there[1].box.x1


def test_what_belongs_comes_again_and_is_no_truth():
    passing = Thing("cat", 0.2, ((0.0, -0.1, 0.7), (3.0, 1.1, 0.7)), "belongs", every_s=12.0)
    once, empty = small(passing), small()
    assert once.shot(5).truth == ()
    for index, there in ((5, True), (40, False), (65, True), (245, True)):
        assert (change(once.shot(index).image, empty.shot(index).image) > 0.3) is there


def test_a_picture_with_transparency_can_be_a_thing(tmp_path: Path):
    picture = np.zeros((40, 60, 4), np.uint8)
    picture[10:30, 10:50] = (255, 0, 0, 255)
    cv2.imwrite(str(tmp_path / "blue.png"), picture)
    thing = Thing(
        "blue", 0.25, ((0.0, 0.5, 0.5), (math.inf, 0.5, 0.5)), picture=tmp_path / "blue.png"
    )
    shot = small(thing).shot(3)
    [truth] = shot.truth
    assert truth.box.width == pytest.approx(40, abs=1)
    assert truth.box.height == pytest.approx(20, abs=1)
    red, _, blue = shot.image[60, 80].astype(int)
    assert blue > red + 60


def test_spots_are_inside_and_off_what_is_taken():
    rng = np.random.default_rng(1)
    taken = [Box(0, 0, 80, 120)]
    thing = lying("cup", 0.1, (0.0, 0.0), 0.0)
    for _ in range(20):
        found = spot(thing, SMALL, rng, taken)
        assert found is not None
        assert 0.55 < found[0] < 0.95
    assert spot(thing, SMALL, rng, [Box(0, 0, 160, 120)]) is None


@pytest.mark.parametrize("name", nuisance_names())
def test_every_nuisance_changes_the_picture_while_it_lasts(name: str):
    slide = sliding("cat", 0.2, 0.7, 2.0, 1.0)
    quiet, with_it = small(slide), small(slide, nuisance=Nuisance(name, 3.0, 8.0))
    assert np.array_equal(quiet.shot(14).image, with_it.shot(14).image)
    least = 0.02 if name == "vegetation" else 0.2
    loud = [change(quiet.shot(at).image, with_it.shot(at).image) for at in range(17, 40, 2)]
    assert max(loud) > least
    assert np.array_equal(quiet.shot(40).image, with_it.shot(40).image)


def level(name: str, at: int = 35) -> tuple[np.ndarray, np.ndarray]:
    """A frame without and with a nuisance, as float."""
    plain, with_it = small(), small(nuisance=Nuisance(name, 3.0))
    return plain.shot(at).image.astype(np.float32), with_it.shot(at).image.astype(np.float32)


@pytest.mark.parametrize(
    ("name", "gain"),
    [("brighter 20%", 1.2), ("darker 20%", 0.8), ("darker 40%", 0.6), ("under-exposed", 0.1)],
)
def test_exposure_is_what_it_says(name: str, gain: float):
    plain, changed = level(name)
    assert changed.mean() / plain.mean() == pytest.approx(gain, abs=0.03)


def test_over_exposure_loses_what_was_bright():
    assert (level("over-exposed")[1] >= 254).mean() > 0.3


def test_infrared_has_no_colour_left():
    plain, grey = level("infrared")
    assert np.ptp(grey, axis=2).max() == 0
    assert np.ptp(plain, axis=2).mean() > 10


def test_dusk_darkens_slowly():
    dusk = Simulation(scene("yard", SMALL), 1, 400.0, (), (Nuisance("dusk", 10.0),), weather=CALM)
    means = [dusk.shot(index).image.mean() for index in (0, 300, 800, 1900)]
    assert means == sorted(means, reverse=True)
    assert means[-1] / means[0] == pytest.approx(0.45, abs=0.04)


@pytest.mark.parametrize(("name", "reach"), [("nudge 20 px", 5), ("nudge 60 px", 15)])
def test_a_nudge_moves_the_picture_and_the_truth_with_it(name: str, reach: float):
    cup = lying("cup", 0.12, (0.5, 0.6), 0.0)
    before, after = small(cup).shot(20), small(cup, nuisance=Nuisance(name, 1.0)).shot(20)
    ways = [
        (int(dx), int(dy))
        for dx in range(-16, 17)
        for dy in range(-16, 17)
        if np.hypot(dx, dy) < 17
    ]
    inner = before.image[30:90, 40:120].astype(np.float32)
    best = min(
        ways,
        key=lambda way: change(
            after.image[30 + way[1] : 90 + way[1], 40 + way[0] : 120 + way[0]], inner
        ),
    )
    assert np.hypot(*best) == pytest.approx(reach, abs=1)
    one, other = before.truth[0].box, after.truth[0].box
    assert (other.x1 - one.x1, other.y1 - one.y1) == pytest.approx(best, abs=1)


def test_out_of_focus_and_covered_lose_detail():
    for name, left in (("out of focus", 0.65), ("covered", 0.35)):
        plain, soft = level(name)
        edges = [cv2.Laplacian(image, cv2.CV_32F).std() for image in (plain, soft)]
        assert edges[1] < left * edges[0], name


def test_a_frozen_picture_is_the_last_one_and_shows_nothing_new():
    passing = sliding("cat", 0.2, 0.7, 2.0, 1.0)
    frozen = small(passing, nuisance=Nuisance("frozen", 3.0, 6.0))
    last = frozen.shot(14)
    for index in (15, 22, 29):
        assert np.array_equal(frozen.shot(index).image, last.image)
        assert frozen.shot(index).truth == last.truth
    assert frozen.shot(22).time_s == pytest.approx(4.4)
    assert not np.array_equal(frozen.shot(30).image, last.image)


def test_rain_differs_from_frame_to_frame_and_slow_snow_only_falls():
    plain, rain = level("rain")
    streaks = rain - plain
    later = level("rain", 36)
    assert np.abs(streaks - (later[1] - later[0])).max() > 15
    assert streaks.mean() > 0.5
    assert (level("snow")[1] - plain).max() > 60
