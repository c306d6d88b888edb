"""Light that falls on the view is no thing, and a thing in the light is one."""

import cv2
import numpy as np
import pytest

from app.simulator.nuisances import Nuisance
from app.simulator.simulation import Simulation
from app.simulator.things import Thing, lying
from app.simulator.views import scene
from app.watching.light import LONGEST_S, Light
from detectors.learned import LearnedView
from detectors.types import Box, Detection, Frame, Pixels
from tests.app.builders import a_frame
from tests.app.watching.test_faults import with_noise
from tests.app.watching.test_registration import seen

VIEW = LearnedView.of([seen(seed=seed) for seed in range(5)])
PATCH = Box(90, 60, 190, 150)
SPOT = Detection(PATCH, 2.0)


def sunny(image: Pixels, times: float = 1.6) -> Pixels:
    """A patch of sun with hard edges."""
    lit = image.astype(np.float32)
    lit[60:150, 90:190] *= times
    return np.clip(lit, 0, 255).astype(np.uint8)


def with_thing(image: Pixels, x: int = 120, y: int = 90) -> Pixels:
    there = image.copy()
    checks = np.kron(np.indices((5, 5)).sum(axis=0) % 2, np.ones((8, 8)))
    there[y : y + 40, x : x + 40] = (60 + 120 * checks)[..., None]
    return there


@pytest.fixture
def light() -> Light:
    return Light(VIEW)


def things(light: Light, image: Pixels, box: Box = PATCH, at_s: float = 0.0) -> list[Detection]:
    return light.see(a_frame(at_s, image), [Detection(box, 2.0)])


@pytest.mark.parametrize("times", [1.4, 1.6, 0.6])
@pytest.mark.parametrize("exposure", [1.0, 0.6])
def test_a_patch_of_light_or_shadow_is_no_thing(light: Light, times: float, exposure: float):
    image = sunny(seen(seed=9), times) * exposure
    assert things(light, with_noise(image.astype(np.uint8), 1)) == []


def test_a_thing_is_one(light: Light):
    box = Box(120, 90, 160, 130)
    assert things(light, with_thing(seen(seed=9)), box) == [Detection(box, 2.0)]


def test_a_thing_in_the_light_is_told_from_it(light: Light):
    (thing,) = things(light, sunny(with_thing(seen(seed=9))))
    assert thing.box.iou(Box(120, 90, 160, 130)) > 0.6
    assert thing.score == 2.0


def mirrored(image: Pixels, part: float = 0.45) -> Pixels:
    """A window pane that mirrors half of something with edges of its own, out of focus."""
    other = np.kron(np.indices((24, 32)).sum(axis=0) % 2, np.ones((10, 10))) * 160 + 60
    share = np.zeros((240, 320, 1), np.float32)
    share[60:150, 90:190] = part
    other = cv2.GaussianBlur(other.astype(np.float32), (0, 0), 3.0)[..., None]
    return (image * (1 - share) + other * share).astype(np.uint8)


def test_what_a_pane_mirrors_is_no_thing_though_it_has_edges_of_its_own(light: Light):
    assert things(light, with_noise(mirrored(seen(seed=9)), 1)) == []
    assert light.see(a_frame(0.2, with_noise(mirrored(seen(seed=9)), 1)), [SPOT]) == []


def test_in_a_picture_that_has_changed_as_a_whole_paler_texture_is_no_reflection(light: Light):
    frame = a_frame(0.0, with_noise(mirrored(seen(seed=9)), 1))
    assert light.see(frame, [SPOT], altered=True) != []
    assert light.see(frame, [SPOT]) == []


def test_a_small_reflection_is_told_while_a_wide_one_lies_on_the_view():
    view = seen(seed=9)
    light = Light(LearnedView.of([with_noise(view, 1, seed) for seed in range(5)]))
    small = view.copy()
    small[180:200, 20:44] = mirrored(view)[80:100, 120:144] // 2 + view[180:200, 20:44] // 2
    spot = Box(20, 180, 44, 200)
    alone = things(light, with_noise(small, 1, 1), spot, 0.0)
    assert things(light, with_noise(mirrored(view), 1, 2), PATCH, 1.0) == []
    assert (alone, things(light, with_noise(small, 1, 3), spot, 2.0)) == (
        [Detection(spot, 2.0)],
        [],
    )


