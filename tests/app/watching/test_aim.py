"""A camera that is nudged: told once, laid on the learned view, and looked at as before."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from app.events.event import Event, Finding
from app.simulator.nuisances import Nuisance
from app.simulator.photos import photo
from app.simulator.simulation import Simulation
from app.simulator.views import scene
from app.watching.aim import Aim
from app.watching.camera import Camera
from app.watching.naming import tell
from detectors.learned import LearnedView
from detectors.types import Box, Frame, Pixels
from tests.app.builders import BrightnessNames, a_frame
from tests.app.watching.test_registration import HEIGHT, WIDTH, seen

FPS = 5
THING = Box(120, 80, 180, 140)
VIEW = LearnedView.of([seen(seed=seed) for seed in range(5)])

type Shows = Callable[[float, int], Pixels]


def with_thing(image: Pixels, right: int = 0, down: int = 0) -> Pixels:
    """A magenta thing that stands still in the view, seen from where the camera looks."""
    there = image.copy()
    there[80 + down : 140 + down, 120 + right : 180 + right] = (255, 0, 255)
    return there


def unusual(image: Pixels) -> np.ndarray:
    """How far cells of 20 pixels are from the learned picture, but for a shake of 2 pixels."""
    reach, now = np.ones((5, 5), np.uint8), image.astype(np.float32)
    above = now - cv2.dilate(VIEW.picture, reach)
    below = cv2.erode(VIEW.picture, reach).astype(np.float32) - now
    apart = np.maximum(np.maximum(above, below), 0).mean(axis=2)
    return cv2.resize(apart, (WIDTH // 20, HEIGHT // 20), interpolation=cv2.INTER_AREA) / 8


def watch(seconds: float, shows: Shows, *, live: bool = False) -> tuple[list[Finding], Camera]:
    """All that is told of a camera, in order."""
    camera, told = Camera((HEIGHT, WIDTH), live=live, view=VIEW), []
    for number in range(round(seconds * FPS)):
        frames = camera.admit([a_frame(number / FPS, shows(number / FPS, number + 10))])
        camera.follow(frames, np.stack([unusual(frame.image) for frame in frames]))
        told += tell(BrightnessNames(), [camera])[0]
    camera.finish()
    return told + tell(BrightnessNames(), [camera])[0], camera


def events(told: Sequence[Finding], kind: str) -> list[Event]:
    return [one.event for one in told if one.event.kind == kind and one.event.state == "closed"]


@pytest.mark.parametrize(("right", "down"), [(6, 0), (-20, 8)])
def test_a_nudge_is_told_once_and_what_stands_there_stays_the_same_thing(right: int, down: int):
    def shows(at_s: float, seed: int) -> Pixels:
        moved = (right, down) if at_s >= 4 else (0, 0)
        image = seen(*moved, seed=seed)
        return with_thing(image, *moved) if 2 <= at_s < 8 else image

    told, camera = watch(14, shows)
    (moved,) = events(told, "camera")
    assert (moved.name, moved.start_s, moved.end_s < 10) == ("camera moved", 4.0, True)
    assert f"{abs(right)} pixels to the {'right' if right > 0 else 'left'}" in moved.said
    (thing,) = events(told, "object")
    assert (thing.start_s, thing.end_s) == (2.0, pytest.approx(7.8))
    assert camera.gaps == []
    # Before and after, it is told where the frame shows it.
    (finding,) = (one for one in told if one.event.kind == "object")
    boxes = {at_s: box for at_s, box, _ in finding.path}
    assert boxes[3.0].iou(THING) > 0.7
    there = Box(THING.x1 + right, THING.y1 + down, THING.x2 + right, THING.y2 + down)
    assert boxes[7.0].iou(there) > 0.7
    picture = finding.picture
    assert picture is not None
    assert picture.crops[0].mean(axis=(0, 1))[1] < 60  # magenta has no green


def test_a_nudge_and_the_nudge_back_are_two_events():
    told, _ = watch(
        22, lambda at_s, seed: seen(*((12, 3) if 5 <= at_s < 12 else (0, 0)), seed=seed)
    )
    moves = events(told, "camera")
    assert [(move.name, move.start_s) for move in moves] == [
        ("camera moved", 5.0),
        ("camera moved", 12.0),
    ]
    assert "looked while its view was learned" in moves[1].said
    assert events(told, "object") == []


def test_a_run_that_goes_on_does_not_tell_of_an_old_move_again():
    camera = Camera((HEIGHT, WIDTH), live=False, view=VIEW)
    checkpoint = camera.checkpoint()
    camera.restore(checkpoint)
    for number in range(20):
        frames = camera.admit([a_frame(number / FPS, seen(15, 4, seed=number))])
        camera.follow(frames, np.stack([unusual(frame.image) for frame in frames]))
    camera.finish()
    assert tell(BrightnessNames(), [camera]) == [[]]


def test_a_slow_drift_and_shaking_are_made_up_for_silently():
    random = np.random.default_rng(5)

    def shows(at_s: float, seed: int) -> Pixels:
        shake = random.normal(0, 1.2, 2)
        return seen(round(at_s / 10 + shake[0]), round(shake[1]), seed=seed)

    told, _ = watch(30, shows)
    assert told == []


def the_yard(nuisances: tuple[Nuisance, ...]) -> tuple[Aim, Pixels, list[Frame]]:
    """An aim that knows the yard, what it learned, and twelve seconds of another day."""
    place = scene("yard", (HEIGHT, WIDTH))
    view = LearnedView.of([shot.image for shot in Simulation(place, 3, 12).shots()])
    shots = Simulation(place, 4, 12, nuisances=nuisances).shots()
    frames = [a_frame(shot.time_s, shot.image) for shot in shots]
    return Aim(view, (HEIGHT, WIDTH)), view.picture, frames


def test_frames_of_a_camera_that_hardly_shakes_are_taken_as_they_are():
    aim, _, frames = the_yard(())
    assert all(aim.place(frame) is frame for frame in frames)
    assert not aim.shakes


def test_frames_of_a_camera_that_shakes_are_laid_one_by_one_and_that_is_no_move():
    aim, learned, frames = the_yard((Nuisance("shake"),))

    def apart(frame: Frame) -> float:
        off = cv2.absdiff(frame.image, learned)[20:-20, 20:-20]
        return float(off.mean())

    taken, laid, told = [], [], []
    for frame in frames:
        placed = aim.place(frame)
        told += aim.see(aim.taken(frame))
        if aim.shakes or laid:
            assert aim.shakes  # in still moments, too
            taken.append(apart(frame))
            laid.append(apart(placed))
    assert len(laid) > len(frames) / 2
    assert np.mean(laid) < 0.9 * np.mean(taken)
    assert told == []


def test_a_camera_turned_to_another_place_is_blind_and_says_what_to_do():
    elsewhere = cv2.resize(photo("flower.jpg"), (WIDTH, HEIGHT)).astype(np.uint8)
    told, camera = watch(
        16, lambda at_s, seed: elsewhere if 4 <= at_s < 10 else seen(seed=seed), live=True
    )
    (moved,) = events(told, "camera")
    assert (moved.name, moved.start_s, moved.end_s) == ("camera moved", 4.0, pytest.approx(9.8))
    assert "--learn" in moved.said
    ((reason, start_us, end_us),) = [(g.reason, g.start_us, g.end_us) for g in camera.gaps]
    assert (reason, start_us, end_us) == ("moved", 5_000_000, 11_000_000)
    assert events(told, "object") == []


def test_what_hides_the_view_is_no_move_though_parts_of_it_are_as_dark():
    folds = np.linspace(-15, 15, WIDTH)[:, None] + np.median(VIEW.picture, axis=(0, 1))
    cloth = np.clip(np.tile(folds, (HEIGHT, 1, 1)), 0, 255).astype(np.uint8)
    assert 0.5 < (unusual(cloth) > 1).mean() < 0.9
    told, _ = watch(12, lambda at_s, seed: cloth if 4 <= at_s < 10 else seen(seed=seed), live=True)
    assert [one.name for one in events(told, "camera")] == ["covered picture"]


def test_what_passes_before_the_camera_for_a_moment_is_no_move():
    elsewhere = cv2.resize(photo("flower.jpg"), (WIDTH, HEIGHT)).astype(np.uint8)
    told, camera = watch(
        10, lambda at_s, seed: elsewhere if 4 <= at_s < 6 else seen(seed=seed), live=True
    )
    assert (told, camera.gaps) == ([], [])


def test_a_camera_that_was_turned_by_hand_is_laid_back_and_finds_things():
    def shows(at_s: float, seed: int) -> Pixels:
        if at_s < 3:
            return seen(seed=seed)
        image = seen(10, 4, degrees=4, zoom=1.05, seed=seed)
        return with_thing(image) if 8 <= at_s < 12 else image

    told, camera = watch(16, shows)
    assert [event.name for event in events(told, "camera")] == ["camera moved"]
    (thing,) = events(told, "object")
    assert thing.box.iou(THING) > 0.6
    assert camera.gaps == []


def test_where_things_are_followed_is_on_the_view_also_of_a_camera_that_was_moved():
    camera, where = Camera((HEIGHT, WIDTH), live=False, view=VIEW), {}
    for number in range(7 * FPS):
        at_s, moved = number / FPS, (-20, 8) if number >= 4 * FPS else (0, 0)
        image = seen(*moved, seed=number + 10)
        shown = with_thing(image, *moved) if at_s >= 2 else image
        frames = camera.admit([a_frame(at_s, shown)])
        camera.follow(frames, np.stack([unusual(frame.image) for frame in frames]))
        (where[at_s],) = camera.where
    assert where[1.0] == []
    # From its first frame on, long before it is told.
    for at_s in (2.0, 3.0, 6.0, 6.8):
        assert any(box.iou(THING) > 0.7 for box in where[at_s])
