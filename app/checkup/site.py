"""A whole site looked at before it is watched: its file, the machine, sinks, and each camera."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.checkup.cameras import examine_camera
from app.checkup.machine import (
    counted,
    examine_clock,
    examine_folder,
    examine_memory,
    examine_port,
    watched_by,
)
from app.checkup.sinks import examine_sink
from app.doctor import Finding
from app.redact import redact
from app.service.errors import SiteError
from app.service.plan import Plan, plan
from app.service.reading import load_site
from novic.errors import NomalyError

SECONDS = 10.0
"""How long each camera is looked at."""
AT_ONCE = 16
"""Cameras that are asked at once; each has a process of its own."""


def examine_site(
    path: Path, seconds: float = SECONDS, say: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Look at all that a site needs; no message is sent, and nothing is kept.

    Args:
        path: The site's file.
        seconds: How long each camera is looked at, all at once.
        say: Told what takes so long.

    Yields:
        At least one finding a thing, without secrets; nothing raises.
    """
    try:
        loaded = load_site(path)
        planned = plan(loaded)
    except SiteError as error:
        yield Finding("site", "fault", redact(str(error)), f"nomaly config check {path}")
        return
    config = loaded.config
    yield Finding("site", "ok", f"{config.site}, {counted(len(config.cameras))} in {path}")
    for warning in loaded.warnings:
        yield Finding("site", "warning", redact(warning), "keep secrets in .env, with mode 600")
    process = watched_by(planned.folder)
    if process is not None:
        said = f"is being watched by process {process}; its cameras are asked a second time"
        yield Finding("watch", "ok", said)
    yield from examine_folder(planned.folder)
    yield from examine_clock(planned.folder)
    yield from examine_port(config.page, process is not None)
    yield from examine_memory(len(planned.cameras), process is not None)
    yield from _sinks(planned)
    say(f"Looking at {counted(len(planned.cameras))} for {seconds:g} s ...")
    yield from _cameras(planned, seconds)


def _sinks(planned: Plan) -> Iterator[Finding]:
    """All cameras have the same."""
    first = next(iter(planned.cameras.values()))
    for sink in first.sinks:
        try:
            yield from examine_sink(sink)
        except NomalyError as error:
            yield Finding(f"sink {sink.kind}", "warning", redact(str(error)), "correct it")


def _cameras(planned: Plan, seconds: float) -> Iterator[Finding]:
    requests = planned.cameras.values()
    with ThreadPoolExecutor(min(AT_ONCE, len(requests))) as asking:
        found = asking.map(lambda one: list(examine_camera(one, seconds)), requests)
        for findings in found:
            yield from findings
