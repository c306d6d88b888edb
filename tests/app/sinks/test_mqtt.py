"""A real broker that dies and comes back, before its subscribers or after them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.events.outbox import Message
from app.events.store import Store
from app.sinks import mqtt
from app.sinks.base import SinkError
from app.sinks.build import parse_sink
from app.sinks.feeder import Feeder, Patience
from app.sinks.mqtt import MqttConfig, MqttSink, topic_of
from tests.app.events.findings import a_finding
from tests.app.sinks.peers import Broker
from tests.app.sinks.test_feeder import ids_of, save

PATIENT = Patience(first_s=0.05, longest_s=0.2, close_s=60)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    yield broker
    broker.close()


def a_message(number: int, camera: str = "hall") -> Message:
    body = {"event": "opened", "id": f"{number:x}", "camera": camera, "headline": "cat"}
    return Message(number, body)


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)


def subscriber_first(broker: Broker, feeder: Feeder) -> None:
    del feeder
    broker.come_back()


def publisher_first(broker: Broker, feeder: Feeder) -> None:
    """The subscriber comes only once something was sent to nobody."""
    broker.unsubscribe()
    broker.start()
    until(lambda: "nobody subscribes" in feeder.fault)
    broker.subscribe()


@pytest.mark.parametrize("comes", [subscriber_first, publisher_first])
def test_no_event_is_lost_when_the_broker_dies(
    broker: Broker, tmp_path: Path, comes: Callable[[Broker, Feeder], None]
):
    said: list[str] = []
    save(tmp_path, broker, *range(1, 101))
    feeder = Feeder(tmp_path, broker.config, said.append, PATIENT)
    until(lambda: len(broker.arrived()) >= 30)
    broker.go_away()
    save(tmp_path, broker, *range(101, 201))
    feeder.wake()
    comes(broker, feeder)
    with Store(tmp_path) as store:
        until(lambda: not store.outbox.count(broker.config.key))
    feeder.close()
    assert [row["id"] for row in broker.arrived()] == ids_of(*range(1, 201))
    assert "it is tried again, and no event is lost" in said[0]
    assert said[-1].endswith("works again")


def test_what_a_broker_died_with_is_sent_again_however_long_it_was_away(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mqtt, "AGAIN_S", 1.0)
    sink = MqttSink(broker.config)
    sink.send(a_message(1))
    broker.arrived()
    for _ in range(2):
        # The second time it still waits from the first, as nobody subscribed in between.
        broker.go_away()
        until(lambda: not sink._connected)
        time.sleep(1.2)
        broker.unsubscribe()
        broker.start()
        with pytest.raises(SinkError, match="nobody subscribes"):
            sink.tend()
    broker.messages.clear()
    broker.subscribe()
    sink.tend()
    assert [row["number"] for row in broker.arrived()] == [1]
    sink.close()


def test_a_broker_that_nobody_listens_to_is_not_waited_for_for_ever(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    sink = MqttSink(broker.config.model_copy(update={"prefix": "unheard"}))
    with pytest.raises(SinkError, match="nobody subscribes to unheard/hall/events"):
        sink.send(a_message(1))
    monkeypatch.setattr(mqtt, "UNHEARD_S", 0.0)
    sink.send(a_message(1))
    sink.close()


def statuses(broker: Broker) -> list[bytes]:
    broker.arrived()
    return [payload for topic, payload in broker.messages if topic == "nomaly/status"]


def test_the_broker_tells_whether_anybody_watches(broker: Broker):
    sink = MqttSink(broker.config)
    sink.tend()
    until(lambda: statuses(broker) == [b"online"])
    sink.close()
    assert statuses(broker) == [b"online", b"offline"]


def test_a_watch_that_is_cut_off_leaves_its_last_will(broker: Broker):
    sink = MqttSink(broker.config)
    sink.tend()
    client = sink._client
    assert client is not None
    client._sock_close()  # as if the machine had died: nothing is said
    until(lambda: b"offline" in statuses(broker))
    sink.close()


def test_home_assistant_is_told_of_each_camera_once(broker: Broker):
    sink = MqttSink(broker.config)
    for number, camera in enumerate(("hall", "hall", "gate/north"), 1):
        sink.send(a_message(number, camera))
    sink.close()
    broker.arrived()
    told = [
        (topic, json.loads(payload))
        for topic, payload in broker.messages
        if topic.startswith("homeassistant/device/nomaly_")
    ]
    assert [device["device"]["name"] for _, device in told] == ["Nomaly hall", "Nomaly gate/north"]
    topics = {topic for topic, _ in broker.messages}
    for topic, device in told:
        assert topic.endswith("/config")
        assert device["availability_topic"] == "nomaly/status"
        for component in device["components"].values():
            assert component["state_topic"] in topics
    assert len({device["components"]["event"]["unique_id"] for _, device in told}) == 2


def test_home_assistant_is_told_nothing_if_so_asked(broker: Broker):
    address = f"mqtt:mqtt://{broker.config.place}/nomaly/yard?discovery=off"
    config = parse_sink(address)
    assert isinstance(config, MqttConfig)
    sink = MqttSink(config)
    sink.send(a_message(1))
    sink.close()
    broker.arrived()
    assert {topic for topic, _ in broker.messages if topic != "mark"} == {
        "nomaly/yard/status",
        "nomaly/yard/hall/events",
    }


def test_a_wrong_password_is_said(tmp_path: Path):
    broker = Broker(tmp_path / "broker", login="ann:secret word")
    right = broker.config.model_copy(update={"user": "ann", "password": SecretStr("secret word")})
    wrong = right.model_copy(update={"password": SecretStr("hush")})
    sink = MqttSink(wrong)
    with pytest.raises(SinkError, match="cannot be reached: not authorized") as told:
        sink.tend()
    assert "hush" not in str(told.value)
    sink.close()
    sink = MqttSink(right)
    sink.tend()
    sink.close()
    broker.close()


def test_an_address_is_taken_apart_and_its_password_hidden():
    config = parse_sink("mqtt:mqtts://ann:p%40ss@broker.example/site/one")
    assert isinstance(config, MqttConfig)
    assert (config.host, config.port, config.encrypted) == ("broker.example", 8883, True)
    assert (config.user, config.prefix) == ("ann", "site/one")
    assert config.password is not None
    assert config.password.get_secret_value() == "p@ss"
    assert "p@ss" not in f"{config!r} {config.key}"
    assert config.key == "mqtt:broker.example:8883/site/one"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mqtt:broker", "broker is no address; it must begin with mqtt:// or mqtts://"),
        ("mqtt:http://broker", "must begin with mqtt:// or mqtts://"),
        ("mqtt:mqtt://broker/a+b", r"a\+b: a prefix of topics cannot hold"),
        ("mqtt:mqtt://broker/a?tls=1", "tls: only discovery can be set there"),
    ],
)
def test_senseless_brokers_are_refused(text: str, why: str):
    with pytest.raises(Exception, match=why):
        parse_sink(text)


def test_a_camera_is_one_level_of_a_topic():
    assert topic_of("gate/north #1+") == "gate_north _1_"
    assert topic_of("") == "camera"


def test_texts_that_are_no_unicode_are_published(broker: Broker):
    sink = MqttSink(broker.config)
    body = {**a_finding(1).event.as_json(), "event": "closed", "headline": "caf\udce9"}
    sink.send(Message(1, body))
    sink.close()
    assert broker.arrived()[0]["headline"] == "caf?"
