"""The API, asked as programs ask it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.events.zones import ZONES, saved_zones
from app.service.errors import SiteError
from app.service.watcher import CameraState
from app.web.app import build_app
from app.web.guard import GuardConfig, guarded
from app.web.steered import Steered
from detectors.zones import Zones
from tests.app.web.builders import a_site, event_id, seen, write_camera
from tests.app.web.pages import SAME

CAT = "/api/v1/events/hall/" + event_id(1, "hall")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path)


@pytest.fixture
def client(site: Path) -> Iterator[TestClient]:
    with opened(site) as client:
        yield client


@contextmanager
def opened(site: Path, steered: Steered | None = None) -> Iterator[TestClient]:
    """A client that has logged in by a link, as a browser does that tells no origin."""
    guard = guarded(build_app([site], None, steered), GuardConfig())
    with TestClient(guard, "http://127.0.0.1", headers=SAME) as client:
        link, _ = guard.invited("http://127.0.0.1")
        assert client.get(link).status_code == 200
        yield client


def csrf(client: TestClient) -> dict[str, str]:
    """What the page's own calls bring along."""
    [said] = re.findall('<meta name="csrf" content="([0-9a-f]{64})">', client.get("/").text)
    return {"X-CSRF-Token": said}


def asked(client: TestClient, path: str, status: int = 200) -> Any:  # noqa: ANN401
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_cameras_are_told_with_their_blind_times_and_what_they_promise(client: TestClient):
    gate, hall = asked(client, "/api/v1/cameras")["cameras"]
    assert (gate["name"], gate["doing"], gate["live"]) == ("gate", "stopped", False)
    assert hall["blind"] == [{"reason": "no picture comes", "count": 1, "seconds": 60.0}]
    assert hall["promise"] == "False events: 1/hour is promised, and not shown yet."
    assert hall["still"] == event_id(9, "hall")
    assert asked(client, "/api/v1/cameras/gate") == gate
    assert "no such camera" in asked(client, "/api/v1/cameras/yard", 404)["detail"]


def test_a_program_that_keeps_its_cursor_reads_each_change_once(client: TestClient, site: Path):
    answer = asked(client, "/api/v1/events?since=&limit=3")
    told, rounds = [*answer["events"]], 1
    while answer["more"]:
        answer = asked(client, f"/api/v1/events?since={answer['cursor']}&limit=3")
        told, rounds = [*told, *answer["events"]], rounds + 1
    assert (len({(one["folder"], one["id"]) for one in told}), len(told), rounds) == (5, 5, 2)
    assert asked(client, f"/api/v1/events?since={answer['cursor']}")["events"] == []
    write_camera(site / "yard", seen(2, "bear", "yard"))
    client.post(f"{CAT}/verdict", json={"answer": "confirmed"})
    news = asked(client, f"/api/v1/events?since={answer['cursor']}")["events"]
    assert [(one["folder"], one["noun"]) for one in news] == [("hall", "cat"), ("yard", "bear")]
    assert news[0]["answer"]["verdict"] == "confirmed"


def test_events_are_listed_a_page_at_a_time(client: TestClient):
    first = asked(client, "/api/v1/events?limit=3")
    rest = asked(client, f"/api/v1/events?limit=3&before={first['next']}")
    assert [len(first["events"]), len(rest["events"]), rest["next"]] == [3, 2, None]
    assert asked(client, "/api/v1/events?state=open")["events"][0]["noun"] == "suitcase"
    for wrong in ("day=yesterday", "state=odd", "limit=0", "since=x", "before=x"):
        assert asked(client, f"/api/v1/events?{wrong}", 422)


def test_an_event_is_told_with_its_receipt_and_pictures(client: TestClient):
    event = asked(client, CAT)
    assert (event["noun"], sorted(event["links"])) == ("cat", ["crop", "heat", "snapshot"])
    for kind, link in event["links"].items():
        answer = client.get(link)
        kinds = {"heat": "image/png"}
        assert answer.headers["content-type"] == kinds.get(kind, "image/jpeg")
        assert answer.headers["cache-control"] == "no-store"
        assert "immutable" in client.get(f"{link}?v=1").headers["cache-control"]
    assert asked(client, f"{CAT}/receipt")["outcome"] == "rang"
    assert "no such picture" in asked(client, f"{CAT}/clip", 404)["detail"]
    assert "pictures are" in asked(client, f"{CAT}/painting", 404)["detail"]
    assert "no such event" in asked(client, "/api/v1/events/hall/none", 404)["detail"]


