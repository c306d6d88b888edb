"""Silence by meaning and a zone from an event, asked as the page asks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.errors import UsageError
from app.events.event import Event
from app.events.store import Store
from app.feedback.answers import Answer, keep_answer
from app.quieting.keeping import rules_there
from app.watching.pasting import Pasted
from app.web.quieting import Wished, kept, proposed
from app.web.state import Web
from app.web.trials import Trials
from detectors.types import Box
from novic.errors import NomalyError
from tests.app.feedback.verdicts import a_run_of
from tests.app.quieting.test_suggestion import CATS, DOG, ID, planted
from tests.app.web.builders import a_site, event_id
from tests.app.web.test_api import asked, csrf, opened

QUIET = f"/api/v1/events/yard/{ID}/quiet"
LISTED = "/api/v1/cameras/yard/quiet"
PART = f"/parts/quiet/yard/{ID}"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "yard").mkdir()
    a_run_of(tmp_path / "yard", *CATS, DOG)
    return tmp_path


def a_web(site: Path, plant: Any) -> Web:  # noqa: ANN401
    """A page without a server, with other things of known looks."""
    return replace(Web.of([site], None, None), trials=Trials(lambda _: plant))


def test_a_rule_is_shown_kept_listed_and_ended_by_a_program(site: Path):
    with opened(site) as client:
        told = asked(client, f"{QUIET}?note=Tom")
        assert (told["said"], told["number"]) == ("cat in its place 8 to 11", 0)
        assert (len(told["quieted"]), told["told"]) == (6, 7)
        assert str(site / "yard" / "detector") in told["unmeasured"]
        assert asked(client, LISTED) == {"rules": [], "normal": []}
        key = csrf(client)
        assert client.post(QUIET, json={"hours": "8-12"}, headers=key).json()["number"] == 1
        again = client.post(QUIET, json={"hours": "8-12"}, headers=key)
        assert (again.status_code, "is quiet already" in again.json()["detail"]) == (422, True)
        (rule,) = asked(client, LISTED)["rules"]
        assert (rule["said"], rule["who"]) == ("cat in its place 8 to 12", "page")
        assert rule["until_us"] == rule["made_us"] + 30 * 86_400_000_000
        assert len(client.delete(f"{LISTED}/1", headers=key).json()["told"]) == 6
        gone = client.delete(f"{LISTED}/1", headers=key)
        assert (gone.status_code, "holds no verdict or rule 1" in gone.json()["detail"]) == (
            422, True,
        )  # fmt: skip


def test_the_leak_is_measured_once_for_all_that_is_tried_of_an_event(site: Path):
    laid: list[str] = []

    def plant(event: Event) -> Sequence[Pasted]:
        laid.append(event.id)
        return planted(("axe", 100), ("book", 5), ("cup", 120), ("drum", 4), ("dog", 150))

    web = a_web(site, plant)
    assert proposed(web, "yard", ID, Wished(), measured=False).suggestion.rule.leak is None
    leak = proposed(web, "yard", ID, Wished()).suggestion.rule.leak
    assert leak is not None
    assert (leak.planted, leak.quieted, leak.same) == (4, ("book", "book"), "drum")
    rule, proposal = kept(web, "yard", ID, Wished(for_days=None, note="Tom"))
    assert (laid, proposal.unmeasured) == ([ID], "")
    assert (rule.leak, rule.keep_s, rule.note) == (leak, None, "Tom")
    assert [one.number for one in rules_there(site / "yard")] == [1]
    with Store(site / "yard") as store:
        assert sum(event.muted == rule.why for event in store.events(1)) == 6


def test_what_cannot_be_measured_is_told_and_can_be_kept_all_the_same(site: Path):
    def plant(event: Event) -> Sequence[Pasted]:
        raise NomalyError("the photographs are not here")

    keep_answer(site / "yard", Answer(CATS[0].event.id, "renamed", "fox"))
    web = a_web(site, plant)
    proposal = proposed(web, "yard", ID, Wished())
    assert proposal.unmeasured == "the photographs are not here"
    leak = proposal.suggestion.rule.leak
    assert leak is not None
    assert (leak.planted, leak.lost) == (0, (CATS[0].event.id,))
    with pytest.raises(UsageError, match="are no hours of a day"):
        proposed(web, "yard", ID, Wished(hours="25"))


def test_the_page_shows_first_and_asks_once_more(site: Path):
    with opened(site) as client:
        page = client.get(f"/events/yard/{ID}/quiet").text
        assert "It would have quieted <b>6</b> of the 7 events that were told" in page
        assert "Trying other things on it" in page
        assert '<option value="kind:animal">any animal</option>' in page
        assert "Yes, quiet" not in page, "not before its leak is known"
        shown = client.get(f"{PART}?what=kind:animal&zone=all&hours=8-12&measured=yes").text
        assert "any animal 8 to 12" in shown
        assert "could not be measured" in shown
        assert "Yes, quiet these 7" in shown
        assert "hours 25: are no hours" in client.get(f"{PART}?hours=25").text
        said = {"what": "noun:cat", "for_days": "ever", "note": "Tom"}
        assert client.post(PART, data=said).status_code == 403
        done = client.post(PART, data=said, headers=csrf(client)).text
        assert "Rule 1 holds from now on. 6 events went silent." in done
        listed = client.get("/cameras/yard/quiet").text
        assert "cat in its place" in listed
        ended = client.post("/parts/quiet-end/yard/1", headers=csrf(client)).text
        assert "Ended; 6 events are told again." in ended
        assert "Nothing is quiet here." in ended


def test_taking_back_what_was_said_of_an_event_ends_its_rule(site: Path):
    def take_back(event_id: str) -> Any:  # noqa: ANN401
        verdict = f"/api/v1/events/yard/{event_id}/verdict"
        return client.post(verdict, json={"answer": "none"})

    with opened(site) as client:
        client.post(QUIET, json={}, headers=csrf(client))
        other = take_back(CATS[0].event.id)
        assert (other.status_code, "of another event" in other.json()["detail"]) == (422, True)
        assert len(take_back(ID).json()["told"]) == 6
        assert asked(client, LISTED)["rules"] == []


def test_what_is_normal_is_in_the_same_list(site: Path):
    with opened(site) as client:
        client.post(f"/api/v1/events/yard/{ID}/verdict", json={"answer": "normal"})
        (verdict,) = asked(client, LISTED)["normal"]
        assert (verdict["number"], verdict["noun"]) == (1, "cat")
        assert "cat is normal" in client.get("/cameras/yard/quiet").text
        assert client.delete(f"{LISTED}/1", headers=csrf(client)).json()["number"] == 1


def test_a_camera_without_a_detector_says_so_in_its_list(tmp_path: Path):
    with opened(a_site(tmp_path)) as client:
        assert "the detector of" in client.get("/cameras/hall/quiet").text
        shown = client.get(f"/events/hall/{event_id(1, 'hall')}/quiet").text
        assert "has no name yet, by which its like could be known again; say noun or kind" in shown


def test_a_zone_around_an_event_is_proposed_and_tried_but_not_saved(tmp_path: Path):
    with opened(a_site(tmp_path)) as client:
        cat = event_id(1, "hall")
        (corners,) = asked(client, f"/api/v1/events/hall/{cat}/zone")["exclude"]
        event = asked(client, f"/api/v1/events/hall/{cat}")
        left, top, right, bottom = event["box"]
        box = Box(left, top, right, bottom).grown(0.15, (60, 80))
        assert corners[0] == pytest.approx([box.x1 / 80, box.y1 / 60], abs=1e-4)
        assert corners[2] == pytest.approx([box.x2 / 80, box.y2 / 60], abs=1e-4)
        page = client.get(f"/cameras/hall/zones?event={cat}").text
        assert "data-proposed" in page
        assert f"/events/hall/{cat}/snapshot" in page
        assert asked(client, "/api/v1/cameras/hall/zones")["exclude"] == []
        told = would(client, "/api/v1/cameras/hall/would/zones", [corners]).json()
        assert (told["before"], told["after"], len(told["lost"])) == (2, 0, 2)
        shown = would(client, "/parts/would-zones/hall", [corners]).text
        assert "To have it so: save the zones." in shown
        wrong = would(client, "/api/v1/cameras/hall/would/zones", [[[0, 0]]])
        assert (wrong.status_code, "write polygons" in wrong.json()["detail"]) == (422, True)


def would(client: TestClient, path: str, exclude: object) -> Any:  # noqa: ANN401
    return client.post(path, json={"exclude": exclude}, headers=csrf(client))


def test_an_event_is_kept_for_good_and_no_longer(tmp_path: Path):
    with opened(a_site(tmp_path)) as client:
        cat = f"/api/v1/events/hall/{event_id(1, 'hall')}"
        assert asked(client, cat)["kept"] is False
        done = client.post(f"{cat}/verdict", json={"answer": "keep"}).json()
        assert (done["event"]["kept"], done["event"]["answer"]) == (True, None)
        part = f"/parts/answer/hall/{event_id(1, 'hall')}?large=yes"
        said = client.post(part, data={"answer": "keep_no_longer"}, headers=csrf(client)).text
        assert "is kept as long as the storage says" in said
        assert 'class="card facts' in said
