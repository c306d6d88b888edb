"""Whether what takes events can be reached: connections and logins, and never a message."""

import os
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import assert_never

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from app.doctor import Finding, room_in
from app.sinks.apprise import AppriseConfig
from app.sinks.astray import leads_astray
from app.sinks.build import AnySink
from app.sinks.command import CommandConfig
from app.sinks.jsonl import JsonlConfig
from app.sinks.mqtt import MqttConfig
from app.sinks.ros import RosConfig
from app.sinks.webhook import WebhookConfig

LIMIT_S = 5.0
_WAITS = "events wait on the disk until it can be reached; "


def examine_sink(sink: AnySink) -> Iterator[Finding]:
    """Ask whether a sink could deliver; nothing raises, and nothing is delivered."""
    match sink:
        case MqttConfig():
            yield _broker(sink)
        case WebhookConfig():
            yield _webhook(sink)
        case JsonlConfig():
            room = room_in(f"sink {sink.path.name}", sink.path.parent)
            state = "ok" if room.state == "ok" else "warning"
            yield Finding(room.name, state, room.detail, room.remedy)
        case CommandConfig():
            yield _command(sink)
        case AppriseConfig():
            said = "Apprise knows the service; whether it answers is only told by sending"
            yield Finding(f"sink apprise {sink.place}", "ok", said)
        case RosConfig():
            yield Finding("sink ros", "ok", "topics need no connection")
        case _:
            assert_never(sink)


def _broker(sink: MqttConfig) -> Finding:
    name = f"sink mqtt {sink.place}"
    why = broker_fault(sink)
    if not why:
        said = "lets in with the login" if sink.user else "lets in"
        return Finding(name, "ok", said)
    login = any(word in why for word in ("authori", "password", "user name"))
    check = "check user and password of mqtt:" if login else "check host, port and broker"
    return Finding(name, "warning", why, f"{_WAITS}{check}")


def broker_fault(sink: MqttConfig) -> str:
    """Why a broker does not let in, connected to without a will and without any message."""
    answered, said = threading.Event(), [""]
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    if sink.user or sink.password is not None:
        secret = sink.password.get_secret_value() if sink.password is not None else None
        client.username_pw_set(sink.user, secret)
    if sink.encrypted:
        client.tls_set()

    def connected(_: object, __: object, ___: object, reason: object, ____: object) -> None:
        said[0] = str(reason).lower() if getattr(reason, "is_failure", False) else ""
        answered.set()

    client.on_connect = connected
    client.connect_timeout = LIMIT_S
    try:
        client.connect(sink.host, sink.port, 30)
    except (OSError, ValueError) as error:
        return f"cannot be reached: {getattr(error, 'strerror', None) or error or 'no answer'}"
    client.loop_start()
    try:
        if not answered.wait(LIMIT_S):
            return "no answer in time"
    finally:
        client.disconnect()
        client.loop_stop()
    return f"does not let in: {said[0]}" if said[0] else ""


def _webhook(sink: WebhookConfig) -> Finding:
    """Whether somebody listens there, with a certificate that is trusted; nothing is asked."""
    url = httpx.URL(sink.url.get_secret_value())
    name = f"sink webhook {sink.place}"
    astray = leads_astray(url.host)
    if astray:
        return Finding(name, "warning", f"cannot be used: {astray}", "correct webhook: in sinks")
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        with socket.create_connection((url.host, port), LIMIT_S) as plain:
            if url.scheme == "https":
                context = ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=url.host):
                    pass
    except OSError as error:
        why = getattr(error, "verify_message", "") or error.strerror or "no answer in time"
        remedy = f"{_WAITS}check its address and that its server runs"
        return Finding(name, "warning", f"cannot be reached: {why}", remedy)
    return Finding(name, "ok", "somebody listens there; nothing was posted")


def _command(sink: CommandConfig) -> Finding:
    program = sink.words[0]
    name = f"command {Path(program).name}"
    if shutil.which(program) is not None:
        return Finding(name, "ok", "can be run")
    there = Path(program).is_file() and not os.access(program, os.X_OK)
    remedy = f"chmod +x {program}" if there else "correct on_event: in the site's file"
    return Finding(
        name, "warning", "may not be run" if there else "there is no such program", remedy
    )
