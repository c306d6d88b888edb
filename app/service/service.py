"""Many cameras in one process: each on a thread of its own, with one model that names for all."""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch

from app.errors import InUseError, UsageError
from app.events.lock import locked
from app.memory import keep_little
from app.progress import Reporter
from app.service.config import SiteConfig
from app.service.errors import SiteError
from app.service.naming import SharedNames
from app.service.plan import Plan, plan
from app.service.reading import load_site
from app.service.saying import CameraReporter, lines
from app.service.storage import keeping_bytes
from app.service.watcher import CameraState, Common, Watcher
from app.sources.base import GapReason
from app.watching.board import Board
from app.watching.shared import Turns
from app.watching.telling import Tell
from app.watching.watch_request import WatchRequest
from detectors.features.extractors import Extractors
from novic.device import resolve_device
from novic.model import ModelOptions, NounModel, load_model

END_S = 10.0
"""How long the end waits for what is being written on a slow disk; most of it takes a second."""
NAMES_S = 5.0
"""So long after the start what names things is loaded even if no camera shows anything yet."""
SOON_S = 1.4
"""How long it waits for a camera that nobody looked at yet: there is nothing of it to save."""
_CHANGED: tuple[GapReason, str] = ("stopped", "nobody looked while its settings were changed")
_BESIDE = ("page", "metrics")
"""Parts of a site that are not of single cameras; they hold from the next start."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reload did."""

    started: tuple[str, ...] = ()
    """Cameras that are new."""
    restarted: tuple[str, ...] = ()
    """Cameras whose settings have changed."""
    stopped: tuple[str, ...] = ()
    """Cameras that are gone."""
    others: tuple[str, ...] = ()
    """Other parts that have changed and hold from the next start, as `page`."""

    def __str__(self) -> str:
        parts = {
            "started": self.started,
            "restarted": self.restarted,
            "stopped": self.stopped,
        }
        said = [f"{what} {', '.join(which)}" for what, which in parts.items() if which]
        if self.others:
            said.append(f"{', '.join(self.others)} changed, from the next start on")
        return "; ".join(said)


@dataclass(slots=True)
class _Engine:
    """What names for all, and what the cameras have in common besides."""

    common: Common
    stack: ExitStack


