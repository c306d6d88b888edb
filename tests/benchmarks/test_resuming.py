"""Benchmarks that go on where they were stopped, and how far short of a flip one tries."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.blind_parts import Kept as KeptParts
from benchmarks.blind_parts import column
from benchmarks.ood_draws import file_of
from benchmarks.ood_scores import Seen, keep, kept
from benchmarks.receipts import LEAST, SHORT, Kept, short_of
from calibration.blindness import Planted, Share
from tests.small_files import small_files

CLIP = {"clip": "dev-yard-0", "cases": [], "other": {"light": 2}}
MOMENT = {"clip": "dev-yard-0", "number": 3, "kind": "event", "flips": True, "early": False}


def test_moments_that_are_done_are_read_back_and_a_line_that_was_cut_off_is_done_again(
    tmp_path: Path,
):
    path = tmp_path / "moments.jsonl"
    kept = Kept(path)
    kept.add(CLIP)
    kept.add(MOMENT)
    with path.open("a") as file:
        file.write(json.dumps(MOMENT | {"number": 4})[:30])
    again = Kept(path).read()
    assert (again.clips, again.moments) == ({"dev-yard-0": CLIP}, {("dev-yard-0", 3): MOMENT})
    again.add(MOMENT | {"number": 5})
    assert [number for _, number in Kept(path).read().moments] == [3, 5]


def test_moments_and_stretches_of_the_blind_map_are_read_back(tmp_path: Path):
    path = tmp_path / "parts.jsonl"
    things = [
        Planted(3, 0.02, 0, True),
        Planted(7, 0.02, 0, False),
        Planted(2, 0.02, 0, True, True),
    ]
    KeptParts(path).add(("yard", "map", 0), things)
    with path.open("a") as file:
        file.write('{"scene": "yard", "part": "map", "num')
    again = KeptParts(path)
    assert again.things == {("yard", "map", 0): things}
    again.add(("yard", "map", 1), [])
    assert list(KeptParts(path).things) == [("yard", "map", 0), ("yard", "map", 1)]
    said = again.of("map", ["yard"])
    assert column(said, 3, 0.02) == Share(1, 2)
    assert column(said, 2, None) == Share(0, 0)
    assert again.of("truth", ["yard"]).things == again.of("map", ["garden"]).things == ()


def test_features_of_pictures_are_kept_whole_or_not_at_all_and_by_where_pictures_lie(
    tmp_path: Path,
):
    file = file_of(tmp_path, "fit", tmp_path / "package")
    assert file == file_of(tmp_path, "fit", tmp_path / "other" / ".." / "package")
    assert file != file_of(tmp_path, "fit", tmp_path / "other")
    features = np.arange(6000.0).reshape(60, 100)
    with small_files(2000), pytest.raises(OSError, match="File too large"):
        keep(file, Seen(features, features))
    assert not file.exists()
    keep(file, Seen(features, -features))
    assert np.array_equal(kept(file).log_p, -features)


def test_a_bar_short_of_the_flip_lies_between_on_the_side_of_the_flip():
    assert short_of(1.0, 0.5) == pytest.approx(0.5**SHORT)
    assert short_of(1.0, 2.0) == pytest.approx(2.0**SHORT)
    assert short_of(1.0, 1.01) == pytest.approx(1.01 * (1 - LEAST), rel=1e-5)
    assert short_of(1.0, 1.0005) is None
