"""How much of a store is kept, and what went of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.events.media_files import MediaFile


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How much is kept."""

    days: float | None = 30.0
    """What ended longer ago goes; None for never."""
    gigabytes: float | None = 50.0
    """Bytes in 10^9 that pictures, clips and the database may take together; None for any."""
    keep_confirmed: bool = True
    """Whether an event that people confirmed is kept like one that they asked to be kept."""

    def __post_init__(self) -> None:
        for name, value in (("days", self.days), ("gigabytes", self.gigabytes)):
            if value is not None and not value > 0:
                raise UsageError(
                    f"{name} to keep: {value:g} is not more than 0; name none to keep all"
                )


@dataclass(frozen=True, slots=True)
class Retained:
    """What went, or would go, of one store."""

    folder: Path
    events: int = 0
    """That are deleted whole."""
    rows: int = 0
    """Besides: seconds, moments, gaps and notes; those of the events are not counted."""
    files: dict[str, int] = field(default_factory=dict)
    """Pictures and clips, by kind."""
    file_bytes: int = 0
    oldest_us: int | None = None
    """When the oldest event began of which something goes, UTC in microseconds."""
    newest_us: int | None = None
    kept: int = 0
    """Too old events that stay because people asked for it."""
    waiting: int = 0
    """... and those of which a sink was not told yet."""
    bytes_left: int = 0
    """What pictures, clips and the database take afterwards, as far as is known."""
    over_bytes: int = 0
    """How much of that is still beyond the rule, since nothing more may go."""
    longest_s: float = 0.0
    """How long the database was held at most."""

    @property
    def nothing(self) -> bool:
        """Whether nothing goes."""
        return not (self.events or self.rows or self.files)

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        values = asdict(self) | {"folder": str(self.folder)}
        return values | {"longest_s": round(self.longest_s, 4)}

    def with_files(self, gone: Sequence[MediaFile]) -> "Retained":
        """The same with files besides."""
        files = dict(self.files)
        for one in gone:
            files[one.kind] = files.get(one.kind, 0) + 1
        size = self.file_bytes + sum(one.size for one in gone)
        return replace(self, files=files, file_bytes=size)._between([one.start_us for one in gone])

    def with_events(self, starts_us: Sequence[int]) -> "Retained":
        """The same with events besides, by when they began."""
        return replace(self, events=self.events + len(starts_us))._between(starts_us)

    def held(self, seconds: float) -> "Retained":
        """The same, the database once held for so long."""
        return replace(self, longest_s=max(self.longest_s, seconds))

    def _between(self, starts_us: Sequence[int]) -> "Retained":
        known = [one for one in (self.oldest_us, self.newest_us, *starts_us) if one is not None]
        return replace(self, oldest_us=min(known), newest_us=max(known)) if known else self
