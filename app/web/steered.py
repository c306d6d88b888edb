"""What the page asks of a site that this process watches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class CameraState(Protocol):
    """How one camera of a site does, also while it is not watched."""

    @property
    def camera(self) -> str:
        """Its name."""
        ...

    @property
    def folder(self) -> Path:
        """Of its store."""
        ...

    @property
    def source(self) -> str:
        """Where it is, without passwords."""
        ...

    @property
    def doing(self) -> str:
        """`starting`, `unreachable`, `watching`, `paused`, `failed`, `ended` or `stopped`."""
        ...

    @property
    def why(self) -> str:
        """Why it is not watched, in a sentence; empty if it is."""
        ...

    @property
    def resumes_us(self) -> int | None:
        """UTC when a pause ends, microseconds; None if there is none."""
        ...


class Steered(Protocol):
    """The cameras of a site; `app.service.service.SiteService` is one."""

    def cameras(self) -> Sequence[CameraState]:
        """How each does."""
        ...

    def pause(self, camera: str, minutes: float) -> None:
        """Do not look at one for a while."""
        ...

    def resume(self, camera: str) -> None:
        """End a pause now."""
        ...

    def reload(self) -> object:
        """Read the site's file again; the answer says in words what was done."""
        ...
