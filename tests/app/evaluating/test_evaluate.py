"""Detectors measured on a cup and on an audit, to the report."""

import json
from pathlib import Path

import pytest

from app.demo.footage import DemoPlan
from app.demo.footage import write_truth as write_plan
from app.errors import UsageError
from app.evaluating.place import check_free
from app.evaluating.run import evaluate_recording, evaluate_stills
from app.evaluating.truth import read_truth
from app.events.store import Store
from app.progress import Reporter
from tests.app.inspecting.items import cup, quick
from tests.app.short_watch import run_nomaly

QUIET = Reporter(quiet=True)


def test_a_detector_is_measured_on_stills_and_leaves_a_report_of_them(tmp_path: Path):
    item, out = cup(tmp_path / "cup", learned=8), tmp_path / "out"
    done = evaluate_stills([item], [quick()], out, QUIET)
    [one] = json.loads((out / "evaluation.json").read_text())["stills"]
    assert one == json.loads(json.dumps(done.as_json()))["stills"][0]
    assert one["figures"]["image_auroc"]["value"] > 85
    assert one["figures"]["defective"] == 10
    page = (out / "report.html").read_text()
    assert '<a href="cup-diagonal/report.html">' in page
    assert (out / "cup-diagonal/report.html").exists()
    with pytest.raises(UsageError, match="holds an earlier evaluation"):
        check_free(out, overwrite=False)
    check_free(out, overwrite=True)


def test_what_has_no_labels_cannot_be_measured(tmp_path: Path):
    item = cup(tmp_path / "cup", learned=1)
    for folder in (item / "test", item / "train"):
        with pytest.raises(UsageError, match="must hold train/good, test/good and test/KIND"):
            evaluate_stills([folder], [quick()], tmp_path / "out", QUIET)
    with pytest.raises(UsageError, match="two folders have one name"):
        evaluate_stills([item, item], [quick()], tmp_path / "out", QUIET)


def test_an_audit_is_measured_by_what_was_there(
    audited: tuple[Path, str], plan: DemoPlan, tmp_path: Path
):
    folder, said = audited
    write_plan(plan, tmp_path / "truth.json")
    words = ("--truth", tmp_path / "truth.json", "--out", tmp_path / "out", "--json")
    done = run_nomaly("evaluate", "detector", folder, *words)
    assert done.returncode == 0, done.stderr
    [one] = json.loads(done.stdout.splitlines()[-1])["audits"]
    assert one["things"] == len(plan.placements) == 2
    assert one["recall"]["all"]["value"] == 100
    told = len(json.loads(said)["events"])
    assert one["false_events"] + sum(each["events"] for each in one["each"]) == told
    assert one["recall_at_iou"]["0.3"]["all"] == 100
    assert all(0 <= each["delay_s"] <= 2.5 for each in one["each"])
    assert one["hours"] == pytest.approx((plan.duration_s - plan.learn_s) / 3600, rel=0.05)
    assert one["box_ap50"] > 30
    assert one["seconds_auroc"]["value"] > 95


def test_nothing_there_makes_every_event_false(audited: tuple[Path, str], tmp_path: Path):
    (tmp_path / "truth.json").write_text('{"size": [480, 640], "things": []}')
    assert read_truth(tmp_path / "truth.json") == []
    done = evaluate_recording(audited[0], tmp_path / "truth.json", tmp_path / "out", QUIET)
    assert done.audits[0].figures.false_events == len(json.loads(audited[1])["events"])


def test_a_folder_without_an_audit_is_refused(tmp_path: Path):
    with Store(tmp_path / "empty"):
        pass
    (tmp_path / "truth.json").write_text('{"size": [480, 640], "things": []}')
    with pytest.raises(UsageError, match="holds 0 audited recordings"):
        evaluate_recording(tmp_path / "empty", tmp_path / "truth.json", tmp_path / "out", QUIET)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cup", "--normal-first", "3"), "are for a recording, with --truth FILE"),
        (("cup", "cup2", "--truth", "t.json"), "--truth is that of one recording"),
        (("cup",), "must hold train/good, test/good"),
        (("gone",), "there is no such file"),
    ],
)
def test_what_makes_no_sense_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    for name in ("cup", "cup2"):
        (tmp_path / name / "bent").mkdir(parents=True)
        (tmp_path / name / "bent" / "a.png").touch()
    done = run_nomaly("evaluate", "detector", *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
