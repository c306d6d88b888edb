"""The examples of docs/python.md, run as they stand."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_examples_run(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "shift.mp4").symlink_to(clip)
    monkeypatch.chdir(tmp_path)
    here: dict[str, Any] = {}
    told = []
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), here)  # noqa: S102 - our own page
        told.append(capfd.readouterr())
    assert {said.err for said in told} == {""}
    cat, coffee, boxes, saved, events = [said.out.splitlines() for said in told]
    assert "cat" in cat[0]
    assert "coffee" in coffee[0]
    assert len(boxes) >= 3
    assert all("s Box(x1=" in line for line in boxes)
    assert saved == []
    assert len(events) == 2
    assert (tmp_path / "shift-audit" / "report.html").exists()
