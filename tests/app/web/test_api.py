"""The API, asked as programs ask it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.events.zones import ZONES, saved_zones
from app.web.app import build_app, loopback_only
from detectors.zones import Zones
from tests.app.web.builders import a_site, event_id, seen, write_camera

CAT = "/api/v1/events/hall/" + event_id(1, "hall")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return a_site(tmp_path)


@pytest.fixture
def client(site: Path) -> Iterator[TestClient]:
    with TestClient(loopback_only(build_app([site])), "http://127.0.0.1") as client:
        yield client


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
    assert news[0]["answer"]["answer"] == "confirmed"


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
    assert (renamed["answer"], renamed["noun"]) == ("renamed", "fox cub")
    assert say(answer="false_alarm")["event"]["answer"]["noun"] == ""
    assert say(answer="none")["event"]["answer"] is None
    assert "nothing was said" in say(422, answer="none")["detail"]
    assert "1 to 100 letters" in say(422, answer="renamed")["detail"]
    # It has no vector to know its like by.
    assert "has no name yet" in say(422, answer="normal")["detail"]
    say(422, answer="lovely")
    say(422, answer="confirmed", more="words")


def test_zones_are_drawn_for_the_next_start(client: TestClient, site: Path):
    zones = "/api/v1/cameras/hall/zones"
    assert asked(client, zones) == {"include": [], "exclude": [], "yaml": "zones: {}\n"}
    triangle = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.90001]]
    said = client.put(zones, json={"exclude": [triangle]}).json()
    assert said["file"].endswith(ZONES)
    assert said["yaml"].splitlines()[:2] == ["zones:", "  exclude:"]
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


def test_other_pages_and_other_names_of_this_machine_are_refused(client: TestClient):
    def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/api/v1/cameras", headers=named).status_code

    assert status() == status(origin="http://127.0.0.1") == 200
    assert status(origin="http://elsewhere.example") == status(origin="null") == 403
    assert status(host="elsewhere.example") == 400
    crossed = client.post(
        f"{CAT}/verdict", json={"answer": "confirmed"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert crossed.status_code == 403
    assert asked(client, CAT)["answer"] is None


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
