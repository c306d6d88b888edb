"""Faults of a camera's own picture: events without nouns, blind time, and nothing found in them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.events.event import Event
from app.events.store import SourceProgress, Store
from app.watching.camera import Camera
from app.watching.gate import FORCED_S, MotionGate
from app.watching.lookout import Lookout
from app.watching.naming import AtOnce, tell
from app.watching.recorder import Recorder
from detectors.base import AnomalyMaps
from detectors.types import Box, Pixels
from tests.app.builders import BrightnessNames, a_frame
from tests.app.watching.test_colour import grey
from tests.app.watching.test_faults import SIZE, a_scene, filled, with_noise

FPS = 5
BLACK, GREY, GREEN = filled(0, 0, 0), filled(128, 128, 128), filled(0, 135, 0)
THING = Box(200, 100, 280, 160)

type Shows = Callable[[float], Pixels]


class SceneDetector:
    """Finds unusual what differs from the scene, in cells of 20 pixels."""

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        usual = in_cells(a_scene())
        maps = np.stack([np.abs(in_cells(frame) - usual).mean(axis=2) / 10 for frame in frames])
        maps = maps.astype(np.float32)
        return AnomalyMaps(maps, maps.max(axis=(1, 2)))


def in_cells(image: Pixels) -> NDArray[np.float32]:
    cells = image.reshape(SIZE[0] // 20, 20, SIZE[1] // 20, 20, 3)
    return cells.mean(axis=(1, 3)).astype(np.float32)


def live_view(at_s: float, thing: bool = False) -> Pixels:
    """The scene with new noise, and perhaps something in it."""
    image = a_scene()
    if thing:
        image[100:160, 200:280] = (0, 0, 60)
    return with_noise(image, 2, round(at_s * FPS))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def watch(
    store: Store,
    seconds: float,
    shows: Shows,
    *,
    live: bool = False,
    gate: MotionGate | None = None,
) -> list[Event]:
    """All that is told of a camera, in order."""
    source = SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0)
    recorder = Recorder(store, store.begin_run("audit", {}).id, source)
    camera, names = Camera(SIZE, live=live), AtOnce(BrightnessNames())
    lookout = Lookout(camera, SceneDetector(), names, recorder, gate)
    told = []
    for number in range(round(seconds * FPS)):
        lookout.look([a_frame(number / FPS, shows(number / FPS))])
        findings = lookout.findings()
        lookout.save(findings)
        told += [finding.event for finding in findings]
    findings = lookout.finish()
    lookout.save(findings)
    return told + [finding.event for finding in findings]


def spans(events: Sequence[Event]) -> list[tuple[str, float, float]]:
    return [(event.name or event.noun, event.start_s, event.end_s) for event in events]


def gaps(store: Store) -> list[tuple[str, float, float]]:
    """Blind times in seconds from the first frame, which `a_frame` puts at a second past 1970."""
    return [
        (gap["reason"], gap["start_us"] / 1e6 - 1, gap["end_us"] / 1e6 - 1) for gap in store.gaps(1)
    ]


def damaged(at_s: float) -> Pixels:
    image = live_view(at_s)
    image[128:] = 128
    return image


@pytest.mark.parametrize(
    ("shows", "name", "reason"),
    [
        (lambda _: BLACK, "black picture", "black"),
        (lambda _: GREY, "grey picture", "grey"),
        (lambda _: GREEN, "green picture", "green"),
        (damaged, "damaged picture", "damaged"),
    ],
)
def test_a_lost_picture_is_told_as_the_cameras_and_is_blind_time(
    store: Store, shows: Shows, name: str, reason: str
):
    told = watch(store, 8, lambda at_s: shows(at_s) if 3 <= at_s < 4.4 else live_view(at_s))
    assert spans(told) == [(name, 3.0, 4.2)]
    (event,) = store.events(1)
    assert (event.kind, event.noun, event.candidates, event.frames) == ("camera", "", (), 7)
    assert (event.state, event.cut) == ("closed", False)
    assert gaps(store) == [(reason, 3.0, pytest.approx(4.4))]
    # What was not seen does not count as looked at, nor as calm.
    assert store.sources(1)[0].frames == 8 * FPS - 7
    watched = watch_seconds(store)
    assert 2 in watched
    assert watched == sorted(watched)


def watch_seconds(store: Store) -> list[int]:
    return [second for second, _ in store.seconds(1, "a.mp4")]


def test_a_second_of_which_nothing_was_seen_is_not_on_the_timeline(store: Store):
    watch(store, 6, lambda at_s: BLACK if 2 <= at_s < 4 else live_view(at_s))
    assert watch_seconds(store) == [0, 1, 4, 5]


def test_live_it_is_told_while_it_lasts(store: Store):
    told = watch(store, 6, lambda at_s: GREY if 2 <= at_s < 4 else live_view(at_s), live=True)
    assert [(one.state, one.start_s) for one in told] == [("opened", 2.0), ("closed", 2.0)]
    assert len({one.id for one in told}) == 1


def test_a_single_lost_frame_is_neither_told_nor_looked_at(store: Store):
    assert watch(store, 5, lambda at_s: BLACK if at_s == 2 else live_view(at_s)) == []
    assert (gaps(store), store.sources(1)[0].frames) == ([], 5 * FPS - 1)


def test_one_fault_after_the_other_are_two(store: Store):
    def shows(at_s: float) -> Pixels:
        return BLACK if 2 <= at_s < 3 else GREEN if 3 <= at_s < 4 else live_view(at_s)

    assert spans(watch(store, 6, shows)) == [
        ("black picture", 2.0, 2.8),
        ("green picture", 3.0, 3.8),
    ]


@pytest.mark.parametrize("live", [False, True])
def test_a_frozen_picture_is_blind_from_its_first_frame_on(store: Store, live: bool):
    told = watch(
        store, 24, lambda at_s: live_view(4) if 4 <= at_s < 20 else live_view(at_s), live=live
    )
    closed = [one for one in told if one.state == "closed"]
    assert spans(closed) == [("frozen picture", 4.0, pytest.approx(19.8))]
    assert gaps(store) == [("frozen", 4.0, pytest.approx(20.0))]
    assert closed[0].frames == 80


def test_what_stands_there_when_the_picture_is_back_is_told(store: Store):
    def shows(at_s: float) -> Pixels:
        if 2 <= at_s < 5:
            return BLACK
        return live_view(at_s, thing=at_s >= 4)

    black, thing = watch(store, 12, shows)
    assert spans([black]) == [("black picture", 2.0, pytest.approx(4.8))]
    assert (thing.kind, thing.start_s) == ("object", pytest.approx(5.0))
    assert thing.box.iou(THING) > 0.5


def test_a_thing_is_the_same_before_and_after_a_short_loss(store: Store):
    told = watch(
        store, 12, lambda at_s: GREY if 5 <= at_s < 6 else live_view(at_s, thing=3 <= at_s < 9)
    )
    things = [one for one in told if one.kind == "object"]
    assert [(one.start_s, one.end_s) for one in things] == [(3.0, pytest.approx(8.8))]


@pytest.mark.parametrize("gated", [False, True])
def test_a_camera_without_colour_finds_what_comes_while_it_shows_none(store: Store, gated: bool):
    gate = MotionGate() if gated else None
    passed: list[int] = []

    def shows(at_s: float) -> Pixels:
        passed.append(gate.passed if gate else 0)
        image = live_view(at_s, thing=12 <= at_s < 16)
        if not 5 <= at_s < 19:
            return image
        # A gate gets used to more noise within minutes, not seconds.
        quiet = np.repeat(image.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
        return quiet if gated else grey(image, round(at_s * FPS))

    faded, thing = sorted(watch(store, 24, shows, gate=gate), key=lambda event: event.start_s)
    # A gate looks at the light alone, so that colour may come back unseen for so long.
    late_s = FORCED_S if gated else 0.0
    assert (faded.name, faded.start_s) == ("picture lost its colour", pytest.approx(5, abs=late_s))
    assert 18.7 < faded.end_s < 18.9 + late_s
    assert (thing.start_s, thing.end_s) == (12.0, pytest.approx(15.8))
    assert thing.box.iou(THING) > 0.5
    # It can still be looked at.
    assert gaps(store) == []
    assert store.sources(1)[0].frames == 24 * FPS
    # A night is as quiet as a day: most of its frames show nothing new.
    assert (passed[12 * FPS] - passed[7 * FPS] > 15) == gated


def test_what_the_run_leaves_open_is_cut(store: Store):
    camera = Camera(SIZE, live=False)
    for number in range(3 * FPS):
        image = BLACK if number > FPS else live_view(number / FPS)
        camera.follow([a_frame(number / FPS, image)], SceneDetector().detect([image]).maps)
    camera.finish(cut=True)
    ((finding,),) = tell(BrightnessNames(), [camera])
    assert (finding.event.name, finding.event.state, finding.event.cut) == (
        "black picture",
        "closed",
        True,
    )
    assert [gap.end_us for gap in camera.gaps] == [None]


def test_who_looks_on_sees_each_blind_time_begin_and_end():
    camera = Camera(SIZE, live=True)
    (_, unseen), seen = camera.unseen, []
    for number in range(20):
        image = BLACK if 5 <= number < 12 else live_view(number / FPS)
        camera.follow([a_frame(number / FPS, image)], SceneDetector().detect([image]).maps)
        seen.append([gap.end_us for gap in unseen])
    assert (seen[4], seen[11], seen[12]) == ([], [None], [3_400_000])


def test_how_far_a_fault_has_come_is_kept_while_it_lasts():
    camera = Camera(SIZE, live=True)
    for number in range(20):
        image = BLACK if number >= 5 else live_view(number / FPS)
        camera.follow([a_frame(number / FPS, image)], SceneDetector().detect([image]).maps)
    (lasting,) = camera.lasting
    assert (lasting.end_s, lasting.frames) == (3.8, 15)


def test_a_view_that_was_learned_to_be_black_is_normal(store: Store):
    class NothingUnusual:
        def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
            maps = np.full((len(frames), 12, 16), 0.5, np.float32)
            return AnomalyMaps(maps, maps.max(axis=(1, 2)))

    source = SourceProgress("hall", "a.mp4", SIZE, 0.0, 0.0)
    recorder = Recorder(store, store.begin_run("audit", {}).id, source)
    lookout = Lookout(
        Camera(SIZE, live=False), NothingUnusual(), AtOnce(BrightnessNames()), recorder
    )
    for number in range(20):
        black = with_noise(BLACK, 3, number)
        lookout.look([a_frame(number / FPS, black)])
    assert (lookout.finish(), lookout.recorder.source.frames) == ([], 20)
