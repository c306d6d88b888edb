"""What a watch is told."""

from dataclasses import dataclass, field

from app.events.life import LifeRule
from app.events.retention import RetentionRule
from app.watching.clip_rule import ClipRule
from app.watching.request import RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest(RunRequest):
    """What to watch and how."""

    source: str
    """A webcam's number, an rtsp:// or http:// address, or a file that plays at its own pace."""
    learn_s: float | None = None
    """The first seconds show nothing unusual."""
    connect_s: float = 30.0
    """How long to wait for the first frame."""
    for_s: float | None = None
    """Stop by itself after so many seconds of watching."""
    heartbeat_s: float | None = None
    """Pause between signs of life; see `app.watching.telling.Telling`."""
    clips: ClipRule | None = None
    """How long the clips of events are; None for none."""
    life: LifeRule = field(default_factory=LifeRule)
    """When a thing counts as standing."""
    retention: RetentionRule | None = None
    """How much is kept while it goes on; None for all."""
