"""A watch on a machine whose clock was set ahead while it ran before."""

import json
from pathlib import Path

import pytest

from app.events.age_clock import CLOCK, machine_clock
from app.events.retention import RetentionRule
from app.events.store import Store
from app.progress import Reporter
from app.watching.machine import CLOCK_AHEAD
from app.watching.watch import watch
from app.watching.watch_request import WatchRequest
from detectors.configs import parse_config
from tests.app.service.films import film

pytestmark = pytest.mark.slow
YEAR_US = 365 * 86_400_000_000


def test_the_clock_is_an_event_of_the_camera_and_nothing_goes_by_it(tmp_path: Path):
    out = tmp_path / "hall"
    out.mkdir()
    known = {"time_us": machine_clock()[0] - 14 * YEAR_US, "doubted_s": 60.0, "seen": True}
    (out / CLOCK).write_text(json.dumps(known))
    told = []
    request = WatchRequest(
        source=str(film(tmp_path / "hall.mp4", 1, 8)),
        out=out,
        learn_s=2.0,
        detector_config=parse_config("mog2", {"passes": "8"}),
        device="cpu",
        for_s=2.0,
        heartbeat_s=0.0,
        retention=RetentionRule(days=30, gigabytes=None),
    )
    watch(request, Reporter(quiet=True), told.append)
    with Store(out) as store:
        (event,) = [one for one in store.events(1) if one.kind == "camera"]
    assert event.name == CLOCK_AHEAD
    assert "5110 days later than what was stored last: nothing is given up" in event.said
    assert f"nomaly retain {out}." in event.said
    (opened,) = [one for one in told if one.get("event") == "opened"]
    assert (opened["name"], opened["rings"]) == (CLOCK_AHEAD, True)
