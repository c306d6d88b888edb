"""What of an earlier calibration stays where a run measures only a part of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.calibrating.answers import Answers
from app.calibrating.keeping import Again, earlier_of
from app.calibrating.page import write_page
from app.calibrating.planting import Planting
from app.calibrating.request import Calibrated, CalibrateRequest
from app.calibrating.run import Tools, calibrate_with
from app.calibrating.watched import Watched
from app.errors import UsageError
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
ALL = ("site_p", "unnameable_p", "names_p", "verdict", "blind_map")
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


def run(
    knows: Detector,
    site: Path,
    footage: Path | None = None,
    names: ColourNames | None = None,
    answers: Answers | None = None,
    **how: Any,  # noqa: ANN401
) -> Calibrated:
    asked = {"watched": Watched(fps=1.0), "blind": False, "normal": (footage,), **how}
    request = CalibrateRequest(site=site, **asked)
    tools = Tools(knows, names or ColourNames(), bound(site))
    return calibrate_with(tools, request, answers or Answers((), 0), Reporter(quiet=True))


def test_what_nobody_asked_for_and_what_short_footage_cannot_fit_stays_as_it_was(
    knows: Detector, site: Path, whole: SiteCalibration, footage: Path
):
    done = run(knows, site, footage, ColourNames())
    assert done.kept == ALL
    read = load_calibration(site, bound(site))
    assert (read.names, read.blind) == (whole.names, whole.blind)
    assert (read.weights, read.measured["verdict"]) == (WEIGHTS, {"right": 0.8})
    assert read.said["blind_map"] == (
        "blind_map: 6 things; kept from the calibration of 2026-11-29"
    )
    # Six seconds must not replace an hour, and say so.
    assert whole.site_ranks is not None
    assert read.site_ranks is not None
    assert (read.site_ranks.ordered == whole.site_ranks.ordered).all()
    assert read.said["site_p"].startswith(whole.said["site_p"])
    kept = read.said["site_p"].removeprefix(whole.said["site_p"])
    assert kept.startswith("; kept from the calibration of 2026-11-29 (this footage: ")
    assert kept.endswith(" pictures to learn from, 60 are needed)")
    assert "clock" not in read.said
    card = json.loads((site / CALIBRATION).read_text())
    assert (card["kept"], card["confirmed"]) == ([*ALL], BEFORE["confirmed"])
    assert card["footage"] == BEFORE["footage"]
    page = write_page(done).read_text()
    assert "Kept from an earlier calibration: How rare a thing looks here; " in page
    assert "How often does normal footage ring?" not in page
    # A third one says when it was measured, not when it was kept.
    again = run(knows, site, footage, ColourNames())
    assert again.done.said["blind_map"] == read.said["blind_map"]
    assert again.done.said["site_p"] == read.said["site_p"]


def test_answers_alone_are_learned_and_all_else_stays(
    knows: Detector, site: Path, whole: SiteCalibration, tmp_path: Path
):
    answers = Answers(tuple(confirmed(120)), 0)
    done = run(knows, site, answers=answers, events=tmp_path / "said.jsonl", normal=())
    assert done.kept == (*(name for name in ALL if name != "names_p"),)
    read = load_calibration(site, bound(site))
    assert whole.site_ranks is not None
    assert read.site_ranks is not None
    assert (read.site_ranks.ordered == whole.site_ranks.ordered).all()
    assert (read.blind, read.weights) == (whole.blind, WEIGHTS)
    assert read.names not in (None, whole.names)
    assert "on 120 confirmed names" in read.said["names_p"]
    assert read.said["verdict"].endswith(
        "(these answers: 0 confirmed events with evidence, 50 are needed)"
    )
    card = json.loads((site / CALIBRATION).read_text())
    assert (card["footage"], card["confirmed"]) == (BEFORE["footage"], {"names": 120, "normal": 0})
    page = write_page(done).read_text()
    assert "By what people confirmed alone; no footage was looked at." in page
    assert "url(data:image/jpeg" in page


def test_answers_alone_are_refused_where_no_footage_was_looked_at(
    knows: Detector, site: Path, tmp_path: Path
):
    with pytest.raises(UsageError, match="holds no calibration of this detector, embedder and"):
        run(knows, site, answers=Answers((), 0), events=tmp_path / "said.jsonl", normal=())


def test_footage_that_is_enough_replaces_what_was_there(site: Path, whole: SiteCalibration):
    earlier = earlier_of(site, bound(site), lambda _: None)
    assert earlier is not None
    fitted, _ = calibrated(bound(site), crops(400, seed=1), 3600)
    without = Again(looked=False, names=True, verdict=True, blind=True)
    merged = earlier.merged(fitted, {"footage": "new"}, without)
    assert merged.kept == ("names_p", "verdict", "blind_map")
    assert merged.done.site_ranks is fitted.site_ranks
    assert merged.facts["footage"] == "new"


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
    assert done.kept == ALL[:-1]
    read = load_calibration(site, bound(site))
    assert read.blind is not None
    assert (len(read.blind.things), read.blind.bar, read.blind.stays_s) == (1, 2.0, 2.0)
    assert read.said["blind_map"] == (
        "blind_map: 1 things were put there for 2 s each, at bar 2.00 (--bar)"
    )
    assert (
        "for 2 s each, and looked for as in an audit at bar 2.00 (" in write_page(done).read_text()
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
