"""How an archive is cut."""

from pathlib import Path

from app.archive.segments import MOST_FILES, Point, cut, meets, read_points, write_points
from app.sources.joined import recordings


def recorded(count: int):
    return recordings([Path(f"{number}.mp4") for number in range(count)], each=True)


def test_a_long_recording_is_cut_and_a_short_one_is_not():
    found = cut(recorded(2), [600.0, 59.0], 0.0, workers=2)
    assert [(one.recording, one.from_s, one.until_s) for one in found] == [
        (0, 0.0, 150.0),
        (0, 150.0, 300.0),
        (0, 300.0, 450.0),
        (0, 450.0, None),
        (1, 0.0, None),
    ]
    assert [one.footage_s for one in found] == [150.0, 150.0, 150.0, 150.0, 59.0]


def test_what_was_learned_from_is_not_looked_at():
    found = cut(recorded(1), [200.0], 80.0, workers=2)
    assert [(one.from_s, one.until_s) for one in found] == [(80.0, 140.0), (140.0, None)]


def test_short_files_go_together_and_those_of_unknown_length_too():
    found = cut(recorded(45), [3.0] * 45, 0.0, workers=8)
    assert [(one.recording, one.recordings) for one in found] == [(0, 20), (20, 20), (40, 5)]
    unknown = cut(recorded(60), [0.0] * 60, 0.0, workers=8)
    assert [one.recordings for one in unknown] == [MOST_FILES, 10]


def test_one_worker_cuts_nothing():
    assert len(cut(recorded(1), [3600.0], 0.0, workers=1)) == 1


def test_stretches_meet_where_both_follow_nothing_and_know_the_same(tmp_path: Path):
    write_points(tmp_path, {10.2: Point("a", 5), 20.4: Point("", 9), 30.1: Point("c", 12)})
    here = read_points(tmp_path)
    there = {10.2: Point("b", 5), 20.4: Point("", 9), 30.1: Point("c", 3)}
    assert [meets(here, at_s, there) for at_s in (10.2, 20.4, 30.1, 40.0)] == [0, 0, 1, 0]
    assert read_points(tmp_path / "nowhere") == {}
