"""How each camera does: by this process if it watches, else by what its store says."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from app.events.event import VOID
from app.events.lock import HOLDER
from app.events.reading import Run, SourceProgress
from app.feedback.saying import detector_of
from app.feedback.verdicts import now_us
from app.report.times import local
from app.sources.base import Gap
from app.watching.board import Doing
from app.watching.keeper import read_evidence, told
from app.web.places import Place, Places, Reader, reading
from app.web.steered import CameraState, Steered
from calibration.promise import Promise, keep
from detectors.files import CALIBRATION, PROMISE
from novic.errors import NomalyError
from novic.json_files import CARD_BYTES, read_json

DAY_US = 86_400_000_000
_RATE_S = 30.0
"""The rate of frames is that of so many seconds."""
_LEAST_S = 2.0


@dataclass(frozen=True, slots=True)
class Blind:
    """Times of one reason in which a camera saw nothing, of its last day."""

    reason: str
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CameraNow:
    """One camera as the page tells of it."""

    name: str
    """Of its folder; in addresses."""
    camera: str
    uri: str
    doing: str
    """`watching`, `learning`, `catching up`, `blind`; of a site's camera that is not connected
    `starting`, `unreachable`, `paused`, `failed`, `ended`; of what this process does not watch
    itself `elsewhere`, `stopped`, `finished` or `empty`."""
    fault: str
    """Why it is blind, in a few words; empty if it sees."""
    detail: str
    live: bool
    """Whether there is a live picture."""
    seen_us: int | None
    """When its newest frame was taken, UTC in microseconds."""
    age_s: float | None
    """Since then, for a live camera."""
    frames: int
    """Looked at since the run began."""
    fps: float | None
    """Frames a second that are looked at just now; None where that is not known."""
    dropped: int | None
    """Frames that came and were not looked at, since it was started; None if it is not live."""
    open: int
    """Events that are open."""
    today: int
    """Events of this day that were told."""
    promise: str
    """What is kept of false events, one sentence."""
    calibration: str
    """Whether it was calibrated, and holds; one sentence."""
    blind: tuple[Blind, ...]
    still: str
    """Newest event with a picture, if there is one: what the camera saw last as far as is kept."""
    steered: bool = False
    """Whether it can be paused here."""
    resumes_us: int | None = None
    """UTC when its pause ends, microseconds; None if it is not paused."""

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        base = f"/api/v1/cameras/{self.name}"
        links = {"zones": f"{base}/zones", "timeline": f"{base}/timeline"}
        if self.live:
            links |= {"frame": f"{base}/frame.jpg", "live": f"{base}/live.mjpg"}
        return asdict(self) | {"blind": [asdict(one) for one in self.blind], "links": links}


class Cameras:
    """Tells how all cameras do. Safe to use from several threads."""

    def __init__(self, places: Places, steered: Steered | None = None) -> None:
        self._places = places
        self._steered = steered
        self._lock = Lock()
        self._counted: dict[str, list[tuple[float, int]]] = {}
        self._promises: dict[tuple[Any, ...], str] = {}

    def all(self) -> list[CameraNow]:
        """Every camera, by name.

        Raises:
            app.errors.StoreError: If a store cannot be read.
        """
        found = {place.name: self.now(place) for place in self._places.all()}
        for name, state in self._states().items():
            if name not in found:
                # It has just begun, and there is no store yet.
                found[name] = _steered(replace(_empty(name), uri=state.source), state)
        return [found[name] for name in sorted(found)]

    def now(self, place: Place) -> CameraNow:
        """How one camera does.

        Raises:
            app.errors.StoreError: If its store cannot be read.
        """
        with reading(place.folder) as store:
            stored = self._stored(store, place)
        state = self._states().get(place.name)
        if place.station is not None:
            live = replace(stored, **self._live(place.name, place.station.doing()))
            return replace(live, steered=state is not None)
        return stored if state is None else _steered(stored, state)

    def _states(self) -> dict[str, CameraState]:
        states = self._steered.cameras() if self._steered is not None else ()
        return {state.folder.name: state for state in states}

    def _live(self, name: str, doing: Doing) -> dict[str, Any]:
        blind = doing.blind
        seen_us = None if doing.age_s is None else now_us() - round(1e6 * doing.age_s)
        return {
            "camera": doing.camera,
            "uri": doing.uri,
            "doing": "blind" if blind is not None else doing.doing,
            "fault": "" if blind is None else fault(blind),
            "detail": "" if blind is None else blind.detail,
            "live": True,
            "seen_us": seen_us,
            "age_s": doing.age_s,
            "frames": doing.frames,
            "fps": self._rate(name, doing.frames),
            "dropped": doing.stats.dropped + doing.skipped,
            "open": doing.open,
        }

    def _rate(self, name: str, frames: int) -> float | None:
        now_s = time.monotonic()
        with self._lock:
            counted = self._counted.setdefault(name, [])
            counted.append((now_s, frames))
            recent = [one for one in counted if now_s - one[0] <= _RATE_S]
            self._counted[name] = recent
        first_s, first = recent[0]
        if now_s - first_s < _LEAST_S or frames < max(first, 1):
            return None
        return round((frames - first) / (now_s - first_s), 1)

    def _stored(self, store: Reader, place: Place) -> CameraNow:
        run = store.last_run()
        sources = store.sources(run.id) if run is not None else []
        if run is None or not sources:
            return _empty(place.name)
        source = sources[-1]
        seen_us = _seen_us(source)
        doing = _doing(run, place.folder)
        return CameraNow(
            name=place.name,
            camera=source.camera,
            uri=source.uri,
            doing=doing,
            fault=_open_fault(store, run) if doing == "elsewhere" else "",
            detail="",
            live=False,
            seen_us=seen_us,
            age_s=None,
            frames=sum(one.frames for one in sources),
            fps=None,
            dropped=None,
            open=_count(store, "state != 'closed'"),
            today=_count(store, "muted = '' AND start_us >= ?", _midnight_us()),
            promise=self._promise(store, run),
            calibration=_calibration(store, run),
            blind=_blind(store, run, seen_us),
            still=_still(store),
        )

    def _promise(self, store: Reader, run: Run) -> str:
        """What is kept of the promise, read anew when that was learned anew."""
        if "promise" in run.facts and run.state != "running":
            return str(run.facts["promise"])
        asked = run.settings.get("false_events")
        if not asked or run.settings.get("bar") is not None:
            return ""
        folder = detector_of(store, run)
        paths = [path for path in (store.folder / PROMISE, folder / PROMISE) if path.exists()]
        key = (asked, *((path, path.stat().st_mtime_ns) for path in paths))
        if key not in self._promises:
            self._promises[key] = _kept(paths, folder, asked)
        return self._promises[key]


def fault(gap: Gap) -> str:
    """Why a camera is blind, in a few words."""
    return _FAULTS.get(gap.reason) or gap.reason


_FAULTS = {
    "stalled": "no picture comes",
    "waiting": "waits for a whole picture",
    "ended": "connection lost",
    "refused": "connection refused",
    "unreachable": "cannot be reached",
    "not found": "nothing at its address",
    "auth": "login refused",
    "timeout": "no answer",
    "codec": "cannot be decoded",
    "crashed": "reader failed",
    "size": "pictures of another size",
    "damaged": "damaged pictures",
    "moved": "camera moved",
}


def _steered(now: CameraNow, state: CameraState) -> CameraNow:
    """A camera of a site that is not connected."""
    fault = _TROUBLES.get(state.doing, "")
    return replace(
        now,
        doing=state.doing,
        fault=fault,
        detail=state.why if fault else "",
        steered=True,
        resumes_us=state.resumes_us,
    )


_TROUBLES = {"unreachable": "cannot be reached", "failed": "its watch fails"}


def _empty(name: str) -> CameraNow:
    return CameraNow(
        name, name, "", "empty", "", "", live=False, seen_us=None, age_s=None, frames=0, fps=None,
        dropped=None, open=0, today=0, promise="", calibration="", blind=(), still="",
    )  # fmt: skip


def _doing(run: Run, folder: Path) -> str:
    if run.state == "running":
        return "elsewhere" if _is_written(folder) else "stopped"
    return "finished" if run.state == "finished" else "stopped"


def _is_written(folder: Path) -> bool:
    """Whether a process lives that writes there; its lock is not touched."""
    try:
        os.kill(int((folder / HOLDER).read_text()), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _open_fault(store: Reader, run: Run) -> str:
    row = store.db.execute(
        "SELECT reason, detail FROM gap WHERE run_id = ? AND end_us IS NULL"
        " ORDER BY start_us DESC LIMIT 1",
        (run.id,),
    ).fetchone()
    return "" if row is None else fault(Gap(0, None, row["reason"]))


def _seen_us(source: SourceProgress) -> int | None:
    return None if source.start_us is None else source.start_us + round(source.seen_s * 1e6)


def _count(store: Reader, where: str, *values: int) -> int:
    return store.db.execute(
        f"SELECT count(*) FROM event WHERE {where}",  # noqa: S608 - our own terms
        values,
    ).fetchone()[0]


def _midnight_us() -> int:
    now = local(now_us())
    return round(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1e6)


def _kept(paths: Sequence[Path], folder: Path, asked: str) -> str:
    evidence = None
    # Where the detector lies no more, only this sentence is missing.
    with suppress(NomalyError):
        for path in paths:
            evidence = evidence or read_evidence(path, folder, lambda _: None)
        tails = evidence.tails() if evidence is not None else []
        if tails:
            return told(keep(Promise.parse(asked), tails, 1.0))
    return f"False events: {asked} is promised, and not shown yet."


def _calibration(store: Reader, run: Run) -> str:
    try:
        created = read_json(detector_of(store, run) / CALIBRATION, CARD_BYTES).get("created", "")
    except (OSError, ValueError, NomalyError):
        return "Not calibrated: names are told by what is usual anywhere."
    row = store.db.execute(
        "SELECT said FROM event WHERE kind = 'camera' AND name = ? ORDER BY start_us DESC LIMIT 1",
        (VOID,),
    ).fetchone()
    return f"Calibrated {_told_day(created)}." + (f" {row['said']}" if row is not None else "")


def _told_day(written: object) -> str:
    """A moment of a file, for people; as it stands there if it is none."""
    try:
        return f"on {datetime.fromisoformat(str(written)).astimezone():%Y-%m-%d at %H:%M}"
    except ValueError:
        return str(written)


def _blind(store: Reader, run: Run, seen_us: int | None) -> tuple[Blind, ...]:
    """Blind times of the last day before the newest frame, or that still last."""
    until_us = seen_us or 0
    since_us = until_us - DAY_US
    rows = store.db.execute(
        "SELECT reason, count(*) AS number, sum(min(coalesce(end_us, ?), ?) - max(start_us, ?))"
        " AS length_us FROM gap WHERE run_id = ? AND coalesce(end_us, ?) > ? AND start_us < ?"
        " GROUP BY reason ORDER BY length_us DESC",
        (until_us, until_us, since_us, run.id, until_us + 1, since_us, until_us + 1),
    ).fetchall()
    return tuple(
        Blind(
            fault(Gap(0, None, row["reason"])),
            row["number"],
            round(max(row["length_us"], 0) / 1e6, 1),
        )
        for row in rows
    )


def _still(store: Reader) -> str:
    row = store.db.execute("SELECT id FROM event ORDER BY start_us DESC LIMIT 1").fetchone()
    return "" if row is None else row["id"]
