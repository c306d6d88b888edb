"""What a rival told, from JSON."""

import json
import math
from pathlib import Path

import pytest

from app.evaluating.pipeline.rivals import RivalError, named_file, read_rival
from calibration.named import ToldBox
from detectors.types import Box

ONE = {"at_s": 2, "box": [1, 2, 30, 40], "score": 0.5, "noun": "ball"}


def put(path: Path, told: object) -> Path:
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def test_boxes_are_read_by_recording(tmp_path: Path):
    told = {
        "with_list": True,
        "detections": [ONE | {"recording": "yard"}, ONE | {"recording": "hall"}],
    }
    rival = read_rival("owl", put(tmp_path / "owl.json", told), ["hall", "yard", "shed"])
    box = ToldBox(2.0, Box(1, 2, 30, 40), 0.5, "ball")
    assert rival.told == {"hall": [box], "yard": [box], "shed": []}
    assert (rival.name, rival.with_list) == ("owl", True)


def test_of_one_recording_the_name_may_be_left_out(tmp_path: Path):
    rival = read_rival("owl", put(tmp_path / "owl.json", {"detections": [ONE]}), ["hall"])
    assert len(rival.told["hall"]) == 1
    assert not rival.with_list


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("{", "no JSON that can be read"),
        ([], "must hold one JSON object with a list 'detections'"),
        ({"detections": {}}, "must hold one JSON object with a list 'detections'"),
        ({"detections": [], "with_list": 1}, "with_list must be true or false"),
        ({"detections": [3]}, "detection 1: must be a JSON object"),
        ({"detections": [ONE]}, "'recording' is missing in detection 1"),
        (
            {"detections": [ONE | {"recording": "pond"}]},
            "no recording 'pond'; there are hall, yard",
        ),
        ({"detections": [ONE | {"recording": "hall", "box": [1, 2]}]}, r"box must be \[x1"),
        ({"detections": [ONE | {"recording": "hall", "box": [9, 2, 9, 4]}]}, "has no area"),
        ({"detections": [ONE | {"recording": "hall", "score": True}]}, "score must be a number"),
        ({"detections": [ONE | {"recording": "hall", "at_s": "2"}]}, "at_s must be a number"),
        ({"detections": [ONE | {"recording": "hall", "noun": None}]}, "noun must be a text"),
        ({"detections": [ONE | {"recording": "hall", "at_s": math.nan}]}, "at_s .* not nan"),
        ({"detections": [ONE | {"recording": "hall", "score": math.inf}]}, "score .* not inf"),
        ({"detections": [ONE | {"recording": "hall", "score": 10**400}]}, "score .* too large"),
        ({"detections": [ONE | {"recording": "hall", "box": [0, 0, 9, -(10**400)]}]}, "too large"),
        ({"detections": [{"recording": "hall"}]}, "'box' is missing in detection 1"),
        ({"detections": [ONE | {"recording": ["hall"]}]}, "there is no recording"),
    ],
)
def test_what_says_nothing_is_refused(tmp_path: Path, told: object, said: str):
    with pytest.raises(RivalError, match=said):
        read_rival("owl", put(tmp_path / "owl.json", told), ["hall", "yard"])


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(RivalError, match="cannot be read: No such file"):
        read_rival("owl", tmp_path / "gone.json", ["hall"])


@pytest.mark.parametrize("text", ["owl.json", "=owl.json", "owl="])
def test_a_rival_needs_a_name_and_a_file(text: str):
    with pytest.raises(RivalError, match="write NAME=FILE"):
        named_file(text)
    assert named_file("a=b=c") == ("a", Path("b=c"))
