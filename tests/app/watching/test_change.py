"""What went is told from what came, by a real detector in footage with both."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.events.event import Event, Finding
from app.simulator.simulation import Simulation
from app.simulator.things import lying, removed
from app.simulator.views import scene
from app.watching.camera import Camera
from app.watching.change import LEAST_STILL, Looks
from app.watching.naming import tell
from detectors.build import build_detector
from detectors.configs import PadimConfig
from detectors.learned import LearnedView
from detectors.signatures import LENGTH
from detectors.types import Box, Frame
from tests.app.builders import BrightnessNames, a_frame
from tests.detectors.views import normal_views

SIZE = (240, 320)
WENT, CAME = (0.3, 0.75), (0.7, 0.7)
LEARN_S, FPS = 12.0, 5.0


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    """The events of a yard in which a cup goes and, elsewhere, a helmet comes."""
    things = (
        removed(lying("cup", 0.2, WENT, 0.0), LEARN_S + 1),
        lying("helmet", 0.2, CAME, LEARN_S + 1),
    )
    day = Simulation(scene("yard", SIZE), 3, LEARN_S + 4, things)
    learned = round(LEARN_S * FPS)
    config = PadimConfig(passes=60, held_out_passes=30, longer_side=320)
    detector = build_detector(config, torch.device("cpu"))
    detector.fit([shot.image for shot in day.shots(0, learned, 3)])
    camera = Camera(SIZE, live=False, view=detector.view)
    frames = [
        Frame("yard", index, shot.time_s, round(1e6 * shot.time_s), shot.image)
        for index, shot in enumerate(day.shots(learned))
    ]
    admitted = camera.admit(frames)
    camera.follow(admitted, detector.detect([frame.image for frame in admitted]).maps)
    camera.finish()
    return tell(BrightnessNames(), [camera])[0]


def event_at(found: list[Finding], middle: tuple[float, float]) -> Finding:
    x, y = middle[0] * SIZE[1], middle[1] * SIZE[0]
    (one,) = [
        one
        for one in found
        if one.event.box.overlap(Box(x - 5, y - 5, x + 5, y + 5)) > 0 and one.event.kind == "object"
    ]
    return one


def test_what_went_is_missing_and_what_came_has_arrived(found: list[Finding]):
    went, came = event_at(found, WENT), event_at(found, CAME)
    assert (went.event.change, came.event.change) == ("missing", "arrived")
    assert went.event.headline.startswith("missing: ")
    assert not came.event.headline.startswith("missing")


def test_what_went_is_named_and_known_again_by_the_learned_picture(found: list[Finding]):
    went = event_at(found, WENT)
    assert went.picture is not None
    assert len(went.picture.before) == len(went.picture.crops) == 2
    now, before = (np.mean(one[0]) for one in (went.picture.crops, went.picture.before))
    assert abs(now - before) > 10
    # The vector tells how bright the crop was that it is named by.
    assert went.vector is not None
    named = np.degrees(np.arctan2(went.vector[1], went.vector[0])) / 90 * 255
    assert abs(named - before) < abs(named - now)
    assert went.signature is not None
    assert went.signature.shape == (LENGTH,)


def test_looks_go_on_where_they_were_kept():
    view = LearnedView.of(normal_views(3, seed=1))
    looks, box = Looks(), Box(100, 60, 140, 100)
    for number in range(4):
        image = normal_views(1, seed=number)[0].copy()
        image[62:98, 102:138] = 250
        looks.look(view, replace(a_frame(number / 5), image=image), box, box)
    again = Looks.restored(looks.state())
    assert len(again.now) > LEAST_STILL
    assert again.state() == looks.state()
    assert (again.change, Looks.restored({}).change) == (looks.change, "arrived")
    for change in ("arrived", "missing"):
        before, after = looks.signature(change), again.signature(change)
        assert before is not None
        assert after is not None
        np.testing.assert_array_equal(before, after)
    assert Looks().signature("arrived") is None
    damaged = looks.state() | {"looked": looks.state()["looked"][:16]}
    with pytest.raises(ValueError, match=r"signatures of .* numbers"):
        Looks.restored(damaged)
    with pytest.raises(ValueError, match="another version"):
        Looks.restored({"before": [], "sums": ""})


def test_a_thing_looks_as_it_did_where_most_of_it_was_seen():
    view, looks, kept = LearnedView.of(normal_views(3, seed=1)), Looks(), []
    for number, wide in enumerate((12, 40, 20)):
        image = normal_views(1, seed=number)[0].copy()
        image[62:98, 102 : 102 + wide] = 250
        looks.look(view, replace(a_frame(number / 5), image=image), Box(100, 60, 144, 100), None)
        kept.append(looks.signature("arrived"))
    part, whole, at_last = kept
    assert not np.array_equal(part, whole)
    np.testing.assert_array_equal(whole, at_last)


def test_an_event_says_first_what_happened():
    event = Event("e", "hall", "closed", 0, 1, 0, 1, Box(0, 0, 1, 1), (2, 2), 2.0, 5)
    sure = replace(event, candidates=(("ladder", 0.9),), change="missing")
    assert (sure.headline, sure.sure) == ("missing: ladder", True)
    assert replace(sure, change="arrived").headline == "ladder"
    assert replace(event, change="changed").headline == "changed: something unnamed"
