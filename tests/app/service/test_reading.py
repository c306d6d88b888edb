"""A site's file: all that is wrong is told at once, where it stands, and no secret with it."""

import json
from pathlib import Path

import pytest

from app import redact
from app.events.outputs import EVENTS
from app.events.retention import RetentionRule
from app.events.zones import save_zones
from app.service.config import SiteConfig
from app.service.door import guard_of
from app.service.errors import SiteError
from app.service.plan import plan
from app.service.reading import load_site
from app.service.schema import site_schema
from app.sinks.command import CommandConfig
from app.sinks.jsonl import JsonlConfig
from app.sinks.mqtt import MqttConfig
from app.watching.clip_rule import ClipRule
from app.web.passwords import hash_password
from calibration.promise import Promise
from detectors.zones import Zones
from tests.app.short_watch import run_nomaly

CANARY = "canary-hunter2"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redact, "_known", {})


def written(folder: Path, *lines: str, head: str = "version: 1\nsite: nicol") -> Path:
    path = folder / "site.yaml"
    path.write_text("\n".join([head, *lines, ""]))
    return path


def faults(path: Path, **environment: str) -> list[str]:
    with pytest.raises(SiteError) as caught:
        plan(load_site(path, environment))
    return [line.strip().removeprefix(str(path)) for line in str(caught.value).splitlines()]


def test_all_faults_are_told_at_once_by_line_key_and_nearest_key(tmp_path: Path):
    path = written(
        tmp_path,
        "cameras:",
        '  hall: {source: "rtsp://${HALL_USER}@10.0.0.5/s", lern: 60s}',
        "  yard: {source: rtsp://10.0.0.6/s, learn: soon, false_events: often}",
        '  gate: {source: "0", learn: 8h, bar: 90}',
        "sinks: [smoke:signals]",
        "retension: {days: 3}",
    )
    first, *others = faults(path)
    assert first == ": 7 faults:"
    # Every sink that comes adds an example.
    others[5] = others[5].partition(", apprise:")[0]
    assert others == [
        ":4: cameras.hall.lern: unknown key, did you mean learn?",
        ":4: cameras.hall.source: ${HALL_USER} is not set; put it into the environment, or into "
        ".env beside it",
        ":5: cameras.yard.learn: soon is no length of time; write 90s, 8h, 500ms or seconds",
        ":5: cameras.yard.false_events: write a number per hour, day or week, as 1/day or 2/hour",
        ":6: cameras.gate.bar: 90 should be less than or equal to 3",
        ":7: sinks[0]: smoke:signals: there is no sink 'smoke'; write for example "
        "jsonl:events.jsonl, command:notify-send Nomaly, webhook:https://example.org/hook, "
        "mqtt:mqtt://user:***@broker/nomaly",
        ":8: retension: unknown key, did you mean retention?",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ": is empty; it must hold version, site and cameras"),
        ("cameras", ":1: write `key: value` lines"),
        ("cameras:\n\thall: 1", ":2: is indented by a tab; use spaces"),
        ("cameras:\n  a:\n    source: x\n   learn: 3", ":4: not YAML: .* look at how this line"),
        ("cameras:\n  a: {source: x}\n  a: {source: y}", ":3: cameras.a: is there twice"),
        ("a: &x 1\nb: *x", ":2: .*aliases are not read"),
        ("version: 1\nsite: a/b\ncameras: {a: {source: x, learn: 1}}", ":2: site: a/b is no name"),
        ("version: 1\nsite: a\ncameras: {}", ":3: cameras: .*at least 1"),
    ],
)
def test_what_is_no_site_at_all_is_told_in_a_sentence(tmp_path: Path, text: str, sentence: str):
    path = written(tmp_path, head=text)
    path.write_text(text)
    with pytest.raises(SiteError, match=sentence):
        load_site(path, {})


def test_cameras_that_cannot_be_told_apart_are_refused(tmp_path: Path):
    path = written(
        tmp_path,
        "cameras:",
        '  hall: {source: "0", learn: 60}',
        '  Hall: {source: "1", learn: 60}',
        '  gate: {source: "0", learn: 60}',
        '  yard: {source: "2"}',
        '  "back door": {source: "3", detector: nowhere}',
    )
    assert faults(path)[1:] == [
        ":5: cameras.Hall: differs from hall by capitals alone; some disks take them for one",
        ":6: cameras.gate.source: is that of hall too; one camera is watched once",
        ":7: cameras.yard: say what is normal: learn, as 60s, or detector, a folder",
        ":8: cameras.back door: back door is no name; use letters, digits, - and _, as its folder "
        "is called so",
    ]


