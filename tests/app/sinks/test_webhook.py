"""What a real web server is posted, and what its answers do."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.events.outbox import Message
from app.sinks.astray import leads_astray
from app.sinks.base import RefusedError, SinkError
from app.sinks.build import parse_sink
from app.sinks.webhook import SECRET, WebhookConfig, WebhookSink, signature
from tests.app.sinks.peers import Hook


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Hook]:
    hook = Hook(tmp_path)
    yield hook
    hook.close()


def test_a_signature_is_that_of_standard_webhooks():
    # The example of the specification's reference libraries.
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    content = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert signature(key, content) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_signed_with_its_id_and_time(hook: Hook):
    key = base64.b64encode(b"some secret").decode()
    config = hook.config.model_copy(update={"secret": SecretStr(f"whsec_{key}")})
    sink = WebhookSink(config)
    sink.send(Message(7, {"event": "opened", "id": "a"}))
    sink.close()
    (headers, body) = hook.requests[0]
    assert headers["webhook-id"] == "a-7"
    assert headers["content-type"] == "application/json"
    signed = f"a-7.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == signature("some secret", signed)


def test_without_a_secret_nothing_is_signed(hook: Hook):
    sink = WebhookSink(hook.config)
    sink.send(Message(1, {"event": "opened", "id": "a"}))
    sink.close()
    assert "webhook-signature" not in hook.requests[0][0]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (401, "cannot be used now: it answered 401, wants a login that works"),
        (404, "404, knows no such path"),
        (503, "503, service unavailable"),
        (302, "sends elsewhere .302.; name that address itself"),
    ],
)
def test_what_may_work_later_is_tried_later(hook: Hook, code: int, why: str):
    hook.answers = [code] * 9
    sink = WebhookSink(hook.config)
    for attempts in range(9):
        with pytest.raises(SinkError, match=why) as told:
            sink.send(Message(1, {"id": "a"}, attempts))
        assert not isinstance(told.value, RefusedError)
        assert "hush" not in str(told.value)
    assert len(hook.requests) == 9, "the address that it was sent to was not asked"
    sink.close()


def test_a_message_that_is_called_bad_thrice_is_left(hook: Hook):
    hook.answers = [422] * 3
    sink = WebhookSink(hook.config)
    for attempts in range(2):
        with pytest.raises(SinkError, match="422"):
            sink.send(Message(1, {"id": "a"}, attempts))
    with pytest.raises(RefusedError, match="3 times for a"):
        sink.send(Message(1, {"id": "a"}, 2))
    sink.close()


def test_the_address_and_the_secret_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HALL_HOOK", "https://hooks.example/T0/very-secret-path")
    monkeypatch.setenv(SECRET, "whsec_c2VjcmV0")
    config = parse_sink("webhook:env:HALL_HOOK")
    assert isinstance(config, WebhookConfig)
    assert config.url.get_secret_value() == "https://hooks.example/T0/very-secret-path"
    assert config.secret is not None
    assert "secret" not in f"{config.key}"
    assert "very" not in f"{config!r}"
    assert config.key.startswith("webhook:hooks.example-")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("webhook:", "nothing is no address; it must begin with https:// or http://"),
        ("webhook:ftp://host/x", "must begin with https:// or http:// and name a host"),
        ("webhook:env:NOT_THERE", "env:NOT_THERE: holds no address"),
    ],
)
def test_senseless_addresses_are_refused(text: str, why: str):
    with pytest.raises(Exception, match=why):
        parse_sink(text)


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe"])
def test_a_name_that_leads_to_link_local_machinery_is_not_asked(host: str):
    # A number that only a resolver takes for an address, for a name that was made to lead there.
    sink = WebhookSink(WebhookConfig(url=SecretStr(f"http://{host}/latest/meta-data")))
    with pytest.raises(SinkError, match=r"leads to 169\.254\.169\.254; write that address itself"):
        sink.send(Message(1, {"id": "a"}))
    sink.close()


def test_a_link_local_address_that_the_user_wrote_is_meant():
    assert leads_astray("169.254.10.1") == ""
    assert leads_astray("fe80::1") == ""
    assert leads_astray("localhost") == ""
    assert leads_astray("no-such-name.invalid") == ""
