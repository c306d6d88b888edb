"""`nomaly watch site.yaml` as systemd runs it: real signals, a real socket."""

import json
import signal
import socket
from pathlib import Path
from typing import Self

import httpx
import pytest

from app.events.logins import LOGIN
from app.events.store import Store
from tests.app.forked import Forked
from tests.app.service.films import QUICK, film
from tests.app.short_watch import run_nomaly, start_nomaly
from tests.app.sinks.peers import free_port
from tests.peers.consumer import wait_for

NOBODY_ANSWERS = "rtsp://ann:canary-hunter2@127.0.0.1:9/s"


def frames(folder: Path) -> int:
    if not (folder / "events.sqlite").exists():
        return 0
    with Store(folder) as store:
        run = store.last_run()
        return 0 if run is None else sum(source.frames for source in store.sources(run.id))


class Systemd:
    """Hears what a service tells."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def until(self, wanted: str) -> list[str]:
        heard = [self._socket.recv(4096).decode()]
        while not heard[-1].startswith(wanted):
            heard.append(self._socket.recv(4096).decode())
        return heard

    def reloads(self, process: Forked) -> None:
        process.send_signal(signal.SIGHUP)
        self.until("RELOADING=1")
        self.until("READY=1")


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.slow
def test_a_service_is_begun_reloaded_stopped_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    film(tmp_path / "hall.mp4", 1, 120)
    path, hall = tmp_path / "site.yaml", tmp_path / "nicol" / "hall"
    good = (
        f"version: 1\nsite: nicol\ndefaults: {{learn: 2s, heartbeat: 0, {QUICK}}}\ncameras:\n"
        f"  hall: {{source: hall.mp4}}\n  away: {{source: '{NOBODY_ANSWERS}'}}\n"
        f"page: {{port: {(port := free_port())}}}\nmetrics: true\n"
    )
    path.write_text(good)
    with (
        Systemd(tmp_path / "notify") as systemd,
        start_nomaly("watch", path, "--json", "--debug") as process,
    ):
        assert systemd.until("READY=1") == ["READY=1"]
        systemd.until("WATCHDOG=1")
        wait_for("frames that are kept", lambda: frames(hall) > 2, 60)
        assert_shown(f"http://127.0.0.1:{port}", tmp_path / "nicol")
        busy = run_nomaly("watch", path)
        assert busy.returncode == 2
        assert f"nicol: is in use by process {process.pid}; stop it first" in busy.stderr
        # A mistake in the file ends nothing, and is told.
        path.write_text(good.replace("hall.mp4", "hall.mp4, lern: 3"))
        systemd.reloads(process)
        path.write_text(good.replace("  away", "  gone"))
        systemd.reloads(process)
        process.send_signal(signal.SIGTERM)
        systemd.until("STOPPING=1")
        stdout, stderr = process.communicate(60)
    assert process.returncode == 0, stderr
    assert "cameras.hall.lern: unknown key, did you mean learn?" in stderr
    assert "The settings stay as they were." in stderr
    assert "Read again: started gone; stopped away." in stderr
    assert "stopping; what is done is saved ..." in stderr
    summary = json.loads(stdout.splitlines()[-1])["cameras"]
    assert (summary["hall"]["state"], summary["gone"]["state"]) == ("stopped", "stopped")
    assert "canary" not in stdout + stderr
    assert b"canary" not in contents(tmp_path / "nicol")
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert_goes_on(path, hall)


def assert_shown(address: str, folder: Path) -> None:
    """All cameras are on the page, for who opens its private file, and can be steered there."""
    assert httpx.get(f"{address}/metrics").is_success
    with httpx.Client(base_url=address, headers={"sec-fetch-site": "same-origin"}) as client:
        assert client.get("/api/v1/cameras").status_code == 401
        client.get((folder / LOGIN).read_text().partition("url=")[2].partition('"')[0])
        away, hall = client.get("/api/v1/cameras").json()["cameras"]
        assert (away["fault"], away["steered"], hall["live"]) == ("cannot be reached", True, True)
        assert "canary" not in str(away)
        as_json = {"content-type": "application/json"}
        said = client.post("/api/v1/cameras/away/pause?minutes=1", headers=as_json).json()
        assert said == {"said": "away is paused for 1 min."}
        assert client.post("/api/v1/cameras/away/resume", headers=as_json).is_success


def assert_goes_on(path: Path, hall: Path) -> None:
    """The same command looks on, with what it learned; the report is made when it is asked for."""
    before, learned = frames(hall), (hall / "detector" / "detector.json").stat().st_mtime_ns
    again = run_nomaly("watch", path, "--for", "6")
    assert again.returncode == 0, again.stderr
    assert frames(hall) > before
    assert (hall / "detector" / "detector.json").stat().st_mtime_ns == learned
    assert not (hall / "report.html").exists()
    report = run_nomaly("report", hall)
    assert report.returncode == 0, report.stderr
    assert (hall / "report.html").exists()
