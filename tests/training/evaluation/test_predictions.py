"""The predictions file: written as upstream does it, read with a reason when it cannot be."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.evaluation.predictions import (
    Answers,
    EvaluationError,
    Predictions,
    lists_on_one_line,
    read_predictions,
    share_within,
    write_predictions,
)

GREEDY = {
    "method": "greedy",
    "topk": 1,
    "vocab_prior": False,
    "vocab_per_token": False,
    "vocab_scaler": 0.0,
    "guided": False,
    "guide_renorm": False,
    "temperature": 1.0,
    "length_alpha": 0.0,
    "name": "greedy_k1_vnone_gn_t1_a0",
}
BEAM = {**GREEDY, "method": "beam", "topk": 3, "guided": True, "name": "beam_k3_vnone_gp_t1_a0"}


def predictions() -> Predictions:
    return Predictions(
        model="runs/best.train",
        model_path="/models/runs/best.train",
        guide_targets=["dog", "cat"],
        vocab_targets=["dog", "lamp", "cat"],
        samples=["a.jpg", "b/ü.jpg"],
        answers={
            GREEDY["name"]: Answers(GREEDY, [["cat"], ["cat cat"]], [[-0.1], [-2.5]], [[1], [3]]),
            BEAM["name"]: Answers(
                BEAM,
                [["cat", "dog", "lamp"], ["lamp", "dog"]],
                [[-0.1, -1.0, -3.25], [-0.2, -4.0]],
                [[1, 1, 2], [2, 1]],
            ),
        },
    )


def test_a_file_has_upstreams_keys_and_its_lists_on_one_line(tmp_path: Path):
    path = tmp_path / "infer.json"
    write_predictions(path, predictions())
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:6] == [
        "{",
        '  "version": 1,',
        '  "model": "runs/best.train",',
        '  "model_path": "/models/runs/best.train",',
        '  "model_dir": "/models/runs",',
        '  "model_name": "best.train",',
    ]
    assert '  "guide_targets": ["cat", "dog"],' in lines
    assert '  "samples": ["a.jpg", "b/ü.jpg"],' in lines
    assert '      "pred": [["cat", "dog", "lamp"], ["lamp", "dog"]],' in lines
    value = json.loads(path.read_text(encoding="utf-8"))
    assert list(value) == [
        "version",
        "model",
        "model_path",
        "model_dir",
        "model_name",
        "model_cfg",
        "infer_cfg",
        "guide_targets",
        "vocab_targets",
        "samples",
        "predictions",
    ]
    beam = value["predictions"]["beam_k3_vnone_gp_t1_a0"]
    assert list(beam) == [
        "gen_cfg",
        "valid_guide",
        "valid_vocab",
        "valid",
        "invalid",
        "pred",
        "score",
        "result",
    ]
    assert beam["valid_guide"] == [50.0, 100.0, 100.0]
    assert beam["valid_vocab"] == [50.0, 50.0, 100.0]
    assert beam["valid"] == [100.0, 100.0, 100.0]
    assert beam["invalid"] == [0.0, 0.0, 0.0]
    assert value["predictions"]["greedy_k1_vnone_gn_t1_a0"]["invalid"] == [50.0]


def test_what_is_written_is_read_back(tmp_path: Path):
    path = tmp_path / "infer.json"
    write_predictions(path, predictions())
    read = read_predictions(path)
    assert read.as_json() == predictions().as_json()
    assert [entry.name for entry in tmp_path.iterdir()] == ["infer.json"]


def test_a_file_name_that_is_no_text_survives(tmp_path: Path):
    path, odd = tmp_path / "infer.json", b"\xff.jpg".decode(errors="surrogateescape")
    write_predictions(
        path,
        Predictions("m", "m", [], [], [odd], {"x": Answers({"topk": 1}, [["a"]], [[0]], [[1]])}),
    )
    assert read_predictions(path).samples == [odd]


def test_upstreams_beams_without_a_noun_are_read(tmp_path: Path):
    path = tmp_path / "infer.json"
    value = predictions().as_json()
    value["predictions"]["greedy_k1_vnone_gn_t1_a0"]["score"] = [[-math.inf], [math.nan]]
    path.write_text(json.dumps(value))
    scores = read_predictions(path).answers["greedy_k1_vnone_gn_t1_a0"].scores
    assert scores[0][0] == -math.inf
    assert math.isnan(scores[1][0])


def greedy(value: dict[str, Any]) -> dict[str, Any]:
    return value["predictions"]["greedy_k1_vnone_gn_t1_a0"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda v: v.pop("samples"), "not a predictions file"),
        (lambda v: v.update(version=2), "predictions version 2, this Nomaly reads version 1"),
        (lambda v: v.pop("model_cfg"), "model_cfg is missing"),
        (lambda v: v.update(model=3), "model must be a text"),
        (lambda v: v.update(predictions={}), "predictions is empty"),
        (lambda v: v.update(samples=["a", 1]), "samples must be a list of texts"),
        (lambda v: v.update(guide_targets=None), "guide_targets must be a list of texts"),
        (lambda v: greedy(v).pop("gen_cfg"), "gen_cfg must be an object with a topk"),
        (lambda v: greedy(v)["gen_cfg"].update(topk=0), "gen_cfg must be an object with a topk"),
        (lambda v: greedy(v)["pred"].pop(), "pred must be a list with a row for each of 2 samples"),
        (lambda v: greedy(v)["pred"][1].append("x"), "pred: row 1 must be a list of up to 1"),
        (lambda v: greedy(v)["pred"].__setitem__(1, "x"), "pred: row 1 must be a list of up to 1"),
        (lambda v: greedy(v)["pred"].__setitem__(1, []), "row 1 of pred, score and result differ"),
        (lambda v: greedy(v).update(pred=[["a"], [4]]), "pred: row 1 must hold nouns"),
        (lambda v: greedy(v).update(score=[["a"], [4]]), "score: row 0 must hold numbers"),
        (lambda v: greedy(v).update(result=[[1], [4]]), "result: row 1 must hold numbers from 0"),
        (lambda v: greedy(v).update(result=[[True], [1]]), "result: row 0 must hold numbers from"),
        (
            lambda v: v["predictions"]["beam_k3_vnone_gp_t1_a0"]["score"][1].append(-9.0),
            "row 1 of pred, score and result differ in size",
        ),
    ],
)
def test_faults_are_told_with_file_and_key(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], Any], told: str
):
    path = tmp_path / "infer.json"
    value = json.loads(json.dumps(predictions().as_json()))
    spoil(value)
    path.write_text(json.dumps(value))
    with pytest.raises(EvaluationError) as raised:
        read_predictions(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert told in str(raised.value)


def test_no_file_and_no_json_are_told(tmp_path: Path):
    with pytest.raises(EvaluationError, match="there is no such file"):
        read_predictions(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"version": 1')
    with pytest.raises(EvaluationError, match=r"half\.json: is not valid JSON"):
        read_predictions(tmp_path / "half.json")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path):
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_predictions(tmp_path / "no folder" / "infer.json", predictions())
    assert not list(tmp_path.iterdir())


def test_ratios_count_an_image_from_its_first_wanted_noun_on():
    results = [[3, 1, 0], [2, 2, 2], [1], [3, 3, 3]]
    assert share_within(results, frozenset({0, 1}), 3) == [25.0, 50.0, 50.0]
    assert share_within(results, frozenset({0}), 3) == [0.0, 0.0, 25.0]
    assert share_within(results, frozenset({3}), 3) == [50.0, 50.0, 50.0]
    assert share_within([], frozenset({3}), 2) == [0.0, 0.0]


def test_empty_objects_and_nesting_are_valid_json():
    value = {"a": {}, "b": {"c": [1, {"d": 2}]}, "e": "\n"}
    assert json.loads(lists_on_one_line(value)) == value
