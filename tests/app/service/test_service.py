"""A site of cameras in this process: each on its own, none in the way of another."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.errors import InUseError, UsageError
from app.events.store import Store
from app.progress import Reporter
from app.service.errors import SiteError
from app.service.service import Changes, SiteService
from app.service.serving import in_words
from tests.app.service.films import QUICK, film
from tests.peers.camera import RtspCamera
from tests.peers.consumer import wait_for

NOBODY_ANSWERS = "rtsp://ann:canary-hunter2@127.0.0.1:9/s"


def site(folder: Path, *cameras: str, more: str = "") -> Path:
    path = folder / "site.yaml"
    head = ["version: 1", "site: nicol", f"defaults: {{learn: 2s, {QUICK}}}", "cameras:"]
    path.write_text("\n".join([*head, *cameras, more, ""]))
    return path


class Watched:
    """A service under way, and what it said."""

    def __init__(self, path: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self._said = io.StringIO()
        reporter = Reporter(Console(file=self._said, width=200))
        self.service = SiteService(path, reporter, self.told.append, heartbeat_s=0.0)

    @property
    def said(self) -> str:
        return self._said.getvalue()

    def doing(self) -> dict[str, str]:
        return {state.camera: state.doing for state in self.service.cameras()}

    def looked(self) -> dict[str, int]:
        return {one.camera: one.doing().frames for one in self.service.board.stations()}

    def wait_until_watched(self, *cameras: str) -> None:
        wait_for("frames of all", lambda: all(self.looked().get(one, 0) > 2 for one in cameras), 60)


@contextmanager
def watched(path: Path) -> Iterator[Watched]:
    under_way = Watched(path)
    with under_way.service:
        yield under_way


def test_what_names_is_loaded_once_a_camera_was_looked_at(tmp_path: Path):
    path = site(tmp_path, f"  away: {{source: '{NOBODY_ANSWERS}'}}")
    with watched(path) as under_way:
        wait_for("its reason", lambda: under_way.doing()["away"] == "unreachable", 30)
        assert "embedder" not in {thread.name for thread in threading.enumerate()}
    film(tmp_path / "hall.mp4", 1, 180)
    with watched(site(tmp_path, "  hall: {source: hall.mp4}")) as under_way:
        under_way.wait_until_watched("hall")
        engine = under_way.service._engine
        assert engine is not None
        wait_for("the namer", lambda: engine.common.names.ready, 60)
        under_way.service.check()


def test_cameras_are_asked_to_stop_together_and_what_has_not_begun_is_not_waited_for(
    tmp_path: Path,
):
    film(tmp_path / "hall.mp4", 1, 180)
    path = site(tmp_path, "  hall: {source: hall.mp4}", f"  away: {{source: '{NOBODY_ANSWERS}'}}")
    with watched(path) as under_way:
        under_way.wait_until_watched("hall")
        under_way.service.stop()
        wait_for("the end of all", lambda: set(under_way.doing().values()) == {"stopped"}, 30)
    told = under_way.service.summary()["cameras"]
    assert told["hall"]["state"] == "stopped"
    assert told["hall"]["frames"] > 2
    assert "did not end" not in under_way.said


def test_cameras_are_watched_side_by_side_whatever_one_of_them_has(tmp_path: Path):
    film(tmp_path / "hall.mp4", 1, 180, things=tuple(range(6, 180, 12)))
    film(tmp_path / "yard.mp4", 2, 180)
    (tmp_path / "broken.mp4").write_text("no video")
    path = site(
        tmp_path,
        "  hall: {source: hall.mp4}",
        "  yard: {source: yard.mp4}",
        f"  away: {{source: '{NOBODY_ANSWERS}'}}",
        "  torn: {source: broken.mp4}",
        more="sinks: [jsonl:all.jsonl]",
    )
    with watched(path) as under_way:
        service = under_way.service
        under_way.wait_until_watched("hall", "yard")
        wait_for("the others", lambda: under_way.doing()["torn"] == "failed", 30)
        wait_for("its reason", lambda: under_way.doing()["away"] == "unreachable", 30)
        states = {state.camera: state for state in service.cameras()}
        assert "not a video" in states["torn"].why
        assert "refused" in states["away"].why
        assert "canary" not in f"{states}" + in_words(service) + under_way.said
        assert in_words(service).startswith("4 cameras: 1 failed, 1 unreachable, 2 watching (away:")
        assert service.moving()
        # Another process, or another service of this one, must not write there too.
        with pytest.raises(InUseError, match=r"folder .*nicol: is in use by process \d+; stop it"):
            Watched(path).service.__enter__()
        wait_for("the thing", lambda: any(one["event"] == "closed" for one in under_way.told), 60)
        with pytest.raises(UsageError, match="there is no such camera; there are hall, yard"):
            service.pause("cellar", 5)
    summary = service.summary()["cameras"]
    assert summary["hall"]["state"] == summary["yard"]["state"] == "stopped"
    assert summary["hall"]["events"] >= 1
    assert summary["yard"]["events"] == 0
    assert summary["away"] == {"state": "stopped", "why": states["away"].why}
    assert '"camera":' in (tmp_path / "all.jsonl").read_text()
    assert {one["camera"] for one in under_way.told if one["event"] == "opened"} == {"hall"}
    assert "hall: Watching" in under_way.said
    assert threading.active_count() < 20


def assert_pauses(under_way: Watched, paused: str, other: str) -> None:
    """A pause shows that it is one, ends by itself, and is in nobody else's way."""
    service = under_way.service
    service.pause(paused, 60)
    wait_for("the pause", lambda: paused not in under_way.looked())
    states = {state.camera: state for state in service.cameras()}
    assert (states[paused].doing, states[paused].why) == ("paused", "it was paused for 60 min")
    assert states[paused].resumes_us is not None
    assert states[other].doing == "watching"
    assert service.moving()
    # Another length counts from now on.
    service.pause(paused, 0.5 / 60)
    under_way.wait_until_watched(paused)
    with pytest.raises(UsageError, match="a pause lasts more than 0"):
        service.pause(paused, 0)
    events = [one["event"] for one in under_way.told if one["camera"] == paused]
    kept = [one for one in events if one in ("paused", "resumed")]
    assert kept == ["paused", "paused", "resumed"]