def test_a_pane_before_a_plain_wall_is_known_by_what_hangs_there_all_about_it():
    wall = np.full((240, 320, 3), 110, np.uint8)
    wall[(np.indices((240, 320)) % 40 < 6).all(axis=0)] = 230
    light = Light(LearnedView.of([with_noise(wall, 2, seed) for seed in range(5)]))
    image = mirrored(wall)
    assert things(light, with_noise(image, 2, 9)) == []
    wall[:, 110:] = 110
    light = Light(LearnedView.of([with_noise(wall, 2, seed) for seed in range(5)]))
    assert things(light, with_noise(mirrored(wall), 2, 9)) == [SPOT]


def test_a_thing_behind_it_is_one(light: Light):
    (thing,) = things(light, mirrored(with_thing(seen(seed=9)), 0.2))
    assert thing.box.iou(Box(120, 90, 160, 130)) > 0.5


def test_what_lies_where_light_was_just_before_is_doubted_for_five_seconds(light: Light):
    assert things(light, mirrored(seen(seed=9))) == []
    there, spot = with_thing(seen(seed=9)), Box(120, 90, 160, 130)
    doubted = [things(light, there, spot, at_s)[0].doubted for at_s in (1.0, 4.0, 6.0)]
    assert doubted == [True, True, False]
    assert not things(light, with_thing(seen(seed=9), 20, 180), Box(20, 180, 60, 220), 7.0)[
        0
    ].doubted


def test_what_was_told_as_a_thing_stays_whole_when_light_falls_on_it(light: Light):
    frame = a_frame(0.0, sunny(with_thing(seen(seed=9))))
    told = Box(PATCH.x1 + 5, PATCH.y1, PATCH.x2 - 5, PATCH.y2)
    assert light.see(frame, [Detection(PATCH, 2.0)], [told]) == [Detection(PATCH, 2.0)]
    assert light.see(frame, [Detection(PATCH, 2.0)], [Box(0, 0, 30, 30)])[0].box != PATCH


def test_a_plain_wall_tells_no_light_from_a_thing():
    wall = np.full((240, 320, 3), 110, np.uint8)
    light = Light(LearnedView.of([with_noise(wall, 2, seed) for seed in range(5)]))
    assert things(light, sunny(with_noise(wall, 2, 9))) == [SPOT]


def test_light_without_an_edge_is_none_even_on_a_wall_and_where_it_blows_it_out():
    wall = np.full((240, 320, 3), 110, np.uint8)
    light = Light(LearnedView.of([with_noise(wall, 2, seed) for seed in range(5)]))
    told = []
    for number in range(5):
        # It is a hundred pixels away from one frame to the next, and the map shows its middle.
        beam = np.array([70.0 + 100 * (number % 2), 120.0])
        away = np.hypot(*(np.indices((240, 320))[::-1] - beam[:, None, None]))
        lit = wall * (1 + 2 * np.exp(-((away / 45) ** 2)))[..., None]
        assert (lit > 255).sum() > 5_000
        frame = a_frame(number / 5, with_noise(np.minimum(lit, 255).astype(np.uint8), 2, 9))
        middle = Box(beam[0] - 35, 90, beam[0] + 35, 150)
        assert light.see(frame, [Detection(middle, 2.0)]) == []
        told.append(light.fault(number / 5))
    assert told == [None, None, "lit", "lit", "lit"]


def test_sun_on_a_plain_wall_is_known_by_the_texture_beside_it_and_a_sheet_is_a_thing():
    view = seen(seed=9)
    view[:, 130:] = 110
    light = Light(LearnedView.of([with_noise(view, 2, seed) for seed in range(5)]))
    edge, sheet = Box(150, 70, 210, 120), Box(135, 95, 175, 135)
    image = sunny(view)
    assert things(light, with_noise(image, 2, 1), edge) == []
    image[95:135, 135:175] = 235
    assert things(light, with_noise(image, 2, 9), sheet, 9.0) == [Detection(sheet, 2.0)]


def test_what_has_gone_and_leaves_a_plain_wall_is_no_light():
    rng = np.random.default_rng(3)
    walls = [np.clip(rng.normal(150, 2, (240, 320, 3)), 0, 255).astype(np.uint8) for _ in range(9)]
    light = Light(LearnedView.of([with_thing(wall) for wall in walls[:8]]))
    gone = Detection(Box(120, 90, 160, 130), 2.0)
    assert light.see(a_frame(0, walls[8]), [gone]) == [gone]


