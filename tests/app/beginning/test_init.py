"""The first file of a site: as an owner types it, checked as the watch does, no password in it."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import redact
from app.beginning.cameras import cameras_of
from app.beginning.webcams import Webcam, find_webcams
from app.cli import cli
from app.errors import UsageError
from app.service.plan import plan
from app.service.reading import load_site

CANARY = "canary-hunter2"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redact, "_known", {})


def begun(folder: Path, *sources: str) -> tuple[Path, str]:
    """A site's file that the command wrote, and all that it said."""
    out = folder / "site.yaml"
    words = [word for source in sources for word in ("--source", source)]
    done = CliRunner().invoke(cli, ["init", "--out", str(out), "--site", "nicol", *words])
    assert done.exit_code == 0, (done.output, done.exception)
    return out, done.output


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://10.0.0.5/stream2",
        f"rtsp://ann:{CANARY}@10.0.0.5:554/stream2",
        f"rtsp://ann:{CANARY} #/?'\"\\x@hall-cam.local/s1",
        f"rtsp://ann:{CANARY}%20x@[fe80::1]/s1",
        f"http://{CANARY}0123456789abcdef@10.0.0.5/v.mjpg",
        f"http://10.0.0.5/v.mjpg?token={CANARY}0123456789",
        "ros://0/camera/image",
        "0",
    ],
)
def test_a_source_comes_out_as_it_was_typed_and_its_secrets_are_in_env_alone(
    tmp_path: Path, source: str
):
    out, said = begun(tmp_path, source)
    (request,) = plan(load_site(out, {})).cameras.values()
    before, after = (redact.remember(one) for one in (source, str(request.source)))
    assert after.url() == before.url()
    assert CANARY not in out.read_text() + said
    env = tmp_path / ".env"
    assert env.exists() == before.has_secrets
    if env.exists():
        assert stat.S_IMODE(env.stat().st_mode) == 0o600


def test_the_file_passes_the_check_and_names_its_schema_and_the_next_command(tmp_path: Path):
    out, said = begun(tmp_path, f"rtsp://ann:{CANARY}@hall/s1", f"rtsp://bob:{CANARY}@hall/s2")
    assert f"nomaly doctor {out}, then nomaly watch {out}" in said
    assert out.read_text().startswith("# yaml-language-server: $schema=nomaly.schema.json\n")
    assert json.loads((tmp_path / "nomaly.schema.json").read_text())["title"] == "SiteConfig"
    done = CliRunner().invoke(cli, ["config", "check", str(out)])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:2] == [
        "hall: rtsp://ann:***@hall/s1",
        "hall-2: rtsp://bob:***@hall/s2",
    ]
    assert "Note" not in done.stdout


def test_every_example_in_the_comments_can_be_used(tmp_path: Path):
    out, _ = begun(tmp_path, "rtsp://10.0.0.5/s")
    lines = out.read_text().splitlines()
    shown = {"# folder", "# tell", "# exclude", "# sinks", "#   -", "# on_event", "# retention"}
    shown |= {"# clips", "# page"}
    used = [
        line.replace("# ", "", 1) if line.strip().startswith(tuple(shown)) else line
        for line in lines
    ]
    assert len([1 for one, two in zip(lines, used, strict=True) if one != two]) == 11
    out.write_text("\n".join(used))
    known = {"MQTT_USER": "ann", "MQTT_PASSWORD": "b", "HOOK": "https://example.org/hook"}
    loaded = load_site(out, known)
    assert len(plan(loaded).cameras["camera-10-0-0-5"].sinks) == 4
    assert loaded.config.page is not None


def test_what_is_there_already_stays(tmp_path: Path):
    out, _ = begun(tmp_path, f"rtsp://ann:{CANARY}@hall/s1")
    env, before = tmp_path / ".env", out.read_text()
    done = CliRunner().invoke(cli, ["init", "--out", str(out), "--source", "rtsp://b:c@yard/1"])
    assert isinstance(done.exception, UsageError)
    assert "is there already and stays as it is" in str(done.exception)
    assert (out.read_text(), env.read_text().count("\n")) == (before, 2)
    second = tmp_path / "second.yaml"
    words = ["init", "--out", str(second), "--site", "b", "--source", "rtsp://bob:else@hall/s1"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert env.read_text().startswith(f"HALL_USER='ann'\nHALL_PASSWORD='{CANARY}'\n")
    assert "${HALL_USER_2}:${HALL_PASSWORD_2}@hall" in second.read_text()
    assert plan(load_site(out, {})).cameras["hall"].source == f"rtsp://ann:{CANARY}@hall/s1"
    env.chmod(0o644)
    words[2] = str(tmp_path / "third.yaml")
    refused = CliRunner().invoke(cli, words)
    assert "chmod 600" in str(refused.exception)
    assert not (tmp_path / "third.yaml").exists()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("10.0.0.5:554/live", "if that is a camera, write rtsp://10.0.0.5:554/live"),
        (f"gopher://ann:{CANARY}@hall/1", "cannot read gopher:// addresses"),
        (f"rtsp://ann:{CANARY}\x07@hall/1", "holds a sign that no line can hold"),
        ("rtsp:///stream", "names no host"),
    ],
)
def test_what_is_no_camera_is_refused_in_a_sentence(tmp_path: Path, source: str, sentence: str):
    with pytest.raises(UsageError, match=sentence) as caught:
        cameras_of([source], tmp_path)
    assert CANARY not in str(caught.value)


def test_cameras_have_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Hall").mkdir()
    sources = ["rtsp://hall/1", "rtsp://hall.lan/2", "Hall", "rtsp://con/1", "3"]
    found = cameras_of(sources, tmp_path / "etc")
    assert [one.name for one in found] == ["hall", "hall-2", "Hall-3", "camera-con", "webcam-3"]
    assert found[2].source == str(tmp_path / "Hall")
    with pytest.raises(UsageError, match="is there twice"):
        cameras_of(["rtsp://hall/1", "rtsp://hall/1 "], tmp_path)


def test_nodes_of_a_webcam_that_send_no_pictures_are_left_out(tmp_path: Path):
    for number, index, name in ((0, "0", "Lab\x07 cam"), (1, "1", "Lab cam"), (10, "0", "Yard")):
        (tmp_path / f"video{number}").touch()
        told = tmp_path / "told" / f"video{number}"
        told.mkdir(parents=True)
        (told / "index").write_text(f"{index}\n")
        (told / "name").write_text(f"{name}\n")
    found = find_webcams(tmp_path, tmp_path / "told")
    assert found == [Webcam(0, "Lab cam"), Webcam(10, "Yard")]


def test_scripts_are_told_what_was_written_and_that_something_is_to_be_filled_in(tmp_path: Path):
    done = CliRunner().invoke(cli, ["init", "--out", str(tmp_path / "site.yaml"), "--json"])
    told = json.loads(done.stdout)
    assert told["next"] == f"nomaly doctor {tmp_path / 'site.yaml'}"
    assert [Path(one).name for one in told["files"]] == ["site.yaml", "nomaly.schema.json"]
    # Where webcams are connected, they are there in place of the example.
    assert told["fill_in"] == ("hall" in told["cameras"])
    assert plan(load_site(tmp_path / "site.yaml", {})).cameras.keys() == told["cameras"].keys()
