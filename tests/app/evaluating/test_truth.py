"""What was in a recording, from files of every form."""

import json
from pathlib import Path

import pytest

from app.demo.footage import plan_demo
from app.demo.footage import write_truth as write_plan
from app.evaluating.truth import TruthError, read_truth, thing_of, write_truth
from detectors.types import Box


def put(path: Path, told: object) -> Path:
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def test_what_is_written_is_read_again(tmp_path: Path):
    ball = thing_of("ball", [(2.0, Box(1, 2, 33, 40)), (1.0, Box(0, 2, 32, 40))], 640)
    assert (ball.start_s, ball.end_s, ball.width_share, ball.size) == (1.0, 2.0, 0.05, 0.06)
    write_truth([ball], (480, 640), tmp_path / "t.json")
    assert read_truth(tmp_path / "t.json") == [ball]


def test_other_words_for_a_thing_are_kept(tmp_path: Path):
    ball = thing_of("ball", [(1.0, Box(0, 2, 32, 40))], 640, ["football", "soccer ball"])
    write_truth([ball], (480, 640), tmp_path / "t.json")
    [read] = read_truth(tmp_path / "t.json")
    assert read == ball
    assert read.aliases == ("football", "soccer ball")


def test_the_demo_s_plan_says_where_things_were(tmp_path: Path):
    plan = plan_demo(3)
    write_plan(plan, tmp_path / "plan.json")
    things = read_truth(tmp_path / "plan.json")
    assert [thing.noun for thing in things] == [placed.noun for placed in plan.placements]
    assert [thing.aliases for thing in things] == [placed.accepts for placed in plan.placements]
    for thing, placed in zip(things, plan.placements, strict=True):
        while_there_s = round(0.5 * (placed.rest_s + placed.leave_s) * plan.fps) / plan.fps
        assert thing.box_at(while_there_s) == placed.box
        assert placed.enter_s <= thing.start_s < placed.rest_s
        assert thing.width_share == pytest.approx(placed.width_share, rel=0.01)


def test_coco_with_times_and_tracks(tmp_path: Path):
    told = {
        "images": [
            {"id": 1, "time_s": 0.5, "width": 640, "height": 480},
            {"id": 2, "time_s": 1.0, "width": 640, "height": 480},
        ],
        "categories": [{"id": 7, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 2, "track_id": 3, "category_id": 7, "bbox": [5, 5, 64, 30]},
            {"id": 2, "image_id": 1, "track_id": 3, "category_id": 7, "bbox": [0, 5, 64, 30]},
        ],
    }
    [dog] = read_truth(put(tmp_path / "c.json", told))
    assert (dog.noun, dog.times_s, dog.width_share) == ("dog", (0.5, 1.0), 0.1)
    assert dog.boxes == (Box(0, 5, 64, 35), Box(5, 5, 69, 35))
    del told["annotations"][0]["track_id"]
    with pytest.raises(TruthError, match="'track_id' is missing"):
        read_truth(put(tmp_path / "c.json", told))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{", "no JSON that can be read"),
        ([1], "must hold one JSON object"),
        ({"boxes": []}, "holds none of things, placements, annotations"),
        ({"things": []}, "'size' is missing"),
        ({"size": [480, 640], "things": [{"boxes": []}]}, "a thing '' has no box"),
        (
            {"size": [480, 640], "things": [{"aliases": "a", "boxes": [[1, [5, 5, 9, 9]]]}]},
            "aliases must be a list of words, not 'a'",
        ),
        ({"size": [480, 640], "things": [{"boxes": [[1, [5, 5, 5, 9]]]}]}, "has a box at 1.0 s"),
        ({"size": [480, 640], "things": [{"boxes": [[1, [5, 5]]]}]}, "missing 2 required"),
    ],
)
def test_what_says_nothing_is_refused(tmp_path: Path, told: object, said: str):
    with pytest.raises(TruthError, match=said):
        read_truth(put(tmp_path / "t.json", told))


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(TruthError, match="cannot be read: No such file"):
        read_truth(tmp_path / "gone.json")
