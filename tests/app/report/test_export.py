"""Events as CSV and COCO: the same figures as everywhere, boxes in the pictures they lie in."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.cli import cli
from app.errors import StoreError, UsageError
from app.events.event import Finding
from app.events.store import Store
from app.report.export import COLUMNS, as_coco, as_csv, rows, write_coco, write_csv
from app.report.places import PLACE_COLUMNS, place_rows
from detectors.types import Box
from novic.vocabulary import TIMES, ThingKind
from tests.app.report.runs import a_fault, a_run, a_seen, parted


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def test_csv_has_a_row_for_every_event(store: Store):
    run = a_run(store, a_seen(0), a_seen(1, (("drug", 0.07),)), a_fault(9))
    write_csv(store, run, store.folder / "events.csv")
    with (store.folder / "events.csv").open(newline="", encoding="utf-8") as file:
        cat, drug, black = csv.DictReader(file)
    assert tuple(cat) == COLUMNS
    assert [row["headline"] for row in (cat, drug, black)] == [
        "cat",
        "something unnamed",
        "black picture",
    ]
    assert [row["sure"] for row in (cat, drug, black)] == ["true", "false", "true"]
    assert (drug["noun"], drug["p"], drug["candidates"]) == ("drug", "0.07", "drug 0.0700")
    assert (cat["start_s"], cat["x1"], cat["y2"]) == ("5.0", "200.0", "300.0")
    assert cat["time_from"] == "container"
    assert cat["start"][:10] == "2026-11-29"
    assert (store.folder / cat["crop"]).exists()
    assert black["crop"] == ""
    told = [event.as_json()["snapshot"] for event in store.events(run.id)]
    assert told == [row["snapshot"] for row in (cat, drug, black)]


def test_what_a_spreadsheet_would_run_is_disarmed(store: Store):
    run = a_run(store, a_seen(0, (('=HYPERLINK("x")', 0.9),)))
    (row,) = csv.DictReader(as_csv(rows(store, run)).splitlines())
    assert row["noun"] == """'=HYPERLINK("x")"""


def test_a_kind_has_columns_of_its_own_and_is_the_category_of_its_box(store: Store):
    bird = ThingKind("bird", 0.9, sure=True, maybe="crow")
    likely = replace(bird, p=0.6, sure=False)
    crow = (("crow", 0.4),)
    run = a_run(store, a_seen(0, crow, thing=bird), a_seen(1, crow, thing=likely), a_seen(2))
    assert [event.thing for event in store.events(run.id)] == [bird, likely, None]
    sure, guess, cat = csv.DictReader(as_csv(rows(store, run)).splitlines())
    assert [(one["headline"], one["is_a"], one["is_a_p"]) for one in (sure, guess, cat)] == [
        ("bird (crow?)", "bird", "0.9"),
        ("something unnamed", "bird", "0.6"),
        ("cat", "", ""),
    ]
    said = as_coco(rows(store, run), "")
    assert [one["name"] for one in said["categories"]] == ["bird", "cat", "something unnamed"]


def wide(finding: Finding) -> Finding:
    """The same event in a frame of twice the size, of which a smaller picture is kept."""
    box = finding.event.box
    assert finding.picture is not None
    event = replace(
        finding.event,
        frame_size=(960, 1280),
        box=Box(2 * box.x1, 2 * box.y1, 2 * box.x2, 2 * box.y2),
    )
    shown = finding.picture.snapshot.repeat(2, axis=0).repeat(2, axis=1)[:720, :960]
    return replace(finding, event=event, picture=replace(finding.picture, snapshot=shown))


