"""Secrets in every place of a real watch, looked for in everything that leaves it."""

import base64
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.web.passwords import hash_password
from detectors.types import Pixels
from tests.app.short_watch import NOMALY, QUICK
from tests.app.sinks.peers import Broker, Hook, Service, free_port
from tests.peers.http_peers import mjpeg_camera

pytestmark = pytest.mark.slow

SECRETS = {
    "camera": "canary-camera-pw",
    "query": "canaryquery0123456789",
    "mqtt": "canary-mqtt-pw",
    "hook": "canary-hook-path",
    "apprise": "canary-apprise-pw",
    "signature": base64.b64encode(b"canary-signature").decode(),
    "token": "canary-token-0123456789",
}
HASHED = hash_password("canary-page-pw")
FPS = 10
APPEARS = 8 * FPS
"""Number of the first picture with something in it."""


def shows(number: int) -> Pixels:
    image = np.random.default_rng(1).integers(90, 110, (120, 160, 3), np.uint8)
    if number >= APPEARS:
        image[50:90, 60:100] = (220, 40, 30)
    return image


def wait_for(what: str, there: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 90
    while not there():
        assert process.poll() is None, f"it ended before {what}"
        assert time.monotonic() < until, what
        time.sleep(0.05)


def environment(camera_port: int, broker: Broker, hook: Hook, service: Service) -> dict[str, str]:
    """All addresses and secrets of a watch."""
    hook_at = hook.config.place, hook.config.url.get_secret_value().split(":")[2].split("/")[0]
    at = service.config.url.get_secret_value().split("@")[-1].removeprefix("json://").split("/")[0]
    login = f"ann:{SECRETS['camera']}"
    return {
        **os.environ,
        "HALL": f"http://{login}@127.0.0.1:{camera_port}/stream.mjpg?token={SECRETS['query']}",
        "BROKER": f"mqtt://bob:{SECRETS['mqtt']}@127.0.0.1:{broker.config.port}",
        "HOOK": f"http://{':'.join(hook_at)}/{SECRETS['hook']}?key={SECRETS['hook']}",
        "NOTIFY": f"json://carl:{SECRETS['apprise']}@{at}/{SECRETS['apprise']}",
        "NOMALY_WEBHOOK_SECRET": f"whsec_{SECRETS['signature']}",
        "NOMALY_TOKEN": SECRETS["token"],
        "NOMALY_PASSWORD_HASH": HASHED,
    }


def command(out: Path, metrics: str, page: str) -> list[str]:
    """The watch, which names no secret."""
    words = ["--learn", "3", "--out", str(out), "--heartbeat", "1", "--json", "--debug"]
    words += QUICK
    for sink in ("mqtt:env:BROKER", "webhook:env:HOOK", "apprise:env:NOTIFY"):
        words += ["--sink", sink]
    return [NOMALY, "watch", "env:HALL", *words, "--metrics", metrics, "--page", page]


def forms() -> list[bytes]:
    """Every secret as it stands, and the login as HTTP sends it."""
    login = base64.b64encode(f"ann:{SECRETS['camera']}".encode())
    return [*(one.encode() for one in SECRETS.values()), HASHED.encode(), b"canary", login]


def page_of(address: str) -> dict[str, str]:
    """All that the page shows and its API tells to who is let in, and says to who is not."""
    told = {f"page {path}": httpx.get(address + path).text for path in ("", "login", "metrics")}
    with httpx.Client(
        base_url=address, headers={"authorization": f"Bearer {SECRETS['token']}"}
    ) as client:
        paths = ["", "cameras/out", "cameras/out/zones", "cameras/out/would", "metrics", "readyz"]
        paths += [f"api/v1/{part}" for part in ("cameras", "events", "cameras/out/timeline")]
        for event in client.get("api/v1/events").json()["events"]:
            at = f"out/{event['id']}"
            paths += [f"events/{at}", f"parts/why/{at}", f"api/v1/events/{at}/receipt"]
        for path in paths:
            answer = client.get(path)
            assert answer.status_code in (200, 503), path
            told[f"page {path} in" if path == "metrics" else f"page {path}"] = answer.text
            told[f"head {path}"] = str(answer.headers)
        wrong = client.post("api/v1/reload")
        assert wrong.status_code == 404
        told["page reload"] = wrong.text
    return told


@pytest.mark.timeout(300)
def test_no_secret_leaves_a_watch_by_any_way(tmp_path: Path):
    out, stderr = tmp_path / "out", tmp_path / "stderr"
    broker, hook, service = Broker(tmp_path / "b"), Hook(tmp_path), Service(tmp_path)
    hook.answers, service.hook.answers = [500, 302], [500]
    metrics, page = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    said: dict[str, str] = {}
    with mjpeg_camera(f"ann:{SECRETS['camera']}", FPS) as camera, stderr.open("w") as file:
        camera.shows = shows
        process = subprocess.Popen(
            command(out, metrics, page),
            env=environment(camera.port, broker, hook, service),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
        try:
            wait_for("a message", lambda: len(hook.requests) > 2, process)
            wait_for("a notification", lambda: len(service.hook.requests) > 1, process)
            said["ps"] = subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout
            # A busy machine looks at a picture now and then.
            ready = f"http://{metrics}/readyz"
            wait_for("a fresh picture", lambda: httpx.get(ready).is_success, process)
            for path in ("metrics", "readyz", "healthz", "login", "none"):
                said[path] = httpx.get(f"http://{metrics}/{path}").text
            wait_for("an event", lambda: (out / "snapshots").exists(), process)
            said |= page_of(f"http://{page}/")
            camera.cut.set()
            wait_for("the loss", lambda: ", trying again" in stderr.read_text(), process)
            camera.cut.clear()
            wait_for("its return", lambda: " back after " in stderr.read_text(), process)
        finally:
            process.send_signal(signal.SIGINT)
            said["stdout"], _ = process.communicate(timeout=60)
            said["mqtt"] = f"{broker.arrived()} {broker.messages}"
            for peer in (broker, hook, service):
                peer.close()
    said["stderr"] = stderr.read_text()
    said["bodies"] = f"{hook.arrived()} {[body for _, body in service.hook.requests]}"
    written = {str(one): one.read_bytes() for one in out.rglob("*") if one.is_file()}
    assert len(written) > 10
    assert {"events.sqlite", "events.jsonl", "report.html"} <= {Path(one).name for one in written}
    assert "it is tried again, and no event is lost" in said["stderr"]
    for place, content in {**written, **{one: text.encode() for one, text in said.items()}}.items():
        found = [form for form in forms() if form in content]
        assert found == [], place
    for place in ("metrics", "page metrics in"):
        told = {one.name for one in text_string_to_metric_families(said[place])}
        assert {"nomaly_frames_looked", "nomaly_camera_up", "nomaly_events"} <= told
    assert '"cameras":1' in said["readyz"]
    assert sum(one.startswith("page events/") for one in said) > 0
    assert "127.0.0.1" in said["page cameras/out"], "where the camera is, without its login"
