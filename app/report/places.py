"""The events of a whole place for other programs: of one run, or of all cameras of a site."""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.errors import StoreError, UsageError
from app.events.folders import StoreFolder, watched_folders
from app.events.outputs import write_text
from app.events.reading import StoreReader, in_place
from app.feedback.answers import Answer, newest, read_answers
from app.report.export import COLUMNS, as_coco, as_csv, rows, sizes_of

PLACE_COLUMNS = (*COLUMNS, "named_again", "verdict", "verdict_noun", "verdict_note", "folder")
"""Those of a run, and what was made of its events since; pictures lie below the place."""
FORMAT = "nomaly-dataset"
VERSION = 1
MANIFEST = "manifest.json"
ANNOTATIONS = "annotations.json"

type Row = dict[str, Any]


def place_rows(place: Path, wanted: Collection[str] | None = None) -> list[Row]:
    """One row for every event of a place by time, its keys those of PLACE_COLUMNS.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        wanted: Ids of the events that are asked for; None for all.

    Raises:
        UsageError: If there is no store.
        StoreError: If one cannot be read.
    """
    found: list[Row] = []
    for folder in watched_folders(place):
        with in_place(folder.folder) as store:
            found += _rows_of(store, folder, place)
    if wanted is not None:
        found = [row for row in found if row["id"] in wanted]
    return sorted(found, key=lambda row: (row["muted"] != "", row["start"], row["id"]))


def _rows_of(store: StoreReader, folder: StoreFolder, place: Path) -> Iterator[Row]:
    said = newest(read_answers(store.database))
    inside = "" if folder.folder == place else f"{folder.name}/"
    again = dict(store.database.execute("SELECT id, named_again FROM event").fetchall())
    for run in store.database.execute("SELECT id FROM run ORDER BY id").fetchall():
        for row in rows(store, store.run(run["id"])):
            for picture in ("crop", "snapshot"):
                row[picture] = row[picture] and inside + row[picture]
            yield row | {"named_again": again[row["id"]], **_said(said.get(row["id"]), folder.name)}


def _said(answer: Answer | None, folder: str) -> Row:
    return {
        "verdict": "" if answer is None else answer.verdict,
        "verdict_noun": "" if answer is None else answer.noun,
        "verdict_note": "" if answer is None else answer.note,
        "folder": folder,
    }


def write_place_csv(table: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of a place as CSV.

    Raises:
        StoreError: If the file cannot be written.
    """
    write_text(path, as_csv(table, PLACE_COLUMNS))


def write_place_coco(table: Sequence[Mapping[str, Any]], path: Path, place: Path) -> None:
    """Write rows of a place as a COCO data set of its snapshots.

    Raises:
        StoreError: If the file cannot be written.
    """
    _write_json(path, as_coco(table, f"Nomaly, {place.resolve().name}"))


def write_place_json(table: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of a place as a JSON list.

    Raises:
        StoreError: If the file cannot be written.
    """
    _write_json(path, [dict(row) for row in table])


def export_dataset(place: Path, verdicts: Collection[str], out: Path) -> Row:
    """Write the pictures of events of which people said something, with what they said.

    `images/` holds snapshots, `annotations.json` is COCO: a box and the noun that people said, or
    confirmed, of each thing; a false alarm is a picture without boxes. `manifest.json` tells the
    SHA-256 of each picture, whose it is and who said what.

    Args:
        place: As `app.events.folders.watched_folders` takes it.
        verdicts: Which are wanted, of `app.feedback.answers.ANSWERS`.
        out: A new or empty folder.

    Returns:
        The manifest.

    Raises:
        UsageError: If the folder holds files, or no event has such a verdict and a picture.
        StoreError: If it cannot be written.
    """
    chosen = [
        {**row, "category": row["verdict_noun"] or row["category"]}
        for row in place_rows(place)
        if row["verdict"] in verdicts and row["snapshot"]
    ]
    if not chosen:
        raise UsageError(
            f"{place}: no event with a picture has one of these verdicts "
            f"({', '.join(sorted(verdicts))}); nomaly events verdict says one"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: is there already; name a new or empty folder")
    kept = []
    try:
        (out / "images").mkdir(parents=True, exist_ok=True)
        for row in chosen:
            source = place / row["snapshot"]
            row["snapshot"] = f"images/{row['id']}.jpg"
            shutil.copyfile(source, out / row["snapshot"])
            kept.append(_picture(row, out / row["snapshot"]))
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error.strerror or error}") from error
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "place": place.resolve().name,
        "verdicts": sorted(verdicts),
        "images": kept,
    }
    _write_json(out / ANNOTATIONS, _dataset_coco(chosen, place))
    _write_json(out / MANIFEST, manifest)
    return manifest


def _picture(row: Row, file: Path) -> Row:
    keys = ("id", "camera", "start", "headline", "verdict", "verdict_noun", "verdict_note")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"file": row["snapshot"], "sha256": digest, **{key: row[key] for key in keys}}


def _dataset_coco(chosen: Sequence[Row], place: Path) -> Row:
    """COCO of what people said; pictures of false alarms follow behind, without boxes."""
    things = [row for row in chosen if row["verdict"] != "false_alarm"]
    said = as_coco(things, f"Nomaly, {place.resolve().name}: what people said")
    for row in chosen:
        if row["verdict"] == "false_alarm":
            height, width = sizes_of(row)
            said["images"].append(
                {
                    "id": len(said["images"]) + 1,
                    "file_name": row["snapshot"],
                    "width": width,
                    "height": height,
                    "date_captured": row["start"],
                }
            )
    return said


def _write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")