def test_coco_boxes_lie_in_the_pictures_that_are_there(store: Store):
    gone = a_seen(2)
    run = a_run(store, a_seen(0), wide(a_seen(1, (("drug", 0.07),))), gone, a_fault(9))
    store.media("snapshots", gone.event).unlink()
    write_coco(store, run, store.folder / "events.coco.json")
    said = json.loads((store.folder / "events.coco.json").read_text(encoding="utf-8"))
    assert [category["name"] for category in said["categories"]] == ["cat", "something unnamed"]
    assert [box["category_id"] for box in said["annotations"]] == [1, 2]
    assert said["annotations"][0]["bbox"] == [200, 120, 130, 180]
    assert said["annotations"][1]["bbox"] == [330, 180, 195, 270]
    assert said["annotations"][1]["attributes"]["candidates"] == "drug 0.0700"
    for picture in said["images"]:
        with Image.open(store.folder / picture["file_name"]) as image:
            assert image.size == (picture["width"], picture["height"])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a run with one sure event and one guess."""
    with Store(tmp_path / "out") as store:
        a_run(store, a_seen(0), a_seen(1, (("drug", 0.07),)))
    return tmp_path / "out"


def test_the_command_writes_what_it_is_asked_for(out: Path, tmp_path: Path):
    table, boxes = tmp_path / "events.csv", tmp_path / "events.json"
    words = ["export", str(out), "--csv", str(table), "--coco", str(boxes), "--json"]
    done = CliRunner().invoke(cli, words)
    assert json.loads(done.stdout) == {"events": 2, "csv": str(table), "coco": str(boxes)}
    assert table.read_bytes().decode() == as_csv(place_rows(out), PLACE_COLUMNS)
    with Store(out) as store:
        run = store.last_run()
        assert run is not None
        assert as_csv(place_rows(out)) == as_csv(rows(store, run))
    assert len(json.loads(boxes.read_text(encoding="utf-8"))["images"]) == 2


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ([], "say what to write: --csv FILE"),
        (["--csv", "x.csv"], "holds no events.sqlite, nor does a folder in it"),
    ],
)
def test_a_folder_without_events_and_nothing_asked_are_told(
    tmp_path: Path, words: list[str], fault: str
):
    done = CliRunner().invoke(cli, ["export", str(tmp_path), *words])
    assert isinstance(done.exception, UsageError)
    assert fault in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(store: Store, tmp_path: Path):
    run = a_run(store, a_seen(0))
    with pytest.raises(StoreError, match=r"nowhere/events\.csv: cannot be written"):
        write_csv(store, run, tmp_path / "nowhere" / "events.csv")


def test_people_who_are_apart_are_boxes_of_their_own(store: Store):
    two = parted(a_seen(0, (("person", 0.9),)))
    run = a_run(store, two, a_seen(1))
    people, cat = rows(store, run)
    assert people["parts"] == "200.0 120.0 250.0 300.0 0.9900; 262.0 130.0 330.0 290.5 0.8000"
    assert (people["x1"], cat["parts"]) == (200.0, "")
    said = as_coco([people, cat], "")
    assert [len(said[name]) for name in ("images", "annotations", "categories")] == [2, 3, 2]
    left, right, third = said["annotations"]
    assert [one["id"] for one in said["annotations"]] == [1, 2, 3]
    assert [one["image_id"] for one in said["annotations"]] == [1, 1, 2]
    assert (left["bbox"], left["area"], left["score"]) == ([200, 120, 50, 180], 9000, 0.99)
    assert (right["bbox"], right["score"]) == ([262, 130, 68, 160.5], 0.8)
    assert left["category_id"] == right["category_id"] != third["category_id"]
    assert left["attributes"]["id"] == right["attributes"]["id"] == people["id"]
    assert third["score"] == cat["p"]


def test_people_are_counted_in_the_headline_and_are_one_category(store: Store):
    three = a_seen(0, (("person", 0.9),))
    three = replace(three, event=replace(three.event, people=3))
    run = a_run(store, three, a_seen(1, (("person", 0.9),)))
    counted, alone = rows(store, run)
    assert (counted["headline"], counted["people"]) == (f"person {TIMES} 3", 3)
    assert (alone["headline"], alone["people"]) == ("person", 0)
    assert [one["name"] for one in as_coco([counted, alone], "")["categories"]] == ["person"]
