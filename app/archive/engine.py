"""Whoever does jobs: processes of this machine, or a cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.archive.segments import Job, Outcome

type EngineKind = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How many look at an archive, and where."""

    workers: int
    engine: EngineKind = "local"
    ray_address: str = ""
    """Of a cluster that is there; empty to start one on this machine."""


class Performer(Protocol):
    """What performs jobs inside a worker; `app.archive.part.Looker` does."""

    def perform(self, job: Job, alive: Callable[[], bool]) -> Outcome:
        """Do a job; `alive` tells whether somebody still waits for it."""
        ...


class Engine(Protocol):
    """Does jobs; none of its methods waits for long."""

    @property
    def free(self) -> int:
        """How many jobs can be started now."""
        ...

    def start(self, job: Job) -> str:
        """Start a job; returns the name of the worker that does it."""
        ...

    def wait(self, seconds: float) -> Sequence[Outcome]:
        """Jobs that have ended, with those whose worker died; waits for the first that long."""
        ...

    def kill(self, number: int) -> None:
        """End the worker of a segment that gives no sign of life; its outcome tells it."""
        ...

    def close(self) -> None:
        """End all workers. Safe to call twice."""
        ...
