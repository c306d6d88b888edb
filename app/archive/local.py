"""Workers as processes of this machine: each started afresh, with one thread.

A pool of the standard library gives up altogether when one of its processes is killed. Here every
process has a pipe of its own, and its end is noticed by itself.
"""

import importlib
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from app.archive.engine import Performer
from app.archive.segments import Job, Outcome
from novic.errors import NomalyError

LOOKING = "app.archive.part"
"""The module that looks, by its name: whoever starts workers need not load it."""

ONE_THREAD: dict[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""What tells libraries, before they are loaded, to use one thread."""
_END_S = 5.0


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    number: int | None = None
    """The segment that it looks at."""


class LocalEngine:
    """Processes that look at segments."""

    def __init__(self, workers: int, request: object, module: str = LOOKING) -> None:
        """Begin; processes are started as they are needed.

        Args:
            workers: How many at most.
            request: An `app.watching.audit_request.AuditRequest` with a detector.
            module: Whose `worker` makes of the request what performs jobs.
        """
        self._most, self._request, self._module = workers, request, module
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")

    @property
    def free(self) -> int:
        """See `Engine.free`."""
        return self._most - sum(one.number is not None for one in self._workers)

    def start(self, job: Job) -> str:
        """See `Engine.start`."""
        worker = next((one for one in self._workers if one.number is None), None)
        worker = worker or self._new()
        worker.number = job.segment.number
        # Whoever was killed while it was idle is noticed like any other.
        with suppress(OSError):
            worker.pipe.send(job)
        return f"process {worker.process.pid}"

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """See `Engine.wait`."""
        busy = [one for one in self._workers if one.number is not None]
        ready = wait(
            [*(one.pipe for one in busy), *(one.process.sentinel for one in busy)], seconds
        )
        ended = [one for one in busy if one.pipe in ready or one.process.sentinel in ready]
        return [self._ended(one) for one in ended]

    def kill(self, number: int) -> None:
        """See `Engine.kill`."""
        for one in self._workers:
            if one.number == number:
                one.process.kill()

    def close(self) -> None:
        """See `Engine.close`."""
        for one in self._workers:
            one.pipe.close()
        for one in self._workers:
            one.process.join(_END_S)
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
        self._workers = []

    def _new(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._request, self._module, os.getpid()), daemon=True
        )
        before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)
        try:
            process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _ended(self, worker: _Worker) -> Outcome:
        number, worker.number = worker.number, None
        assert number is not None, "only busy workers are waited for"  # noqa: S101
        with suppress(EOFError, OSError):
            if worker.pipe.poll():
                return worker.pipe.recv()
        worker.process.join(_END_S)
        self._workers.remove(worker)
        worker.pipe.close()
        code = worker.process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return Outcome(number, "fault", fault=f"its worker ended {how}")


def begin(module: str, request: object) -> Performer:
    """What performs jobs, loaded now."""
    return importlib.import_module(module).worker(request)


def _serve(pipe: Connection, request: object, module: str, parent: int) -> None:
    """Do jobs until nobody asks any more."""
    # Ctrl-C reaches all processes of a terminal; this one is told otherwise to stop.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    performer: Performer | None = None
    with suppress(EOFError, OSError):
        while True:
            job: Job = pipe.recv()
            try:
                # Loaded here, where the environment of one thread holds.
                performer = performer or begin(module, request)
                outcome = performer.perform(job, lambda: os.getppid() == parent)
            except NomalyError as error:
                outcome = Outcome(job.segment.number, "fault", fault=str(error))
            pipe.send(outcome)
