"""The whole measured on an audit with two intruders, to the report."""

import json
import re
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.commands.pipeline import print_result
from app.demo.footage import DemoPlan
from app.demo.footage import write_truth as write_plan
from app.errors import UsageError
from app.evaluating.pipeline.auditing import Looking
from app.evaluating.pipeline.outcome import PipelineResult
from app.evaluating.pipeline.place import claim
from app.evaluating.pipeline.run import PipelineRequest, evaluate_pipeline, folder_of
from app.evaluating.pipeline.simulated import simulated_days
from app.events.store import Store
from app.progress import Reporter
from app.simulator.splits import split
from app.simulator.views import scene
from detectors.configs import DiagonalConfig, PadimConfig
from novic.errors import NomalyError
from tests.app.evaluating.pipeline.conftest import shipped
from tests.app.short_watch import run_nomaly, start_nomaly

QUIET = Reporter(quiet=True)
FREE = ("Nomaly", "PaDiM + argmax", "PaDiM + nearest noun", "PaDiM + CaSED")

type Measured = tuple[PipelineRequest, PipelineResult]


@pytest.fixture(scope="module")
def measured(
    audited: tuple[Path, str], plan: DemoPlan, tmp_path_factory: pytest.TempPathFactory
) -> Measured:
    """An audit beside its truth; a rival sees all, calls everything a tripod, and sees too much."""
    folder = tmp_path_factory.mktemp("pipeline")
    truth, rival = folder / "truth.json", folder / "rival.json"
    write_plan(plan, truth)
    seen = [
        {
            "at_s": round(0.5 * (one.rest_s + one.leave_s) * plan.fps) / plan.fps,
            "box": [one.box.x1, one.box.y1, one.box.x2, one.box.y2],
            "score": 1,
            "noun": "tripod",
        }
        for one in plan.placements
    ]
    # What it says of the seconds that the detector learned from does not count.
    rival.write_text(json.dumps({"detections": [*seen, seen[0] | {"at_s": 2.0}]}))
    request = PipelineRequest(
        out=folder / "out",
        looking=Looking(config=PadimConfig()),
        data=audited[0],
        truth=truth,
        true_nouns=True,
        rivals=(("tripods", rival),),
    )
    return request, evaluate_pipeline(request, QUIET, shipped)


def test_each_row_is_measured_with_and_without_the_list(measured: Measured):
    _, done = measured
    labels = [row.label for row in done.rows]
    assert labels == [*FREE, *(f"{name}, with list" for name in FREE), "tripods"]
    assert done.listed == ("cardboard box", "tripod")
    assert done.count == 2
    # Rows that share boxes find the same; whatever is named is found, whatever is meant is named.
    assert len({str(row.found) for row in done.rows[:-1]}) == 1
    for row in done.rows:
        assert row.found is not None
        assert row.named is not None
        assert row.meant is not None
        assert row.found.ap50.value >= row.meant.ap50.value >= row.named.ap50.value
    assert done.rows[0].found is not None
    assert done.rows[0].found.hits == 2


def test_the_first_row_is_what_the_audit_told(measured: Measured, audited: tuple[Path, str]):
    events = json.loads(audited[1])["events"]
    [told] = measured[1].rows[0].told.things.values()
    assert sorted(one.box.noun for one in told) == sorted(event["noun"] for event in events)
    listed = [row for row in measured[1].rows if row.told.with_list]
    names = {one.box.noun for row in listed for own in row.told.things.values() for one in own}
    assert names <= {"cardboard box", "tripod"}


def test_a_rival_is_measured_by_what_it_told_of_what_was_looked_at(measured: Measured):
    rival = measured[1].rows[-1]
    assert [len(boxes) for boxes in rival.told.things.values()] == [2]
    assert rival.found is not None
    assert rival.named is not None
    assert (rival.found.ap50.value, rival.found.wrong) == (1, 0)
    # One of two is right, both are told as surely: precision 1/2 at 51 of 101 recalls.
    assert rival.named.ap50.value == pytest.approx(51 / 101 / 2)
    [told] = rival.fates.values()
    assert {fate.steps for fate in told} == {0, None}


