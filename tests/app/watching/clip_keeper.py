"""A camera whose events a test makes up, with what makes and notes their clips."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.events.event import Event, Finding
from app.events.store import Store
from app.progress import Reporter
from app.sources.live import LiveCamera
from app.watching.clip_rule import ClipRule
from app.watching.clips import Clips
from app.watching.telling import Telling
from detectors.types import Frame
from tests.app.events.findings import a_finding, changes
from tests.peers.consumer import wait_for

RULE = ClipRule(before_s=1.0, after_s=0.4, longest_s=20.0)


@dataclass
class Keeper:
    """What keeps clips, and what was heard of them."""

    out: Path
    camera: LiveCamera
    clips: Clips
    run_id: int
    told: list[dict[str, Any]]
    said: list[str]
    frames: list[Frame] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def sees(self, more: int) -> None:
        """Wait for so many more frames."""
        wanted = len(self.frames) + more
        wait_for(f"{more} more frames", lambda: len(self.frames) >= wanted)

    def opens(self, number: int = 0, frames_ago: int = 1) -> Event:
        """An event opens that was first seen some frames ago."""
        event = replace(
            a_finding(number).event,
            state="opened",
            video="",
            start_us=self.frames[-frames_ago].time_us,
        )
        self._tell(event)
        return event

    def closes(self, event: Event) -> None:
        """An event is over."""
        self._tell(replace(event, state="closed", end_us=self.frames[-1].time_us))

    def has_clip(self, event: Event) -> Event:
        """Wait for an event's clip; the event as it is stored then."""
        wait_for("the clip", lambda: any(one["id"] == event.id for one in self.told))
        return self.stored(event)

    def stored(self, event: Event) -> Event:
        """The event as the store has it."""
        with Store(self.out) as store:
            found = store.event(event.id)
        assert found is not None
        return found

    def look(self) -> None:
        """Pass on what the camera shows, until the test is over."""
        for frame in self.camera.frames(0.1):
            if self.stop.is_set():
                return
            if frame is not None:
                self.clips.see(frame)
                self.frames.append(frame)

    def _tell(self, event: Event) -> None:
        with Store(self.out) as store:
            store.save(self.run_id, changes(Finding(event, None, ())))
        self.clips.heed([Finding(event, None, ())])


@contextmanager
def keeper(url: str, out: Path, rule: ClipRule | None = RULE) -> Iterator[Keeper]:
    """Watch a camera, and keep the clips of what the test makes up."""
    told: list[dict[str, Any]] = []
    said: list[str] = []
    with Store(out) as store:
        run_id = store.begin_run("watch", {}).id
    camera = LiveCamera(url, "gate", 10.0, ring_s=rule.ring_s if rule else 0.0)
    try:
        camera.connect(15)
        telling = Telling(camera, Reporter(), told.append, heartbeat_s=0)
        one = Keeper(
            out, camera, Clips(out, camera, rule, said.append, telling), run_id, told, said
        )
        looking = threading.Thread(target=one.look, daemon=True)
        looking.start()
        yield one
        one.stop.set()
        looking.join()
        one.clips.finish()
    finally:
        camera.close()
