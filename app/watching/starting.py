"""How a watch comes to its camera, its run and its detector."""

import time
from pathlib import Path
from typing import Any, Self

import torch

from app.errors import UsageError
from app.events.adopting import adopted_run
from app.events.outputs import earlier_run
from app.events.store import Run, Store
from app.progress import Reporter
from app.redact import shown_address
from app.sources.base import LiveSource, UnreachableError
from app.sources.open import kind_of, open_live
from app.watching.request import RunRequest
from app.watching.shared import Shared
from app.watching.watch_request import WatchRequest
from detectors.base import Detector
from detectors.build import load_detector

_ATTEMPT_S = 0.5
"""So often one who waits for a camera for ever asks whether he is to stop."""


def connect(
    camera: LiveSource, source: str, connect_s: float, reporter: Reporter, shared: Shared | None
) -> None:
    """Wait for the first frame, and say meanwhile why it does not come.

    Args:
        camera: It has been asked.
        source: Its address, for people without what is secret in it.
        connect_s: How long to wait; among others of a site for ever.
        reporter: Told why it does not come.
        shared: What belongs to all of a site; None for a watch of its own.

    Raises:
        app.sources.base.UnreachableError: If it does not come in time.
        KeyboardInterrupt: If the watch is stopped meanwhile.
    """
    if shared is not None:
        _wait_for(camera, shared)
        return
    with reporter.task(f"Connecting to {shown_address(source)}") as meter:

        def failed(why: str) -> None:
            meter.to(0, why)
            if not reporter.console.is_terminal:
                reporter.say(f"{camera.info.uri}: {why}, trying again")

        camera.connect(connect_s, failed)


def _wait_for(camera: LiveSource, shared: Shared) -> None:
    said = ""

    def failed(why: str) -> None:
        nonlocal said
        if why and why != said:
            said = why
            shared.unreached(why)

    while True:
        shared.stop.check()
        until_s = time.monotonic() + _ATTEMPT_S
        try:
            camera.connect(_ATTEMPT_S, failed)
        except UnreachableError as error:
            # One that refuses the login says so at once, and so that is not told on the way.
            failed(error.why)
            time.sleep(max(0.0, until_s - time.monotonic()))
        else:
            shared.unreached("")
            return


class Opening:
    """The camera of a watch, asked while models are still loaded; closed when it is left.

    A reader takes a second to start, and a stream may take two more to its next key frame. What
    plays at its own pace, or is read from where it was left, is opened once there is who looks.
    """

    def __init__(self, request: WatchRequest) -> None:
        """Ask a network camera or webcam.

        Raises:
            app.sources.base.UnreachableError: If the address makes no sense.
        """
        self._request = request
        live = kind_of(request.source) not in ("file", "folder")
        self._camera = self._open(0.0) if live else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._camera is not None:
            self._camera.close()

    def camera(self, start_s: float) -> LiveSource:
        """The camera, opened by now.

        Args:
            start_s: Where a file begins to play.

        Raises:
            app.sources.base.UnreachableError: If it is no video, or cannot be read.
        """
        if self._camera is None:
            self._camera = self._open(start_s)
        return self._camera

    def _open(self, start_s: float) -> LiveSource:
        request = self._request
        ring_s = request.clips.ring_s if request.clips is not None else 0.0
        return open_live(
            request.source, request.camera, request.fps, start_s=start_s, ring_s=ring_s
        )


def run_to_go_on(
    store: Store, request: RunRequest, settings: dict[str, Any], *, shared: bool
) -> Run | None:
    """The run of a folder that this watch goes on with; None to begin one.

    Args:
        store: Of the folder.
        request: What is watched.
        settings: What decides the result.
        shared: Whether it is one of a site's cameras, whose settings may change from day to day.

    Raises:
        UsageError: If the folder holds another run.
    """
    if not shared:
        return earlier_run(store, "watch", settings, request.unsaid())
    run = adopted_run(store, settings, request.unsaid())
    if run is None:
        set_aside(request.kept_detector)
    return run


def set_aside(folder: Path) -> None:
    """Give a detector that learned another view another name.

    Raises:
        UsageError: If it cannot be renamed.
    """
    if not folder.exists():
        return
    number = 1
    while (place := folder.with_name(f"{folder.name}-before-{number}")).exists():
        number += 1
    try:
        folder.rename(place)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be renamed: {error.strerror or error}") from error


def fitted_detector(
    request: RunRequest, goes_on: bool, device: torch.device, shared: Shared | None
) -> Detector | None:
    """The detector asked for, or that of the watch that goes on; None if it has to learn."""
    extractors = None if shared is None else shared.extractors
    if request.detector is not None:
        return load_detector(request.detector, device, extractors)
    kept = request.kept_detector
    return load_detector(kept, device, extractors) if goes_on and kept.exists() else None
