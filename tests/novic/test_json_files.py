"""JSON of others is read within bounds."""

from pathlib import Path

import pytest

from novic.json_files import read_json
from training.caches.cache import CacheError, read_card
from training.evaluation.annotations import AnnotationError, read_annotations
from training.evaluation.predictions import EvaluationError, read_predictions


def test_what_is_too_large_too_deep_or_no_json_is_told(tmp_path: Path):
    file = tmp_path / "x.json"
    file.write_text('{"a": [1, "é"]}', encoding="utf-8")
    assert read_json(file) == {"a": [1, "é"]}
    with pytest.raises(ValueError, match="is larger than 10 bytes, so it is not read"):
        read_json(file, 10)
    for content, reason in (
        (b"[" * 200_000, "too deeply"),
        (b"\xff", "utf-8"),
        (b"{", "Expecting"),
    ):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=reason):
            read_json(file)


def test_depth_is_no_surprise_to_whoever_reads_such_files(tmp_path: Path):
    for name in ("cache.json", "x.json"):
        (tmp_path / name).write_text("[" * 200_000)
    with pytest.raises(CacheError, match="cannot be read: is nested too deeply"):
        read_card(tmp_path)
    with pytest.raises(EvaluationError, match="is not valid JSON: is nested too deeply"):
        read_predictions(tmp_path / "x.json")
    with pytest.raises(AnnotationError, match="cannot be read as JSON: maximum recursion depth"):
        read_annotations(tmp_path / "x.json")
