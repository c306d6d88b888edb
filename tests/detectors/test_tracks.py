from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from detectors.track import MOST_SIGHTINGS, Track
from detectors.tracks import Tracker, TrackRule
from detectors.types import Box, Detection
from tests.app.builders import a_detection, a_frame

FPS = 5


def run(marks: str, fps: float = FPS, score: float = 2.0) -> list[tuple[str, int]]:
    """Feed one frame per mark; list what opened and closed at which frame.

    `x` stands for a detection, `?` for one that may be of light.
    """
    tracker, told = Tracker(TrackRule()), []
    for number, mark in enumerate(marks):
        found = [] if mark == "." else [replace(a_detection(score=score), doubted=mark == "?")]
        changes = tracker.update(a_frame(number / fps), found)
        told += [("opened", number) for _ in changes.opened]
        told += [("closed", number) for _ in changes.closed]
    return told + [("closed at the end", len(marks)) for _ in tracker.finish().closed]


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        pytest.param("..x..x..x..x", [], id="one of three never opens"),
        pytest.param("xx........", [], id="two in a row never open"),
        pytest.param("xxx", [("opened", 2), ("closed at the end", 3)], id="three in a row open"),
        pytest.param("x.x.x", [("opened", 4), ("closed at the end", 5)], id="three of five open"),
        pytest.param(
            "xxx" + "." * 12, [("opened", 2), ("closed", 12)], id="closes 2 s after the last hit"
        ),
        pytest.param(
            "xxx" + "." * 9 + "x" + "." * 9,
            [("opened", 2), ("closed at the end", 22)],
            id="one hit in time keeps it open",
        ),
        pytest.param(
            "?" * 8 + "." * 9, [], id="what may all be light is told no sooner than 1.5 s"
        ),
        pytest.param(
            "?" * 12, [("opened", 8), ("closed at the end", 12)], id="but it is told if it stays"
        ),
        pytest.param(
            "???x?", [("opened", 3), ("closed at the end", 5)], id="and at once if it shows itself"
        ),
    ],
)
def test_three_of_five_frames_open_and_two_seconds_close(marks: str, told: list):
    assert run(marks) == told


def test_at_25_frames_a_second_the_same_second_counts():
    assert run("x" * 14, fps=25) == []
    assert run("x" * 15, fps=25)[0] == ("opened", 14)


def test_one_frame_in_two_seconds_still_needs_three_hits():
    assert run("xx", fps=0.5) == []


def test_barely_unusual_never_opens_but_keeps_open():
    assert run("x" * 20, score=1.1) == []
    tracker = Tracker(TrackRule())
    for number in range(30):
        changes = tracker.update(a_frame(number / FPS), [a_detection(score=2 if number < 3 else 1)])
        assert not changes.closed
    assert len(tracker.finish().closed) == 1


def test_a_moving_thing_is_one_track():
    tracker = Tracker(TrackRule())
    opened = [
        track
        for number in range(20)
        for track in tracker.update(a_frame(number / FPS), [a_detection(x=10 + 8 * number)]).opened
    ]
    (track,) = tracker.finish().closed
    assert opened == [track]
    assert track.path[-1][1] == Box(162, 10, 182, 30)
    assert (track.start_s, track.end_s, track.frames) == (0, 19 / FPS, 20)
    assert track.end_us - track.start_us == 3_800_000


def test_two_things_are_two_tracks():
    tracker = Tracker(TrackRule())
    for number in range(5):
        tracker.update(a_frame(number / FPS), [a_detection(x=10), a_detection(x=100)])
    assert sorted(track.box.x1 for track in tracker.finish().closed) == [10, 100]


def test_a_part_of_an_open_track_is_no_track_of_its_own():
    whole, part = Detection(Box(0, 0, 60, 60), 3.0), Detection(Box(40, 40, 58, 58), 2.0)
    body = Detection(Box(0, 0, 35, 60), 3.0)
    tracker = Tracker(TrackRule())
    closed = []
    for number in range(20):
        found = [whole] if number % 3 == 0 else [body, part]
        closed += tracker.update(a_frame(number / FPS), found).closed
    assert len(closed + tracker.finish().closed) == 1


