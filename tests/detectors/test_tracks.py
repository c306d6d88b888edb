import pytest
from pydantic import ValidationError

from detectors.tracks import MOST_SIGHTINGS, Tracker, TrackRule
from detectors.types import Box, Detection
from tests.app.builders import a_detection, a_frame

FPS = 5


def run(marks: str, fps: float = FPS, score: float = 2.0) -> list[tuple[str, int]]:
    """Feed one frame per mark, `x` with a detection; list what opened and closed at which frame."""
    tracker, told = Tracker(TrackRule()), []
    for number, mark in enumerate(marks):
        found = [a_detection(score=score)] if mark == "x" else []
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