class SiteService:
    """Watches the cameras of a site while it is entered. Safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        reporter: Reporter,
        tell: Tell,
        *,
        heartbeat_s: float | None = None,
        debug: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the site's file.

        Args:
            path: The file.
            reporter: Where people read.
            tell: Given each message of each camera as scripts read it; never two at once.
            heartbeat_s: Pause between signs of life of cameras of which the file says nothing.
            debug: Told where a fault of ours came from.

        Raises:
            SiteError: If anything is wrong in the file.
        """
        self.board = Board()
        """How each camera does that is connected."""
        self._path, self._reporter = path, reporter
        self._tell_all, self._debug, self._heartbeat_s = tell, debug, heartbeat_s
        self._lines = lines(reporter)
        self._speaking = threading.Lock()
        self._changing = threading.RLock()
        self._plan = self._planned()
        self._watchers: dict[str, Watcher] = {}
        self._extractors, self._learning = Extractors(), Turns()
        self._engine: _Engine | None = None
        self._stack = ExitStack()
        self._end_s, self._names_by_s = END_S, math.inf

    def __enter__(self) -> Self:
        """Claim the site's folder, begin to load what names, and begin with every camera.

        Raises:
            InUseError: If another process watches the site.
            UsageError: If its folder cannot be written.
            NomalyError: If what names things cannot be loaded, as far as that is known; `check`
                tells the rest.
        """
        keep_little()
        with ExitStack() as stack:
            stack.enter_context(_claimed(self._plan))
            self._engine = self._loaded(self._plan, later=True)
            stack.callback(self.close)
            self._names_by_s = time.monotonic() + NAMES_S
            for warning in self._plan.loaded.warnings:
                self._reporter.say(f"Note: {warning}")
            for name, request in self._plan.cameras.items():
                self._begin(name, request)
            stack.enter_context(keeping_bytes(self.folder, self._gigabytes, self._reporter.say))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._end_s = 0.0
        self._stack.close()

    @property
    def config(self) -> SiteConfig:
        """What the file says, as of the last reload."""
        return self._plan.loaded.config

    @property
    def folder(self) -> Path:
        """Where results go, a folder for each camera below."""
        return self._plan.folder

    def cameras(self) -> list[CameraState]:
        """How each camera does, in the order of the file."""
        watchers = dict(self._watchers)
        return [watchers[name].state for name in self._plan.cameras if name in watchers]

    def check(self) -> None:
        """Look whether all is there that is loaded beside the cameras, or will be.

        Raises:
            NomalyError: If what names things cannot be loaded.
        """
        engine = self._engine
        if engine is None:
            return
        if time.monotonic() > self._names_by_s:
            engine.common.names.begin()
        _ = engine.common.names.ready

    def moving(self) -> bool:
        """Whether no camera's thread has died or hangs."""
        return all(watcher.moves for watcher in list(self._watchers.values()))

    def pause(self, camera: str, minutes: float) -> None:
        """Do not look at a camera for a while; it goes on by itself.

        Raises:
            UsageError: If there is no such camera, or the time makes no sense.
        """
        if not 0 < minutes <= 60 * 24 * 7:
            raise UsageError(f"{minutes:g} minutes: a pause lasts more than 0, and a week at most")
        self._watcher(camera).pause(minutes)

    def resume(self, camera: str) -> None:
        """End a pause now.

        Raises:
            UsageError: If there is no such camera.
        """
        self._watcher(camera).resume()

    def reload(self) -> Changes:
        """Read the file again, and begin anew with those cameras alone whose settings changed.

        Returns:
            What was done.

        Raises:
            SiteError: If anything is wrong in the file; all goes on as it was then.
            NomalyError: If what names things cannot be loaded; likewise.
        """
        with self._changing:
            new, old = self._planned(), self._plan
            if new.folder != old.folder:
                raise SiteError(
                    f"{self._path}: folder: {new.folder} is another than {old.folder}; the folder "
                    "of a site that is watched stays; stop it first"
                )
            engine = self._engine
            renamed = new.names != old.names
            fresh = self._loaded(new) if renamed or engine is None else engine
            _check_told(new, fresh.common.names)
            gone = [name for name in old.cameras if name not in new.cameras]
            changed = [
                name
                for name, request in new.cameras.items()
                if name in old.cameras and (renamed or request != old.cameras[name])
            ]
            added = [name for name in new.cameras if name not in old.cameras]
            self._end([*gone, *changed])
            self._plan, self._engine = new, fresh
            if renamed and engine is not None:
                engine.stack.close()
            for name in (*changed, *added):
                self._begin(name, new.cameras[name], _CHANGED if name in changed else None)
            others = tuple(
                part
                for part in _BESIDE
                if getattr(new.loaded.config, part) != getattr(old.loaded.config, part)
            )
            for warning in new.loaded.warnings:
                self._reporter.say(f"Note: {warning}")
            return Changes(tuple(added), tuple(changed), tuple(gone), others)

    def stop(self) -> None:
        """Ask all cameras to stop, and do not wait for them; `close` does."""
        for watcher in list(self._watchers.values()):
            watcher.stop()

    def close(self) -> None:
        """Stop all cameras and wait until what they saw is saved. Safe to call twice."""
        with self._changing:
            late = self._end(list(self._watchers), forget=False)
            for name in late:
                self._reporter.say(
                    f"{name}: did not end within {self._end_s:.0f} s; what it saw in the last "
                    "seconds may be missing"
                )
            engine, self._engine = self._engine, None
            if engine is not None:
                engine.stack.close()

    def summary(self) -> dict[str, Any]:
        """What each camera came to, once it has ended; of one that never did why."""
        watchers = dict(self._watchers)
        cameras = {
            name: watchers[name].summary or _without(watchers[name].state)
            for name in self._plan.cameras
            if name in watchers
        }
        return {"site": self.config.site, "folder": str(self.folder), "cameras": cameras}

    def _gigabytes(self) -> float | None:
        """How many all cameras may take together, as of the last reload."""
        said = self.config.retention
        return None if said is None else said.gigabytes

    def _planned(self) -> Plan:
        made = plan(load_site(self._path))
        cameras = {name: self._beating(request) for name, request in made.cameras.items()}
        return replace(made, cameras=cameras)

    def _beating(self, request: WatchRequest) -> WatchRequest:
        said = request.heartbeat_s is not None
        return request if said else replace(request, heartbeat_s=self._heartbeat_s)

    def _loaded(self, made: Plan, *, later: bool = False) -> _Engine:
        """Load what names things for a plan; with `later` frames can be looked at meanwhile."""
        with self._reporter.task("Loading the namer"):
            names = _names(made, self._reporter.say, later=later)
        _check_told(made, names)
        stack = ExitStack()
        naming = SharedNames(names, lambda: _on_cpu(made), self._reporter.say)
        stack.enter_context(naming)
        common = Common(
            names=names,
            naming=naming,
            board=self.board,
            extractors=self._extractors,
            learning=self._learning,
            tell=self._tell,
            reporter=lambda name: CameraReporter(name, self._lines),
            debug=self._debug,
        )
        return _Engine(common, stack)

    def _tell(self, message: dict[str, Any]) -> None:
        with self._speaking:
            self._tell_all(message)

    def _begin(
        self, name: str, request: WatchRequest, away: tuple[GapReason, str] | None = None
    ) -> None:
        if self._engine is not None:
            self._watchers[name] = Watcher(request, self._engine.common)
            self._watchers[name].start(away)

    def _end(self, names: Sequence[str], *, forget: bool = True) -> list[str]:
        """Stop cameras; returns those that did not end in time and had something to save."""
        watchers: Mapping[str, Watcher] = {
            name: self._watchers[name] for name in names if name in self._watchers
        }
        for watcher in watchers.values():
            watcher.stop()
        began_s, looked = time.monotonic(), self._looked()
        late = []
        for name, watcher in watchers.items():
            # Of one that still loads or learns nothing would be missing; at a reload it may not
            # go on beside its successor.
            wait_s = min(SOON_S, self._end_s) if not (forget or name in looked) else self._end_s
            ended = watcher.join(max(0.0, began_s + wait_s - time.monotonic()))
            if not ended and (forget or name in looked):
                late.append(name)
        if forget:
            for name in watchers:
                del self._watchers[name]
        return late

    def _looked(self) -> set[str]:
        """The cameras of which frames were looked at."""
        doing = (station.doing() for station in self.board.stations())
        return {one.camera for one in doing if one.frames}

    def _watcher(self, camera: str) -> Watcher:
        watcher = self._watchers.get(camera)
        if watcher is None:
            raise UsageError(
                f"{camera}: there is no such camera; there are {', '.join(self._plan.cameras)}"
            )
        return watcher


