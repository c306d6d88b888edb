"""How the run watches of which a camera is calibrated."""

from pathlib import Path

from app.calibrating.watched import Watched, watched_in
from app.events.store import Store
from app.watching.audit_request import AuditRequest
from calibration.promise import Promise
from detectors.files import PROMISE
from detectors.tracks import TrackRule
from detectors.zones import Zones

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def test_a_camera_is_taken_as_its_run_watches_it(tmp_path: Path):
    zones, rule = Zones(exclude=(LEFT,)), TrackRule(open_score=2.0)
    promise = Promise(2, "day")
    asked = AuditRequest(
        out=tmp_path, videos=(), fps=12.0, zones=zones, rule=rule, promise=promise, bar=1.5
    )
    with Store(tmp_path) as store:
        store.begin_run("audit", asked.settings())
    expected = Watched(fps=12.0, zones=zones, rule=rule, promise=promise, bar=1.5, run=tmp_path)
    assert watched_in(tmp_path) == expected
    (tmp_path / PROMISE).touch()
    assert watched_in(tmp_path).evidence == tmp_path / PROMISE


def test_what_is_typed_comes_before_what_the_run_says(tmp_path: Path):
    ran = Watched(bar=1.5, fps=12.0, run=tmp_path)
    assert ran.but(fps=None, bar=None) is ran
    assert ran.but(fps=3.0) == Watched(bar=1.5, fps=3.0)
    # Who types a promise wants it kept, not the bar that was set in its place.
    promised = ran.but(promise=Promise(1, "week"), bar=None)
    assert (promised.bar, str(promised.promise)) == (None, "1/week")
    assert ran.but(promise=Promise(1, "week"), bar=2.0).bar == 2.0


def test_where_there_is_no_run_all_is_as_by_default(tmp_path: Path):
    assert watched_in(tmp_path) == Watched()
    Store(tmp_path).close()
    assert watched_in(tmp_path) == Watched()