def test_the_same_is_measured_to_the_digit_in_another_folder(measured: Measured, tmp_path: Path):
    request, _ = measured
    evaluate_pipeline(replace(request, out=tmp_path / "out"), QUIET, shipped)
    for name in ("pipeline.json", "report.html", "asked.json"):
        assert (tmp_path / "out" / name).read_bytes() == (request.out / name).read_bytes()


def test_the_page_shows_every_thing_with_its_crop_and_what_it_was_called(measured: Measured):
    request, done = measured
    page = (request.out / "report.html").read_text()
    assert page.count('<img src="data:image/webp') >= 2
    assert "MOG2 + argmax is left out: it learns from the recording: name the video" in page
    told = json.loads((request.out / "pipeline.json").read_text())
    assert told["things"] == 2
    assert [row.label in page for row in done.rows] == [True] * 9
    for thing in told["each"]:
        assert thing["noun"] in page
        assert {*thing["told"]} == {row.label for row in done.rows}
    assert re.search(r'<td class="named">tripod</td>', page)
    assert "2 things in 1 recording." in page
    assert "also where Nomaly tells it as a guess only" in page


def test_the_terminal_counts_in_words_and_says_that_guesses_count(
    measured: Measured, capsys: pytest.CaptureFixture[str]
):
    request, done = measured
    print_result(done, request.out)
    said = capsys.readouterr().out
    assert "2 things in 1 recording. " in said
    assert "also where Nomaly tells them as guesses only" in said


def test_a_list_that_the_decoder_cannot_say_leaves_out_its_row(measured: Measured, tmp_path: Path):
    request = replace(measured[0], out=tmp_path / "out", baselines=(), rivals=())
    request = replace(request, true_nouns=False, nouns=("officer",))
    done = evaluate_pipeline(request, QUIET, shipped)
    assert [row.label for row in done.rows] == ["Nomaly"]
    assert "holds no noun that the decoder can say" in done.left_out["Nomaly, with list"]


