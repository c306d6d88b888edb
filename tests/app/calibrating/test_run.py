"""`nomaly calibrate` from footage to files, with the decoder that Nomaly ships."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.calibrating.answers import Answers
from app.calibrating.drift import reason
from app.calibrating.footage import Minute
from app.calibrating.page import maps, thin, write_page
from app.calibrating.planting import Planting
from app.calibrating.plots import Axis, Series, plot, steps
from app.calibrating.request import CalibrateRequest
from app.calibrating.run import Tools, calibrate_with, site_folder
from app.calibrating.watched import Watched
from app.cli import cli
from app.errors import UsageError
from app.events.store import Store
from app.progress import Reporter
from app.watching.audit_request import AuditRequest
from app.watching.holding import Sampling
from calibration.blindness import BlindMap, Planted
from calibration.site.calibrated import Bindings
from calibration.site.files import load_calibration, read_calibration
from detectors.base import Detector, DetectorError
from detectors.files import CALIBRATION, read_facts
from tests.app.calibrating.names import ColourNames, Interrupted


def calibrate(*words: str | Path) -> Any:  # noqa: ANN401
    """The command in this process; its errors are `Result.exception`."""
    return CliRunner().invoke(cli, ["calibrate", *map(str, words)])


@pytest.fixture(scope="module")
def site(knows: Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that learned a detector."""
    folder = tmp_path_factory.mktemp("run")
    knows.save(folder / "detector")
    with Store(folder) as store:
        store.begin_run("audit", AuditRequest(out=folder, videos=(), fps=1.0, bar=1.5).settings())
    return folder


def test_a_camera_is_calibrated_and_its_page_shows_it(site: Path, footage: Path, knows: Detector):
    folder = site_folder(site)
    assert folder == site / "detector"
    planting = Planting(grid=(1, 2), sizes=(0.12, 0.2))
    request = CalibrateRequest(site=folder, normal=(footage,), repeats=2, planting=planting)
    bindings = Bindings(read_facts(folder)["weights_sha256"], "colours", "none")
    tools = Tools(knows, ColourNames(), bindings)
    done = calibrate_with(tools, request, Answers((), 0), Reporter(quiet=True))
    page = write_page(done).read_text()
    assert done.done.blind is not None
    assert done.done.blind.share().of == 8
    assert done.done.blind.thin().of >= 1
    assert "(a guess by the file&#39;s date)" in page
    assert "<dt>How rare a thing looks here</dt><dd>not fitted, " in page
    for odd in ("site_p", "unnameable_p", "names_p", "crops", "every other", "powers of ten"):
        assert odd not in page
    assert "Thin things, as a tripod, are counted apart: " in page
    read = load_calibration(folder)
    assert read.blind is not None
    assert read.blind.as_json() == done.as_json()["blind_map"]
    assert page.count('class="seen"') == 3
    for elsewhere in ("http:", "https:", "<script", "@import"):
        assert elsewhere not in page
    heard: list[str] = []
    bound = read.bindings
    again = read_calibration(
        folder,
        embedder=bound.embedder,
        decoder_sha256=bound.decoder,
        detector_sha256=read_facts(folder)["weights_sha256"],
        say=heard.append,
    )
    assert again is not None
    assert heard == []


def test_ctrl_c_keeps_what_was_seen(knows: Detector, footage: Path, tmp_path: Path):
    knows.save(tmp_path / "detector")
    watched = Watched(fps=1.0)
    request = CalibrateRequest(site=tmp_path / "detector", normal=(footage,), watched=watched)
    bindings = Bindings(read_facts(request.site)["weights_sha256"], "colours", "none")
    tools = Tools(knows, Interrupted(), bindings)
    done = calibrate_with(tools, request, Answers((), 0), Reporter(quiet=True))
    assert done.stopped
    assert len(done.looked.top_p) > 0
    facts = json.loads((request.site / CALIBRATION).read_text())
    assert facts["stopped"] is True
    assert facts["footage"]["crops"] == len(done.looked.top_p)
    assert facts["parts"]["blind_map"] == "blind_map: not measured, stopped before it"
    assert "stopped before all was done" in write_page(done).read_text()


