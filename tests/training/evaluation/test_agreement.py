import pytest

from training.evaluation.agreement import compare_annotations, disagreements
from training.evaluation.annotations import Annotations

PEOPLE = Annotations(
    {
        "a": {"cat": "correct_primary", "sofa": "correct_secondary", "dog": "incorrect"},
        "b": {"car": "correct_primary", "truck": "close_primary", "sky": "close_secondary"},
        "only people": {"tree": "incorrect"},
    }
)
MODEL = Annotations(
    {
        "a": {"cat": "correct_primary", "sofa": "correct_primary", "dog": "close_primary"},
        "b": {
            "car": "incorrect",
            "truck": "close_primary",
            "sky": "close_primary",
            "bus": "incorrect",
        },
    }
)


def test_two_annotators_side_by_side():
    result = compare_annotations(PEOPLE, MODEL).as_json()
    assert (result["images"], result["nouns"]) == (2, 6)
    assert (result["only_first"], result["only_second"]) == (1, 1)
    assert result["categories"]["share"] == pytest.approx(2 / 6, abs=1e-4)
    assert result["grades"] == {
        "labels": ["correct", "close", "incorrect"],
        "nouns": 6,
        # By hand: 4 of 6 agree; chance is (3*2 + 2*3 + 1*1) / 36.
        "share": pytest.approx(4 / 6, abs=1e-4),
        "kappa": pytest.approx((4 / 6 - 13 / 36) / (1 - 13 / 36), abs=1e-4),
        "confusion": [[2, 0, 1], [0, 2, 0], [0, 1, 0]],
    }
    assert sum(map(sum, result["categories"]["confusion"])) == 6


def test_full_agreement_and_none():
    assert compare_annotations(PEOPLE, PEOPLE).categories.kappa == pytest.approx(1)
    same = Annotations({"a": {"x": "incorrect", "y": "incorrect"}})
    alike = compare_annotations(same, same).categories
    assert (alike.share, alike.kappa) == (1, None)
    nothing = compare_annotations(same, Annotations()).grades
    assert (nothing.nouns, nothing.share, nothing.kappa) == (0, None, None)


def test_disagreements_are_those_that_change_a_grade():
    assert disagreements(PEOPLE, MODEL) == [
        ("a", "dog", "incorrect", "close_primary"),
        ("b", "car", "correct_primary", "incorrect"),
    ]
