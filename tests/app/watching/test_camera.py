"""Frames and maps in, named events out."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.events.event import Finding, Picture
from app.watching.best import KEPT, BestPictures
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.namer import Names, Words, vote
from app.watching.naming import tell
from detectors.tracks import TrackRule
from detectors.types import Box, Frame
from detectors.zones import Zones
from novic.vocabulary import Naming, NounScore
from tests.app.builders import (
    SIZE,
    BrightnessNames,
    a_detection,
    a_frame,
    a_map,
    brightness_naming,
)
from tests.app.events.findings import picture_of

LEFT = Zones(exclude=(((0, 0), (0.6, 0), (0.6, 1), (0, 1)),))
SPOT = (4, 4, 4)


def bright_frame(pts_s: float, camera: str = "hall") -> Frame:
    image = np.full((*SIZE, 3), 90, np.uint8)
    image[20:40, 20:40] = 250
    return a_frame(pts_s, image, camera)


def follow(camera: Camera, frame: Frame, heat: np.ndarray) -> float:
    """Take one frame with its map; returns its peak."""
    (peak,) = camera.follow([frame], heat[None])
    return float(peak)


def findings(camera: Camera, names: Names) -> list[Finding]:
    return tell(names, [camera])[0]


def play(
    camera: Camera, seconds: float, names: Names | None = None, start_s: float = 0
) -> list[Finding]:
    """A second of nothing, then a bright thing, then three seconds of nothing, at 5 frames/s."""
    told = []
    for number in range(round((seconds + 4) * 5)):
        pts_s = start_s + number / 5
        there = start_s + 1 <= pts_s < start_s + 1 + seconds
        follow(camera, bright_frame(pts_s) if there else a_frame(pts_s), a_map(*[SPOT] * there))
        told += findings(camera, names or BrightnessNames())
    return told


def ended(camera: Camera) -> list[Finding]:
    camera.flush()
    return findings(camera, BrightnessNames())


def test_of_a_recording_an_event_is_told_when_it_has_ended():
    camera = Camera(SIZE, live=False, settings=CameraSettings(video="a.mp4"))
    assert play(camera, 3) == []
    (finding,) = ended(camera)
    event = finding.event
    assert (event.state, event.noun, event.video, event.cut) == ("closed", "lamp", "a.mp4", False)
    assert event.p == pytest.approx(0.8)
    assert event.box == Box(20, 20, 40, 40)
    assert (event.start_s, event.end_s) == (1, 3.8)
    assert (event.start_us, event.end_us) == (2_000_000, 4_800_000)
    assert event.frame_size == SIZE
    assert event.snapshot_s == picture_of(finding).pts_s
    assert len(finding.path) == event.frames == 15
    assert finding.vector is not None
    best = max(picture_of(finding).crops, key=lambda crop: crop.mean())
    assert finding.vector.tolist() == brightness_naming(best).vector.tolist()


def test_of_a_recording_what_lasts_is_told_once_it_is_asked_for():
    names, camera = BrightnessNames(), Camera(SIZE, live=False)
    told: list[Finding] = []
    for number in range(40):
        there = number < 20
        follow(camera, bright_frame(number / 5), a_map(*[SPOT] * there))
        if number in (0, 9, 12):
            camera.flush()
        told += findings(camera, names)
    camera.finish()
    told += findings(camera, names)
    assert [(one.event.state, one.event.end_s) for one in told] == [
        ("opened", 1.8),
        ("closed", 3.8),
    ]
    assert len({one.event.id for one in told}) == 1
    # Of what lasts one picture is named, tight and with context; no picture is named twice.
    assert names.batches[0] == 2
    assert sum(names.batches) <= 2 * (KEPT + 1)


def test_an_event_tells_how_unexpected_its_noun_is():
    camera = Camera(SIZE, live=False, settings=CameraSettings(words=Words({"lamp": 6.5}.get)))
    play(camera, 3)
    (finding,) = ended(camera)
    assert finding.event.surprise_bits == 6.5


def test_live_it_opens_is_named_anew_with_all_its_pictures_and_closes():
    names = BrightnessNames()
    told = play(Camera(SIZE, live=True), 6, names)
    assert [finding.event.state for finding in told] == ["opened", "updated", "closed"]
    assert len({finding.event.id for finding in told}) == 1
    assert all(finding.event.noun == "lamp" for finding in told)
    # Every picture is named once, tight and with context.
    assert sum(names.batches) == 2 * KEPT


def test_live_a_batch_may_hold_a_whole_event():
    names, camera = BrightnessNames(), Camera(SIZE, live=True)
    there = [1 <= number / 5 < 4 for number in range(40)]
    frames = [bright_frame(n / 5) if bright else a_frame(n / 5) for n, bright in enumerate(there)]
    camera.follow(frames, np.stack([a_map(*[SPOT] * bright) for bright in there]))
    told = findings(camera, names)
    assert [finding.event.state for finding in told] == ["opened", "closed"]
    assert names.batches == [2 * KEPT]


def test_the_same_frames_give_the_same_id():
    ids = set()
    for _ in range(2):
        camera = Camera(SIZE, live=False)
        play(camera, 3)
        ids |= {finding.event.id for finding in ended(camera)}
    assert len(ids) == 1


def test_what_is_still_there_when_a_run_stops_is_marked_as_cut():
    camera = Camera(SIZE, live=False)
    play(camera, 3)
    for number in range(10):
        follow(camera, bright_frame(9 + number / 5), a_map(SPOT))
    camera.finish(cut=True)
    assert [finding.event.cut for finding in findings(camera, BrightnessNames())] == [False, True]


def test_a_rule_says_when_tracks_open():
    camera = Camera(SIZE, live=False, settings=CameraSettings(rule=TrackRule(open_score=3.5)))
    play(camera, 3)
    assert ended(camera) == []


def test_a_zone_that_is_not_watched_has_neither_events_nor_peaks():
    camera = Camera(SIZE, live=False, settings=CameraSettings(zones=LEFT))
    assert follow(camera, bright_frame(0), a_map(SPOT)) == pytest.approx(0.3)
    play(camera, 3, start_s=1)
    assert ended(camera) == []
    nothing = Zones(exclude=(((0, 0), (1, 0), (1, 1), (0, 1)),))
    assert (
        follow(
            Camera(SIZE, live=False, settings=CameraSettings(zones=nothing)),
            bright_frame(0),
            a_map(SPOT),
        )
        == 0
    )


def test_what_backs_an_event_shows_nothing_of_a_zone_that_is_not_watched():
    camera = Camera(SIZE, live=True, settings=CameraSettings(zones=LEFT))
    for number in range(5):
        follow(camera, bright_frame(number / 5), a_map(SPOT, (12, 4, 4)))
    (finding,) = findings(camera, BrightnessNames())
    heat = picture_of(finding).heat
    assert (heat[:, :9].max(), heat[:, 10:].max()) == (0, 3)


def test_many_ended_tracks_are_named_in_one_batch():
    names, camera = BrightnessNames(), Camera(SIZE, live=False)
    told = [finding for n in range(10) for finding in play(camera, 3, names, start_s=10 * n)]
    camera.finish()
    told += findings(camera, names)
    assert len(told) == 10
    assert len(names.batches) < 5


def test_what_two_cameras_want_named_is_named_in_one_batch():
    names = BrightnessNames()
    cameras = [Camera(SIZE, live=True) for _ in "ab"]
    for number in range(5):
        follow(cameras[0], bright_frame(number / 5, "gate"), a_map(SPOT))
        follow(cameras[1], a_frame(number / 5), a_map((0, 0, 4)))
    (gate,), (hall,) = tell(names, cameras)
    # Each camera's thing opened on two pictures, which are named by two crops.
    assert names.batches == [2 * (2 + 2)]
    assert (gate.event.camera, gate.event.noun) == ("gate", "lamp")
    assert (hall.event.camera, hall.event.noun) == ("hall", "shadow")
    assert [camera.due for camera in cameras] == [0, 0]


def a_picture(quality: float) -> Picture:
    evidence = BestPictures()
    evidence.offer(a_frame(), a_detection(score=quality), a_map())
    return evidence.pictures[0]


def a_naming(nouns: dict[str, float], vector: Sequence[float] = (1, 0)) -> Naming:
    scores = tuple(NounScore(noun, p) for noun, p in nouns.items())
    return Naming(scores, np.array(vector, np.float32), rest=max(0.0, 1 - sum(nouns.values())))


def test_a_vote_adds_up_probability_and_weighs_views():
    def best(clear: float, cut_off: float) -> tuple[str, float]:
        two = a_naming({"cat": 0.6, "dog": 0.2}), a_naming({"dog": 0.9})
        named = {a_picture(clear): [two[0]], a_picture(cut_off): [two[1]]}
        return vote(named).candidates[0]

    assert best(3, 1) == ("cat", pytest.approx(0.45))
    assert best(1, 3) == ("dog", pytest.approx(0.725))


def test_a_vote_keeps_the_vector_of_the_crop_that_says_the_winner_most_surely():
    doubting, sure = a_naming({"cat": 0.6, "dog": 0.2}, (0, 1)), a_naming({"cat": 0.9}, (1, 0))
    elected = vote({a_picture(3): [doubting, sure, a_naming({"dog": 0.95}, (0.6, 0.8))]})
    assert elected.noun == "cat"
    assert elected.vector is sure.vector


def test_crops_without_any_noun_elect_none():
    elected = vote({a_picture(3): [a_naming({})]})
    assert (elected.candidates, elected.noun, elected.vector) == ((), "", None)


def test_how_far_open_events_have_come_is_known_from_their_opening_to_their_end():
    camera = Camera(SIZE, live=True)
    told: list[Finding] = []
    for number in range(30):
        pts_s = number / 5
        follow(camera, bright_frame(pts_s), a_map(*[SPOT] * (number < 15)))
        told += findings(camera, BrightnessNames())
        opened = [one.event for one in told if one.event.state == "opened"]
        closed = [one.event for one in told if one.event.state == "closed"]
        assert [one.id for one in camera.lasting] == [one.id for one in opened[len(closed) :]]
        if opened and number < 15:
            (lasting,) = camera.lasting
            assert (lasting.end_s, lasting.frames) == (pts_s, number + 1)
    event = told[-1].event
    assert event.state == "closed"
    assert (event.end_s, event.end_us, event.frames) == (2.8, 3_800_000, 15)
