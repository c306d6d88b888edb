"""Sinks are asked whether they could deliver, and given nothing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.checkup.sinks import examine_sink
from app.doctor import Finding
from app.sinks.apprise import AppriseConfig
from app.sinks.build import AnySink
from app.sinks.command import CommandConfig
from app.sinks.jsonl import JsonlConfig
from app.sinks.mqtt import MqttConfig
from app.sinks.ros import RosConfig
from app.sinks.webhook import WebhookConfig
from tests.app.sinks.peers import Broker, Hook, free_port


def asked(sink: AnySink) -> Finding:
    (found,) = examine_sink(sink)
    return found


def test_a_broker_is_logged_in_to_and_told_nothing(tmp_path: Path):
    broker = Broker(tmp_path / "open")
    try:
        assert asked(broker.config).state == "ok"
        assert broker.arrived() == []
        assert [topic for topic, _ in broker.messages if "status" in topic] == []
        broker.go_away()
        found = asked(broker.config)
    finally:
        broker.close()
    assert (found.state, "cannot be reached" in found.detail) == ("warning", True)
    assert "events wait on the disk" in found.remedy


def test_a_login_that_a_broker_refuses_is_told_as_such(tmp_path: Path):
    broker = Broker(tmp_path / "closed", "bob:canary-mq")
    try:
        good = broker.config.model_copy(update={"user": "bob", "password": SecretStr("canary-mq")})
        assert asked(good).detail == "lets in with the login"
        found = asked(good.model_copy(update={"password": SecretStr("canary-wrong")}))
    finally:
        broker.close()
    assert (found.state, "does not let in" in found.detail) == ("warning", True)
    assert "check user and password" in found.remedy
    assert "canary" not in f"{found}"


def test_a_webhook_is_connected_to_and_not_posted_to(tmp_path: Path):
    hook = Hook(tmp_path)
    try:
        assert asked(hook.config).state == "ok"
        assert hook.requests == []
        address = hook.config.url.get_secret_value().replace("http://", "https://")
        encrypted = asked(WebhookConfig(url=SecretStr(address)))
        hook.go_away()
        away = asked(hook.config)
    finally:
        hook.close()
    assert [encrypted.state, away.state] == ["warning", "warning"]
    assert "refused" in away.detail
    assert "hush" not in f"{encrypted} {away}"


@pytest.mark.parametrize(
    ("sink", "state"),
    [
        (JsonlConfig(path=Path("/proc/no/events.jsonl")), "warning"),
        (CommandConfig(words=("true",)), "ok"),
        (CommandConfig(words=("no-such-program-here", "canary")), "warning"),
        (RosConfig.from_text(RosConfig.example), "ok"),
        (AppriseConfig(url=SecretStr("json://127.0.0.1:9/canary")), "ok"),
        (MqttConfig(host="no-such-host.invalid", port=1, encrypted=False), "warning"),
        (WebhookConfig(url=SecretStr(f"http://127.0.0.1:{free_port()}/canary")), "warning"),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_every_kind_of_sink_is_looked_at(sink: AnySink, state: str):
    found = asked(sink)
    assert found.state == state
    assert found.detail
    assert found.remedy or state == "ok"
    assert "canary" not in f"{found}"


def test_a_program_that_may_not_be_run_is_told_so(tmp_path: Path):
    program = tmp_path / "notify.sh"
    program.write_text("#!/bin/sh\n")
    found = asked(CommandConfig(words=(str(program),)))
    assert (found.state, found.remedy) == ("warning", f"chmod +x {program}")
