"""A site of two cameras, small, with events of every sort."""

from dataclasses import replace
from pathlib import Path

from app.events.event import Finding
from app.events.store import Changes, SourceProgress, Store
from app.sources.base import Gap
from tests.app.events.findings import a_camera_finding, a_finding

BEGAN_US = 1_795_985_600_000_000
"""2026-11-29 20:53:20 UTC."""
HOUR_US = 3_600_000_000


def seen(number: int, noun: str, camera: str, **other: object) -> Finding:
    """An event that began so many minutes after the cameras."""
    finding = a_finding(number, 60.0 * number, noun)
    start_us = BEGAN_US + 60_000_000 * number
    event = replace(
        finding.event,
        id=f"{start_us:014x}-{camera}",
        camera=camera,
        video="",
        start_us=start_us,
        end_us=start_us + 2_000_000,
        candidates=((noun, 0.9), ("dog", 0.05)),
    )
    return replace(finding, event=replace(event, **other))


def fault(number: int, camera: str) -> Finding:
    """A camera's own fault, so many minutes after it began."""
    told = a_camera_finding(number)
    as_seen = seen(number, "", camera).event
    event = replace(
        told.event,
        id=as_seen.id,
        camera=camera,
        video="",
        start_us=as_seen.start_us,
        end_us=as_seen.end_us,
        said="Its picture was black.",
    )
    return replace(told, event=event)


def write_camera(folder: Path, *findings: Finding) -> int:
    """A camera that watched for an hour, blind for the tenth minute of it; returns the run."""
    camera = folder.name
    source = SourceProgress(
        camera, f"rtsp://{camera}/1", (60, 80), 30.0, 0.0, seen_s=3600.0, frames=18000,
        start_us=BEGAN_US, time_from="arrival",
    )  # fmt: skip
    blind_us = BEGAN_US + HOUR_US // 6
    gaps = [Gap(blind_us, blind_us + 60_000_000, "stalled", "no new picture for 2 s")]
    with Store(folder) as store:
        run = store.begin_run("watch", {"false_events": "1/hour", "zones": {}})
        store.save(run.id, Changes(source, findings, peaks={60: 2.5, 600: 0.4}, gaps=gaps))
    return run.id


def a_site(folder: Path) -> Path:
    """Hall: a cat, a suitcase that is open, a fault, a silent dog. Gate: a person."""
    write_camera(
        folder / "hall",
        seen(1, "cat", "hall"),
        fault(2, "hall"),
        seen(5, "dog", "hall", muted="verdict 1: dog is normal here"),
        seen(9, "suitcase", "hall", state="opened"),
    )
    write_camera(folder / "gate", seen(3, "person", "gate"))
    return folder


def event_id(number: int, camera: str) -> str:
    """Of the event that began so many minutes after the camera."""
    return f"{BEGAN_US + 60_000_000 * number:014x}-{camera}"
