"""One run at a time, also after a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.lock import running
from scenarios.yaml_files import ScenarioError

HOLD = """
import sys, time
from pathlib import Path
from scenarios.lock import running
with running(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_told_of_the_first(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with (
            pytest.raises(ScenarioError, match=rf"another run \(process {other.pid}\) is on this"),
            running(tmp_path),
        ):
            pass
        other.send_signal(signal.SIGKILL)
    with running(tmp_path):
        assert (tmp_path / "work" / "run.pid").read_text() == f"{os.getpid()}\n"
    with running(tmp_path):
        pass


def test_the_lock_goes_with_a_fault(tmp_path: Path):
    with pytest.raises(ValueError, match="x"), running(tmp_path):
        raise ValueError("x")
    with running(tmp_path):
        pass


def test_a_folder_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "work").write_text("a file")
    with pytest.raises(ScenarioError, match="cannot be written"), running(tmp_path):
        pass
