"""Several predictions files beside each other: which columns, names and differences come out."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from training.evaluation.annotations import Annotations
from training.evaluation.comparison import (
    comparison_json,
    comparison_table,
    cross_tables,
    differences,
    score_files,
)
from training.evaluation.predictions import Answers, EvaluationError, Predictions, write_predictions
from training.evaluation.tables import value

SAMPLES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
JUDGED = Annotations.from_json(
    {
        image: {"correct_primary": ["cat"], "close_primary": ["lynx"], "incorrect": ["dog"]}
        for image in SAMPLES
    }
)


def answers(
    nouns: Sequence[Sequence[str]], topk: int, *, right: str = "cat", guided: bool = True
) -> Answers:
    method = "greedy" if topk == 1 else "beam"
    name = f"{method}_k{topk}_vnone_g{'p' if guided else 'n'}_t1_a0"
    return Answers(
        {"topk": topk, "name": name, "method": method, "guided": guided},
        nouns,
        [[-float(rank) for rank in range(len(row))] for row in nouns],
        [[0 if noun == right else 1 for noun in row] for row in nouns],
    )


def write(
    path: Path, given: Sequence[Answers], *, model: str = "runs/a", labelled: bool = True
) -> Path:
    nomaly = {"labels": [0, 0, 0, 0], "classes_without_noun": ["yurt"]} if labelled else {}
    named = {str(each.gen_cfg["name"]): each for each in given}
    path.parent.mkdir(exist_ok=True)
    write_predictions(path, Predictions(model, model, [], [], SAMPLES, named, nomaly=nomaly))
    return path


HALF = [["cat", "dog"], ["dog", "cat"], ["cat"], ["dog", "lynx"]]
BEST = [["cat"], ["cat"], ["cat"], ["lynx"]]


def test_a_row_per_way_with_the_difference_from_the_first(tmp_path: Path):
    one = write(tmp_path / "one.json", [answers(HALF, 5), answers([["cat"]] * 4, 1)])
    two = write(tmp_path / "two.json", [answers(BEST, 10)], model="runs/b")
    rows = score_files([one, two])
    table = comparison_table(rows)
    assert table.columns == [
        "model",
        "gencfg",
        "images",
        "unnameable",
        "top 1",
        "top 5",
        "top 10",
        "vs first",
    ]
    assert [[value(cell) for cell in row] for row in table.rows] == [
        ["runs/a", "beam_k5_vnone_gp_t1_a0", "4", "1", "50.00", "75.00", "-", "-"],
        ["runs/a", "greedy_k1_vnone_gp_t1_a0", "4", "1", "100.00", "-", "-", "+50.00"],
        ["runs/b", "beam_k10_vnone_gp_t1_a0", "4", "1", "75.00", "75.00", "75.00", "+25.00"],
    ]
    assert differences(rows)[0] is None
    told = comparison_json(rows)
    assert [row["vs_first"] and row["vs_first"]["value"] for row in told] == [None, 50.0, 25.0]
    assert [by_rank["value"] for by_rank in told[0]["correct"]] == [50.0, 75.0, 75.0, 75.0, 75.0]
    assert told[0]["classes_without_noun"] == 1


def test_one_row_needs_no_strategy_and_no_difference(tmp_path: Path):
    one = write(tmp_path / "one.json", [answers(HALF, 2)])
    assert comparison_table(score_files([one])).columns == [
        "model",
        "images",
        "unnameable",
        "top 1",
    ]


def test_annotations_go_before_classes(tmp_path: Path):
    one = write(tmp_path / "one.json", [answers([*BEST[:3], ["zebra"]], 5)])
    rows = score_files([one], JUDGED, {"cat": 0.5})
    table = comparison_table(rows)
    assert dict(zip(table.columns, map(value, table.rows[0]), strict=True)) == {
        "model": "runs/a",
        "images": "4",
        "unjudged": "1",
        "used": "2",
        "primary": "75.00",
        "prediction": "75.00",
        "judged only": "100.00",
        "top 5": "75.00",
        "overall": "37.50",
    }
    (told,) = comparison_json(rows)
    assert told["unjudged_nouns"] == [["d.jpg", "zebra"]]
    assert told["without_specificity"] == ["zebra"]
    assert told["overall"]["judged_only"]["value"] == 50.0


@pytest.mark.parametrize(
    ("files", "models", "names"),
    [
        (("x.json", "y.json"), ("runs/a", "runs/b"), ["runs/a", "runs/b"]),
        (("x.json", "y.json"), ("runs/a", "runs/a"), ["x", "y"]),
        (("1/x.json", "2/x.json"), ("runs/a", "runs/a"), ["{}/1/x.json", "{}/2/x.json"]),
    ],
)
def test_files_are_named_by_what_tells_them_apart(
    tmp_path: Path, files: tuple[str, ...], models: tuple[str, ...], names: list[str]
):
    paths = [
        write(tmp_path / file, [answers(HALF, 2)], model=model)
        for file, model in zip(files, models, strict=True)
    ]
    table = comparison_table(score_files(paths))
    assert [row[0] for row in table.rows] == [name.format(tmp_path) for name in names]


def test_free_and_guided_greedy_answers_are_crossed(tmp_path: Path):
    free = answers([["cat"], ["dog"], ["dog"], ["dog"]], 1, guided=False)
    guided = answers([["cat"], ["cat"], ["dog"], ["cat"]], 1)
    path = write(tmp_path / "one.json", [answers(HALF, 2), free, guided])
    counts = cross_tables(score_files([path]))[path]
    assert {key: count for key, count in counts.items() if count} == {
        ("correct", "correct"): 1,
        ("valid", "correct"): 2,
        ("valid", "incorrect"): 1,
    }
    assert cross_tables(score_files([write(tmp_path / "two.json", [free])])) == {}


def test_without_classes_annotations_are_asked_for(tmp_path: Path):
    path = write(tmp_path / "one.json", [answers(HALF, 2)], labelled=False)
    with pytest.raises(EvaluationError, match="say what is right with --annotations"):
        score_files([path])
