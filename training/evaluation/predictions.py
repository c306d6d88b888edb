"""Predictions files, version 1 (novic_spec §9.3): what a model said about a set of images.

    {"version": 1, "model": …, "model_path": …, "model_dir": …, "model_name": …,
     "model_cfg": {…}, "infer_cfg": {…}, "guide_targets": […], "vocab_targets": […],
     "samples": ["cat.jpg", …],
     "predictions": {"beam_k10_vnone_gp_t1_a0": {"gen_cfg": {…},
       "valid_guide": […], "valid_vocab": […], "valid": […], "invalid": […],
       "pred": [["cat", …], …], "score": [[-0.1, …], …], "result": [[1, …], …]}}}

A row holds fewer nouns than were asked for where the guide list has no more, even none. What Nomaly
adds, labels and images left out among it, stands under the key "nomaly", which upstream does not
know.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from novic.errors import NomalyError
from novic.json_files import read_json
from novic.whole_files import write_whole

VERSION = 1

CORRECT, GUIDE, VOCABULARY, OTHER = range(4)
"""What a prediction is: right (known only with ground truth), in the guide set, in the model's
vocabulary, or neither (novic_spec §8.7)."""

RATIOS = {
    "valid_guide": frozenset({CORRECT, GUIDE}),
    "valid_vocab": frozenset({VOCABULARY}),
    "valid": frozenset({CORRECT, GUIDE, VOCABULARY}),
    "invalid": frozenset({OTHER}),
}
"""Which results each ratio of a predictions file counts."""

DECIMALS = 6
"""Of scores in the file; two machines agree on about five."""

type Rows[T] = Sequence[Sequence[T]]
"""One row per sample, best first."""


class EvaluationError(NomalyError):
    """Images, class names or predictions cannot be used; the text names what and why."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one way of decoding made of all samples."""

    gen_cfg: Mapping[str, Any]
    """The generation config part by part, with its canonical `name` and `topk`."""
    nouns: Rows[str]
    scores: Rows[float]
    """Log probabilities, as `novic.generate` defines them."""
    results: Rows[int]
    """CORRECT, GUIDE, VOCABULARY or OTHER."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """A predictions file."""

    model: str
    """Folder and file of the model, `dir/name`."""
    model_path: str
    guide_targets: Sequence[str]
    vocab_targets: Sequence[str]
    samples: Sequence[str]
    """Image names; a text that was decoded stands in double quotes."""
    answers: Mapping[str, Answers]
    """For each canonical gencfg."""
    model_cfg: Mapping[str, Any] = field(default_factory=dict)
    infer_cfg: Mapping[str, Any] = field(default_factory=dict)
    nomaly: Mapping[str, Any] = field(default_factory=dict)
    """What only Nomaly writes; empty in upstream's files."""

    def as_json(self) -> dict[str, Any]:
        """The file's content in upstream's order of keys."""
        path = Path(self.model_path)
        extra = {"nomaly": dict(self.nomaly)} if self.nomaly else {}
        return {
            "version": VERSION,
            "model": self.model,
            "model_path": self.model_path,
            "model_dir": str(path.parent),
            "model_name": path.name,
            "model_cfg": dict(self.model_cfg),
            "infer_cfg": dict(self.infer_cfg),
            "guide_targets": sorted(self.guide_targets),
            "vocab_targets": sorted(self.vocab_targets),
            **extra,
            "samples": list(self.samples),
            "predictions": {name: _answers_json(given) for name, given in self.answers.items()},
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:  # noqa: ANN401
        """Take the content of a file apart, checking all of it.

        Raises:
            EvaluationError: If a key is missing or something is not shaped as it must be; the text
                names the key.
        """
        _check_head(value)
        samples = _texts(value, "samples")
        return cls(
            model=value["model"],
            model_path=value["model_path"],
            guide_targets=_texts(value, "guide_targets"),
            vocab_targets=_texts(value, "vocab_targets"),
            samples=samples,
            answers={
                name: _read_answers(f"predictions.{name}", given, len(samples))
                for name, given in value["predictions"].items()
            },
            model_cfg=value["model_cfg"],
            infer_cfg=value["infer_cfg"],
            nomaly=value.get("nomaly", {}),
        )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a predictions file whole or not at all.

    Raises:
        EvaluationError: If it cannot be written.
    """
    text = f"{lists_on_one_line(predictions.as_json())}\n"
    try:
        # File names need not be text; what is none is escaped, as JSON does it.
        write_whole(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise EvaluationError(f"{path}: cannot be written: {error.strerror or error}") from error


def read_predictions(path: Path) -> Predictions:
    """Read a predictions file of upstream or of Nomaly.

    Raises:
        EvaluationError: If it is missing, unreadable or breaks the format.
    """
    try:
        value = read_json(path)
    except FileNotFoundError as error:
        raise EvaluationError(f"{path}: there is no such file") from error
    except OSError as error:
        raise EvaluationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise EvaluationError(f"{path}: is not valid JSON: {error}") from error
    try:
        return Predictions.from_json(value)
    except EvaluationError as error:
        raise EvaluationError(f"{path}: {error}") from error


def share_within(results: Rows[int], wanted: frozenset[int], most: int) -> list[float]:
    """Percent of samples that have a wanted result among their first 1, 2, … `most` nouns."""
    at_rank = [0] * most
    for row in results:
        rank = next((rank for rank, result in enumerate(row[:most]) if result in wanted), None)
        if rank is not None:
            at_rank[rank] += 1
    return [100 * sum(at_rank[: k + 1]) / max(len(results), 1) for k in range(most)]


def lists_on_one_line(value: Any, indent: str = "") -> str:  # noqa: ANN401
    """JSON with a line for each key, 2 spaces a level, and every list on the line of its key."""
    if not isinstance(value, Mapping) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = f"{indent}  "
    lines = [
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {lists_on_one_line(part, inner)}"
        for key, part in value.items()
    ]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _answers_json(answers: Answers) -> dict[str, Any]:
    most = int(answers.gen_cfg["topk"])
    return {
        "gen_cfg": dict(answers.gen_cfg),
        **{name: share_within(answers.results, RATIOS[name], most) for name in RATIOS},
        "pred": [list(row) for row in answers.nouns],
        "score": [[round(float(score), DECIMALS) for score in row] for row in answers.scores],
        "result": [[int(result) for result in row] for row in answers.results],
    }


def _check_head(value: Any) -> None:  # noqa: ANN401
    """Version and kinds of all keys of the outermost object."""
    if not isinstance(value, dict) or not {"version", "samples", "predictions"} <= value.keys():
        raise EvaluationError(
            "not a predictions file (it needs version, samples and predictions); "
            "make one with nomaly evaluate"
        )
    if value["version"] != VERSION:
        raise EvaluationError(
            f"predictions version {value['version']}, this Nomaly reads version {VERSION}"
        )
    kinds = {"model": str, "model_path": str, "model_cfg": dict, "infer_cfg": dict}
    for key, kind in {**kinds, "predictions": dict, "nomaly": dict}.items():
        if key != "nomaly" and key not in value:
            raise EvaluationError(f"{key} is missing")
        if not isinstance(value.get(key, {}), kind):
            raise EvaluationError(f"{key} must be {'a text' if kind is str else 'an object'}")
    if not value["predictions"]:
        raise EvaluationError("predictions is empty: there is nothing to score")


def _read_answers(where: str, value: Any, samples: int) -> Answers:  # noqa: ANN401
    if not isinstance(value, dict):
        raise EvaluationError(f"{where} must be an object")
    gen_cfg = value.get("gen_cfg")
    most = gen_cfg.get("topk") if isinstance(gen_cfg, dict) else None
    if not isinstance(gen_cfg, dict) or not isinstance(most, int) or most < 1:
        raise EvaluationError(f"{where}.gen_cfg must be an object with a topk of at least 1")
    nouns = _rows(f"{where}.pred", value.get("pred"), samples, most)
    scores = _rows(f"{where}.score", value.get("score"), samples, most)
    results = _rows(f"{where}.result", value.get("result"), samples, most)
    for number, (row, row_scores, row_results) in enumerate(
        zip(nouns, scores, results, strict=True)
    ):
        if not len(row) == len(row_scores) == len(row_results):
            raise EvaluationError(f"{where}: row {number} of pred, score and result differ in size")
        if not all(isinstance(noun, str) for noun in row):
            raise EvaluationError(f"{where}.pred: row {number} must hold nouns")
        # Upstream writes NaN and -Infinity where its beams ran dry.
        if not all(type(score) in (int, float) for score in row_scores):
            raise EvaluationError(f"{where}.score: row {number} must hold numbers")
        if any(type(result) is not int or result not in range(4) for result in row_results):
            raise EvaluationError(f"{where}.result: row {number} must hold numbers from 0 to 3")
    return Answers(gen_cfg, nouns, scores, results)


def _rows(where: str, value: Any, samples: int, most: int) -> list[list[Any]]:  # noqa: ANN401
    if not isinstance(value, list) or len(value) != samples:
        raise EvaluationError(f"{where} must be a list with a row for each of {samples} samples")
    for number, row in enumerate(value):
        if not isinstance(row, list) or len(row) > most:
            raise EvaluationError(f"{where}: row {number} must be a list of up to {most} entries")
    return value


def _texts(value: Mapping[str, Any], key: str) -> list[str]:
    texts = value.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise EvaluationError(f"{key} must be a list of texts")
    return texts
