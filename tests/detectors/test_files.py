"""Saved detectors: whole, or refused with a reason."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from detectors.base import DetectorError
from detectors.build import load_detector
from detectors.models.padim import PadimDetector
from detectors.types import Pixels

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture
def saved(fitted: PadimDetector, tmp_path: Path) -> Path:
    fitted.save(tmp_path / "view")
    return tmp_path / "view"


def test_a_folder_holds_json_and_safetensors_only(saved: Path):
    assert sorted(p.name for p in saved.iterdir()) == ["detector.json", "detector.safetensors"]
    assert [p.name for p in saved.parent.iterdir()] == ["view"]


def test_a_folder_with_something_in_it_is_left_alone(fitted: PadimDetector, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DetectorError, match="the folder is not empty"):
        fitted.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_place_that_cannot_be_written(fitted: PadimDetector, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DetectorError, match="cannot write the detector: Not a directory"):
        fitted.save(tmp_path / "file" / "view")


def test_a_loaded_detector_looks_without_anomalib(saved: Path):
    code = (
        "import sys, pathlib, numpy, torch\n"
        "from detectors.build import load_detector\n"
        f"detector = load_detector(pathlib.Path({str(saved)!r}), torch.device('cpu'))\n"
        "detector.detect([numpy.zeros((160, 200, 3), numpy.uint8)])\n"
        "print('anomalib' in sys.modules, 'lightning' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_folder_of_the_first_format_still_loads(
    fitted: PadimDetector, saved: Path, normal: list[Pixels]
):
    card = json.loads((saved / "detector.json").read_text())
    first = {
        "format": "nomaly-detector",
        "version": 1,
        "weights_sha256": card["weights_sha256"],
        "kind": "padim",
        "settings": {
            "backbone": "lite0",
            "channels": 100,
            "longer_side": 320,
            "shrinkage": 0.1,
            "blur": 0.5,
            "passes": 64,
            "held_out_passes": 60,
            "largest_fit": 64,
            "held_out": 0.3333333333333333,
            "false_rate": 0.001,
            "seed": 0,
        },
        "backbone_sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "frame_size": [160, 200],
        "threshold": fitted.threshold,
    }
    (saved / "detector.json").write_text(json.dumps(first, indent=2) + "\n")
    loaded = load_detector(saved, CPU)
    np.testing.assert_array_equal(loaded.detect(normal[:3]).maps, fitted.detect(normal[:3]).maps)


def change(folder: Path, **facts: object) -> None:
    path = folder / "detector.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"format": "other"}, "not a detector of nomaly"),
        ({"version": 99}, "version 99, this nomaly reads 1"),
        ({"kind": "magic"}, "holds a 'magic', this nomaly knows padim"),
        ({"backbone_sha256": "0"}, "fitted with other backbone weights"),
        ({"settings": {"wings": 2}}, "facts are missing or wrong: .*wings"),
        ({"frame_size": [900, 1200]}, "do not fit a grid of"),
        ({"frame_size": "large"}, "facts are missing or wrong"),
        ({"threshold": "high"}, "facts are missing or wrong"),
        ({"threshold": 0}, "facts are missing or wrong: threshold 0"),
    ],
    ids=str,
)
def test_foreign_facts(saved: Path, facts: dict[str, object], reason: str):
    change(saved, **facts)
    with pytest.raises(DetectorError, match=reason):
        load_detector(saved, CPU)


def test_a_folder_without_a_detector(tmp_path: Path):
    with pytest.raises(DetectorError, match=r"no detector here \(detector.json is missing\)"):
        load_detector(tmp_path, CPU)


def test_json_that_breaks_off(saved: Path):
    path = saved / "detector.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(DetectorError, match=r"detector.json: damaged"):
        load_detector(saved, CPU)


def test_weights_that_break_off(saved: Path):
    path = saved / "detector.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DetectorError, match="truncated or changed since it was written"):
        load_detector(saved, CPU)


def test_weights_that_are_gone(saved: Path):
    (saved / "detector.safetensors").unlink()
    with pytest.raises(DetectorError, match=r"safetensors: cannot be read: No such file"):
        load_detector(saved, CPU)
