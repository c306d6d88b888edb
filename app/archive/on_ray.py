"""Workers as actors of Ray, on this machine or on a cluster that is there.

Ray starts and places the actors, and nothing else: what is done is in our own ledger. An actor
that is dead may keep whoever asks a fixed pool of them waiting for ever (ray#62746). So every actor
is asked by itself, and one that gives no sign of life is ended by our own watch.
"""

import atexit
import importlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.archive.engine import Performer
from app.archive.local import LOOKING, ONE_THREAD, begin
from app.archive.segments import Job, Outcome
from app.errors import UsageError
from novic.errors import NomalyError

_STORE_BYTES = 100 << 20
"""Shared memory of a cluster that we start: jobs and outcomes are small."""


@dataclass(slots=True, eq=False)
class _Actor:
    handle: Any
    number: int | None = None
    answer: Any = None


class Serving:
    """What runs in an actor."""

    def __init__(self, request: object, module: str) -> None:
        """Take what to look for; nothing is loaded before the first job."""
        self._request, self._module = request, module
        self._performer: Performer | None = None

    def perform(self, job: Job) -> Outcome:
        """See `app.archive.engine.Performer.perform`; an actor ends with whoever started it."""
        try:
            self._performer = self._performer or begin(self._module, self._request)
            return self._performer.perform(job, lambda: True)
        except NomalyError as error:
            return Outcome(job.segment.number, "fault", fault=str(error))


class RayEngine:
    """Actors that look at segments."""

    def __init__(
        self, workers: int, request: object, address: str = "", module: str = LOOKING
    ) -> None:
        """Connect to a cluster, or start one on this machine.

        Args:
            workers: How many actors at most, each with one processor.
            request: An `app.watching.audit_request.AuditRequest` with a detector.
            address: Of a cluster that is there, as `ray.init` takes it; empty to start one.
            module: Whose `worker` makes of the request what performs jobs.

        Raises:
            UsageError: If Ray is not installed, or cannot be reached or started.
        """
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        if not address:
            _own_token()
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise UsageError(
                "--engine ray: Ray is not installed; install nomaly with its extra 'ray', or leave "
                "--engine away"
            ) from error
        own = {"num_cpus": workers, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
        variables = {**ONE_THREAD, **_python_path(os.environ)}
        try:
            self._ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level="error",
                runtime_env={"env_vars": variables},
                **({} if address else own),
            )
        except Exception as error:
            where = f"--ray-address {address}" if address else "--engine ray"
            raise UsageError(f"{where}: Ray cannot be used: {error}") from error
        self._kind = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Serving)
        self._most, self._request, self._module = workers, self._ray.put(request), module
        self._actors: list[_Actor] = []
        self._ended: list[Outcome] = []

    @property
    def free(self) -> int:
        """See `app.archive.engine.Engine.free`."""
        return self._most - sum(one.number is not None for one in self._actors)

    def start(self, job: Job) -> str:
        """See `app.archive.engine.Engine.start`."""
        actor = next((one for one in self._actors if one.number is None), None)
        if actor is None:
            actor = _Actor(self._kind.remote(self._request, self._module))
            self._actors.append(actor)
        actor.number = job.segment.number
        actor.answer = actor.handle.perform.remote(job)
        return f"actor {actor.handle._actor_id.hex()[:12]}"

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """See `app.archive.engine.Engine.wait`."""
        ended, self._ended = self._ended, []
        busy = {one.answer: one for one in self._actors if one.number is not None}
        if busy and not ended:
            ready, _ = self._ray.wait([*busy], num_returns=1, timeout=seconds)
            ended = [self._outcome(busy[answer]) for answer in ready]
        return ended

    def kill(self, number: int) -> None:
        """See `app.archive.engine.Engine.kill`; Ray is not waited for."""
        for actor in [one for one in self._actors if one.number == number]:
            self._actors.remove(actor)
            self._ray.kill(actor.handle)
            self._ended.append(Outcome(number, "fault", fault="its worker was ended"))

    def close(self) -> None:
        """See `app.archive.engine.Engine.close`."""
        self._actors = []
        self._ray.shutdown()

    def _outcome(self, actor: _Actor) -> Outcome:
        number, actor.number = actor.number, None
        assert number is not None, "only busy actors are waited for"  # noqa: S101
        try:
            return self._ray.get(actor.answer)
        except self._ray.exceptions.RayError as error:
            self._actors.remove(actor)
            self._ray.kill(actor.handle)
            why = type(error).__name__
            return Outcome(number, "fault", fault=f"its worker ended ({why})")


@cache
def _own_token() -> None:
    """Let nobody else use the cluster that is started: its port can run any code.

    Ray reads where the token lies once in a process, so there is one for all clusters of ours.
    """
    folder = Path(tempfile.mkdtemp(prefix="nomaly-ray-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token))


def _python_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Where this process finds its own code, if somebody said so."""
    path = environment.get("PYTHONPATH")
    return {} if path is None else {"PYTHONPATH": path}
