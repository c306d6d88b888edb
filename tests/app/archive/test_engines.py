"""What every engine must do: jobs end, and a worker that is killed is told and replaced."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.archive.engine import Engine
from app.archive.local import LocalEngine
from app.archive.on_ray import RayEngine
from app.archive.segments import Job, Outcome, Segment
from app.errors import UsageError

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


def local(folder: Path) -> Engine:
    return LocalEngine(2, folder, COUNTING)


def on_ray(folder: Path) -> Engine:
    pytest.importorskip("ray")
    return RayEngine(2, folder, module=COUNTING)


@pytest.fixture(params=[local, pytest.param(on_ray, marks=pytest.mark.slow)])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    root = str(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", root)
    made: Callable[[Path], Engine] = request.param
    found = made(tmp_path)
    try:
        yield found
    finally:
        found.close()


def test_jobs_end_and_a_worker_that_is_killed_at_one_is_replaced(engine: Engine, tmp_path: Path):
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


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path):
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match=r"--ray-address nonsense:1: Ray cannot be used"):
        RayEngine(1, tmp_path, address="nonsense:1")
