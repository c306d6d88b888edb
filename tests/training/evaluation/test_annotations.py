import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.annotations import (
    CATEGORIES,
    AnnotationError,
    Annotations,
    read_annotations,
    read_predicted_nouns,
    unjudged_nouns,
    write_annotations,
)


def stored(path: Path, value: object) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def predictions(path: Path, samples: list[str], **by_gencfg: list[list[str]]) -> Path:
    """The parts of a version-1 file that matter here."""
    return stored(
        path,
        {
            "version": 1,
            "model": "run/best.train",
            "samples": samples,
            "predictions": {name: {"pred": rows} for name, rows in by_gencfg.items()},
        },
    )


def test_the_file_is_the_one_upstream_writes(tmp_path: Path):
    annotations = Annotations()
    annotations.judge("b.jpg", "café", "correct_primary")
    annotations.judge("b.jpg", "table", "correct_secondary")
    annotations.judge("a.jpg", "dog", "incorrect")
    path = tmp_path / "_class_annotations.json"
    write_annotations(path, annotations)
    assert json.loads(path.read_bytes()) == {
        "b.jpg": {
            "correct_primary": ["café"],
            "correct_secondary": ["table"],
            "close_primary": [],
            "close_secondary": [],
            "incorrect": [],
        },
        "a.jpg": {
            "correct_primary": [],
            "correct_secondary": [],
            "close_primary": [],
            "close_secondary": [],
            "incorrect": ["dog"],
        },
    }
    assert list(tmp_path.iterdir()) == [path]


nouns_of_an_image = st.dictionaries(st.text(), st.sampled_from(CATEGORIES), min_size=1)


@given(images=st.dictionaries(st.text(), nouns_of_an_image))
def test_what_is_written_is_read(images: dict[str, Any]):
    annotations = Annotations(images)
    again = Annotations.from_json(json.loads(json.dumps(annotations.as_json())))
    assert again == annotations
    assert len(again) == sum(len(judged) for judged in images.values())


def test_the_files_of_language_models_may_lack_categories(tmp_path: Path):
    path = stored(tmp_path / "gpt.json", {"a": {"correct_primary": ["cat", "cat"]}, "b": {}})
    annotations = read_annotations(path)
    assert annotations.nouns("a", "correct_primary") == ["cat"]
    assert annotations.nouns("a", "incorrect") == []
    assert list(annotations.images) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(
            {"a.jpg": {"corect_primary": ["cat"]}},
            r"image 'a.jpg': unknown category 'corect_primary'; there are correct_primary, ",
            id="unknown category",
        ),
        pytest.param(
            {"a.jpg": {"correct_primary": ["cat"], "incorrect": ["dog", "cat"]}},
            r"image 'a.jpg': 'cat' is in correct_primary and in incorrect; keep one",
            id="noun in two categories",
        ),
        pytest.param(
            {"a.jpg": {"incorrect": "dog"}},
            r"image 'a.jpg': incorrect: must be a list of nouns, got a text",
            id="category without list",
        ),
        pytest.param(
            {"a.jpg": {"incorrect": ["dog", 7]}},
            r"image 'a.jpg': incorrect: holds 7, which is no noun",
            id="number for noun",
        ),
        pytest.param(
            {"a.jpg": ["dog"]},
            r"image 'a.jpg': must be an object of categories, got a list",
            id="image without categories",
        ),
        pytest.param(
            ["a.jpg"], r"must be an object with an entry per image, got a list", id="list"
        ),
        pytest.param('{"a.jpg": {', r"cannot be read as JSON: .* line 1", id="torn file"),
        pytest.param(
            '{"a.jpg": {"incorrect": ["x"]}, "a.jpg": {}}',
            r"cannot be read as JSON: the key 'a.jpg' stands twice",
            id="image twice",
        ),
        pytest.param(
            {"a": {"x": []}, "b": {"incorrect": None}},
            r"image 'a': unknown category 'x'.*; image 'b': incorrect: must be .* got null",
            id="all faults at once",
        ),
        pytest.param(
            {str(n): 1 for n in range(7)}, r".*image '4'.*; and 2 more$", id="many faults"
        ),
    ],
)
def test_broken_annotations_are_refused(tmp_path: Path, content: object, fault: str):
    path = stored(tmp_path / "broken.json", content)
    with pytest.raises(AnnotationError, match=f"^{path}: {fault}"):
        read_annotations(path)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(AnnotationError, match=r"none\.json: there is no such file"):
        read_annotations(tmp_path / "none.json")


