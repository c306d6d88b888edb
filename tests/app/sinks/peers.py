"""The other side of every sink: what arrived there, and how it goes away and comes back.

Whoever adds a sink adds its peer to `PEERS`; without it the contract test fails.
"""

import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import SecretStr

from app.ros.address import RosTopic
from app.ros.messages import String
from app.ros.topics import Subscription
from app.sinks.apprise import AppriseConfig
from app.sinks.build import AnySink
from app.sinks.command import CommandConfig
from app.sinks.jsonl import JsonlConfig
from app.sinks.mqtt import MqttConfig
from app.sinks.ros import JSON, RosConfig
from app.sinks.webhook import WebhookConfig
from novic.append_log import AppendLog


class Peer(Protocol):
    """What the sink of `config` delivers to."""

    @property
    def config(self) -> AnySink:
        """Where the sink delivers."""
        ...

    def arrived(self) -> list[dict[str, Any]]:
        """The bodies of all messages that are safe there, in order, with their `number`."""
        ...

    def go_away(self) -> None:
        """Take no message any more."""
        ...

    def come_back(self) -> None:
        """Take messages again."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class File:
    """A file that goes away by becoming a folder."""

    def __init__(self, folder: Path) -> None:
        self.config = JsonlConfig(path=folder / "there" / "events.jsonl")
        self._aside = folder / "aside"

    def arrived(self) -> list[dict[str, Any]]:
        return AppendLog(self.config.path).read(dict)

    def go_away(self) -> None:
        if self.config.path.exists():
            self.config.path.rename(self._aside)
        self.config.path.mkdir(parents=True)

    def come_back(self) -> None:
        self.config.path.rmdir()
        if self._aside.exists():
            self._aside.rename(self.config.path)

    def close(self) -> None:
        pass


class Program:
    """A program that keeps what it is given, and goes away by losing its name."""

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "kept.jsonl"
        self._program, self._aside = folder / "keep it", folder / "aside"
        self._program.write_text(f"#!/bin/sh\ncat >> {shlex.quote(str(self._kept))}\n")
        self._program.chmod(0o700)
        self.config = CommandConfig(words=(str(self._program),))

    def arrived(self) -> list[dict[str, Any]]:
        text = self._kept.read_text() if self._kept.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def go_away(self) -> None:
        self._program.rename(self._aside)

    def come_back(self) -> None:
        self._aside.rename(self._program)

    def close(self) -> None:
        pass


class Hook:
    """A web server that goes away by closing its port."""

    def __init__(self, folder: Path) -> None:
        del folder
        self.requests: list[tuple[dict[str, str], bytes]] = []
        """Headers, in small letters, and body of each."""
        self.answers: list[int] = []
        """Status codes of the next requests; 204 afterwards."""
        self._server: ThreadingHTTPServer | None = None
        self._port = free_port()
        self.config = WebhookConfig(url=SecretStr(f"http://127.0.0.1:{self._port}/hook?key=hush"))
        self.come_back()

    def arrived(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    def go_away(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def come_back(self) -> None:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                hook.requests.append((headers, body))
                self.send_response(hook.answers.pop(0) if hook.answers else 204)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.go_away()


class Service:
    """What Apprise's `json://` reaches: title, text and picture in each request."""

    def __init__(self, folder: Path) -> None:
        self.hook = Hook(folder)
        address = self.hook.config.url.get_secret_value().removeprefix("http://")
        self.config = AppriseConfig(url=SecretStr(f"json://{address}"), group_s=0)

    def arrived(self) -> list[dict[str, Any]]:
        """As much of each message as people are told, by which all of it is known here."""
        told = [json.loads(body) for _, body in self.hook.requests]
        return [_of_notification(one["title"], one["message"]) for one in told]

    def go_away(self) -> None:
        self.hook.go_away()

    def come_back(self) -> None:
        self.hook.come_back()

    def close(self) -> None:
        self.hook.close()


def _of_notification(title: str, text: str) -> dict[str, Any]:
    event_id = text.rpartition("event ")[2]
    number = int(event_id.partition("-")[0], 16)
    return {"number": number, "event": "opened", "id": event_id, "noun": title}


_MARK = "mark"
"""Topic of the subscriber's own messages."""