def test_the_memory_of_a_standing_thing_is_bounded():
    tracker = Tracker(TrackRule())
    for number in range(3 * MOST_SIGHTINGS):
        tracker.update(a_frame(number / FPS), [a_detection()])
    (track,) = tracker.finish().closed
    assert len(track.path) <= MOST_SIGHTINGS
    assert track.frames == 3 * MOST_SIGHTINGS
    times = [pts_s for pts_s, _, _ in track.path]
    assert times == sorted(times)
    assert times[0] == 0


def test_a_rule_takes_what_its_fields_allow_and_is_never_changed():
    rule = TrackRule.model_validate({"open_score": 2, "window_frames": 10})
    assert (rule.open_score, rule.window_frames, rule.same_iou) == (2.0, 10, 0.1)
    with pytest.raises(ValidationError, match="frozen"):
        rule.open_score = 3.0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"open_share": 0}, "open_share\n.*greater than 0"),
        ({"open_share": 1.2}, "open_share\n.*less than or equal to 1"),
        ({"window_frames": 2}, "window_frames\n.*greater than or equal to 3"),
        ({"open_score": 0.9}, "open_score\n.*greater than or equal to 1"),
        ({"close_after_s": float("inf")}, "close_after_s\n.*finite"),
        ({"same_iou": "much"}, "same_iou\n.*number"),
        ({"same_size": 1}, "same_size\n.*not permitted"),
    ],
    ids=str,
)
def test_an_impossible_rule_is_refused_by_name(settings: dict[str, object], reason: str):
    with pytest.raises(ValidationError, match=reason):
        TrackRule.model_validate(settings)


def follow(clip: Sequence[Sequence[Detection]], fps: float = FPS) -> tuple[Tracker, list[Track]]:
    """Feed one list of detections a frame; the tracker, and what opened."""
    tracker = Tracker(TrackRule())
    opened: list[Track] = []
    for number, found in enumerate(clip):
        opened += tracker.update(a_frame(number / fps), found).opened
    return tracker, opened


def a_box(x: float, y: float, width: float, height: float, score: float = 2.0) -> Detection:
    return Detection(Box(x, y, x + width, y + height), score)


