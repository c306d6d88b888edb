"""What every engine must do: jobs end, and a worker that is killed is told and replaced."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.archive.engine import Engine
from app.archive.local import LocalEngine
from app.archive.on_ray import RayEngine
from app.archive.segments import Job, Outcome, Segment

COUNTING = "tests.app.archive.counting"


def job(number: int, folder: Path) -> Job:
    segment = Segment(number, number, 1, f"{number}.mp4", "", 0.0, None, 1.0)
    return Job(segment, folder, ())


def pid_of(folder: Path, number: int) -> int:
    """Of the worker of a segment, once it is at it."""
    place = folder / f"pid-{number}"
    for _ in range(600):
        if place.exists():
            return int(place.read_text())
        time.sleep(0.1)
    raise AssertionError("no worker began")


def ended(engine: Engine, count: int) -> list[Outcome]:
    found: list[Outcome] = []
    for _ in range(600):
        found += engine.wait(0.1)
        if len(found) >= count:
            return found
    raise AssertionError(f"only {found} ended")


def check_engine(engine: Engine, tmp_path: Path) -> None:
    """The contract."""
    assert engine.free == 2
    engine.start(job(0, tmp_path))
    engine.start(job(1, tmp_path))
    assert engine.free == 0
    first, second = pid_of(tmp_path, 0), pid_of(tmp_path, 1)
    assert first != second
    # It is at work: nobody has let it go.
    os.kill(first, signal.SIGKILL)
    (dead,) = ended(engine, 1)
    assert (dead.number, dead.state) == (0, "fault")
    assert "its worker ended" in dead.fault
    assert engine.free == 1
    (tmp_path / "pid-0").unlink()
    engine.start(job(0, tmp_path))
    third = pid_of(tmp_path, 0)
    assert third not in (first, second)
    # Whoever gives no sign of life is ended by us.
    engine.kill(1)
    (stalled,) = ended(engine, 1)
    assert (stalled.number, stalled.state) == (1, "fault")
    (tmp_path / "go-0").touch()
    (done,) = ended(engine, 1)
    assert (done.number, done.state, done.frames) == (0, "met", third)


def test_processes_end_their_jobs_and_one_that_is_killed_is_replaced(tmp_path: Path):
    with closing(LocalEngine(2, tmp_path, COUNTING)) as engine:
        check_engine(engine, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
def test_actors_of_ray_end_their_jobs_and_one_that_is_killed_is_replaced(tmp_path: Path):
    # In a process of its own: Ray leaves processes and settings behind in the one it is loaded in.
    root = str(Path(__file__).parents[3])
    words = [sys.executable, "-c", f"from {__name__} import on_ray; on_ray({str(tmp_path)!r})"]
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        words, cwd=root, env=environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def on_ray(folder: str) -> None:
    """The contract, with actors."""
    with closing(RayEngine(2, Path(folder), module=COUNTING)) as engine:
        check_engine(engine, Path(folder))
