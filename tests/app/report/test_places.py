"""Events of a whole site for other programs, and data sets of what people said."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.feedback.answers import Answer, keep_answer
from app.report.places import (
    PLACE_COLUMNS,
    export_dataset,
    place_rows,
    write_place_coco,
    write_place_csv,
    write_place_json,
)
from tests.app.report.runs import a_fault
from tests.app.search.stores import called, keep, site

CAT, LAMP, WRENCH, LADDER = (f"{number:014x}-abc" for number in range(4))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A site of which people said something."""
    made = site(tmp_path / "site")
    keep_answer(made / "gate", Answer(CAT, "confirmed", time_us=1))
    keep_answer(made / "hall", Answer(WRENCH, "renamed", "pipe wrench", "of Ann", time_us=2))
    keep_answer(made / "hall", Answer(LADDER, "false_alarm", time_us=3))
    return made


def test_rows_of_a_site_hold_what_people_said_and_pictures_below_it(place: Path, tmp_path: Path):
    write_place_csv(place_rows(place), tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == PLACE_COLUMNS
    # Those that are not told come last.
    assert [row["id"] for row in rows] == [CAT, WRENCH, LADDER, LAMP]
    assert [row["verdict"] for row in rows] == ["confirmed", "renamed", "false_alarm", ""]
    assert (rows[1]["verdict_noun"], rows[1]["verdict_note"]) == ("pipe wrench", "of Ann")
    assert [row["folder"] for row in rows] == ["gate", "hall", "hall", "gate"]
    assert all((place / row["snapshot"]).is_file() for row in rows)


def test_json_and_coco_tell_the_same_events(place: Path, tmp_path: Path):
    table = place_rows(place, {CAT, WRENCH})
    write_place_json(table, tmp_path / "events.json")
    write_place_coco(table, tmp_path / "coco.json", place)
    told = json.loads((tmp_path / "events.json").read_text())
    coco = json.loads((tmp_path / "coco.json").read_text())
    assert [row["id"] for row in told] == [CAT, WRENCH]
    assert [one["attributes"]["id"] for one in coco["annotations"]] == [CAT, WRENCH]


def test_a_data_set_holds_what_people_said_with_the_hash_of_each_picture(
    place: Path, tmp_path: Path
):
    out = tmp_path / "set"
    manifest = export_dataset(place, ["confirmed", "renamed", "false_alarm"], out)
    assert manifest == json.loads((out / "manifest.json").read_text())
    assert [one["id"] for one in manifest["images"]] == [CAT, WRENCH, LADDER]
    for one in manifest["images"]:
        assert hashlib.sha256((out / one["file"]).read_bytes()).hexdigest() == one["sha256"]
    coco = json.loads((out / "annotations.json").read_text())
    assert [one["name"] for one in coco["categories"]] == ["cat", "pipe wrench"]
    assert [one["image_id"] for one in coco["annotations"]] == [1, 2]
    # A false alarm is a picture in which nothing is.
    assert [one["id"] for one in coco["images"]] == [1, 2, 3]
    for one in coco["images"]:
        with Image.open(out / one["file_name"]) as picture:
            assert picture.size == (one["width"], one["height"])


def test_only_the_verdicts_asked_for_are_taken(place: Path, tmp_path: Path):
    words = ["dataset", "export", str(place), str(tmp_path / "set"), "--verdicts", "false_alarm"]
    done = CliRunner().invoke(cli, words)
    assert done.stdout == f"1 pictures: {tmp_path / 'set'}\n"
    coco = json.loads((tmp_path / "set" / "annotations.json").read_text())
    assert (len(coco["images"]), coco["annotations"], coco["categories"]) == (1, [], [])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--verdicts", "right"], "--verdicts right: say some of confirmed, false_alarm"),
        (["--verdicts", "expected_here"], "no event with a picture has one of these verdicts"),
        (["--format", "yolo"], "--format yolo: is not known; coco is"),
    ],
)
def test_a_data_set_of_nothing_is_refused(
    place: Path, tmp_path: Path, words: list[str], fault: str
):
    done = CliRunner().invoke(cli, ["dataset", "export", str(place), str(tmp_path / "set"), *words])
    assert isinstance(done.exception, UsageError)
    assert fault in str(done.exception)
    assert not (tmp_path / "set").exists()


def test_a_folder_that_holds_files_is_left_alone(place: Path, tmp_path: Path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").touch()
    with pytest.raises(UsageError, match="is there already; name a new or empty folder"):
        export_dataset(place, ["confirmed"], tmp_path / "set")
    assert [file.name for file in (tmp_path / "set").iterdir()] == ["mine.txt"]


def test_a_fault_of_the_camera_that_people_confirmed_has_no_box(tmp_path: Path):
    keep(tmp_path / "hall", a_fault(0), called(1, "cat"))
    keep_answer(tmp_path / "hall", Answer(CAT, "confirmed", time_us=1))
    manifest = export_dataset(tmp_path / "hall", ["confirmed"], tmp_path / "set")
    coco = json.loads((tmp_path / "set" / "annotations.json").read_text())
    assert (len(manifest["images"]), coco["images"], coco["annotations"]) == (1, [], [])
