"""An MQTT broker: each state of an event, whether anybody watches, and what Home Assistant asks.

Topics, all behind the prefix: `CAMERA/events` with each message as JSON, `status` with `online` or
`offline`, kept by the broker, and by its last will also after a kill.

A broker's receipt says that it has a message, not that anybody got it. A broker that died and came
back before its subscribers takes messages and throws them away; it says so (MQTT 5.0, section
3.4.2.1, reason 0x10), and such a message waits. What it died with is sent again: all of the last
`AGAIN_S` seconds. Whoever must not count one twice has its `number`.
"""

import json
import threading
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import ClassVar, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import BaseModel, ConfigDict, SecretStr

from app.events.outbox import Message
from app.sinks.addresses import read_address
from app.sinks.base import RefusedError, SinkError
from app.sinks.home_assistant import device_of

LIMIT_S = 10.0
"""So long a broker may take to let in, and to give a receipt."""
ALIVE_S = 30
"""Pause between signs of life; after one and a half without, the broker tells the last will."""
AGAIN_S = 60.0
"""What was delivered in so many seconds before a connection was lost is sent again."""
UNHEARD_S = 3600.0
"""After so long without a subscriber messages no longer wait for one."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_NOBODY = 0x10
"""Reason code of a receipt: no matching subscribers."""
_REFUSALS = 0x80
"""Reason codes from here on say no."""


class MqttConfig(BaseModel):
    """Which broker, and under what prefix."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "mqtt://user:password@broker/nomaly"

    kind: Literal["mqtt"] = "mqtt"
    host: str
    port: int
    encrypted: bool
    user: str = ""
    password: SecretStr | None = None
    prefix: str = "nomaly"
    discovery: str = "homeassistant"
    """Prefix under which Home Assistant looks for devices; empty to tell it nothing."""
    limit_s: float = LIMIT_S
    watcher: str = ""
    """Camera whose watching alone `status` is of, where several are watched by one process."""

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"

    @property
    def key(self) -> str:
        """`mqtt:`, host, port and prefix."""
        return f"{self.kind}:{self.place}/{self.prefix}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read an address.

        Args:
            text: `mqtt://user:password@host:port/prefix`, or `mqtts://` for an encrypted one, or
                `env:NAME` or `@FILE` that hold it; behind it `?discovery=off`, or another prefix
                for Home Assistant.

        Raises:
            ValueError: If it is none.
        """
        split = urlsplit(read_address(text, tuple(_PORTS)))
        prefix = unquote(split.path).strip("/") or "nomaly"
        if set(prefix) & set("+#\0"):
            raise ValueError(f"{prefix}: a prefix of topics cannot hold + or #")
        asked = parse_qs(split.query)
        if set(asked) - {"discovery"}:
            raise ValueError(f"{', '.join(sorted(asked))}: only discovery can be set there")
        discovery = asked.get("discovery", ["homeassistant"])[-1]
        password = None if split.password is None else SecretStr(unquote(split.password))
        return cls(
            host=split.hostname or "",
            port=split.port or _PORTS[split.scheme.lower()],
            encrypted=split.scheme.lower() == "mqtts",
            user=unquote(split.username or ""),
            password=password,
            prefix=prefix,
            discovery="" if discovery == "off" else discovery,
        )


class MqttSink:
    """Publishes each message and waits for the receipt."""

    def __init__(self, config: MqttConfig) -> None:
        """Take the address; the broker is asked by `tend`, or with the first message."""
        self._config = config
        self._changed = threading.Condition()
        self._client: Client | None = None
        self._connected = False
        self._lost_s: float | None = None
        """When a connection was lost, until it is known what that takes."""
        self._again: deque[tuple[str, str]] = deque()
        """(topic, payload) of what the broker may have lost with the last connection."""
        self._fault = ""
        self._receipts: dict[int, int] = {}
        """Reason codes by the numbers of what was published."""
        self._lately: deque[tuple[float, str, str]] = deque()
        """(moment, topic, payload) of what was delivered in the last AGAIN_S."""
        self._cameras: set[str] = set()
        self._unheard_from: float | None = None

    @property
    def status_topic(self) -> str:
        """Where it stands whether anybody watches."""
        watcher = self._config.watcher
        own = f"/{topic_of(watcher)}" if watcher else ""
        return f"{self._config.prefix}{own}/status"

    def tend(self) -> None:
        """Be connected, as the broker tells that to others, and send again what it may have lost.

        Raises:
            SinkError: If it cannot be reached, or nobody subscribes yet.
        """
        self._connect()
        self._recall()
        while self._again:
            topic, payload = self._again[0]
            with suppress(RefusedError):
                self._deliver(topic, payload)
                self._keep(topic, payload)
            self._again.popleft()

    def send(self, message: Message) -> None:
        """Publish a message with the broker's receipt (QoS 1).

        Raises:
            SinkError: If the broker cannot be reached or gives no receipt, or nobody subscribes
                yet.
            RefusedError: If the broker calls the message bad.
        """
        self.tend()
        camera = str(message.body.get("camera", ""))
        self._introduce(camera)
        topic = f"{self._config.prefix}/{topic_of(camera)}/events"
        payload = json.dumps(message.as_json(), ensure_ascii=False)
        payload = payload.encode("utf-8", "replace").decode()
        self._deliver(topic, payload)
        self._keep(topic, payload)

    def close(self) -> None:
        """Say that nobody watches any more, and disconnect."""
        if self._client is not None and self._connected:
            with suppress(SinkError):
                self._receipt(self.status_topic, "offline", retain=True)
        self._drop()

    def _connect(self) -> None:
        """Be connected; an attempt of its own if the last connection is lost.

        Raises:
            SinkError: If the broker does not let in within `limit_s`.
        """
        if self._connected:
            return
        self._drop()
        self._fault = ""
        client = self._client = self._made()
        # On a thread of its own, which connects again by itself whenever that is lost.
        client.connect_async(self._config.host, self._config.port, ALIVE_S)
        client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self._fault, self._config.limit_s)
            if not self._connected:
                why = self._fault or "no answer in time"
                raise SinkError(f"{self._config.place}: cannot be reached: {why}")

    def _recall(self) -> None:
        """Note what is to be sent again, if a connection was lost; what waits already stays."""
        with self._changed:
            lost_s, self._lost_s = self._lost_s, None
        if lost_s is None:
            return
        self._cameras.clear()
        lately = [(topic, text) for at_s, topic, text in self._lately if at_s >= lost_s - AGAIN_S]
        self._again = deque(dict.fromkeys([*self._again, *lately]))

    def _drop(self) -> None:
        """Let go of the client, and of what it has not sent."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._connected = False

    def _made(self) -> Client:
        config = self._config
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if config.user or config.password is not None:
            secret = config.password
            client.username_pw_set(config.user, secret.get_secret_value() if secret else None)
        if config.encrypted:
            client.tls_set()
        client.will_set(self.status_topic, "offline", qos=1, retain=True)
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self, client: Client, _: object, __: ConnectFlags, reason: ReasonCode, ___: object
    ) -> None:
        if reason.is_failure:
            with self._changed:
                self._fault = str(reason).lower()
                self._changed.notify_all()
            return
        client.publish(self.status_topic, "online", qos=1, retain=True)
        with self._changed:
            self._connected, self._fault = True, ""
            self._changed.notify_all()

    def _on_connect_fail(self, *_: object) -> None:
        with self._changed:
            # The client does not tell which.
            trusted = ", or its certificate is not trusted" if self._config.encrypted else ""
            self._fault = f"nobody answers there{trusted}"
            self._changed.notify_all()

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: object
    ) -> None:
        with self._changed:
            if self._connected:
                self._lost_s = monotonic()
            self._connected = False
            self._fault = self._fault or str(reason).lower()
            self._changed.notify_all()

    def _on_publish(
        self, _: Client, __: object, number: int, reason: ReasonCode, ___: Properties
    ) -> None:
        with self._changed:
            self._receipts[number] = reason.value
            self._changed.notify_all()

    def _introduce(self, camera: str) -> None:
        """Tell Home Assistant of a camera, once a connection."""
        if not self._config.discovery or camera in self._cameras:
            return
        topic, device = device_of(self._config.prefix, topic_of(camera), camera, self.status_topic)
        self._receipt(f"{self._config.discovery}/{topic}", json.dumps(device), retain=True)
        self._cameras.add(camera)

    def _receipt(self, topic: str, payload: str, *, retain: bool) -> int:
        """Publish and wait for the receipt.

        Raises:
            SinkError: If none comes.
        """
        client = self._client
        if client is None:
            raise SinkError(f"{self._config.place}: cannot be used: it was closed")
        number = client.publish(topic, payload, qos=1, retain=retain).mid
        with self._changed:
            self._changed.wait_for(
                lambda: number in self._receipts or not self._connected, self._config.limit_s
            )
            found = self._receipts.pop(number, None)
            self._receipts.clear()
        if found is None:
            raise SinkError(f"{self._config.place}: cannot be used now: it gave no receipt")
        return found

    def _deliver(self, topic: str, payload: str) -> None:
        """Publish so that somebody gets it.

        Raises:
            SinkError: If no receipt comes, or nobody subscribes, for UNHEARD_S at most.
            RefusedError: If the broker does not take it.
        """
        reason, place = self._receipt(topic, payload, retain=False), self._config.place
        if reason == _NOBODY:
            now = monotonic()
            self._unheard_from = now if self._unheard_from is None else self._unheard_from
            if now - self._unheard_from < UNHEARD_S:
                raise SinkError(f"{place}: cannot be delivered yet: nobody subscribes to {topic}")
            return
        self._unheard_from = None
        if reason >= _REFUSALS:
            why = ReasonCode(PacketTypes.PUBACK, identifier=reason).getName().lower()
            raise RefusedError(f"{place}: {topic}: {why}")

    def _keep(self, topic: str, payload: str) -> None:
        """Keep what was delivered for as long as a broker may lose it."""
        now = monotonic()
        self._lately.append((now, topic, payload))
        while now - self._lately[0][0] > AGAIN_S:
            self._lately.popleft()


def topic_of(camera: str) -> str:
    """A camera's name as one level of a topic, in which `/`, `+` and `#` mean something."""
    return "".join("_" if sign in "/+#\0" else sign for sign in camera) or "camera"
