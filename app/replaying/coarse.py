"""What would have rung where no frames are kept: by levels and boxes alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.events.event import Event
from app.events.reading import Run, StoreReader
from app.replaying.masking import watched_share
from app.replaying.outcome import Different, of_moment
from app.replaying.rings import NEAR, Asked

_BARE = "only how far it was from ringing was kept"
_EDGE = "it lies at the edge of what is watched, and its frames were not kept"

_ENOUGH = 0.25
"""Of a box, which mostly is enough to ring by."""


@dataclass(slots=True)
class Coarse:
    """What would have been."""

    lost: dict[str, str] = field(default_factory=dict)
    """Ids of events that would not have rung; why that is uncertain, or nothing."""
    new: list[Different] = field(default_factory=list)


def coarse(
    store: StoreReader,
    run: Run,
    events: Sequence[Event],
    asked: Asked,
    since_us: int,
    known: Sequence[tuple[int, int]],
) -> Coarse:
    """Judge by what every store keeps.

    Args:
        store: That holds the run.
        run: Of which it is.
        events: Those of which no frames are kept.
        asked: What would be otherwise.
        since_us: From where on, UTC in microseconds.
        known: When frames are kept, (from, to) in UTC microseconds.
    """
    told = Coarse()
    for event in events:
        why = _lost(store, event, asked)
        if why is not None:
            told.lost[event.id] = why
    if asked.bar is None:
        return told
    size = next((one.size for one in store.sources(run.id)), (1, 1))
    for one in store.moments(run.id, since_us, 2**62):
        seen = any(start <= one.end_us and one.start_us <= end for start, end in known)
        if not seen and one.why == "bar" and one.level >= asked.bar:
            said = f"the bar would be {asked.bar:.3g}"
            told.new.append(of_moment(store.folder, one, size, said))
    return told


def _lost(store: StoreReader, event: Event, asked: Asked) -> str | None:
    """Why it is uncertain that an event is lost, or nothing if it is sure; None if it is not."""
    if asked.bar is not None and event.level is not None and event.level < asked.bar:
        return _BARE if event.level * NEAR >= asked.bar else ""
    if asked.zones is None:
        return None
    path = store.sightings(event.id) or [(event.start_s, event.box, event.score)]
    shares = [watched_share(asked.zones, box, event.frame_size) for _, box, _ in path]
    share = sum(shares) / len(shares)
    if share >= _ENOUGH:
        return None
    return _EDGE if share > 0 else ""
