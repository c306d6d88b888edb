"""What a run keeps of its request, and runs of an earlier Nomaly, which kept less."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import UsageError
from app.events.store import Store
from app.feedback.heeding import Wanted
from app.progress import Reporter
from app.watching.audit import AuditRequest, audit
from app.watching.request import RunRequest
from app.watching.watch import watch
from app.watching.watch_request import WatchRequest
from detectors.configs import PadimConfig
from detectors.tracks import TrackRule
from novic.certainty import Certainty
from novic.kind_rules import KindRule
from novic.model import model_certainty, model_sha256
from tests.peers.pattern import numbered

QUIET = Reporter(quiet=True)


def settings_of_before(video: Path) -> dict[str, Any]:
    """What the audit of commit da1c55a stored as its settings."""
    told = """{"camera": "", "detector": null, "embedder": null, "fps": 5.0, "normal": null,
    "normal_first_s": 14.0, "zones": {"exclude": [], "include": []}}"""
    facts = video.stat()
    identity = [str(video), facts.st_size, facts.st_mtime_ns]
    return {**json.loads(told), "videos": [identity], "namer": model_sha256(None)}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return numbered(tmp_path / "shift.mp4", frames=20, fps=1)


@pytest.fixture
def audited_before(video: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    with Store(out) as store:
        run = store.begin_run("audit", settings_of_before(video))
        facts = {"seconds": 2.0, "detector_seconds": 1.0, "analysed": 20, "failed": []}
        store.end_run(run.id, "finished", facts)
    return out


def test_an_audit_of_before_is_taken_up_by_the_same_command(video: Path, audited_before: Path):
    asked = AuditRequest(out=audited_before, videos=(video,), normal_first_s=14.0)
    assert audit(asked, QUIET).analysed == 20


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        ({"fps": 2.0}, r"fps \(5\.0 before, 2\.0 now\); name"),
        (
            {"rule": TrackRule(close_after_s=9.0)},
            r"the scenario's rule \(close_after_s 2\.0 before, 9\.0 now\)",
        ),
        (
            {"detector_config": PadimConfig(passes=320)},
            r"detector_config \(passes 160 before, 320 now\)",
        ),
    ],
)
def test_one_that_differs_from_the_defaults_of_then_is_another(
    more: dict[str, Any], differs: str, video: Path, audited_before: Path
):
    asked = AuditRequest(out=audited_before, videos=(video,), normal_first_s=14.0, **more)
    with pytest.raises(UsageError, match=f"results of another run: {differs}"):
        audit(asked, QUIET)


def test_a_watch_of_before_kept_too_little_to_go_on(tmp_path: Path):
    with Store(tmp_path) as store:
        store.begin_run("watch", {"learn_s": 20.0, "source": "rtsp://camera/hall"})
    asked = WatchRequest(out=tmp_path, source="rtsp://camera/hall", learn_s=20.0)
    kept = "a watch of an earlier Nomaly, which did not keep how it was started; name another fol"
    with pytest.raises(UsageError, match=f"results of another run: {kept}"):
        watch(asked, QUIET, lambda _: None)


def test_a_run_keeps_by_what_it_chose_what_is_told(tmp_path: Path):
    rules = (KindRule.parse("any animal"),)
    settings = RunRequest(out=tmp_path, tell=rules).settings()
    kinds = model_certainty(None).kinds
    assert kinds is not None
    assert Wanted.of(settings) == Wanted(rules, Certainty(kinds=kinds))
    assert Wanted.of(RunRequest(out=tmp_path).settings()) is None
    assert RunRequest(out=tmp_path, tell=rules).unsaid()["kinds"] == settings["kinds"]