def test_another_question_is_refused_in_the_same_folder(measured: Measured):
    request, _ = measured
    other = replace(request, looking=replace(request.looking, fps=2.0))
    with pytest.raises(UsageError, match="holds the evaluation of something else"):
        evaluate_pipeline(other, QUIET, shipped)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder that another evaluation left."""
    out = tmp_path / "out"
    (out / "recordings" / "hall").mkdir(parents=True)
    for name in ("asked.json", "pipeline.json", "report.html", "recordings/hall/video.mp4"):
        (out / name).write_text("{}")
    return out


@pytest.fixture
def wish(clip: Path, kept: Path) -> PipelineRequest:
    """What makes sense, into that folder."""
    kept.with_name("truth.json").write_text('{"size": [480, 640], "things": []}')
    truth = kept.with_name("truth.json")
    return PipelineRequest(out=kept, looking=LOOKING, data=clip, truth=truth, overwrite=True)


LOOKING = Looking(config=PadimConfig(), normal_first_s=5.0)
SLIPS = [
    ({"data": Path("gone.mp4")}, "gone.mp4: there is no such file"),
    ({"rivals": (("owl", Path("gone.json")),)}, "gone.json: cannot be read"),
    ({"truth": Path("gone.json")}, "gone.json: cannot be read"),
    ({"looking": replace(LOOKING, fps=0.0)}, "--fps 0: must be above 0"),
    (
        {"looking": replace(LOOKING, normal_first_s=None)},
        "say what is normal in it: either --normal-first SECONDS or --detector FOLDER$",
    ),
    ({"looking": replace(LOOKING, model=Path("gone"))}, "gone"),
    ({"looking": replace(LOOKING, normal_first_s=None, detector=Path("gone"))}, "no such folder"),
]


@pytest.mark.parametrize(("slip", "said"), SLIPS)
def test_a_slip_takes_no_folder_and_empties_none(
    wish: PipelineRequest, kept: Path, slip: dict[str, Any], said: str
):
    request = replace(wish, **slip)
    for out in (kept, kept.with_name("new")):
        with pytest.raises(NomalyError, match=said):
            evaluate_pipeline(replace(request, out=out), QUIET, shipped)
    assert sum(path.read_text() == "{}" for path in kept.rglob("*.*")) == 4
    assert not kept.with_name("new").exists()


def test_an_audit_that_is_none_empties_no_folder(wish: PipelineRequest, kept: Path, tmp_path: Path):
    with Store(tmp_path / "empty"):
        pass
    with pytest.raises(UsageError, match="empty: holds 0 audited recordings"):
        evaluate_pipeline(replace(wish, data=tmp_path / "empty"), QUIET, shipped)
    assert sum(path.read_text() == "{}" for path in kept.rglob("*.*")) == 4


@pytest.mark.slow
def test_a_simulated_recording_that_is_gone_is_made_and_audited_again(
    tmp_path: Path,
):
    days = simulated_days(split("dev"), ["garden"], 1, places=partial(scene, size=(90, 120)))
    config = DiagonalConfig(longer_side=96, passes=8, held_out_passes=8)
    looking = Looking(config=config, fps=1.0)
    request = PipelineRequest(out=tmp_path, looking=looking, days=tuple(days), baselines=())
    claim(tmp_path, request.asked(), overwrite=False)
    folder = folder_of("garden", tmp_path)
    # Its truth and its audit are there; an audit belongs to the very file that it looked at.
    with Store(folder / "diagonal") as store:
        store.begin_run("audit", {"videos": [["video.mp4", 1, 1]]})
    (folder / "truth.json").write_text('{"size": [90, 120], "things": []}')
    done = evaluate_pipeline(request, QUIET, shipped)
    assert (folder / "video.mp4").is_file()
    assert done.count == 1
    [told] = done.rows[0].told.things["garden"]
    assert told.pictures is not None
    assert len(told.pictures.views()) > 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a recording or its audit, or say --simulated report"),
        (("a.mp4",), "say what was in it with --truth FILE"),
        (("a.mp4", "--simulated", "dev"), "--simulated makes recordings and their truth"),
        (("a.mp4", "--scene", "garden"), "--scene chooses among those of --simulated"),
        (("--simulated", "none"), "there is no split 'none'"),
        (("--simulated", "dev", "--baseline", "yolo"), "--baseline yolo: there are mog2, argmax"),
        (("--simulated", "dev", "--no-baselines", "--baseline", "mog2"), "contradict each other"),
        (("--simulated", "dev", "--rival", "Nomaly=a.mp4"), "each needs a name of its own"),
        (("--simulated", "dev", "--nouns", "a.mp4", "--true-nouns"), "choose one"),
    ],
)
def test_what_makes_no_sense_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").touch()
    done = run_nomaly("evaluate", "pipeline", *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "nomaly-pipeline").exists()


def test_a_stopped_evaluation_says_what_is_kept(tmp_path: Path):
    words = ("--simulated", "dev", "--scene", "garden", "--out", str(tmp_path / "out"))
    part = tmp_path / "out" / "recordings" / "garden" / "video.part.mp4"
    with start_nomaly("evaluate", "pipeline", *words, "--no-baselines") as begun:
        until = time.monotonic() + 60
        while not part.exists() and time.monotonic() < until:
            time.sleep(0.05)
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate(timeout=60)
        assert begun.returncode == 1
    assert "stopped; recordings and audits that were done are kept in" in said
    assert not part.exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path):
    (tmp_path / "letter.txt").touch()
    done = run_nomaly("evaluate", "pipeline", "--simulated", "dev", "--out", tmp_path)
    assert done.returncode == 2
    assert "holds files that no evaluation wrote (letter.txt" in done.stderr
