"""What is sent to who helps holds no secret, in whatever form it stands there."""

import getpass
import json
import re
import zipfile
from pathlib import Path

import pytest

from app import redact
from app.checkup.bundle import write_bundle
from app.checkup.scrub import Scrubber, shown_site
from app.checkup.site import examine_site
from app.doctor import Finding
from app.errors import UsageError
from app.events.store import Store
from app.web.passwords import hash_password

HASH = hash_password("canary-of-the-page")
SITE = """# canary in a comment
version: 1
site: nicol
defaults: {learn: 60s}
cameras:
  hall: {source: "rtsp://${HALL_USER}:${HALL_PASSWORD}@127.0.0.1:9/s1"}
  yard: {source: "rtsp://zoe:canary#typed/x@127.0.0.1:9/s2?token=canary0123456789abc"}
  gate: {source: "${GATE}"}
sinks:
  - "mqtt:mqtt://xaver:canary-mq@127.0.0.1:9/nomaly"
  - "webhook:http://127.0.0.1:9/canary-hook?key=canary"
  - "apprise:json://yann:canary-apprise@127.0.0.1:9/canary"
on_event: ["sh notify --token canary-argument"]
page: {password_hash: "HASH", token: "canary-token-0123456789"}
""".replace("HASH", HASH)
ENV = """HALL_USER=walter
HALL_PASSWORD='canary "quoted" \\pw'
GATE=http://vroni:canary%20gate@127.0.0.1:9/v
UNUSED=canary-unused
FPS=5
"""
USERS = ("walter", "zoe", "xaver", "yann", "vroni")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redact, "_known", {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A site with a secret in every place, that was watched for a while."""
    (tmp_path / ".env").write_text(ENV)
    (tmp_path / "site.yaml").write_text(SITE)
    folder = tmp_path / "nicol" / "hall"
    folder.mkdir(parents=True)
    with Store(folder) as store:
        run = store.begin_run("watch", {})
        store.add_note(run.id, "the disk was full for 5 s")
        store.add_note(run.id, "login of walter with canary%20%22quoted%22%20%5Cpw refused")
    return tmp_path / "site.yaml"


def test_no_secret_and_no_user_is_in_a_bundle(path: Path):
    findings = [Finding("user", "ok", f"{getpass.getuser()} walter")]
    findings += [one for one in examine_site(path, 1) if one.name != "memory of the site"]
    assert {one.state for one in findings if one.name.startswith("camera ")} == {"fault"}
    out = path.with_name("x.zip")
    names = write_bundle(out, findings, path)
    assert names == ["findings.txt", "findings.json", "versions.txt", "site.yaml", "notes/hall.txt"]
    with zipfile.ZipFile(out) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, text in texts.items():
        assert "canary" not in text, name
        assert HASH not in text, name
        assert "argon2id" not in text, name
        who = getpass.getuser()
        assert [user for user in (*USERS, who) if re.search(rf"\b{user}\b", text)] == [], name
    assert "hall:\n    source: rtsp://${HALL_USER}:" not in texts["site.yaml"]
    assert "learn: 60s" in texts["site.yaml"]
    assert "connection refused" in texts["findings.txt"]
    assert "the disk was full for 5 s" in texts["notes/hall.txt"]
    assert len(json.loads(texts["findings.json"])) == len(findings)
    assert "nomaly 0." in texts["versions.txt"]
    with pytest.raises(UsageError, match="is there already"):
        write_bundle(out, findings, path)


def test_a_site_that_cannot_be_read_goes_along_as_its_faults_alone(path: Path):
    path.write_text(f"{SITE}cameras: canary\n")
    findings = list(examine_site(path, 1))
    assert [one.state for one in findings] == ["fault"]
    out = path.with_name("x.zip")
    assert "site-faults.txt" in write_bundle(out, findings, path)
    with zipfile.ZipFile(out) as archive:
        assert b"canary" not in b"".join(map(archive.read, archive.namelist()))


def test_short_secrets_are_words_and_long_ones_anywhere():
    scrub = Scrubber(["ab", "longer", ""])
    assert scrub("ab abc xlongery") == "*** abc x***y"


def test_settings_stay_and_what_could_be_secret_goes():
    assert shown_site({"fps": 5, "page": {"token": "${T}", "password_hash": "x"}}) == {
        "fps": 5,
        "page": {"token": "${T}", "password_hash": "***"},
    }
    sinks = ["jsonl:events.jsonl", "apprise:tgram://1/2", "webhook:${HOOK}"]
    assert shown_site({"sinks": sinks})["sinks"] == [sinks[0], "apprise:tgram://***", sinks[2]]
