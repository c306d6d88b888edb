"""What a service is told through Apprise, and that its address is shown nowhere."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.events.outbox import Message
from app.events.store import Store
from app.redact import redact
from app.report.times import local
from app.sinks.apprise import PICTURELESS_FROM, AppriseConfig, AppriseSink, wording
from app.sinks.base import SinkError
from app.sinks.build import parse_sink
from tests.app.events.findings import a_finding, begin
from tests.app.sinks.peers import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def test_the_picture_of_the_event_goes_along(tmp_path: Path, service: Service):
    with Store(tmp_path) as store:
        begin(store, a_finding(1))
    message = Message(1, {"event": "opened", **a_finding(1).event.as_json()})
    sink = AppriseSink(service.config, tmp_path)
    sink.send(message)
    sink.send(Message(1, message.body, attempts=PICTURELESS_FROM))
    sink.close()
    with_picture, without = (json.loads(body) for _, body in service.hook.requests)
    (attached,) = with_picture["attachments"]
    kept = (tmp_path / "snapshots" / f"{message.body['id']}.jpg").read_bytes()
    assert base64.b64decode(attached["base64"]) == kept
    assert without["attachments"] == []
    assert with_picture["title"] == "something unnamed in hall"
    assert "perhaps cat 50%, dog 25%" in with_picture["message"]


def test_a_fact_is_told_with_time_and_probability():
    body = {"event": "opened", "id": "e", "camera": "hall", "headline": "person", "sure": True}
    title, text = wording(Message(1, {**body, "headline_p": 0.834, "start_us": 1_000_000}))
    assert title == "person in hall"
    assert text == f"{local(1_000_000):%H:%M:%S}, 83%\nevent e"


def test_a_service_that_sends_elsewhere_is_not_followed(tmp_path: Path, service: Service):
    service.hook.answers = [302, 500]
    sink = AppriseSink(service.config, tmp_path)
    for _ in range(2):
        with pytest.raises(SinkError, match="apprise json: cannot be delivered now: ") as told:
            sink.send(Message(1, {"event": "opened", "id": "a"}))
        assert "hush" not in str(told.value)
    assert len(service.hook.requests) == 2, "the address that it was sent to was not asked"


def test_all_of_an_address_is_secret_but_for_the_service(monkeypatch: pytest.MonkeyPatch):
    secret = "tgram://123456789:abcdefg_hijklmnop/12315544/"  # noqa: S105 - of the test
    monkeypatch.setenv("HALL_BOT", secret)
    config = parse_sink("apprise:env:HALL_BOT")
    assert isinstance(config, AppriseConfig)
    assert config.url.get_secret_value() == secret
    assert config.place == "tgram"
    shown = f"{config!r} {config.key}"
    for part in ("123456789", "abcdefg", "12315544"):
        assert part not in shown
        assert part not in redact(f"POST https://api.telegram.org/bot{secret[8:]}sendPhoto failed")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("apprise:", "nothing is no address of Apprise"),
        ("apprise:smoke://signals", "Apprise knows no service smoke:// or misses a part"),
        ("apprise:tgram://short", "Apprise knows no service tgram:// or misses a part"),
    ],
)
def test_senseless_addresses_are_refused_without_showing_them(text: str, why: str):
    with pytest.raises(Exception, match=why):
        parse_sink(text)
