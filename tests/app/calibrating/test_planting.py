"""Cut-outs put into a small view, and what the product tells of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.calibrating.planting import (
    APART,
    Pace,
    Planting,
    Window,
    blind_map,
    pictured,
    scenes,
    sown,
    zone_of,
)
from app.simulator.scene import Layer
from app.watching.camera_settings import CameraSettings
from detectors.base import AnomalyMaps, Detector
from detectors.types import Pixels
from detectors.zones import Zones

HOW = Planting(grid=(2, 2), sizes=(0.12, 0.2), nouns=("bottle", "cup", "helmet"))
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def test_each_size_is_put_into_each_zone_once_and_apart(moment: Window):
    all_of = [*scenes(moment, HOW, 3)]
    put = sorted((one.size, one.zone) for scene in all_of for one in scene)
    assert put == [(size, zone) for size in HOW.sizes for zone in range(4)]
    height, width = moment.frames[0].image.shape[:2]
    for scene in all_of:
        for at, one in enumerate(scene):
            middle = (one.box.x1 + one.box.x2) / 2 / width, (one.box.y1 + one.box.y2) / 2 / height
            assert zone_of(*middle, HOW.grid) == one.zone
            assert all(one.box.gap(other.box) >= APART * width for other in scene[:at])
            assert 0 <= one.box.x1 < one.box.x2 <= width
            assert 0 <= one.box.y1 < one.box.y2 <= height


def test_thin_things_are_put_there_last_and_counted_apart(knows: Detector, moment: Window):
    how = replace(HOW, nouns=("cup", "tripod"))
    *solid, thin = scenes(moment, how, 3)
    assert {one.noun for scene in solid for one in scene} == {"cup"}
    assert sum(map(len, solid)) == 8
    assert {(one.noun, one.size) for one in thin} == {("tripod", HOW.sizes[3 % 2])}
    done = blind_map(knows, [moment], replace(how, sizes=(0.2,)))
    assert done.share().of == 4
    assert 1 <= done.thin().of <= 4
    assert done.thin(0.2) == done.thin()
    assert done.thin(0.12).of == 0


def test_what_is_put_into_the_dark_is_dark_and_what_is_put_into_a_blur_is_soft(moment: Window):
    picture = moment.frames[0].image
    half = picture.shape[1] // 2
    dark, soft = picture.copy(), picture.copy()
    dark[:, half:] = dark[:, half:] // 16
    soft[:, half:] = cv2.GaussianBlur(picture, (0, 0), 1.0)[:, half:]
    how = replace(HOW, grid=(1, 4), sizes=(0.1,), nouns=("cup",))
    for other, tells in ((dark, brightest), (soft, steepest)):
        as_was, changed = (by_zone(seen(moment, one), how, tells) for one in (picture, other))
        assert changed[0] == pytest.approx(as_was[0], rel=0.3)
        assert changed[-1] < 0.7 * as_was[-1]


def test_beside_a_light_part_things_in_the_dark_are_dark(moment: Window):
    picture = moment.frames[0].image.copy()
    half = picture.shape[1] // 2
    picture[:, half:] = picture[:, half:] // 16
    how = replace(HOW, grid=(1, 8), sizes=(0.05,), nouns=("cup",))
    there = seen(moment, picture)
    put = [one for seed in range(6) for scene in scenes(there, how, seed) for one in scene]
    beside = [one.layer for one in put if half <= one.box.x1 < half + picture.shape[1] / 16]
    light = [one.layer for one in put if one.box.x2 < half]
    assert beside
    assert max(map(brightest, beside)) < 20
    assert min(map(brightest, light)) > 40


def seen(moment: Window, picture: Pixels) -> Window:
    first = replace(moment.frames[0], image=picture)
    return replace(moment, frames=(first, *moment.frames[1:]))


def by_zone(moment: Window, how: Planting, tells: Callable[[Layer], float]) -> list[float]:
    put = [one for scene in scenes(moment, how, 3) for one in scene]
    return [tells(one.layer) for one in sorted(put, key=lambda one: one.zone)]


def brightest(layer: Layer) -> float:
    return float(layer.colour.max())


def steepest(layer: Layer) -> float:
    return float(np.abs(np.diff(layer.through[..., 0], axis=1)).max())


def test_the_same_seed_puts_the_same_there(moment: Window):
    first, second = ([one.box for one in next(scenes(moment, HOW, 3))] for _ in range(2))
    assert first == second
    assert first != [one.box for one in next(scenes(moment, HOW, 4))]


def test_what_stands_out_is_found_and_footage_stays_as_it_was(knows: Detector, moment: Window):
    before = [frame.image.copy() for frame in moment.frames]
    done = blind_map(knows, [moment], HOW)
    assert done.share().of == 8
    assert done.share(size=0.2).value >= 0.75
    assert done.hours == [9]
    assert all(
        np.array_equal(old, frame.image) for old, frame in zip(before, moment.frames, strict=True)
    )


def test_at_a_faster_pace_the_same_is_found(knows: Detector, moment: Window):
    pace = Pace.of(0.05)
    times = [moment.frames[0].pts_s + 0.05 * at for at in range(pace.frames)]
    fast = [
        replace(moment.frames[at // 4], pts_s=time_s, time_us=round(1e6 * time_s))
        for at, time_s in enumerate(times)
    ]
    how = replace(HOW, sizes=(0.2,), grid=(1, 2))
    done = blind_map(knows, [Window(tuple(fast), 9, pace.before)], how)
    assert (done.share().found, done.share().of) == (2, 2)


def test_a_part_that_is_not_watched_is_told_as_blind(knows: Detector, moment: Window):
    settings = CameraSettings(zones=Zones(exclude=(LEFT,)))
    how = replace(HOW, settings=settings, sizes=(0.12,), grid=(1, 2))
    done = blind_map(knows, [moment] * 5, how)
    # What lies across the border may be seen by its right half.
    assert [done.blind(zone) for zone in done.zones] == [True, False]


def test_a_part_that_sees_little_is_told_as_blind(knows: Detector, moment: Window):
    height, width = knows.detect([moment.frames[0].image]).maps.shape[1:]
    film = np.ones((height, width), np.float32)
    film[:, width // 2 :] = 50.0
    how = replace(HOW, sizes=(0.12,), grid=(1, 2))
    done = blind_map(knows.with_tolerance(film), [moment] * 5, how)
    assert [done.blind(zone) for zone in done.zones] == [False, True]


def test_what_can_hardly_be_seen_is_missed(knows: Detector, moment: Window):
    scene = next(scenes(moment, replace(HOW, sizes=(0.2,)), 3))
    faded = [replace(one, layer=one.layer.faded(0.01)) for one in scene]
    clear = sown(knows, moment, scene, HOW.settings)
    assert any(one.planted.found for one in clear)
    assert all(one.pictures for one in clear if one.planted.found)
    assert not any(one.planted.found for one in sown(knows, moment, faded, HOW.settings))


def test_several_at_once_change_nothing(knows: Detector, moment: Window):
    for scene in scenes(moment, HOW, 8):
        together = [one.planted for one in sown(knows, moment, scene, HOW.settings)]
        alone = [sown(knows, moment, [one], HOW.settings)[0].planted for one in scene]
        assert together == alone


def test_few_of_the_things_keep_their_pictures(knows: Detector, moment: Window):
    things = sown(knows, moment, next(scenes(moment, replace(HOW, sizes=(0.2,)), 3)), HOW.settings)
    found = sum(one.planted.found for one in things)
    assert found >= 2
    assert [sum(bool(one.pictures) for one in pictured(things, n)) for n in (1, 2, 50)] == [
        1,
        2,
        found,
    ]
    assert [one.planted for one in pictured(things, 1)] == [one.planted for one in things]
    assert pictured([], 3) == []


class Noting:
    """A detector that remembers what it was shown."""

    def __init__(self, knows: Detector) -> None:
        self._knows = knows
        self.view = knows.view
        self.shown: list[Pixels] = []

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        self.shown += frames
        return self._knows.detect(frames)


def test_a_codec_changes_what_is_left_of_a_faint_thing_and_nothing_around_it(
    knows: Detector, moment: Window
):
    scene = next(scenes(moment, replace(HOW, sizes=(0.2,)), 3))[:1]
    faint = [replace(one, layer=one.layer.faded(0.15)) for one in scene]
    noting = Noting(knows)
    sown(noting, moment, faint, HOW.settings)
    before = moment.frames[moment.before].image
    plain = before.copy()
    faint[0].layer.over(plain)
    shown = noting.shown[moment.before]
    assert np.array_equal(noting.shown[0], moment.frames[0].image)
    own = (plain != before).any(axis=2)
    assert np.array_equal(shown[~own], before[~own])
    changed = (shown != plain).any(axis=2)
    assert changed[own].mean() > 0.5
