"""The events of a run as tables for other programs: CSV, and COCO for what learns from boxes."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.events.event import Event, Part, box_sides
from app.events.media import SNAPSHOT_SIDE
from app.events.outputs import write_text
from app.events.reading import Run, SourceProgress, StoreReader
from app.report.times import basis, local

COLUMNS = (
    "id",
    "kind",
    "change",
    "camera",
    "video",
    "start_s",
    "end_s",
    "start",
    "end",
    "time_from",
    "headline",
    "category",
    "sure",
    "is_a",
    "is_a_p",
    "people",
    "parts",
    "noun",
    "p",
    "candidates",
    "score",
    "bar",
    "level",
    "belongs",
    "uncalibrated",
    "frames",
    "surprise_bits",
    "surprise_here_bits",
    "x1",
    "y1",
    "x2",
    "y2",
    "frame_width",
    "frame_height",
    "moved_from",
    "cut",
    "muted",
    "crop",
    "snapshot",
)
"""Of a row; `start` and `end` are ISO 8601 in the zone of this machine, and rest on `time_from`.
`parts` are "x1 y1 x2 y2 p; ..." of several people who are clearly apart."""
_ATTRIBUTES = ("id", "camera", "change", "sure", "candidates", "start_s", "muted")


def rows(store: StoreReader, run: Run) -> list[dict[str, Any]]:
    """One row for every event of a run, its keys those of COLUMNS."""
    sources = store.sources(run.id)
    return [_row(store, run, event, source_of(event, sources)) for event in store.events(run.id)]


def source_of(event: Event, sources: Sequence[SourceProgress]) -> SourceProgress | None:
    """Where an event was seen."""
    return next(
        (one for one in sources if one.camera == event.camera and event.video in ("", one.uri)),
        None,
    )


def as_csv(table: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> str:
    """Rows as CSV (RFC 4180) with a header.

    Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    for row in table:
        writer.writerow([_cell(row[column]) for column in columns])
    return file.getvalue()


def as_coco(table: Sequence[Mapping[str, Any]], description: str) -> dict[str, Any]:
    """Rows as a COCO data set of detections, boxes in pixels of the snapshots.

    An event is one annotation, or one for each of its parts, and then its score is the part's.
    Categories are nouns, and a guess is "something unnamed"; its candidates are attributes. Left
    out are faults of the camera, which have no box, things that are missing, which are not in the
    picture, and events whose picture is gone.
    """
    objects = [
        row
        for row in table
        if row["kind"] == "object" and row["change"] != "missing" and row["snapshot"]
    ]
    names = sorted({row["category"] for row in objects})
    images, boxes = [], list[dict[str, Any]]()
    for number, row in enumerate(objects, start=1):
        scale = _scale(row)
        height, width = sizes_of(row)
        images.append(
            {
                "id": number,
                "file_name": row["snapshot"],
                "width": width,
                "height": height,
                "date_captured": row["start"],
            }
        )
        for *sides, p in _boxes(row):
            left, top, right, bottom = (round(side * scale, 1) for side in sides)
            boxes.append(
                {
                    "id": len(boxes) + 1,
                    "image_id": number,
                    "category_id": 1 + names.index(row["category"]),
                    "bbox": [left, top, round(right - left, 1), round(bottom - top, 1)],
                    "area": round((right - left) * (bottom - top), 1),
                    "iscrowd": 0,
                    "score": p,
                    "attributes": {key: row[key] for key in _ATTRIBUTES},
                }
            )
    return {
        "info": {"description": description},
        "images": images,
        "annotations": boxes,
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }


def sizes_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) of a row's snapshot in pixels."""
    height, width = (
        max(1, round(row[f"frame_{side}"] * _scale(row))) for side in ("height", "width")
    )
    return height, width


def _scale(row: Mapping[str, Any]) -> float:
    """Of a snapshot beside its frame."""
    return min(1.0, SNAPSHOT_SIDE / max(row["frame_width"], row["frame_height"]))


def write_csv(store: StoreReader, run: Run, path: Path) -> None:
    """Write a run's events as CSV.

    Raises:
        app.errors.StoreError: If the file cannot be written.
    """
    write_text(path, as_csv(rows(store, run)))


def write_coco(store: StoreReader, run: Run, path: Path) -> None:
    """Write a run's events as a COCO data set.

    Raises:
        app.errors.StoreError: If the file cannot be written.
    """
    said = as_coco(rows(store, run), f"Nomaly {run.app_version}, {run.kind} {run.id}")
    write_text(path, json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def _row(
    store: StoreReader, run: Run, event: Event, source: SourceProgress | None
) -> dict[str, Any]:
    sides = ("x1", "y1", "x2", "y2")
    return {
        "id": event.id,
        "kind": event.kind,
        "change": event.change if event.kind == "object" else "",
        "camera": event.camera,
        "video": event.video,
        "start_s": round(event.start_s, 3),
        "end_s": round(event.end_s, 3),
        "start": local(event.start_us).isoformat(timespec="milliseconds"),
        "end": local(event.end_us).isoformat(timespec="milliseconds"),
        "time_from": basis(run, source) if source else "",
        "headline": event.headline,
        "category": event.category,
        "sure": event.sure,
        "is_a": event.thing.noun if event.thing is not None else "",
        "is_a_p": None if event.thing is None else round(event.thing.p, 4),
        "people": event.people,
        "parts": "; ".join(_said(part) for part in event.parts),
        "noun": event.noun,
        "p": round(event.p, 4),
        "candidates": "; ".join(f"{noun} {p:.4f}" for noun, p in event.candidates),
        "score": round(event.score, 4),
        "bar": None if event.bar is None else round(event.bar, 4),
        "level": None if event.level is None else round(event.level, 4),
        "belongs": "" if event.belongs is None else event.belongs.word,
        "uncalibrated": event.uncalibrated,
        "frames": event.frames,
        "surprise_bits": None if event.surprise_bits is None else round(event.surprise_bits, 2),
        "surprise_here_bits": (
            None if event.surprise_here_bits is None else round(event.surprise_here_bits, 2)
        ),
        **{side: round(getattr(event.box, side), 1) for side in sides},
        "frame_width": event.frame_size[1],
        "frame_height": event.frame_size[0],
        "moved_from": " ".join(f"{side:.1f}" for side in box_sides(event.moved_from))
        if event.moved_from
        else "",
        "cut": event.cut,
        "muted": event.muted,
        "crop": _name(store.media("crops", event)),
        "snapshot": _name(store.media("snapshots", event)),
    }


def _said(part: Part) -> str:
    return f"{' '.join(f'{side:.1f}' for side in box_sides(part.box))} {part.p:.4f}"


def _boxes(row: Mapping[str, Any]) -> list[list[float]]:
    """(x1, y1, x2, y2, p) of an event's parts, or of the whole if it has none."""
    if not row["parts"]:
        return [[row[name] for name in ("x1", "y1", "x2", "y2", "p")]]
    return [[float(one) for one in part.split()] for part in row["parts"].split("; ")]


def _name(picture: Path) -> str:
    """A picture's name from the output folder on; empty if it is gone."""
    return f"{picture.parent.name}/{picture.name}" if picture.exists() else ""


def _cell(value: object) -> object:
    """A value as it stands in CSV; the page's script writes the same."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return value