def test_a_reload_begins_anew_with_what_changed_alone(tmp_path: Path):
    for number, name in enumerate(("hall", "yard", "gate")):
        film(tmp_path / f"{name}.mp4", number, 90)
    hall, yard = "  hall: {source: hall.mp4}", "  yard: {source: yard.mp4}"
    path = site(tmp_path, hall, yard)
    with watched(path) as under_way:
        service = under_way.service
        under_way.wait_until_watched("hall", "yard")
        learned = (tmp_path / "nicol" / "hall" / "detector" / "detector.json").stat().st_mtime_ns
        before = {state.camera: state.since_us for state in service.cameras()}
        # Nothing that is wrong ends what goes on.
        site(tmp_path, hall, yard.replace("source", "sauce"))
        with pytest.raises(SiteError, match=r"yard\.sauce: unknown key, did you mean source"):
            service.reload()
        assert under_way.doing() == {"hall": "watching", "yard": "watching"}
        gate = "  gate: {source: gate.mp4}"
        site(tmp_path, "  hall: {source: hall.mp4, fps: 3}", yard, gate, more="page: {port: 8099}")
        changes = service.reload()
        assert changes == Changes(("gate",), ("hall",), (), ("page",))
        assert str(changes) == "started gate; restarted hall; page changed, from the next start on"
        under_way.wait_until_watched("hall", "gate")
        after = {state.camera: state.since_us for state in service.cameras()}
        assert after["yard"] == before["yard"]
        assert after["hall"] > before["hall"]
        assert_pauses(under_way, "yard", "gate")
        site(tmp_path, gate)
        assert service.reload() == Changes((), (), ("hall", "yard"), ("page",))
        assert under_way.doing() == {"gate": "watching"}
        site(tmp_path, gate, more="folder: elsewhere")
        with pytest.raises(SiteError, match="the folder of a site that is watched stays"):
            service.reload()
    # It went on with what it had learned, in the same run, which tells what changed.
    detector = tmp_path / "nicol" / "hall" / "detector" / "detector.json"
    assert detector.stat().st_mtime_ns == learned
    with Store(tmp_path / "nicol" / "hall") as store:
        run = store.required_run()
        assert run.id == 1
        notes = [note.text for note in store.notes(run.id)]
    assert any("settings changed: fps (5.0 before, 3.0 now)" in note for note in notes)


@pytest.mark.slow
def test_a_camera_that_is_not_there_yet_is_waited_for(rtsp_camera: RtspCamera, tmp_path: Path):
    film(tmp_path / "yard.mp4", 2, 120)
    path = site(tmp_path, f"  hall: {{source: '{rtsp_camera.url}'}}", "  yard: {source: yard.mp4}")
    with watched(path) as under_way:
        under_way.wait_until_watched("yard")
        wait_for("the reason", lambda: under_way.doing()["hall"] == "unreachable", 30)
        rtsp_camera.start()
        under_way.wait_until_watched("yard", "hall")
        rtsp_camera.kill()
        wait_for("the loss", lambda: "camera hall lost" in under_way.said, 30)
    told = [one["event"] for one in under_way.told if one["camera"] == "hall"]
    assert told[0] == "unreachable"
    assert "lost" in told
    assert {one["event"] for one in under_way.told if one["camera"] == "yard"} <= {"back"}