def test_what_is_missing_is_told_to_people_and_scripts(site: Path, footage: Path, tmp_path: Path):
    events = tmp_path / "confirmed.jsonl"
    said = {"id": "a", "start_us": 1, "score": 2.0, "candidates": [["cat", 0.5]]}
    events.write_text(json.dumps(said | {"confirmed": "cat"}) + "\n")
    words = ("--normal", footage, "--events", events, "--no-blind-map", "--json")
    done = calibrate(site, *words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["calibration"] == str(site / "detector")
    assert told["parts"]["site_p"].startswith("site_p: not fitted, ")
    assert told["parts"]["names_p"] == "names_p: not refitted, 1 confirmed name, 50 are needed"
    assert told["parts"]["blind_map"] == "blind_map: not measured, --no-blind-map"
    facts = json.loads((site / "detector" / CALIBRATION).read_text())
    assert facts["kept"] == told["kept"]
    # As the run watches, of which the folder is.
    watched = {"fps": 1.0, "false_events": "1/hour", "bar": 1.5, "run": str(site)}
    assert facts["watched"] == told["watched"] == watched
    assert facts["confirmed"] == {"names": 1, "normal": 0}
    # By this a watch takes its crops alike.
    how = Sampling.of(facts["measured"]["sampling"])
    assert how is not None
    assert (how.every_s, how.a_minute) == (1.0, told["crops"])
    assert how.light is not None
    assert 0 < how.light.usual < 255


def test_what_cannot_be_calibrated_is_refused_before_anything_is_loaded(
    site: Path, footage: Path, tmp_path: Path
):
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    none = calibrate(tmp_path, "--normal", footage)
    assert isinstance(none.exception, DetectorError)
    assert "no detector here" in str(none.exception)
    missing = calibrate(site, "--normal", tmp_path / "none.mp4")
    assert "none.mp4" in str(missing.exception)
    nothing = calibrate(site)
    assert isinstance(nothing.exception, UsageError)
    assert "nothing to calibrate on: name footage with --normal, or" in str(nothing.exception)
    wrong = calibrate(site, "--normal", footage, "--events", tmp_path / "none.jsonl")
    assert isinstance(wrong.exception, UsageError)
    assert "cannot be read" in str(wrong.exception)
    for option, value in (("--false-events", "often"), ("--bar", "0"), ("--fps", "0")):
        refused = calibrate(site, "--normal", footage, option, value)
        assert f"{option} {value}" in str(refused.exception)
    assert before == {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_the_reason_of_a_drift_is_the_light_if_that_changed():
    minutes = [Minute(60.0 * at, at, 0.5, 120.0 if at < 30 else 60.0) for at in range(60)]
    assert reason(minutes, 30) == "light changed (mean grey 120 before, 60 since)"
    same = [Minute(60.0 * at, at, 0.5, 120.0 + at % 3) for at in range(60)]
    assert reason(same, 30) == "what is seen there looks otherwise"
    assert reason([], 30) == "what is seen there looks otherwise"


def test_a_zone_of_which_little_is_known_is_not_told_as_blind():
    few = [Planted(0, 0.04, 9, False)] * 4 + [Planted(1, 0.04, 9, False)] * 8
    smallest, of_size = maps(BlindMap(tuple(few), (1, 2)))
    assert [zone.text for zone in smallest.zones] == ["?", "blind"]
    assert [zone.text for zone in of_size.zones] == ["?", "0"]


def test_thin_things_have_a_sentence_of_their_own():
    thin_ones = tuple(Planted(0, 0.04, 9, at < 2, True) for at in range(5))
    assert thin(BlindMap(thin_ones, (1, 1))) == (
        "Thin things, as a tripod, are counted apart: 2 of 5 at 4%."
    )
    assert thin(BlindMap((Planted(0, 0.04, 9, True),), (1, 1))) == ""


def test_plots_hold_their_texts_as_texts():
    drawn = plot(Axis("<x>"), Axis("y"), [Series("a", [0, 1], [0, 1])], about='"&"')
    assert "&lt;x&gt;" in drawn
    assert "<x>" not in drawn
    assert drawn.count("<polyline") == 1
    false, true = steps([1, 2], [2, 3])
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (0.0, 0.5) in zip(false, true, strict=True)