def test_no_file_leaves_that_is_none_of_the_store(client: TestClient, site: Path):
    (site / "hall" / "crops" / f"{event_id(1, 'hall')}.jpg").unlink()
    (site / "secret.jpg").write_bytes(b"secret")
    (site / "hall" / "crops" / f"{event_id(1, 'hall')}.jpg").symlink_to(site / "secret.jpg")
    assert client.get(f"{CAT}/crop").status_code == 404
    for path in ("../secret.jpg", "..%2Fsecret.jpg", "%2e%2e/secret.jpg", "hall%2F..%2Fsecret"):
        assert client.get(f"/api/v1/events/hall/{path}").content != b"secret"
        assert client.get(f"/static/{path}").content != b"secret"


def test_what_is_said_of_an_event_is_kept_and_taken_back(client: TestClient):
    def say(status: int = 200, **said: object) -> Any:  # noqa: ANN401
        answer = client.post(f"{CAT}/verdict", json=said)
        assert answer.status_code == status, answer.text
        return answer.json()

    renamed = say(answer="renamed", noun=" fox  cub ")["event"]["answer"]
    assert (renamed["verdict"], renamed["noun"]) == ("renamed", "fox cub")
    assert say(answer="false_alarm")["event"]["answer"]["noun"] == ""
    assert say(answer="none")["event"]["answer"] is None
    assert "nothing was said" in say(422, answer="none")["detail"]
    assert "say what it is" in say(422, answer="renamed")["detail"]
    # It has no vector to know its like by.
    assert "has no name yet" in say(422, answer="normal")["detail"]
    say(422, answer="lovely")
    say(422, answer="confirmed", more="words")


def test_zones_are_drawn_for_the_next_start(client: TestClient, site: Path):
    zones = "/api/v1/cameras/hall/zones"
    assert asked(client, zones) == {"include": [], "exclude": [], "yaml": "exclude: []\n"}
    triangle = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.90001]]
    said = client.put(zones, json={"exclude": [triangle]}).json()
    assert said["file"].endswith(ZONES)
    assert said["yaml"] == 'exclude:\n  - "0.1,0.1 0.9,0.1 0.5,0.90001"\n'
    drawn = Zones(exclude=(((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)),))
    assert saved_zones(site / "hall") == drawn
    assert asked(client, zones)["exclude"] == [[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]]
    for wrong in ([[[0, 0], [1, 1]]], [[[0, 0], [2, 0], [0, 1]]], "shape", [[[0, 0]] * 99]):
        answer = client.put(zones, json={"exclude": wrong})
        assert "write polygons" in answer.json()["detail"]
    assert saved_zones(site / "hall") == drawn


def test_a_camera_without_a_live_picture_shows_its_newest_event(client: TestClient):
    frame = client.get("/api/v1/cameras/hall/frame.jpg")
    assert frame.headers["content-type"] == "image/jpeg"
    live = asked(client, "/api/v1/cameras/hall/live.mjpg", 404)
    assert "this process does not watch it" in live["detail"]


def test_the_timeline_holds_events_and_blind_times(client: TestClient):
    line = asked(client, "/api/v1/cameras/hall/timeline?hours=1")
    kinds = [bar["kind"] for bar in line["bars"]]
    assert sorted(kinds) == ["camera", "event", "event", "gap", "silent"]
    [gap] = [bar for bar in line["bars"] if bar["kind"] == "gap"]
    assert gap["left"] == pytest.approx(100 / 6, abs=0.01)
    assert gap["label"].startswith("blind for 60 s from ")
    assert "must be one of" in asked(client, "/api/v1/cameras/hall/timeline?hours=5", 422)["detail"]


def test_a_form_of_the_page_brings_along_what_only_it_knows(client: TestClient):
    path, said = f"/parts/answer/hall/{event_id(1, 'hall')}", {"answer": "confirmed"}
    assert client.post(path, data=said).status_code == 403
    assert client.post("/api/v1/reload").status_code == 403
    assert asked(client, CAT)["answer"] is None
    done = client.post(path, data=said, headers=csrf(client))
    assert "cat: right. U takes it back." in done.text
    assert asked(client, CAT)["answer"]["verdict"] == "confirmed"


