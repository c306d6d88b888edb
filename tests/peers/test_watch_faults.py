"""A watch whose disk is full, whose store is locked, whose reader goes, and that is hung up."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from app.events.reading import snapshot
from tests.app.short_watch import NOMALY, QUICK
from tests.locked_store import locked
from tests.peers.http_peers import mjpeg_camera
from tests.small_disk import disk_of, full

pytestmark = pytest.mark.slow


class Stderr:
    """What a watch says to people, waited for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wait_for(self, sentence: str, times: int = 1) -> None:
        until = time.monotonic() + 120
        while self.path.read_text().count(sentence) < times:
            assert time.monotonic() < until, self.path.read_text()
            time.sleep(0.1)


@pytest.mark.timeout(400)
def test_a_watch_outlives_its_disk_its_store_its_reader_and_its_terminal(tmp_path: Path):
    stderr = Stderr(tmp_path / "stderr")
    with disk_of(tmp_path / "disk", "96m") as disk, mjpeg_camera(fps=10) as camera:
        out = disk / "out"
        words = ["watch", camera.url, "--learn", "3", "--out", str(out), "--heartbeat", "0"]
        words += ["--json", *QUICK]
        with (
            stderr.path.open("w") as said,
            subprocess.Popen([NOMALY, *words], stdout=subprocess.PIPE, stderr=said) as process,
        ):
            try:
                stderr.wait_for("Watching http://")
                with full(disk):
                    stderr.wait_for("the disk is full; what is seen waits in memory")
                stderr.wait_for("can be written again")
                with locked(out):
                    stderr.wait_for("database is locked; what is seen waits in memory")
                stderr.wait_for("can be written again", times=2)
                assert process.stdout is not None
                process.stdout.close()
                for _ in range(2):
                    process.send_signal(signal.SIGHUP)
                process.wait(120)
            finally:
                process.kill()
        assert process.returncode == 1, stderr.path.read_text()
        with snapshot(out) as store:
            run = store.run(1)
            assert run.state == "stopped"
            notes = [note.text for note in store.notes(1)]
            events = [event.as_json() for event in store.events(1)]
        assert ["disk is full" in note for note in notes] == [True, False]
        assert all("nothing could be stored" in note for note in notes)
        report = (out / "report.html").read_text()
        assert all(note.split("(")[0] in report for note in notes)
        lines = (out / "events.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == events