class Broker:
    """A Mosquitto with one subscriber, whose session lasts; it goes away by a kill."""

    def __init__(self, folder: Path, login: str = "") -> None:
        self._program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if self._program is None:
            (pytest.fail if os.environ.get("PEERS_REQUIRED") == "1" else pytest.skip)(
                "no MQTT broker: apt-get install mosquitto"
            )
        self._port = free_port()
        self.config = MqttConfig(host="127.0.0.1", port=self._port, encrypted=False, limit_s=20)
        self.messages: list[tuple[str, bytes]] = []
        """Topic and payload of all that the subscriber was given, in order."""
        self._subscriber: Client | None = None
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)
        lines = [
            f"listener {self._port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
        ]
        if login:
            passwords = folder / "passwords"
            user, _, password = login.partition(":")
            subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, user, password], check=True)
            lines += [f"password_file {passwords}", "allow_anonymous false"]
        else:
            lines += ["allow_anonymous true"]
        if os.geteuid() == 0:
            lines += ["user root"]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text("\n".join(lines) + "\n")
        self.start()
        if not login:
            self.subscribe()

    def arrived(self) -> list[dict[str, Any]]:
        """Each message once, by its number; all that the broker has by now."""
        self._catch_up()
        found: dict[int, dict[str, Any]] = {}
        for topic, payload in list(self.messages):
            if topic.endswith("/events"):
                body = json.loads(payload)
                found.setdefault(body["number"], body)
        return list(found.values())

    def go_away(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def come_back(self) -> None:
        self.start()
        self.subscribe()

    def start(self) -> None:
        """Start the broker alone."""
        assert self._program is not None
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 5):
                return
            time.sleep(0.02)

    def subscribe(self) -> None:
        """Let the subscriber come, or come back, and wait until it is there."""
        self.unsubscribe()
        there = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2, "house", protocol=MQTTProtocolVersion.MQTTv5)
        client.on_connect = lambda one, *_: self._ask(one)
        client.on_subscribe = lambda *_: there.set()
        client.on_message = lambda _, __, message: self._heard(message)
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self._port, clean_start=False, properties=lasting)
        client.loop_start()
        assert there.wait(60)
        self._subscriber = client

    def unsubscribe(self) -> None:
        """Let the subscriber go; its session stays."""
        if self._subscriber is not None:
            self._subscriber.disconnect()
            self._subscriber.loop_stop()
            self._subscriber = None

    def _ask(self, client: Client) -> None:
        client.subscribe([("nomaly/#", 1), ("homeassistant/#", 1), (_MARK, 1)])

    def _heard(self, message: MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload)))

    def _catch_up(self) -> None:
        """Wait for a message of its own: all before it have come by then."""
        if self._subscriber is None or self._process is None:
            return
        mark = (_MARK, uuid.uuid4().bytes)
        self._subscriber.publish(*mark, qos=1)
        while mark not in self.messages:
            time.sleep(0.005)

    def close(self) -> None:
        self.unsubscribe()
        self.go_away()


class Subscriber:
    """A subscriber to a topic of ROS 2, which goes away by ending its subscription."""

    def __init__(self, folder: Path) -> None:
        del folder
        # A domain of its own, so that tests which run at once do not hear each other.
        topic = RosTopic(secrets.randbelow(200), f"/nomaly_{uuid.uuid4().hex}", "camera")
        self.config = RosConfig(topic=topic)
        self._bodies: list[dict[str, Any]] = []
        self._topic: Subscription[String] | None = None
        self.come_back()

    def arrived(self) -> list[dict[str, Any]]:
        if self._topic is not None:
            self._bodies += [json.loads(one.data) for one in self._topic.take()]
        return list(self._bodies)

    def go_away(self) -> None:
        self.arrived()
        self._topic = None

    def come_back(self) -> None:
        topic = self.config.topic
        self._topic = Subscription(topic.domain, f"{topic.dds_name}{JSON}", String, every=True)

    def close(self) -> None:
        self.go_away()


PEERS: dict[str, Callable[[Path], Peer]] = {
    "jsonl": File,
    "command": Program,
    "webhook": Hook,
    "mqtt": Broker,
    "ros": Subscriber,
    "apprise": Service,
}


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
