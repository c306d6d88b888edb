"""Saved detectors: whole, or refused with a reason."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

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
    assert isinstance(loaded, PadimDetector)
    assert loaded.extractor.key.precision == "float32"
    # The same learned view, whatever the machine's own precision is.
    maps, usual = loaded.detect(normal[:3]).maps, fitted.detect(normal[:3]).maps
    np.testing.assert_allclose(maps, usual, atol=0.05)
    assert loaded.view is None


def change(folder: Path, **facts: object) -> None:
    path = folder / "detector.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"format": "other"}, "not a detector of nomaly"),
        ({"version": 99}, "version 99, this nomaly reads 1 and 2; fit it again"),
        ({"kind": "magic"}, "holds a 'magic', this nomaly knows padim, "),
        ({"backbone_sha256": "0"}, "fitted with other backbone weights"),
        ({"settings": {"wings": 2}}, "facts are missing or wrong: .*wings"),
        ({"frame_size": [900, 1200]}, "do not fit a grid of"),
        ({"frame_size": "large"}, "facts are missing or wrong"),
        ({"threshold": "high"}, "facts are missing or wrong"),
        ({"threshold": 0}, "facts are missing or wrong: threshold 0"),
        ({"precision": "float3"}, "facts are missing or wrong: precision 'float3'"),
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


def spoil(folder: Path, **tensors: torch.Tensor) -> None:
    """Change tensors, with a checksum that is right again."""
    weights = folder / "detector.safetensors"
    content = save({**load(weights.read_bytes()), **tensors})
    weights.write_bytes(content)
    change(folder, weights_sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"frame_size": [0, 0]}, r"frame_size \[0, 0\]: must be height and width, 1 to 32768"),
        ({"frame_size": [160, 10**9]}, "must be height and width"),
        ({"frame_size": [160.0, 200.0]}, "must be height and width"),
        ({"frame_size": [float("inf"), 1]}, "must be height and width"),
        ({"threshold": float("inf")}, "threshold inf: must be above 0 and finite"),
        ({"threshold": float("nan")}, "threshold nan: must be above 0 and finite"),
        ({"threshold": 10**400}, "facts are missing or wrong"),
        ({"settings": {"blur": float("nan")}}, "blur=nan should be a finite number"),
        ({"settings": {"longer_side": 10**9}}, "longer_side=1000000000 should be less than"),
        ({"settings": {"seed": 10**30}}, "facts are missing or wrong"),
        ({"settings": [1]}, "facts are missing or wrong"),
    ],
    ids=str,
)
def test_crafted_facts(saved: Path, facts: dict[str, object], reason: str):
    settings = facts.get("settings")
    if isinstance(settings, dict):
        known = json.loads((saved / "detector.json").read_text())["settings"]
        facts = {"settings": known | settings}
    change(saved, **facts)
    with pytest.raises(DetectorError, match=reason):
        load_detector(saved, CPU)


def test_crafted_tensors(saved: Path):
    whole = {path: path.read_bytes() for path in saved.iterdir()}
    mean = load(whole[saved / "detector.safetensors"])["mean"]
    whitening = load(whole[saved / "detector.safetensors"])["whitening"]
    chosen = load(whole[saved / "detector.safetensors"])["chosen"]
    odd = whitening.clone()
    odd[5, 7] = float("inf")
    for tensors, reason in (
        ({"mean": mean * float("nan")}, "mean holds values that are not finite"),
        ({"whitening": odd}, "whitening holds values that are not finite"),
        ({"mean": mean.int()}, "mean holds values that are not finite"),
        ({"mean": torch.zeros(4, 30_000)}, "are not of the same 100 channels"),
        ({"mean": torch.zeros(4, 100)}, "do not fit a grid of"),
        ({"whitening": whitening[:, :-1].contiguous()}, "do not fit a grid of"),
        ({"chosen": chosen + 10_000}, "chosen: must be channels below"),
        ({"chosen": chosen.flip(0)}, "chosen: must be channels below"),
        ({"chosen": -chosen}, "chosen: must be channels below"),
        ({"chosen": chosen.float()}, r"chosen torch\.float32 .*must list channels"),
        ({"chosen": chosen[:50]}, "are not of the same 50 channels"),
    ):
        spoil(saved, **tensors)
        with pytest.raises(DetectorError, match=reason):
            load_detector(saved, CPU)
        for path, content in whole.items():
            path.write_bytes(content)
    load_detector(saved, CPU)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[" * 200_000, "is nested too deeply"), (" " * (9 << 20), "is larger than 8,388,608 bytes")],
    ids=["deep", "large"],
)
def test_a_card_of_depth_or_length(saved: Path, text: str, reason: str):
    (saved / "detector.json").write_text(text)
    with pytest.raises(DetectorError, match=f"damaged: {reason}"):
        load_detector(saved, CPU)
