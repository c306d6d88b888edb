"""Predictions files scored beside each other: one row per model and way of decoding."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novic.intervals import Difference, Estimate, compare, estimate
from training.evaluation.annotations import Annotations
from training.evaluation.predictions import EvaluationError, Predictions, read_predictions
from training.evaluation.scores import (
    AnnotatedScore,
    BothWays,
    DirectGuided,
    correct_within,
    direct_guided,
    score_annotated,
)
from training.evaluation.tables import Cell, ResultTable

GENCFG = "gencfg"
"""The column of the ways of decoding, there if they are several."""
RANKS = (5, 10)
"""Besides the first noun, so many first nouns have a column in tables."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassScore:
    """How often answers are right, by the classes of the images."""

    samples: tuple[str, ...]
    right: Mapping[str, float]
    """1 or 0 for each image: whether its first noun is right."""
    correct: tuple[Estimate | None, ...]
    """By top 1, top 2, …; None without images."""
    without_noun: int
    """Classes that the model has no noun for, so that it can't be right."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRow:
    """The score of one way of decoding in one file."""

    file: Path
    predictions: Predictions
    gencfg: str
    score: AnnotatedScore | ClassScore

    @property
    def values(self) -> Mapping[str, float]:
        """For each image the value of its first noun."""
        if isinstance(self.score, ClassScore):
            return self.score.right
        return dict(zip(self.score.samples, self.score.prediction[0].values, strict=True))


def score_files(
    paths: Sequence[Path],
    annotations: Annotations | None = None,
    specificity: Mapping[str, float] | None = None,
    seed: int = 0,
) -> list[ScoredRow]:
    """Score predictions files.

    Args:
        paths: The files; each gives a row per way of decoding.
        annotations: Judged nouns; without them files are scored by the classes of their images.
        specificity: Of nouns in canonical form, for the overall score.
        seed: Of the intervals.

    Raises:
        EvaluationError: If a file cannot be read or scored.
        AnnotationError: If the annotations are of other images.
    """
    return [
        ScoredRow(
            path, predictions, name, _score(path, predictions, name, annotations, specificity, seed)
        )
        for path in paths
        for predictions in [read_predictions(path)]
        for name in predictions.answers
    ]


def differences(rows: Sequence[ScoredRow], seed: int = 0) -> list[Difference | None]:
    """How each row differs from the first one on the images of both; None for the first itself."""
    first = rows[0].values
    return [None, *(compare(row.values, first, seed) for row in rows[1:])]


def comparison_table(rows: Sequence[ScoredRow], seed: int = 0) -> ResultTable:
    """All rows as a table; columns that say nothing are left out."""
    named = _names(rows)
    several = len({row.gencfg for row in rows}) > 1
    apart = differences(rows, seed)
    lines: list[dict[str, Cell]] = []
    for row in rows:
        line: dict[str, Cell] = {"model": named[row.file], GENCFG: row.gencfg}
        lines.append({**line, "images": len(row.score.samples), **_cells(row.score)})
    said = (name for line in lines for name, cell in line.items() if cell is not None)
    columns = sorted(dict.fromkeys(said), key=list(lines[0]).index)
    if not several:
        columns.remove(GENCFG)
    if len(rows) > 1:
        columns.append("vs first")
        for line, difference in zip(lines, apart, strict=True):
            line["vs first"] = difference
    return ResultTable(columns, [[line.get(name) for name in columns] for line in lines])


def comparison_json(rows: Sequence[ScoredRow], seed: int = 0) -> list[dict[str, Any]]:
    """All rows for scripts; keys are stable, scores are percent."""
    return [
        {
            "predictions": str(row.file),
            "model": row.predictions.model,
            "gencfg": row.gencfg,
            "images": len(row.score.samples),
            **_score_json(row.score),
            "vs_first": difference.as_json() if difference else None,
        }
        for row, difference in zip(rows, differences(rows, seed), strict=True)
    ]


def cross_tables(rows: Iterable[ScoredRow]) -> dict[Path, DirectGuided]:
    """Upstream's eval_cls for every file that holds greedy answers both free and guided."""
    found = {}
    for row in rows:
        greedy = [
            a for a in row.predictions.answers.values() if a.gen_cfg.get("method") == "greedy"
        ]
        free = [answers for answers in greedy if not answers.gen_cfg.get("guided")]
        guided = [answers for answers in greedy if answers.gen_cfg.get("guided")]
        if isinstance(row.score, ClassScore) and free and guided:
            found[row.file] = direct_guided(free[0], guided[0])
    return found


def _score(
    path: Path,
    predictions: Predictions,
    name: str,
    annotations: Annotations | None,
    specificity: Mapping[str, float] | None,
    seed: int,
) -> AnnotatedScore | ClassScore:
    answers = predictions.answers[name]
    if annotations is not None:
        return score_annotated(predictions, answers, annotations, specificity, seed)
    if not predictions.nomaly.get("labels"):
        raise EvaluationError(
            f"{path}: its images have no classes; say what is right with --annotations"
        )
    right = correct_within(answers)
    return ClassScore(
        samples=tuple(predictions.samples),
        right=dict(zip(predictions.samples, right[:, 0].tolist(), strict=True)),
        correct=tuple(estimate(column, seed) for column in right.T),
        without_noun=len(predictions.nomaly.get("classes_without_noun", ())),
    )


def _names(rows: Sequence[ScoredRow]) -> dict[Path, str]:
    """What each file is called in tables: by its model, its stem or its path, if that is unique."""
    models = {row.file: row.predictions.model for row in rows}
    stems = {file: file.stem for file in models}
    for names in (models, stems):
        if len(set(names.values())) == len(names):
            return names
    return {file: str(file) for file in models}


def _cells(score: AnnotatedScore | ClassScore) -> dict[str, Cell]:
    """A row's figures; the same columns for every row, None where it has no figure."""
    if isinstance(score, ClassScore):
        return {
            "unnameable": score.without_noun or None,
            "top 1": score.correct[0],
            **{f"top {rank}": _at(score.correct, rank) for rank in RANKS},
        }
    by_rank = [both.zero for both in score.prediction]
    return {
        "unjudged": len(score.unjudged),
        "used": score.used,
        "primary": score.primary.zero,
        "prediction": by_rank[0],
        "judged only": score.prediction[0].judged if score.unjudged else None,
        **{f"top {rank}": _at(by_rank, rank) for rank in RANKS},
        "overall": score.overall.zero if score.overall else None,
    }


def _at(by_rank: Sequence[Estimate | None], rank: int) -> Estimate | None:
    return by_rank[rank - 1] if rank <= len(by_rank) else None


def _score_json(score: AnnotatedScore | ClassScore) -> dict[str, Any]:
    if isinstance(score, ClassScore):
        return {
            "classes_without_noun": score.without_noun,
            "correct": [_estimate_json(by_rank) for by_rank in score.correct],
        }
    return {
        "used": score.used,
        "unjudged": len(score.unjudged),
        "unjudged_nouns": [list(pair) for pair in score.unjudged],
        "unjudged_any_rank": score.unjudged_anywhere,
        "primary": _both_json(score.primary),
        "prediction": [_both_json(by_rank) for by_rank in score.prediction],
        "overall": _both_json(score.overall) if score.overall else None,
        "without_specificity": list(score.without_specificity),
    }


def _both_json(both: BothWays) -> dict[str, Any]:
    return {"as_zero": _estimate_json(both.zero), "judged_only": _estimate_json(both.judged)}


def _estimate_json(found: Estimate | None) -> dict[str, float | int] | None:
    return found.as_json() if found else None