def test_cameras_say_what_differs_from_the_defaults(tmp_path: Path):
    (tmp_path / "fitted").mkdir()
    path = written(
        tmp_path,
        "defaults: {learn: 2 min, fps: 3, false_events: 2/day, exclude: '0,0 1,0 1,.2 0,.2'}",
        "cameras:",
        "  hall: {source: rtsp://10.0.0.5/s}",
        "  yard: {source: clip.mp4, detector: fitted, fps: all, tell: any animal but the cat}",
        "sinks: [jsonl:all.jsonl, 'mqtt:mqtt://broker/nomaly']",
        "on_event: ./notify.sh --loud",
    )
    planned = plan(load_site(path, {}))
    hall, yard = planned.cameras["hall"], planned.cameras["yard"]
    assert (hall.learn_s, hall.fps, hall.promise) == (120.0, 3.0, Promise(2, "day"))
    assert hall.zones.exclude == (((0.0, 0.0), (1.0, 0.0), (1.0, 0.2), (0.0, 0.2)),)
    # Who names a detector does not learn because others do.
    assert (yard.learn_s, yard.detector, yard.fps) == (None, tmp_path / "fitted", None)
    assert yard.source == str(tmp_path / "clip.mp4")
    assert [rule.text for rule in yard.tell] == ["any animal but the cat"]
    assert (hall.out, yard.camera) == (tmp_path / "nicol" / "hall", "yard")
    file, broker, command = hall.sinks
    assert file == JsonlConfig(path=tmp_path / "all.jsonl")
    assert isinstance(broker, MqttConfig)
    assert broker.watcher == "hall"
    assert command == CommandConfig(words=(str(tmp_path / "notify.sh"), "--loud"))


def test_what_is_kept_shown_and_told_together_is_acted_on(tmp_path: Path):
    path = written(
        tmp_path,
        "defaults: {learn: 60s, stationary: 2 min, remind: 0}",
        "cameras:",
        "  hall: {source: rtsp://10.0.0.5/s}",
        "  yard: {source: rtsp://10.0.0.6/s, blur_people: true, stationary: 0}",
        "on_event: ./notify.sh",
        "group: 30s",
        "retention: {days: 30, gigabytes: 5}",
        "clips: {before: 3s}",
    )
    planned = plan(load_site(path, {}))
    hall, yard = planned.cameras["hall"], planned.cameras["yard"]
    assert (hall.life.stationary_s, hall.life.reminder_s, yard.life.stationary_s) == (120, 0, 0)
    # Bytes are those of the site, not of each camera.
    assert hall.retention == yard.retention == RetentionRule(days=30, gigabytes=None)
    assert hall.clips == ClipRule(before_s=3, after_s=5)
    # Clips show people as they are.
    assert (hall.blur_people, yard.blur_people, yard.clips) == (False, True, None)
    [command] = hall.sinks
    assert isinstance(command, CommandConfig)
    assert command.group_s == 30


def test_zones_that_were_drawn_hold_where_the_file_says_none(tmp_path: Path):
    drawn = Zones(exclude=(((0.0, 0.0), (1.0, 0.0), (1.0, 0.2)),))
    for name in ("hall", "yard"):
        (tmp_path / "nicol" / name).mkdir(parents=True)
        save_zones(tmp_path / "nicol" / name, drawn)
    path = written(
        tmp_path,
        "defaults: {learn: 60s}",
        "cameras:",
        "  hall: {source: rtsp://10.0.0.5/s}",
        "  yard: {source: rtsp://10.0.0.6/s, exclude: []}",
    )
    planned = plan(load_site(path, {}))
    assert planned.cameras["hall"].zones == drawn
    assert planned.cameras["yard"].zones == Zones()


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("page: {host: 0.0.0.0}", "page: 0.0.0.0 is reached by others, and nothing keeps them out"),
        ("page: {password_hash: hunter2}", "page: the page's password is no argon2 hash"),
        ("page: {token: short}", "page: the page's token is shorter than 16 characters"),
        ("metrics: true", "metrics: are on the page's port; say where, as page: {port: 8080}"),
        ("clips: {before: 50s, after: 20s}", "before and after together must be less than 60 s"),
        ("group: 30s", "--group 30: nothing is told together without"),
    ],
)
def test_what_cannot_be_so_is_told_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, fault: str
):
    monkeypatch.delenv("NOMALY_TOKEN", raising=False)
    monkeypatch.delenv("NOMALY_PASSWORD_HASH", raising=False)
    path = written(tmp_path, "cameras:", "  hall: {source: rtsp://h/s, learn: 60s}", lines)
    assert fault in "\n".join(faults(path))


