"""Waiting for the first frame of a live camera."""

from app.progress import Reporter
from app.redact import shown_address
from app.sources.base import LiveSource


def connect(camera: LiveSource, source: str, connect_s: float, reporter: Reporter) -> None:
    """Wait for the first frame, and say meanwhile why it does not come.

    Args:
        camera: What is watched.
        source: Its address as it was asked for.
        connect_s: How long to wait, seconds.
        reporter: Told what is going on.

    Raises:
        app.sources.base.UnreachableError: If it does not come in time.
    """
    with reporter.task(f"Connecting to {shown_address(source)}") as meter:

        def failed(why: str) -> None:
            meter.to(0, why)
            if not reporter.console.is_terminal:
                reporter.say(f"{camera.info.uri}: {why}, trying again")

        camera.connect(connect_s, failed)