def test_a_judgement_moves_and_goes():
    annotations = Annotations()
    annotations.judge("a", "cat", "incorrect")
    annotations.judge("a", "cat", "close_primary")
    assert annotations.category("a", "cat") == "close_primary"
    assert annotations.nouns("a", "incorrect") == []
    annotations.forget("a", "cat")
    annotations.forget("a", "never judged")
    assert annotations == Annotations()
    with pytest.raises(AnnotationError, match="image 'a': unknown category 'wrong'; there are"):
        annotations.judge("a", "cat", "wrong")  # pyright: ignore[reportArgumentType]


def test_a_failed_write_leaves_the_earlier_file(tmp_path: Path):
    path = tmp_path / "kept.json"
    write_annotations(path, Annotations({"a": {"cat": "incorrect"}}))
    before = path.read_bytes()
    bad = Annotations({"a": {"\ud800": "incorrect"}})  # half a character: UTF-8 cannot hold it
    with pytest.raises(AnnotationError, match=r"kept\.json: cannot be written"):
        write_annotations(path, bad)
    (tmp_path / "folder").mkdir()
    with pytest.raises(AnnotationError, match=r"folder: cannot be written: .*directory"):
        write_annotations(tmp_path / "folder", Annotations())
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [tmp_path / "folder", path]


def test_predicted_nouns_come_best_first_from_all_files(tmp_path: Path):
    one = predictions(
        tmp_path / "1.json",
        ["a.jpg", '"a text"', "b.jpg"],
        beam=[["cat", "lynx"], ["word", "text"], ["dog", ""]],
        greedy=[["cat"], ["word"], ["wolf"]],
    )
    two = predictions(tmp_path / "2.json", ["a.jpg", "c.jpg"], beam=[["tiger", "puma"], ["car"]])
    assert read_predicted_nouns([one, two]) == {
        "a.jpg": ["cat", "tiger", "lynx", "puma"],
        "b.jpg": ["dog", "wolf"],
        "c.jpg": ["car"],
    }
    assert read_predicted_nouns([one, two], top=1)["a.jpg"] == ["cat", "tiger"]


def test_what_is_judged_is_not_asked_again():
    predicted = {"a": ["cat", "lynx"], "b": ["dog"]}
    annotations = Annotations({"a": {"cat": "correct_primary"}, "b": {"dog": "incorrect"}})
    assert unjudged_nouns(predicted, annotations) == {"a": ["lynx"]}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param({"samples": []}, "not a predictions file", id="other file"),
        pytest.param(
            {"version": 2, "samples": [], "predictions": {}}, "predictions version 2", id="version"
        ),
        pytest.param(
            {"version": 1, "samples": "a", "predictions": {}},
            "samples must be a list",
            id="samples",
        ),
        pytest.param(
            {"version": 1, "samples": ["a", "b"], "predictions": {"g": {"pred": [["x"]]}}},
            r"predictions\.g\.pred must be a list with a row for each of the 2 samples",
            id="rows missing",
        ),
        pytest.param(
            {"version": 1, "samples": ["a"], "predictions": {"g": {"pred": [["x", 3]]}}},
            r"predictions\.g\.pred: the row of 'a' must be a list of nouns",
            id="number for noun",
        ),
        pytest.param("{", "cannot be read as JSON", id="torn file"),
    ],
)
def test_broken_predictions_are_refused(tmp_path: Path, content: object, fault: str):
    path = stored(tmp_path / "broken.json", content)
    with pytest.raises(AnnotationError, match=f"{path}: .*{fault}"):
        read_predicted_nouns([path])