def test_nobody_is_shown_anything_without_a_login(client: TestClient):
    client.cookies.clear()
    for path in ("/", "/api/v1/cameras", CAT, f"{CAT}/crop", "/static/page.js", "/metrics"):
        assert client.get(path).status_code == 401, path
    assert client.get("/healthz").json() == {"ok": True}
    assert client.get("/readyz").json()["cameras"] == 0


def test_metrics_are_on_the_pages_own_address(client: TestClient):
    text = client.get("/metrics").text
    assert 'nomaly_events_total{camera="gate",noun_state=' in text
    assert 'nomaly_store_readable{camera="hall"} 1.0' in text


class Steering:
    """A site of which the hall is paused and a camera that has no store yet fails."""

    def __init__(self, site: Path) -> None:
        self._site = site
        self.done: list[str] = []

    def cameras(self) -> list[CameraState]:
        paused = CameraState(
            "hall", self._site / "hall", "rtsp://hall/1", "paused", "for 10 min", 1, 0, 2_000_000
        )
        away = CameraState(
            "barn", self._site / "barn", "rtsp://barn/1", "unreachable", "no answer", 1, 0, None
        )
        return [paused, away]

    def pause(self, camera: str, minutes: float) -> None:
        self.done.append(f"{camera} {minutes:g}")

    def resume(self, camera: str) -> None:
        self.done.append(f"{camera} on")

    def reload(self) -> str:
        raise SiteError("site.yaml: 1 thing is wrong\nsite.yaml:4: cameras.hall.lern: unknown key")


def test_a_site_is_steered_from_its_page(site: Path):
    steered = Steering(site)
    with opened(site, steered) as client:
        barn, gate, hall = asked(client, "/api/v1/cameras")["cameras"]
        assert (barn["name"], barn["fault"], barn["detail"]) == (
            "barn", "cannot be reached", "no answer",
        )  # fmt: skip
        assert (hall["doing"], hall["resumes_us"], gate["steered"]) == ("paused", 2_000_000, False)
        key = csrf(client)
        said = client.post("/api/v1/cameras/gate/pause?minutes=5", headers=key).json()
        assert said == {"said": "gate is paused for 5 min."}
        assert client.post("/api/v1/cameras/hall/resume", headers=key).status_code == 200
        assert steered.done == ["gate 5", "hall on"]
        wrong = client.post("/api/v1/reload", headers=key)
        assert wrong.status_code == 422
        assert "site.yaml:4: cameras.hall.lern: unknown key" in wrong.json()["detail"]


def test_the_page_of_what_was_kept_steers_nothing(client: TestClient):
    answer = client.post("/api/v1/reload", headers=csrf(client))
    assert answer.status_code == 404
    assert "nomaly watch SITE.yaml" in answer.json()["detail"]


def test_another_bar_is_tried_before_it_is_set(client: TestClient, site: Path):
    low, high = seen(2, "bear", "barn", level=1.2), seen(5, "fox", "barn", level=5.0)
    write_camera(site / "barn", low, high)
    would = asked(client, "/api/v1/cameras/barn/would?bar=3&days=1")
    assert (would["before"], would["after"]) == (2, 1)
    assert [one["before"] for one in would["lost"]] == ["bear"]
    shown = client.get("/parts/would/barn?bar=3&false_events=&days=7").text
    assert "Would not have rung (1)" in shown
    assert "--bar 3" in shown
    for wrong in ("", "bar=9", "false_events=often", "bar=1&false_events=1/day"):
        assert "detail" in asked(client, f"/api/v1/cameras/hall/would?{wrong}", 422)


def test_words_find_events_that_were_never_called_so(client: TestClient):
    shown = client.get("/parts/meaning?text=cat on the left").text
    assert "the best first" in shown
    assert shown.index(">cat") > 0
    assert "found by" in shown
    assert client.get("/parts/meaning?text=").status_code == 200


def test_every_answer_says_what_a_browser_may_do_with_it(client: TestClient):
    for path in ("/", "/api/v1/cameras", "/static/page.js", "/nothing", f"{CAT}/crop"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_api_describes_itself(client: TestClient):
    said = json.dumps(asked(client, "/api/v1/openapi.json"))
    for path in ("/api/v1/events", "/verdict", "/live.mjpg", "/zones", "/stream"):
        assert path in said
    assert "/parts/" not in said
