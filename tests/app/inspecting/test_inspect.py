"""A cup with known defects, inspected from its folder to the report."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import UsageError
from app.inspecting.card import CARD, read_card
from app.inspecting.judged import COLUMNS, Inspection
from app.inspecting.judging import defects
from app.inspecting.learning import folds, suited
from app.inspecting.place import OURS, check_free
from app.inspecting.request import fit_request, stills_config
from app.inspecting.run import fit_stills, inspect
from app.progress import Reporter
from app.simulator.stills import StillsPlan, write_stills
from detectors.base import DetectorError
from detectors.finding import Finder
from novic.images import read_image
from tests.app.inspecting.items import cup, quick, request

QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Inspection, Path]:
    folder = tmp_path_factory.mktemp("stills")
    out = folder / "out"
    item = cup(folder / "cup")
    (item / "test/good/torn.png").write_bytes(b"\x89PNG nothing")
    Image.new("L", (50, 20)).save(item / "ground_truth/blot/000_mask.png")
    return inspect(request(item, out), QUIET), out


def test_defects_rank_above_good_cups(done: tuple[Inspection, Path]):
    figures = done[0].figures
    assert figures is not None
    assert figures.auroc is not None
    assert figures.auroc.value > 0.9
    assert (figures.good, figures.defective) == (6, 10)
    assert figures.found >= 7
    assert figures.wrong <= 1
    assert figures.pixels is not None
    assert figures.pixels.aupro.value > 0.8
    assert [one.kind for one in figures.kinds] == ["blot", "foreign", "scratch", "turned", "worn"]


def test_boxes_lie_on_the_defects(done: tuple[Inspection, Path]):
    assert done[0].card.aligned
    found = [one for one in done[0].images if one.unusual and one.truth and one.still.defective]
    assert len(found) >= 6
    hit = [max(one.defects[0].box.iou(true) for true in one.truth or ()) > 0.1 for one in found]
    assert sum(hit) >= len(found) - 1
    assert all(not one.defects for one in done[0].images if not one.unusual)


def test_one_bad_image_or_mask_stops_nothing(done: tuple[Inspection, Path]):
    inspection, _ = done
    assert [one.still.name for one in inspection.failed] == ["test/good/torn.png"]
    assert inspection.failed[0].verdict == "not judged"
    assert len(inspection.worst_first) == 16
    assert len(inspection.notes) == 2
    assert (
        "test/blot/000.png does not count: 50x20 pixels have another shape" in inspection.notes[0]
    )
    [masked] = [one for one in inspection.images if one.still.name == "test/blot/000.png"]
    assert masked.truth is None


def test_results_and_table_tell_the_same(done: tuple[Inspection, Path]):
    inspection, out = done
    assert {entry.name for entry in out.iterdir()} == set(OURS)
    told = json.loads((out / "inspection.json").read_text())
    assert told == json.loads(json.dumps(inspection.as_json()))
    with (out / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["verdict"] for row in rows] == [image["verdict"] for image in told["images"]]
    for image in told["images"]:
        if "heat" in image:
            with Image.open(out / image["heat"]) as heat:
                assert heat.mode == "RGBA"


def test_the_report_shows_every_verdict(done: tuple[Inspection, Path]):
    inspection, out = done
    page = (out / "report.html").read_text()
    assert page.count('<article class="card') == 16
    assert "16 images defective" in page
    assert "AUPRO" in page
    assert inspection.card.expectation() in page
    assert "http" not in page


def test_a_kept_detector_judges_alike_and_any_folder(done: tuple[Inspection, Path], tmp_path: Path):
    inspection, out = done
    folder = Path(inspection.folder) / "test/foreign"
    again = inspect(request(folder, tmp_path / "again", out / "detector"), QUIET)
    first = [one.score for one in inspection.images if one.still.kind == "foreign"]
    assert [one.score for one in again.images] == pytest.approx(first, rel=1e-3)
    assert again.figures is None
    assert not (tmp_path / "again" / "detector").exists()


def test_a_camera_s_detector_is_no_detector_of_stills(
    done: tuple[Inspection, Path], tmp_path: Path
):
    detector = shutil.copytree(done[1] / "detector", tmp_path / "det")
    assert read_card(detector) == done[0].card
    (detector / CARD).write_text('{"format": "nomaly-inspection", "version": 9}')
    with pytest.raises(DetectorError, match="version 9, this nomaly reads 1; fit it again"):
        read_card(detector)
    (detector / CARD).write_text('{"format": "nomaly-inspection", "version": 1, "image": {}}')
    with pytest.raises(DetectorError, match="damaged"):
        read_card(detector)
    (detector / CARD).unlink()
    with pytest.raises(DetectorError, match="no detector of stills"):
        inspect(request(Path(done[0].folder), tmp_path / "out", detector), QUIET)


def test_too_few_good_images_are_refused_and_eight_are_enough(tmp_path: Path):
    item = cup(tmp_path / "cup", learned=8)
    good = sorted((item / "train/good").iterdir())
    assert fit_stills(item, tmp_path / "det", quick(), QUIET).card.image.seen == 8
    good[0].unlink()
    with pytest.raises(DetectorError, match="good images: 7, at least 8 are needed"):
        fit_stills(item, tmp_path / "other", quick(), QUIET)
    for path in good[2:8]:
        path.unlink()
    with pytest.raises(DetectorError, match="good images: 1, at least 8"):
        fit_stills(item, tmp_path / "other", quick(), QUIET)
    good[1].write_bytes(b"torn")
    with pytest.raises(UsageError, match="none of its images can be read"):
        fit_stills(item, tmp_path / "other", quick(), QUIET)


def test_what_lies_in_the_folder_is_not_overwritten(tmp_path: Path):
    out = tmp_path / "out"
    check_free(out, overwrite=False)
    out.mkdir()
    (out / "heat").mkdir()
    check_free(out, overwrite=False)
    (out / "inspection.json").touch()
    with pytest.raises(UsageError, match="holds an earlier inspection"):
        check_free(out, overwrite=False)
    check_free(out, overwrite=True)
    (out / "mine.txt").touch()
    with pytest.raises(UsageError, match=r"files that no inspection wrote \(mine.txt"):
        check_free(out, overwrite=True)


def test_without_good_images_or_others_there_is_nothing_to_do(tmp_path: Path):
    item = cup(tmp_path / "cup", learned=1)
    with pytest.raises(UsageError, match="holds no train/good to learn from; name a detector"):
        request(item / "test", tmp_path / "out").layout()
    for kind in ("test", "ground_truth"):
        (item / kind).rename(tmp_path / kind)
    with pytest.raises(UsageError, match="good images to learn from and none to inspect"):
        request(item, tmp_path / "out").layout()


def test_crops_of_a_texture_are_not_compared_by_pixels(tmp_path: Path):
    write_stills(StillsPlan("gravel", learned=8, good=0, each=0), tmp_path / "gravel")
    card = fit_stills(tmp_path / "gravel", tmp_path / "det", quick(), QUIET).card
    assert abs(card.likeness) < 0.4
    assert read_card(tmp_path / "det") == card


def test_where_things_lie_anyhow_a_memory_bank_learns_unless_a_kind_is_asked_for(tmp_path: Path):
    for item in ("gravel", "cup"):
        write_stills(StillsPlan(item, learned=8, good=0, each=0), tmp_path / item)
    gravel, parts = (
        [read_image(str(path)) for path in (tmp_path / item / "train/good").iterdir()]
        for item in ("gravel", "cup")
    )
    free = fit_request(None, {"longer_side": "192"}, 0.05, "cpu")
    assert suited(free, gravel) == stills_config("bank", {"longer_side": "192"})
    assert suited(free, parts) == stills_config("padim", {"longer_side": "192"})
    asked = fit_request("diagonal", {}, 0.05, "cpu")
    assert suited(asked, gravel).kind == "diagonal"


def test_every_image_is_held_out_once_and_of_many_a_part():
    parts = folds(10, seed=0)
    assert sorted(number for part in parts for number in part) == list(range(10))
    assert [len(part) for part in folds(5000, seed=0)] == [500, 500]


def test_a_defective_image_has_a_box_even_if_no_cell_stands_out():
    heat = np.full((24, 24), 0.3, np.float32)
    heat[10:13, 5:9] = 0.8
    image = np.zeros((192, 192, 3), np.uint8)
    [found] = defects(heat, image, Finder())
    assert found.score == pytest.approx(0.8, rel=0.05)
    assert found.box.x1 < 56 < found.box.x2
    assert defects(np.zeros((4, 4), np.float32), image, Finder()) == []


def test_a_run_that_is_stopped_keeps_what_it_judged(done: tuple[Inspection, Path]):
    stopped = replace(done[0], stopped=True)
    assert stopped.as_json()["stopped"] is True