def test_light_that_is_hardly_any_yet_does_not_flit():
    wall = np.full((240, 320, 3), 110, np.uint8)
    light = Light(LearnedView.of([with_noise(wall, 2, seed) for seed in range(5)]))
    away = np.hypot(*(np.indices((240, 320))[::-1] - np.array([140, 105])[:, None, None]))
    for number in range(4):
        lit = wall * (1 + 0.1 * np.exp(-((away / 45) ** 2)))[..., None]
        frame = a_frame(number / 5, with_noise(lit.astype(np.uint8), 2, number))
        assert light.see(frame, [SPOT]) == []
    assert light.fault(0.6) == "lit"


def test_a_white_thing_is_no_light_that_blows_out_the_wall():
    wall = np.full((240, 320, 3), 150, np.uint8)
    light = Light(LearnedView.of([with_noise(wall, 2, seed) for seed in range(5)]))
    wall[60:150, 90:190] = 255
    assert things(light, with_noise(wall, 2, 9)) == [SPOT]


def test_without_a_learned_picture_everything_is_a_thing():
    assert things(Light(None), sunny(seen(seed=9))) == [SPOT]


def at(seconds: float) -> Frame:
    return a_frame(seconds, sunny(seen(seed=9)))


def test_light_is_told_after_three_frames_and_at_most_a_minute(light: Light):
    told = []
    for number in range(150):
        there = 8 <= number < 140
        assert light.see(at(number / 2), [SPOT] if there else []) == []
        told.append(light.fault(number / 2))
    assert light.since is None
    lasts = [number / 2 for number, fault in enumerate(told) if fault == "lit"]
    assert (lasts[0], lasts[-1]) == (5, 4 + LONGEST_S)


def test_light_that_would_not_have_been_told_as_a_thing_is_no_news(light: Light):
    told = []
    for number, score in enumerate([1.1] * 6 + [1.3] * 2):
        assert light.see(at(number / 5), [Detection(PATCH, score)]) == []
        told.append(light.fault(number / 5))
    assert told == [None] * 6 + ["lit"] * 2


def flitting(light: Light, at_s: float, number: int, exposure: float = 1.0) -> str | None:
    """What is told of a spot of light in one of six places."""
    left, top = 20 + 90 * (number % 3), 30 + 90 * (number % 2)
    lit = seen(seed=9).astype(np.float32) * exposure
    lit[top : top + 50, left : left + 60] *= 1.6
    frame = a_frame(at_s, np.clip(lit, 0, 255).astype(np.uint8))
    assert light.see(frame, [Detection(Box(left, top, left + 60, top + 50), 2.0)]) == []
    return light.fault(at_s)


def test_light_that_turns_up_here_and_there_is_insects(light: Light):
    told = [flitting(light, number / 5, number) for number in range(12)]
    assert told == [None] * 2 + ["insects"] * 10


def test_in_a_picture_that_has_just_become_lighter_spots_are_no_news_for_a_while(
    light: Light,
):
    told = [flitting(light, number / 5, number, exposure=1.3) for number in range(200)]
    assert told[:100] == [None] * 100
    assert None not in told[-20:]


def test_insects_that_were_taken_for_light_are_told_once_they_flit(light: Light):
    stays = [flitting(light, number / 5, 0) for number in range(4)]
    assert stays == [None, None, "lit", "lit"]
    leaps = [flitting(light, 1.4 * number, number) for number in range(1, 5)]
    assert leaps == ["lit", "lit", "insects", "insects"]


def of_a_simulation(nuisance: str, *lie: Thing) -> tuple[Light, Frame, Box | None]:
    """A frame of a place in which something happens, and where its thing is."""
    place = scene("garden", (240, 320))
    learned = [shot.image for shot in Simulation(place, 1, 3).shots()]
    shot = Simulation(place, 2, 20, lie, (Nuisance(nuisance),) if nuisance else ()).shot(60)
    box = shot.truth[0].box if shot.truth else None
    return Light(LearnedView.of(learned)), a_frame(12, shot.image), box


def test_the_simulators_sun_is_light_and_its_things_are_things():
    light, frame, _ = of_a_simulation("patch of sun")
    before = of_a_simulation("")[1].image
    apart = cv2.blur(np.abs(frame.image.astype(int) - before).mean(axis=2), (7, 7))
    rows, columns = np.nonzero(apart > 15)
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert light.see(frame, [Detection(Box(*(float(edge) for edge in edges)), 2.0)]) == []
    for noun, width in (("cup", 0.06), ("officer", 0.12), ("wheel", 0.2)):
        light, frame, box = of_a_simulation("", lying(noun, width, (0.5, 0.7), 0))
        assert box is not None
        assert light.see(frame, [Detection(box, 2.0)]) == [Detection(box, 2.0)]