def passing(width: float, widths: float, rng: np.random.Generator) -> list[list[Detection]]:
    """A thing that crosses 640 pixels by so many of its widths a frame, in boxes of whole cells."""
    clip: list[list[Detection]] = []
    x = -rng.uniform(0, width)
    while x < 640:
        left, right = max(0.0, x), min(640.0, x + width)
        top = 200 + rng.uniform(-4, 4) + 0.1 * x
        if right - left > width / 3:
            score = 2 * rng.uniform(0.8, 1.2)
            wide, high = right // 8 * 8 + 8 - left // 8 * 8, 1.2 * width + rng.uniform(-6, 6)
            clip.append([a_box(left // 8 * 8, top, wide, high, score)])
        x += widths * width
    return [[], [], *clip, *([] for _ in range(15))]


@pytest.mark.parametrize(
    ("share", "widths"),
    [*((share, widths) for share in (0.06, 0.12) for widths in (0.3, 0.6, 1.0, 1.5)), (0.06, 2.5)],
)
def test_a_fast_thing_is_one_event(share: float, widths: float):
    rng = np.random.default_rng(0)
    counts = [len(follow(passing(share * 640, widths, rng))[1]) for _ in range(20)]
    assert counts.count(1) >= 19
    assert max(counts) == 1


def test_a_fast_thing_that_comes_in_over_the_edge_opens_on_its_fourth_sighting():
    view = np.zeros((480, 640, 3), np.uint8)
    for first, opens in ((632, True), (532, False)):
        boxes = [
            a_box(first, 200, 8, 30, 1.1),
            *(a_box(first - x, 200, 40, 40, 3) for x in (72, 132, 192)),
        ]
        tracker, opened = Tracker(TrackRule()), []
        for number, box in enumerate(boxes):
            opened += tracker.update(a_frame(number / FPS, view), [box]).opened
        assert bool(opened) == opens


def test_a_fast_thing_that_one_frame_misses_is_one_event():
    clip = [[a_box(60 * number, 100, 40, 40)] for number in range(9)]
    for missed in (1, 4):
        _, opened = follow([[] if number == missed else found for number, found in enumerate(clip)])
        assert [track.start_s for track in opened] == [0.0]


def scattered(rate: float, frames: int, rng: np.random.Generator) -> list[list[Detection]]:
    """So many boxes a frame, anywhere in 640 x 480."""

    def anywhere() -> Detection:
        (x, y), (width, height) = rng.uniform(0, (600, 440)), rng.uniform(10, 40, 2)
        return a_box(x, y, width, height, 1 + rng.exponential(0.25))

    return [[anywhere() for _ in range(rng.poisson(rate))] for _ in range(frames)]


def test_scattered_noise_is_not_linked_into_events():
    assert follow(scattered(0.5, 3000, np.random.default_rng(0)))[1] == []


def test_what_leaps_opens_only_on_a_fourth_sighting_of_one_straight_way():
    ahead = [[a_box(60 * number, 100, 40, 40)] for number in range(4)]
    _, (track,) = follow(ahead)
    assert track.frames == 4
    assert follow(ahead[:3])[1] == []
    corners = [(0, 100), (60, 100), (60, 160), (120, 160), (120, 220)]
    assert follow([[a_box(x, y, 40, 40)] for x, y in corners])[1] == []
    slows = [[a_box(x, 100, 40, 40)] for x in (0, 100, 150, 160)]
    assert follow(slows)[1] == []
    grows = [[a_box(60 * number, 100, 12 * 2**number, 12 * 2**number)] for number in range(4)]
    assert follow(grows)[1] == []


@pytest.mark.parametrize(("sightings", "opens"), [(5, 0), (6, 1)])
def test_where_much_comes_to_nothing_what_leaps_opens_on_its_sixth_sighting(
    sightings: int, opens: int
):
    rain = scattered(4.0, 60, np.random.default_rng(0))
    quiet = follow(rain)[1]
    assert not any(track.leaps for track in quiet)
    through = [[a_box(60 * number, 100, 40, 40)] for number in range(sightings)]
    fast = [*rain[:50], *(a + b for a, b in zip(rain[50:], through, strict=False))]
    assert len(follow(fast)[1]) == len(quiet) + opens
    near = [[a_box(10 * number, 100, 40, 40)] for number in range(10)]
    slow = [*rain[:50], *(a + b for a, b in zip(rain[50:], near, strict=True))]
    assert len(follow(slow)[1]) == len(quiet) + 1


def blobs(*boxes: Box) -> list[Detection]:
    """Two things as a detector sees them: as one where they touch."""
    one, other = boxes
    gap = max(one.x1, other.x1) - min(one.x2, other.x2)
    if gap < 8:
        return [Detection(one.union(other), 2.5)]
    return [Detection(one, 2.5), Detection(other, 1.8)]


def meeting(ways: str) -> list[tuple[Box, Box]]:
    """Where two things are in 8 seconds: both `cross`, or one `stands`."""
    places = []
    for number in range(40):
        way = 14.0 * number
        right = {"cross": 560 - way, "stand": 290.0}[ways]
        places.append((Box(way, 100, way + 40, 190), Box(right, 110, right + 36, 180)))
    return places


@pytest.mark.parametrize("ways", ["cross", "stand"])
@pytest.mark.parametrize("fps", [5, 10])
def test_things_that_meet_keep_their_ids(ways: str, fps: float):
    places = [place for place in meeting(ways) for _ in range(round(fps / FPS))]
    tracker, opened = follow([blobs(*place) for place in places], fps)
    assert len(opened) == 2
    ends = {track: track.box for track in tracker.tracks}
    for number, box in enumerate(places[-1]):
        (track,) = [track for track in opened if track.path[0][1] == places[0][number]]
        assert ends[track] == box


def test_things_that_meet_and_turn_back_are_told_apart_by_their_looks():
    places = meeting("cross")[:20]
    places += places[::-1]
    tracker, opened = Tracker(TrackRule()), []
    for number, place in enumerate(places):
        image = np.full((480, 640, 3), 120, np.uint8)
        for box, colour in zip(place, ((200, 60, 60), (40, 40, 160)), strict=True):
            box.cut(image)[:] = colour
        opened += tracker.update(a_frame(number / FPS, image), blobs(*place)).opened
    assert len(opened) == 2
    for track, box in zip(
        sorted(opened, key=lambda one: one.path[0][1].x1), places[0], strict=True
    ):
        assert track.path[0][1] == track.box == box


def test_what_is_seen_of_two_in_pieces_while_they_pass_does_not_change_their_course():
    def apart(n: int) -> list[Detection]:
        return [a_box(-75 + 19 * n, 229, 60, 53), a_box(650 - 19 * n, 205, 60, 95)]

    pieces = [Detection(Box(290, 250, 352, 304), 3.6), Detection(Box(290, 206, 350, 247), 3.2)]
    clip = [apart(n) for n in range(17)] + [pieces] * 5
    _, opened = follow(clip)
    assert [round(track.velocity()[0]) for track in opened] == [95, -95]
    _, opened = follow([*clip, apart(22), apart(23)])
    assert [(track.path[0][1].height, track.box.height) for track in opened] == [(53, 53), (95, 95)]


def test_of_things_seen_as_one_each_keeps_its_part():
    tracker, opened = follow([blobs(*place) for place in meeting("cross")])
    assert len(opened) == 2
    assert len(tracker.tracks) == 2
    for track in opened:
        alone = track.path[0][1]
        assert all(box.area < 1.5 * alone.area for _, box, _ in track.path)


def test_a_box_around_two_things_of_which_one_is_seen_alone_shows_of_the_other_its_part():
    clip = []
    for number in range(16):
        one, other = a_box(14 * number, 100, 40, 90), a_box(14 * number, 200, 36, 70)
        both = Detection(one.box.union(other.box), 2.5)
        clip.append([both if number == 12 else one, other])
    _, opened = follow(clip)
    assert [[box for _, box, _ in track.path] for track in opened] == [
        [Box(14 * n, y, 14 * n + w, y + h) for n in range(16)]
        for y, w, h in ((100, 40, 90), (200, 36, 70))
    ]


@pytest.mark.parametrize("fps", [5, 10, 25])
def test_what_a_thing_does_and_looks_like_is_known_by_seconds_not_by_frames(fps: float):
    rng = np.random.default_rng(0)
    image = np.full((480, 640, 3), 120, np.uint8)
    tracker = Tracker(TrackRule())
    for number in range(round(4 * fps)):
        # 40 pixels a second; a box of pixels ends here or there by some of them.
        x, y = 100 + 40 * number / fps + rng.normal(0, 1.5), 200 + rng.normal(0, 1.5)
        # For the last .2 s something of another colour hides it.
        image[:] = 120 if number < 3.8 * fps else 20
        tracker.update(a_frame(number / fps, image), [a_box(x, y, 40, 80)])
    (track,) = tracker.tracks
    across, down = track.velocity()
    assert abs(across - 40) < 25
    assert abs(down) < 25
    assert track.look is not None
    assert np.mean(track.look) > 80


def test_what_comes_out_from_behind_another_goes_on_also_where_only_the_other_was_seen():
    clip: list[list[Detection]] = []
    for number in range(40):
        front, behind = (
            Box(560 - 14 * number, 100, 600 - 14 * number, 190),
            Box(14 * number, 110, 36 + 14 * number, 180),
        )
        touch = front.overlap(behind) > 0
        clip.append([Detection(front, 2.5), *([] if touch else [Detection(behind, 1.8)])])
    _, opened = follow(clip)
    assert len(opened) == 2
    assert {track.end_s for track in opened} == {39 / FPS}


def test_a_part_of_a_standing_thing_that_is_seen_apart_now_and_then_is_none():
    whole, most, foot = a_box(100, 100, 64, 106), a_box(100, 100, 40, 106), a_box(155, 190, 9, 11)
    clip = [[most], [whole], [most, foot], *([[most]] * 8), *([[most, foot]] * 10)]
    assert len(follow(clip)[1]) == 1


def test_one_odd_box_of_a_standing_thing_does_not_make_its_parts_new():
    whole, most, foot = a_box(100, 100, 64, 106), a_box(100, 100, 40, 106), a_box(155, 190, 9, 11)
    for odd in (a_box(90, 60, 60, 60), a_box(40, 100, 40, 106)):
        clip = [[most], [whole], [most, foot], *([[most]] * 8), [odd], *([[most]] * 5)]
        assert len(follow([*clip, *([[most, foot]] * 15)])[1]) == 1


def test_what_is_seen_in_two_pieces_once_is_seen_whole():
    whole, pieces = a_box(100, 100, 40, 100), [a_box(100, 100, 38, 40), a_box(102, 150, 38, 50)]
    tracker, opened = follow([[whole]] * 5 + [pieces] * 2)
    assert [track.box for track in opened] == [a_box(100, 100, 40, 100).box]
    assert len(tracker.tracks) == 1


def test_who_walks_away_from_what_was_put_down_leaves_an_event_behind():
    def apart(n: int) -> list[Detection]:
        return [a_box(100 + 12 * n, 100, 40, 100), a_box(85, 170, 30, 30)]

    both = a_box(85, 100, 55, 100)
    _, opened = follow([[both]] * 10 + [apart(n) for n in range(20)])
    assert sorted(track.box.width for track in opened) == [30, 40]


def test_a_fast_thing_that_is_seen_in_two_pieces_is_one_event():
    def seen(n: int) -> list[Detection]:
        body, neck = a_box(19 + 58 * n, 340, 40, 46), a_box(30 + 58 * n, 271, 15, 45 - 9 * (n % 3))
        return [body] if n % 4 == 3 else [body, neck]

    _, opened = follow([seen(n) for n in range(10)])
    assert len(opened) == 1
    assert (opened[0].path[0][1].y1, opened[0].path[0][1].y2) == (271, 386)


def test_a_small_part_that_leaps_beside_its_thing_is_no_event():
    def seen(n: int) -> list[Detection]:
        return [a_box(550 - 40 * n, 270, 85, 165, 2.7), a_box(530 - 40 * n, 400, 20, 35)]

    assert len(follow([seen(n) for n in range(10)])[1]) == 1


def test_what_is_hidden_for_long_has_gone():
    wall, thing = a_box(100, 100, 200, 200), a_box(180, 180, 40, 40)
    clip = [[thing]] * 10 + [[wall]] * 100
    tracker, opened = follow(clip)
    assert [track.box for track in tracker.tracks if track.opened] == [wall.box]
    assert opened[0].end_s == 9 / FPS


def test_what_is_put_down_in_front_of_a_standing_thing_is_an_event():
    person, bag = a_box(100, 100, 80, 200), a_box(110, 240, 40, 40)
    tracker, opened = follow([[person]] * 20 + [[person, bag]] * 15)
    assert [track.path[0][1] for track in opened] == [person.box, bag.box]
    assert len(tracker.tracks) == 2


def test_after_an_alarm_of_the_whole_frame_new_things_are_told():
    frame, thing = a_box(0, 0, 640, 480, 1.4), a_box(300, 200, 40, 40, 3.0)
    # As strong as this, it is cut out of the region around it.
    for with_it in ([frame, thing], [thing]):
        _, opened = follow([[frame]] * 20 + [with_it] * 15)
        assert [track.path[0][1] for track in opened] == [frame.box, thing.box]


def test_a_frame_that_is_looked_at_again_is_one_sighting():
    tracker = Tracker(TrackRule())
    for pts_s in (0.0, 0.2, 0.4, 0.4, 0.6):
        tracker.update(a_frame(pts_s), [a_detection(score=2)])
    (track,) = tracker.tracks
    assert ([at_s for at_s, _, _ in track.path], track.frames) == ([0.0, 0.2, 0.4, 0.6], 4)
