"""The command as an owner runs it before the first watch."""

import json
import socket
import zipfile
from pathlib import Path

from typer.testing import CliRunner

from app.cli import cli


def test_a_camera_that_cannot_be_watched_is_exit_code_1_and_goes_into_the_bundle(tmp_path: Path):
    site, bundle = tmp_path / "site.yaml", tmp_path / "for-support.zip"
    words = ["init", "--out", str(site), "--site", "nicol"]
    # Bound and not listening: nobody else can answer there.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"rtsp://ann:canary-hunter2@127.0.0.1:{silent.getsockname()[1]}/s1"
        assert CliRunner().invoke(cli, [*words, "--source", address]).exit_code == 0
        words = ["doctor", str(site), "--seconds", "2", "--bundle", str(bundle), "--json"]
        done = CliRunner().invoke(cli, words)
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    found = {one["name"]: one for one in told["findings"]}
    assert (told["ready"], told["bundle"]) == (False, str(bundle))
    assert found["camera camera-127-0-0-1"]["state"] == "fault"
    assert found["camera camera-127-0-0-1"]["detail"] == "connection refused"
    assert (found["decoder"]["state"], found["site"]["state"]) == ("ok", "ok")
    assert "canary" not in done.output
    with zipfile.ZipFile(bundle) as archive:
        assert "findings.txt" in archive.namelist()
        assert b"canary" not in b"".join(map(archive.read, archive.namelist()))
