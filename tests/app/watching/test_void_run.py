"""The installed commands on a camera whose calibration does not hold, with the model that ships."""

import json
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.events.bets import Bet
from app.events.event import VOID
from app.events.store import Changes, Store
from app.progress import Reporter
from app.watching.holding import Holding, Light, Sampling
from app.watching.watch import watch
from app.watching.watch_request import WatchRequest
from calibration.site.calibrated import Bindings, calibrated
from calibration.site.crops import Crops
from calibration.site.files import dictionary_sha256, load_calibration, write_calibration
from detectors.base import Detector
from detectors.files import CALIBRATION, read_facts
from novic.bundle import load_bundle
from novic.model import model_sha256, starter_bundle_path
from tests.app.watching.road import day, frames
from tests.peers.pattern import write_video

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of the view."""
    path = tmp_path_factory.mktemp("footage") / "hall.mp4"
    return write_video(path, [one.image for one in frames(day(), 120, 180)], fps=5)


@pytest.fixture
def detector(learned: Detector, tmp_path: Path) -> Path:
    """The folder of a detector that was calibrated on another view."""
    folder = tmp_path / "detector"
    learned.save(folder)
    bundle = load_bundle(starter_bundle_path())
    rng, times = np.random.default_rng(0), np.arange(0.0, 3600.0, 10.0)
    vectors = 1 + rng.normal(0, 0.1, (len(times), bundle.decoder.config.width))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    half = np.full(len(times), 0.5)
    seen = Crops(vectors.astype(np.float32), half, half, times, times.astype(np.int64))
    bindings = Bindings(
        read_facts(folder)["weights_sha256"],
        bundle.embedder,
        model_sha256(None),
        dictionary_sha256(tuple(bundle.tokens.nouns)),
    )
    done, _ = calibrated(bindings, seen, 3600.0)
    how = Sampling(0.4, 1.0, Light(200.0, 2.0))
    write_calibration(folder, replace(done, measured={"sampling": how.as_json()}))
    return folder


def test_an_audit_says_that_the_calibration_does_not_hold(
    detector: Path, footage: Path, tmp_path: Path
):
    out = tmp_path / "out"
    words = ["audit", str(footage), "--detector", str(detector), "--out", str(out)]
    done = CliRunner().invoke(cli, [*words, "--no-draw", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    (said,) = told["calibration_void"]
    assert said.startswith("Calibration void since ")
    assert "light changed (mean grey 200 before, " in said
    assert told["warnings"] == [said]
    (event,) = [one for one in told["events"] if one["kind"] == "camera"]
    assert (event["name"], event["said"]) == (VOID, said)
    assert said in (out / "report.html").read_text()
    why = CliRunner().invoke(cli, ["events", "why", str(out), event["id"]])
    assert f"The camera told of itself: {said}" in why.stdout


def test_a_calibration_that_cannot_be_used_is_told_to_scripts_in_the_report_and_with_q(
    detector: Path, footage: Path, tmp_path: Path
):
    out, card = tmp_path / "out", detector / CALIBRATION
    good = card.read_text()
    card.write_text(good[:200])
    words = ["audit", str(footage), "--detector", str(detector), "--out", str(out), "--no-draw"]
    done = CliRunner().invoke(cli, [*words, "-q"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    (said,) = [one.removeprefix("Note: ") for one in lines if one.startswith("Note: ")]
    assert "damaged or cut off" in said
    assert said.endswith("It goes on uncalibrated.")
    again = CliRunner().invoke(cli, [*words, "--json"])
    assert json.loads(again.stdout.splitlines()[-1])["warnings"] == [said]
    assert said in unescape((out / "report.html").read_text())
    # Once it is repaired, the results are told to be without it.
    card.write_text(good)
    newer = CliRunner().invoke(cli, [*words, "--json"])
    _, other = json.loads(newer.stdout.splitlines()[-1])["warnings"]
    assert other.startswith("These results were made without a calibration; ")
    assert other.endswith("use --overwrite to look again.")


def test_a_watch_that_is_started_again_says_that_it_still_is(
    detector: Path, footage: Path, tmp_path: Path
):
    out, key = tmp_path / "watched", Holding(load_calibration(detector)).key
    asked = WatchRequest(source=str(footage), detector=detector, out=out, for_s=0.5, device="cpu")
    before: list[str] = []
    watch(asked, Telling(before), lambda _: None)
    with Store(out) as store:
        run = store.required_run()
        (source,) = store.sources(run.id)
        bets = [Bet(source.uri, key, 0.01 * n, n + 1, n, 1e6 + n, 60.0) for n in range(40)]
        store.save(run.id, Changes(source, bets=bets))
    # Calibrated again, with the same distances.
    write_calibration(detector, load_calibration(detector), {"created": "later"})
    heard: list[str] = []
    summary = watch(asked, Telling(heard), lambda _: None)
    assert summary["notes"] == [
        "Until now this was made with another calibration; it goes on with the one of now."
    ]
    assert summary["notes"][0] in heard
    assert [text for text in before if text.startswith("Calibration void")] == []
    (said,) = [text for text in heard if text.startswith("Calibration void")]
    assert "light changed (mean grey 200 before, 60 since)" in said


class Telling(Reporter):
    """Keeps what it is told."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(quiet=True)
        self._heard = heard

    def say(self, text: str) -> None:
        self._heard.append(text)
