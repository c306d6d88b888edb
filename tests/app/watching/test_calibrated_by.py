"""A run keeps with which calibration it was made, and says where another one lies there now."""

from pathlib import Path

import pytest

from app.events.store import Store
from app.watching.audit_request import AuditRequest
from app.watching.calibrated_by import CalibratedBy, outdated
from detectors.files import CALIBRATION


@pytest.fixture
def request_of(tmp_path: Path) -> AuditRequest:
    """An audit with a detector that was fitted before."""
    (tmp_path / "hall").mkdir()
    return AuditRequest(out=tmp_path / "out", videos=(), detector=tmp_path / "hall")


def said(request: AuditRequest, made: CalibratedBy | None) -> list[str]:
    with Store(request.out) as store:
        run = store.begin_run("audit", {})
        if made is not None:
            store.keep_facts(run.id, made.as_facts())
        return outdated(store.run(run.id), request)


def test_finished_results_of_another_calibration_say_so(request_of: AuditRequest):
    assert said(request_of, None) == []
    assert said(request_of, CalibratedBy("", used=False)) == []
    (gone,) = said(request_of, CalibratedBy("before", used=True))
    assert f"with a calibration that no longer lies in {request_of.detector}" in gone
    (request_of.detector_folder / CALIBRATION).write_text("{}")
    (other,) = said(request_of, CalibratedBy("before", used=True))
    assert other == (
        "These results were made with another calibration; the one of now lies in "
        f"{request_of.detector}: use --overwrite to look again."
    )
    (none,) = said(request_of, CalibratedBy("", used=False))
    assert "made without a calibration; the one of now lies in" in none


def test_the_calibration_of_a_detector_that_a_run_learned_is_not_given_up(tmp_path: Path):
    request = AuditRequest(out=tmp_path, videos=())
    request.kept_detector.mkdir()
    (request.kept_detector / CALIBRATION).write_text("{}")
    (sentence,) = said(request, CalibratedBy("", used=False))
    assert "--overwrite" not in sentence
    assert f"use --detector {tmp_path / 'detector'} and another --out" in sentence


def test_what_goes_on_with_another_calibration_says_so_and_with_the_same_does_not():
    one, other, none = (CalibratedBy(sha, used=bool(sha)) for sha in ("a", "b", ""))
    foreign = CalibratedBy("c", used=False)
    assert one.news(one) == none.news(none) == none.news(foreign) == foreign.news(none) == ""
    assert one.news(other) == (
        "Until now this was made with another calibration; it goes on with the one of now."
    )
    assert none.news(one).startswith("Until now this was made with no calibration; ")
    assert one.news(none) == "The calibration is gone. It goes on uncalibrated."


def test_facts_of_a_run_that_goes_on_are_added_to(tmp_path: Path):
    with Store(tmp_path) as store:
        run = store.begin_run("watch", {})
        store.keep_facts(run.id, {"promise": "kept"})
        store.keep_facts(run.id, CalibratedBy("a", used=True).as_facts())
        kept = store.run(run.id)
    assert kept.facts["promise"] == "kept"
    assert CalibratedBy.of(kept) == CalibratedBy("a", used=True)
