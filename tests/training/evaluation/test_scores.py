"""Scores against figures worked out by hand, and intervals against theory."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from novic.intervals import Difference, Estimate, compare, estimate
from training.evaluation.annotations import AnnotationError, Annotations
from training.evaluation.predictions import Answers, EvaluationError, Predictions, Rows
from training.evaluation.scores import (
    AnnotatedScore,
    best_so_far,
    correct_within,
    direct_guided,
    find_annotations,
    read_specificity,
    score_annotated,
)
from training.evaluation.tables import ResultTable, interval, to_csv, to_latex, value

JUDGED = Annotations.from_json(
    {
        "a.jpg": {
            "correct_primary": ["cat"],
            "correct_secondary": ["sofa"],
            "close_primary": ["lynx"],
            "close_secondary": ["bench"],
            "incorrect": ["dog"],
        },
        "b.jpg": {"correct_primary": ["T-shirt"], "incorrect": ["", "sock"]},
    }
)


def answered(nouns: Sequence[Sequence[str]], results: Rows[int] | None = None) -> Answers:
    most = max(map(len, nouns))
    flat = [[1] * len(row) for row in nouns]
    return Answers({"topk": most, "name": f"beam_k{most}"}, nouns, flat, results or flat)


def scored(
    rows: Mapping[str, Sequence[str]],
    annotations: Annotations = JUDGED,
    specificity: Mapping[str, float] | None = None,
) -> AnnotatedScore:
    answers = answered(list(rows.values()))
    predictions = Predictions("m", "m", [], [], list(rows), {"beam": answers})
    return score_annotated(predictions, answers, annotations, specificity)


def means(score: AnnotatedScore) -> list[float]:
    return [both.zero.value for both in score.prediction if both.zero]


@pytest.mark.parametrize(
    ("noun", "weight", "primary"),
    [
        ("cat", 1.0, 1.0),
        ("sofa", 0.8, 0.0),
        ("lynx", 0.5, 0.5),
        ("bench", 0.4, 0.0),
        ("dog", 0.0, 0.0),
    ],
)
def test_every_category_has_its_weight(noun: str, weight: float, primary: float):
    score = scored({"a.jpg": [noun]})
    assert means(score) == [weight]
    assert score.primary.zero is not None
    assert score.primary.zero.value == primary
    assert score.unjudged == ()


def test_top_k_takes_the_best_noun_so_far():
    score = scored({"a.jpg": ["dog", "bench", "cat", "sofa"], "b.jpg": ["sock", "t shirt"]})
    # a: 0, 0.4, 1, 1; b, whose list is shorter: 0, 1, 1, 1.
    assert means(score) == pytest.approx([0.0, 0.7, 1.0, 1.0])


def test_nouns_are_compared_in_canonical_form_and_images_by_their_last_part():
    assert means(scored({"folder/b.jpg": ["t shirt"]})) == [1.0]


def test_nouns_that_nobody_judged_count_both_ways():
    score = scored({"a.jpg": ["cat", "zebra"], "b.jpg": ["zebra", "t shirt"], "c.jpg": ["cat"]})
    top1, top2 = score.prediction
    assert top1.zero is not None
    assert top1.zero.value == pytest.approx(1 / 3)
    assert top1.judged is not None
    assert (top1.judged.value, top1.judged.images) == (1.0, 1)
    # b's second noun is right, a's second is not judged: counted as wrong it harms nothing.
    assert top2.zero is not None
    assert top2.zero.value == pytest.approx(2 / 3)
    assert top2.judged is None
    assert score.unjudged == (("b.jpg", "zebra"), ("c.jpg", "cat"))
    assert score.unjudged_anywhere == 3
    assert score.used == 2


def test_saying_nothing_is_wrong_and_not_unjudged():
    score = scored({"a.jpg": [""], "b.jpg": [""]})
    assert means(score) == [0.0]
    assert score.unjudged == ()


def test_texts_among_the_samples_are_left_out():
    score = scored({"a.jpg": ["cat"], '"a cat"': ["cat"]})
    assert score.samples == ("a.jpg",)


def test_the_overall_score_weighs_by_specificity():
    factors = {"cat": 0.5, "t shirt": 1.0, "dog": 1.0}
    score = scored({"a.jpg": ["cat"], "b.jpg": ["T-shirt"]}, specificity=factors)
    assert score.overall is not None
    assert score.overall.zero is not None
    assert score.overall.zero.value == 0.75
    assert score.without_specificity == ()


def test_nouns_without_specificity_are_listed_and_count_both_ways():
    rows = {"a.jpg": ["sofa"], "b.jpg": ["t shirt"], "x/a.jpg": ["dog"]}
    score = scored(rows, specificity={"t shirt": 1.0})
    assert score.without_specificity == ("dog", "sofa")
    assert score.overall is not None
    assert score.overall.zero is not None
    assert score.overall.judged is not None
    assert score.overall.zero.value == pytest.approx(1 / 3)
    # "dog" is wrong, so its specificity plays no part.
    assert (score.overall.judged.value, score.overall.judged.images) == (0.5, 2)


def test_annotations_of_other_images_are_refused():
    with pytest.raises(AnnotationError, match=r"none of the 1 images is annotated \(z\.jpg"):
        scored({"z.jpg": ["cat"]})


def test_best_so_far_is_known_up_to_the_first_unjudged_noun():
    best, known = best_so_far(np.array([[0.4, np.nan, 1.0], [0.0, 0.5, 0.4]]))
    np.testing.assert_array_equal(best.T, [[0.4, 0.4, 1.0], [0.0, 0.5, 0.5]])
    np.testing.assert_array_equal(known.T, [[True, False, False], [True, True, True]])


def test_a_noun_in_two_categories_is_named_or_taken_as_upstream_takes_it(tmp_path: Path):
    path = tmp_path / "_class_annotations.json"
    path.write_text('{"a.jpg": {"correct_primary": ["cat"], "close_primary": ["cat"]}}')
    with pytest.raises(AnnotationError, match=r"image 'a\.jpg': 'cat' is in correct_primary and"):
        find_annotations(tmp_path)
    taken = find_annotations(tmp_path, first_category=True)
    assert taken.category("a.jpg", "cat") == "close_primary"
    path.write_text('{"a.jpg": {"best": ["cat"]}}')
    with pytest.raises(AnnotationError, match=r"_class_annotations\.json: image 'a\.jpg': unknown"):
        find_annotations(path, first_category=True)


def test_peoples_annotations_go_before_a_language_models(tmp_path: Path):
    with pytest.raises(AnnotationError, match="holds neither"):
        find_annotations(tmp_path)
    (tmp_path / "_class_annotations_gpt.json").write_text('{"a": {"incorrect": ["cat"]}}')
    assert find_annotations(tmp_path).category("a", "cat") == "incorrect"
    (tmp_path / "_class_annotations.json").write_text('{"a": {"correct_primary": ["cat"]}}')
    assert find_annotations(tmp_path).category("a", "cat") == "correct_primary"


@pytest.mark.parametrize("number", [2, -0.1, True, "1", None])
def test_a_specificity_is_a_share(tmp_path: Path, number: object):
    path = tmp_path / "specificity.json"
    path.write_text(json.dumps({"T-shirt": 0.5, "": 0.5}))
    assert read_specificity(path) == {"t shirt": 0.5, "": 0.5}
    path.write_text(json.dumps({"cat": number}))
    with pytest.raises(EvaluationError, match="'cat' has"):
        read_specificity(path)


def test_the_interval_is_the_normal_one_where_that_holds():
    values = np.repeat([0.0, 1.0], [400, 600])
    found = estimate(values)
    assert found is not None
    spread = 1.96 * math.sqrt(0.6 * 0.4 / 1000)
    assert found.value == 0.6
    assert found.low == pytest.approx(0.6 - spread, abs=0.002)
    assert found.high == pytest.approx(0.6 + spread, abs=0.002)
    assert found == estimate(values[::-1])
    assert found != estimate(values, seed=1)
    assert estimate(np.array([])) is None


def test_drawing_distinct_values_is_drawing_images():
    rng = np.random.default_rng(5)
    values = rng.choice([0.0, 0.4, 0.5, 0.8, 1.0], 200)
    plain = values[rng.integers(0, 200, (10_000, 200))].mean(axis=1)
    found = estimate(values)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(np.quantile(plain, [0.025, 0.975]), abs=0.004)


def test_models_are_compared_on_the_images_that_both_have():
    found = compare({"a": 1.0, "b": 0.8, "c": 0.5, "x": 1.0}, {"b": 1.0, "a": 0.5, "x": 0.5})
    assert found is not None
    assert found.images == 3
    assert found.value == pytest.approx((1.0 - 0.5 + 0.8 - 1.0 + 1.0 - 0.5) / 3)
    assert compare({"a": 1.0}, {"b": 1.0}) is None


def test_pairing_sees_what_separate_intervals_hide():
    hard = np.random.default_rng(0).random(500)
    theirs, mine = (hard < 0.5).astype(float), (hard < 0.54).astype(float)
    images = [f"{number}.jpg" for number in range(500)]
    my_values = dict(zip(images, mine, strict=True))
    apart = compare(my_values, dict(zip(images, theirs, strict=True)))
    same = compare(my_values, my_values)
    better, worse = estimate(mine), estimate(theirs)
    assert apart is not None
    assert better is not None
    assert worse is not None
    assert apart.low > 0
    assert apart.p_value < 0.001
    assert better.low < worse.high
    assert same is not None
    assert (same.value, same.p_value) == (0.0, 1.0)


def test_correctness_holds_from_the_first_correct_noun_on():
    answers = answered([["a", "b", "c"], ["a"], ["a", "b"]], [[1, 0, 3], [0], [2, 2]])
    np.testing.assert_array_equal(correct_within(answers), [[0, 1, 1], [1, 1, 1], [0, 0, 0]])


def test_direct_and_guided_answers_are_crossed():
    direct = answered([["x"]] * 6, [[0], [0], [1], [2], [3], [3]])
    guided = answered([["x"]] * 6, [[0], [1], [0], [1], [0], [0]])
    assert direct_guided(direct, guided) == {
        ("correct", "correct"): 1,
        ("correct", "incorrect"): 1,
        ("valid", "correct"): 1,
        ("valid", "incorrect"): 1,
        ("invalid", "correct"): 2,
        ("invalid", "incorrect"): 0,
    }


TABLE = ResultTable(
    ["model", "used", "prediction"],
    [
        ["ft_2", 846, Estimate(0.7253, 0.7, 0.75, 1000)],
        ["ft_0 & more", 852, Estimate(0.7234, 0.69, 0.74, 1000)],
        ["none", 0, None],
    ],
)


def test_the_best_of_several_is_marked():
    assert TABLE.best() == {(0, 2)}
    assert ResultTable(TABLE.columns, TABLE.rows[:1]).best() == frozenset()
    assert ResultTable(TABLE.columns, [TABLE.rows[0]] * 2).best() == {(0, 2), (1, 2)}
    assert [value(cell) for cell in TABLE.rows[0]] == ["ft_2", "846", "72.53"]
    assert [interval(cell) for cell in TABLE.rows[0]] == ["", "", "70.0-75.0"]
    gain = Difference(0.01, -0.002, 0.03, 99, 0.2)
    assert (value(gain), interval(gain), value(None)) == ("+1.00", "-0.2 to +3.0", "-")


def test_a_table_as_csv():
    assert to_csv(TABLE).splitlines() == [
        "model,used,prediction,prediction low,prediction high",
        "ft_2,846,72.5300,70.0000,75.0000",
        "ft_0 & more,852,72.3400,69.0000,74.0000",
        "none,0,,,",
    ]


def test_a_table_as_latex():
    lines = to_latex(TABLE).splitlines()
    assert lines[0] == r"\begin{tabular}{lll}"
    assert lines[2] == r"model & used & prediction \\"
    assert lines[4] == r"ft\_2 & 846 & $\mathbf{72.53}_{70.00}^{75.00}$ \\"
    assert lines[5] == r"ft\_0 \& more & 852 & $72.34_{69.00}^{74.00}$ \\"
    assert lines[-1] == r"\end{tabular}"
