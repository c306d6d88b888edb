"""What of an earlier calibration stays where a run measures only a part of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.calibrating.answers import Answers
from app.calibrating.keeping import earlier_of
from app.calibrating.page import write_page
from app.calibrating.planting import Planting
from app.calibrating.run import Calibrated, CalibrateRequest, Tools, calibrate_with
from app.calibrating.watched import Watched
from app.progress import Reporter
from calibration.belonging import WORDS
from calibration.blindness import BlindMap, Planted
from calibration.site.calibrated import Bindings, SiteCalibration, calibrated
from calibration.site.confirmed import refit
from calibration.site.files import load_calibration, write_calibration
from calibration.site.weights import Weight, Weights
from detectors.base import Detector
from detectors.files import CALIBRATION, read_facts
from tests.app.calibrating.names import ColourNames, Interrupted
from tests.calibration.site.footage import confirmed, crops

WEIGHTS = Weights(WORDS[:2], {"rest": Weight(0.0, 1.0, (0.5, -0.5))}, (0.0, 0.0), 0.1, 60)
BEFORE = {"created": "2026-11-29", "footage": {"hours": 1.0}, "confirmed": {"names": 200}}


@pytest.fixture
def site(knows: Detector, tmp_path: Path) -> Path:
    """The folder of a detector."""
    knows.save(tmp_path)
    return tmp_path


@pytest.fixture
def whole(site: Path) -> SiteCalibration:
    """A calibration in which nothing is missing, that lies there already."""
    bindings = bound(site)
    fitted, _ = calibrated(bindings, crops(300), 3600)
    names = refit(confirmed(200))
    blind = BlindMap((Planted(0, 0.04, 9, True),) * 6, (1, 1), 1.5, 2.0)
    said = {**fitted.said, "names_p": names.said, "blind_map": "blind_map: 6 things"}
    said["verdict"] = "verdict: weights decide"
    done = replace(fitted, names=names.scaling, weights=WEIGHTS, blind=blind, said=said)
    done = replace(done, measured={"tail": [], "verdict": {"right": 0.8}})
    assert done.names is not None
    write_calibration(site, done, BEFORE)
    return done


def bound(site: Path) -> Bindings:
    return Bindings(read_facts(site)["weights_sha256"], "colours", "none")


def run(knows: Detector, site: Path, footage: Path, names: ColourNames, **how: Any) -> Calibrated:  # noqa: ANN401
    asked = {"watched": Watched(fps=1.0), "blind": False, "normal": (footage,), **how}
    request = CalibrateRequest(site=site, **asked)
    tools = Tools(knows, names, bound(site))
    return calibrate_with(tools, request, Answers((), 0), Reporter(quiet=True))


def test_what_nobody_asked_for_stays_as_it_was(
    knows: Detector, site: Path, whole: SiteCalibration, footage: Path
):
    done = run(knows, site, footage, ColourNames())
    assert done.kept == ("names_p", "verdict", "blind_map")
    read = load_calibration(site, bound(site))
    assert (read.names, read.blind) == (whole.names, whole.blind)
    assert (read.weights, read.measured["verdict"]) == (WEIGHTS, {"right": 0.8})
    assert read.said["blind_map"] == (
        "blind_map: 6 things; kept from the calibration of 2026-11-29"
    )
    # The footage was looked at to its end: what it shows is what counts now.
    assert read.site_ranks is None
    card = json.loads((site / CALIBRATION).read_text())
    assert (card["kept"], card["confirmed"]) == (
        ["names_p", "verdict", "blind_map"],
        BEFORE["confirmed"],
    )
    assert card["footage"]["hours"] < 0.01
    assert (
        "Kept from an earlier calibration: names_p, verdict, blind_map."
        in write_page(done).read_text()
    )
    # A third one says when it was measured, not when it was kept.
    again = run(knows, site, footage, ColourNames())
    assert again.done.said["blind_map"] == read.said["blind_map"]


def test_ctrl_c_while_it_looks_leaves_a_whole_calibration_as_it_was(
    knows: Detector, site: Path, whole: SiteCalibration, minute: Path
):
    how = {"blind": True, "normal": (minute,) * 8, "watched": Watched(fps=0.1)}
    done = run(knows, site, minute, Interrupted(), **how)
    assert done.stopped
    assert len(done.looked.films) < 8
    read = load_calibration(site, bound(site))
    assert read.site is not None
    assert whole.site_ranks is not None
    assert read.site_ranks is not None
    assert (read.site_ranks.ordered == whole.site_ranks.ordered).all()
    assert (read.names, read.blind) == (whole.names, whole.blind)
    assert done.kept == ("site_p", "unnameable_p", "names_p", "verdict", "blind_map")
    card = json.loads((site / CALIBRATION).read_text())
    assert (card["stopped"], card["footage"]) == (True, BEFORE["footage"])
    assert card["parts"]["site_p"].endswith("; kept from the calibration of 2026-11-29")


def test_what_was_asked_for_and_done_replaces_what_was_there(
    knows: Detector, site: Path, whole: SiteCalibration, footage: Path
):
    planting = Planting(grid=(1, 1), sizes=(0.2,), nouns=("cup",))
    watched = Watched(bar=2.0)
    how = {"blind": True, "planting": planting, "repeats": 1, "watched": watched}
    done = run(knows, site, footage, ColourNames(), **how)
    assert done.kept == ("names_p", "verdict")
    read = load_calibration(site, bound(site))
    assert read.blind is not None
    assert (len(read.blind.things), read.blind.bar, read.blind.stays_s) == (1, 2.0, 2.0)
    assert read.said["blind_map"] == (
        "blind_map: 1 things were put there for 2 s each, at bar 2.00 (--bar)"
    )
    assert (
        "for 2 s each, and looked for as in an audit at bar 2.00;" in write_page(done).read_text()
    )


def test_nothing_stays_of_another_detectors_calibration(
    knows: Detector, site: Path, whole: SiteCalibration, footage: Path
):
    other = replace(whole, bindings=replace(whole.bindings, decoder="another"))
    write_calibration(site, other, BEFORE)
    heard: list[str] = []
    assert earlier_of(site, bound(site), heard.append) is None
    assert "decoder another, here it is none" in heard[0]
    assert run(knows, site, footage, ColourNames()).kept == ()
    assert load_calibration(site, bound(site)).names is None