def test_the_page_takes_its_lock_from_the_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hashed = hash_password("canary-page-pw")
    monkeypatch.setenv("NOMALY_PASSWORD_HASH", hashed)
    page = "page: {host: 0.0.0.0, names: cameras.home.lan, https: true}"
    path = written(tmp_path, "cameras:", "  hall: {source: rtsp://h/s, learn: 60s}", page)
    config = load_site(path, {}).config
    plan(load_site(path, {}))
    assert config.page is not None
    guard = guard_of(config.page)
    assert (guard.names, guard.https) == (("cameras.home.lan",), True)
    assert guard.password_hash is not None
    assert guard.password_hash.get_secret_value() == hashed


def test_secrets_come_from_the_environment_then_from_the_file_beside_it(tmp_path: Path):
    env = tmp_path / ".env"
    env.write_text(f"# of the hall\nexport HALL_PASSWORD='p@ss/{CANARY}'\nHALL_USER=ann\n")
    env.chmod(0o600)
    source = "rtsp://${HALL_USER}:${HALL_PASSWORD}@10.0.0.5/s"
    path = written(tmp_path, "cameras:", f'  hall: {{source: "{source}", learn: 60s}}')
    loaded = load_site(path, {"HALL_USER": "eve"})
    assert loaded.warnings == ()
    # A password may hold any sign, and the login of an address may not.
    assert loaded.config.cameras["hall"].source == f"rtsp://eve:p%40ss%2F{CANARY}@10.0.0.5/s"
    assert CANARY not in redact.redact(f"refused: p@ss/{CANARY}")


def test_a_password_in_the_file_itself_is_a_warning(tmp_path: Path):
    (tmp_path / ".env").write_text("BROKER=secret-of-it\n")
    (tmp_path / ".env").chmod(0o644)
    path = written(
        tmp_path,
        "cameras:",
        f"  hall: {{source: rtsp://ann:{CANARY}@10.0.0.5/s, learn: 60s}}",
        "sinks: ['mqtt:mqtt://ann:${BROKER}@broker/n', 'mqtt:mqtt://ann:typed@other/n']",
        "page: {token: plain-to-see}",
    )
    file, *warnings = load_site(path, {}).warnings
    assert file == (
        f"{tmp_path}/.env can be read by other users of this machine; chmod 600 {tmp_path}/.env"
    )
    assert [warning.removeprefix(str(path)) for warning in warnings] == [
        ":4: cameras.hall.source: holds a password; write ${NAME} and put it into .env",
        ":5: sinks[1]: holds a password; write ${NAME} and put it into .env",
        ":6: page.token: stands in this file; write ${NAME}",
    ]


def test_the_command_checks_a_file_and_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HALL_PASSWORD", CANARY)
    path = written(
        tmp_path,
        "cameras:",
        '  hall: {source: "rtsp://ann:${HALL_PASSWORD}@10.0.0.5/s", learn: 60s}',
        'page: {token: "${HALL_PASSWORD}-and-more"}',
    )
    good = run_nomaly("config", "check", path, "--json")
    assert good.returncode == 0
    assert json.loads(good.stdout)["cameras"] == {"hall": "rtsp://ann:***@10.0.0.5/s"}
    path.write_text(path.read_text().replace("learn:", "tell: [], lern:"))
    bad = run_nomaly("config", "check", path)
    assert bad.returncode == 2
    assert "cameras.hall.lern: unknown key, did you mean learn?" in bad.stderr
    assert CANARY not in good.stdout + good.stderr + bad.stdout + bad.stderr
    option = run_nomaly("watch", path, "--learn", "5")
    assert option.returncode == 2
    assert "--learn: a site's file says that" in option.stderr
    shown = run_nomaly("watch", path, "--page", "8080", "--no-clips", "--keep-days", "3")
    said = "--page or --metrics, options of keeping, --clips: a site's file says that"
    assert said in shown.stderr
    assert not (tmp_path / "nicol" / EVENTS).exists()
    missing = run_nomaly("watch", tmp_path / "sight.yaml")
    assert missing.returncode == 2
    assert "sight.yaml: cannot be read: No such file" in missing.stderr


def test_the_schema_tells_editors_what_every_key_means():
    schema = site_schema()
    assert set(schema["required"]) == {"version", "site", "cameras"}
    assert set(schema["properties"]) == set(SiteConfig.model_fields)
    camera = schema["$defs"]["Camera"]
    assert not camera["additionalProperties"]
    assert all(one.get("description") for one in camera["properties"].values())
