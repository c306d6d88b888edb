"""Several notifications become one: what is told when, and that the counts are exact."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import UsageError
from app.events.event import Finding
from app.events.outbox import Message
from app.events.store import Store
from app.report.times import local
from app.sinks.build import parse_sinks
from app.sinks.feeder import Feeder, Patience
from app.sinks.grouping import Grouping, gathered, rings
from tests.app.events.findings import a_finding, begin
from tests.app.sinks.peers import Service

QUICK = Patience(first_s=0.01, longest_s=0.05, close_s=30)
MINUTE_US = 60_000_000


def opened(number: int, noun: str = "person", minute: int = 0) -> Message:
    start_us = minute * MINUTE_US
    told = {"id": f"{number:014x}-abc", "camera": "hall", "headline": noun, "start_us": start_us}
    return Message(number, {"event": "opened", **told})


def live(number: int, state: str = "opened", *, muted: str = "", noun: str = "cat") -> Finding:
    finding = a_finding(number, noun=noun)
    event = replace(finding.event, state=state, video="", muted=muted, start_us=number * MINUTE_US)
    return replace(finding, event=event)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def told_by(service: Service) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in service.hook.requests]


def test_the_first_is_told_at_once_and_what_follows_together():
    grouping = Grouping(60)
    first = grouping.next([opened(1)], 100.0, last=False)
    assert first is not None
    assert first.told == opened(1)
    grouping.delivered(100.0)
    later = [opened(2, minute=1), opened(3, "suitcase", 2), opened(4, minute=3)]
    assert grouping.next(later[:1], 101.0, last=False) is None
    assert grouping.wait_s(101.0, 5.0) == 5.0
    assert grouping.wait_s(158.0, 5.0) == 2.0
    bundle = grouping.next(later, 160.5, last=False)
    assert bundle is not None
    assert bundle.messages == tuple(later)
    assert bundle.told is not None
    body = bundle.told.body
    times = [f"{local(minute * MINUTE_US):%H:%M}" for minute in (1, 3)]
    between = f"between {times[0]} and {times[1]}"
    assert body["headline"] == f"3 more in hall {between}: person (2), suitcase"
    assert (body["event"], body["count"]) == ("grouped", 3)
    assert body["headlines"] == {"person": 2, "suitcase": 1}


def test_one_that_was_gathered_alone_is_told_as_itself():
    assert gathered([opened(2)], more=True) == opened(2)


def test_a_pause_longer_than_the_window_begins_anew():
    grouping = Grouping(60)
    grouping.delivered(0.0)
    fresh = grouping.next([opened(1), opened(2)], 1000.0, last=False)
    assert fresh is not None
    assert fresh.told is not None
    assert fresh.told.body["headline"].startswith("2 in hall at ")


def test_the_end_of_a_run_waits_for_no_window():
    grouping = Grouping(60)
    grouping.delivered(0.0)
    assert grouping.next([opened(1)], 1.0, last=True) is not None


@pytest.mark.parametrize(
    ("body", "rung"),
    [
        ({"event": "opened"}, True),
        ({"event": "updated"}, False),
        ({"event": "closed"}, False),
        ({"event": "opened", "muted": "normal here"}, False),
        ({"event": "closed", "video": "monday.mp4"}, True),
        ({"event": "updated", "rings": True}, True),
        ({"event": "opened", "rings": False}, False),
    ],
)
def test_only_what_rings_is_told(body: dict[str, Any], rung: bool):
    assert rings(body) is rung
    bundle = Grouping(60).next([Message(1, body)], 0.0, last=False)
    assert bundle is not None
    assert (bundle.told is not None) is rung


def test_without_a_window_every_state_is_told_by_itself():
    updated = Message(1, {"event": "updated"})
    bundle = Grouping().next([updated, opened(2)], 0.0, last=False)
    assert bundle is not None
    assert (bundle.messages, bundle.told) == ((updated,), updated)


def test_five_that_came_together_are_one_notification_and_all_are_in_the_store(
    tmp_path: Path, service: Service
):
    config = service.config.model_copy(update={"group_s": 600})
    with Store(tmp_path, sinks=[config.key]) as store:
        begin(store, *(live(number) for number in range(1, 6)), live(9, muted="normal here"))
        feeder = Feeder(tmp_path, config, patience=QUICK)
        while store.outbox.count(config.key):
            time.sleep(0.01)
        assert [one["title"] for one in told_by(service)] == ["5 in hall"]
        begin(store, live(6), live(6, "updated"), live(7, "closed"), live(8))
        feeder.wake()
        while store.outbox.count(config.key) > 2:
            time.sleep(0.01)
        assert len(told_by(service)) == 1, "what follows within the window is gathered"
        feeder.close()
        assert store.outbox.count(config.key) == 0
        assert len(store.events(1)) + len(store.events(2)) == 9
    first, second = told_by(service)
    assert first["message"].startswith("5 in hall between ")
    assert first["message"].endswith(": something unnamed")
    assert second["message"].startswith("2 more in hall between ")


def test_what_was_gathered_while_the_service_was_away_is_told_together(
    tmp_path: Path, service: Service
):
    config = service.config.model_copy(update={"group_s": 0.05})
    said: list[str] = []
    heard = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    service.go_away()
    with Store(tmp_path, sinks=[config.key]) as store:
        begin(store, live(1))
        feeder = Feeder(tmp_path, config, say, QUICK)
        assert heard.wait(60)
        begin(store, live(2), live(3))
        service.come_back()
        feeder.close()
        assert store.outbox.count(config.key) == 0
    assert sum(int(one["title"].split()[0]) for one in told_by(service)) == 3
    assert "hush" not in "".join(said)


KILLED = """
import os, signal, sys
from pathlib import Path
from app.events.store import Store
from app.sinks.apprise import AppriseConfig
from app.sinks.feeder import Feeder
from tests.app.events.findings import begin
from tests.app.sinks.test_grouping import live

folder, url = Path(sys.argv[1]), sys.argv[2]
config = AppriseConfig(url=url, group_s=600)
with Store(folder, sinks=[config.key]) as store:
    begin(store, live(1))
    feeder = Feeder(folder, config)
    while store.outbox.count(config.key):
        pass
    begin(store, *map(live, range(2, 8)))
    feeder.wake()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_within_the_window_loses_none_and_counts_none_twice(
    tmp_path: Path, service: Service
):
    url = service.config.url.get_secret_value()
    words = [sys.executable, "-c", KILLED, tmp_path, url]
    killed = subprocess.run(words, timeout=120, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    config = service.config.model_copy(update={"group_s": 600})
    Feeder(tmp_path, config, patience=QUICK).close()
    first, second = told_by(service)
    assert first["title"] == "something unnamed in hall"
    assert second["title"] == "6 in hall"


def test_grouping_is_asked_for_by_an_option():
    command, hook, file = parse_sinks(
        ["webhook:http://hooks.example", "jsonl:events.jsonl"], ["true"], 30.0
    )[::-1]
    assert (getattr(command, "group_s", None), getattr(file, "group_s", None)) == (30.0, 30.0)
    assert hook.kind == "jsonl"
    with pytest.raises(UsageError, match="--group 30: nothing is told together without"):
        parse_sinks(["jsonl:events.jsonl"], (), 30.0)