def _claimed(made: Plan) -> ExitStack:
    """The site's folder, which no other process may watch meanwhile."""
    stack, folder = ExitStack(), made.folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stack.enter_context(locked(folder))
    except InUseError as error:
        said = str(error).removeprefix("--out ").partition(";")[0]
        raise InUseError(f"{made.loaded.path}: folder {said}; stop it first") from error
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return stack


def _check_told(made: Plan, names: NounModel) -> None:
    """Refuse to tell what is never said.

    Raises:
        SiteError: If something is to be told that the model never says.
    """
    for name, request in made.cameras.items():
        for rule in request.tell:
            try:
                rule.check(names.bundle.tokens.nouns)
            except UsageError as error:
                said = str(error).removeprefix("--tell ")
                raise SiteError(f"{made.loaded.path}: cameras.{name}.tell: {said}") from error


def _names(made: Plan, say: Callable[[str], None], *, later: bool) -> NounModel:
    key = made.names
    device = resolve_device(key.device)
    options = ModelOptions(embedder=key.embedder, wrong_names=key.wrong_names)
    try:
        return load_model(key.model, device, options, many_images=True, later=later)
    except torch.OutOfMemoryError:
        say("the GPU has no room for the model that names things; the CPU names them")
        return _on_cpu(made)


def _on_cpu(made: Plan) -> NounModel:
    key = made.names
    options = ModelOptions(embedder=key.embedder, wrong_names=key.wrong_names)
    return load_model(key.model, torch.device("cpu"), options, many_images=True)


def _without(state: CameraState) -> dict[str, Any]:
    """The summary of a camera of which there is none."""
    return {"state": "failed" if state.restarts else state.doing, "why": state.why}
