"""Runs with as many events as a test wants, of photographs and of noise, and their reports."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from skimage import data

from app.events.event import Finding, Part, Picture
from app.events.store import Changes, Run, SourceProgress, Store
from app.report.page import write_report
from calibration.belonging import Evidence
from detectors.types import Box, Pixels
from novic.vocabulary import ThingKind
from tests.app.events.findings import a_camera_finding, a_finding

SIZE = (480, 640)
"""(height, width) of the frames."""
BEGAN_US = 1_795_985_600_000_000
"""2026-11-29 20:53:20 UTC."""


def scene(number: int, *, noisy: bool = False) -> Pixels:
    """A frame of a camera: a photograph, or what no picture format can make small."""
    if noisy:
        return np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    photo = data.chelsea()[:, : 300 * 4 // 3]
    rows = np.arange(SIZE[0]) * photo.shape[0] // SIZE[0]
    columns = np.arange(SIZE[1]) * photo.shape[1] // SIZE[1]
    return np.roll(photo[rows][:, columns], 7 * number, axis=1)


def a_seen(
    number: int,
    candidates: tuple[tuple[str, float], ...] = (("cat", 0.8), ("dog", 0.1)),
    *,
    noisy: bool = False,
    thing: ThingKind | None = None,
) -> Finding:
    """An event at 5, 10, 15 ... seconds."""
    image = scene(number, noisy=noisy)
    box = Box(200 + number % 7 * 20, 120, 330 + number % 7 * 20, 300)
    start_s = 5.0 * (number + 1)
    finding = a_finding(number, start_s)
    event = replace(
        finding.event,
        box=box,
        frame_size=SIZE,
        video="",
        candidates=candidates,
        sure_from=0.6,
        thing=thing,
        start_us=BEGAN_US + round(start_s * 1e6),
        end_us=BEGAN_US + round(start_s * 1e6) + 2_000_000,
    )
    crop = box.grown(0.12, SIZE).cut(image)
    heat = np.random.default_rng(number).random((60, 80)).astype(np.float32) * 4
    picture = Picture(start_s + 1, box, SIZE, (crop,), image, heat, 1.0)
    return Finding(event, picture, ((start_s, box, 2.5),))


def of_site(noun: str, frequency: float, p: float = 0.8) -> Evidence:
    """What is known of a thing where a noun is so frequent, from 1 to 10; 0 if no site says so."""
    return Evidence(((noun, p, frequency),), 1 - p)


def parted(finding: Finding) -> Finding:
    """The same of two people, who are apart."""
    parts = (Part(Box(200, 120, 250, 300), 0.99), Part(Box(262, 130, 330, 290.5), 0.8))
    return replace(finding, event=replace(finding.event, people=2, parts=parts))


def a_fault(number: int) -> Finding:
    """A fault of the camera, a minute and a half after all began."""
    finding = a_camera_finding(number)
    event = replace(
        finding.event,
        video="",
        start_s=90.0,
        end_s=93.0,
        start_us=BEGAN_US + 90_000_000,
        end_us=BEGAN_US + 93_000_000,
    )
    return replace(finding, event=event)


def a_source(seen_s: float = 60.0, **other: object) -> SourceProgress:
    """A camera called hall that began at BEGAN_US."""
    source = SourceProgress("hall", "rtsp://hall/1", SIZE, 0.0, 0.0, seen_s=seen_s, frames=300)
    source.start_us, source.time_from = BEGAN_US, "container"
    for name, value in other.items():
        setattr(source, name, value)
    return source


def a_run(store: Store, *findings: Finding, kind: str = "audit", **other: object) -> Run:
    """A finished run with these events; settings, and other arguments as of `Changes`."""
    settings = other.pop("settings", {})
    run = store.begin_run(kind, {"fps": 5, "namer": "f" * 64, **settings})  # pyright: ignore[reportGeneralTypeIssues]
    source = other.pop("source", None) or a_source(seen_s=10.0 + 5 * len(findings))
    store.save(run.id, Changes(source, findings, **other))  # pyright: ignore[reportArgumentType]
    return store.end_run(run.id, "finished", {"drawn_clock": "recording"})


def report_of(folder: Path, *findings: Finding) -> Path:
    """The report of an audit with these events, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with Store(folder) as store:
        return write_report(store, a_run(store, *findings))
