"""What a run was made with: settings, models and their hashes, as rows for people."""

import json
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from app.events.event import Event, voids
from app.events.reading import Run, StoreReader
from app.report.times import day
from novic.json_files import read_json

_MOST_LISTED = 50
"""Longer lists, as of the files of an archive, are counted."""
PACKAGES = ("torch", "openvino", "timm", "anomalib", "av", "opencv-python-headless", "numpy")


def about(store: StoreReader, run: Run, events: list[Event]) -> list[tuple[str, str]]:
    """Names and values, those first that change what is found."""
    settings = dict(run.settings)
    lines = sorted({event.sure_from for event in events if event.kind == "object"})
    decoder = settings.pop("namer", "")
    embedder = settings.pop("embedder", None) or "as the decoder names it"
    return [
        ("run", f"{run.kind} {run.id}, {run.state}, begun {day(run.started_us)}"),
        ("ended", day(run.ended_us) if run.ended_us else ""),
        ("Nomaly", run.app_version),
        ("decoder, SHA-256 of its weights", str(decoder)),
        ("embedder", str(embedder)),
        ("sure from p", ", ".join(f"{line:g}" for line in lines)),
        ("promise", run.facts.get("promise", "")),
        ("calibration", " ".join(voids(events))),
        *_detector(store.folder, settings),
        *_rows("", settings),
        ("report written with", _versions()),
    ]


def _detector(out: Path, settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What the card of the detector says that looked; takes what it repeats out of the settings."""
    named = settings.pop("detector", None)
    folder = Path(named) if named else out / "detector"
    yield "detector", str(folder)
    try:
        card = read_json(folder / "detector.json")
    except (OSError, ValueError):
        yield "detector.json", "is gone or damaged"
        return
    if isinstance(card, dict):
        settings.pop("detector_config", None)
        yield from _rows(
            "detector ", {key: value for key, value in card.items() if key != "format"}
        )


def _rows(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A nested mapping as rows, names joined by a space."""
    for name, value in values.items():
        said = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _rows(f"{said} ", value)
        elif isinstance(value, list) and len(value) > _MOST_LISTED:
            yield said, f"{len(value)} of them"
        elif value not in (None, "", []):
            yield said, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _versions() -> str:
    told = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            told.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(told)
