"""The lives of the events of one camera: what stands is told once, and held until it has gone.

The tracker ends what it did not see for two seconds. What has stood for long deserves more: people
walk in front of it, the light changes, the night comes. It is held as long as its place is unusual,
hidden or not to be judged, and has gone once the place was seen as usual for a while.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, EventState
from app.events.life import LifeRule
from detectors.track import Track, is_there
from detectors.tracks import TrackChanges
from detectors.types import Box, Frame

STILL_UNUSUAL = 0.9
"""A place whose map reaches this somewhere is not as usual again; 1.0 is just unusual."""
BLIND_S = 2.0
"""After so long without a frame it is asked anew whether a place is as usual, ..."""
_PACE = 2.0
"""... unless frames come as slowly anyway, but for so many times."""
JUMP = 1.5
"""Something else happens at a thing that scores so many times what it did, ..."""
LASTS_S = 2.0
"""... or that is seen elsewhere, for so long."""
LATELY_S = 60.0
"""What comes so soon into the place of what stood there, and was seen to go, is that itself."""


@dataclass(slots=True)
class _Stand:
    """A thing that stands."""

    place: Box
    """Pixels of the view."""
    since_us: int
    highest: float
    """Of its scores so far."""
    reminders: int = 0
    other_s: float | None = None
    """Since when it moves, or something else happens at it."""
    usual_s: float | None = None
    """Since when its place is seen as usual."""


class Lives:
    """Which things stand."""

    def __init__(self, rule: LifeRule | None = None) -> None:
        """Begin with none."""
        self._rule = rule or LifeRule()
        self._stands: dict[Track, _Stand] = {}
        self._gone: dict[Track, _Stand] = {}
        """What was told to stand no longer."""
        self._since_s: dict[Track, float] = {}
        """From when on it is counted how long a thing stands that was told to be open again."""
        self._seen_s: float | None = None
        self._pace_s = 0.0
        """From the frame before to the newest one."""

    def expect(self, track: Track, event: Event) -> None:
        """Go on with an event as an earlier session left it."""
        if event.state == "stationary" and event.still_us is not None:
            self._stands[track] = _Stand(track.box, event.still_us, event.score, event.reminders)

    def stands(self, track: Track) -> bool:
        """Whether it was told that its thing stands."""
        return track in self._stands

    def marked(self, event: Event, track: Track) -> Event:
        """The event of a track with what is known of its standing."""
        stand = self._stands.get(track)
        if stand is None:
            return replace(event, still_us=None, reminders=0)
        return replace(event, still_us=stand.since_us, reminders=stand.reminders)

    def hold(
        self, frame: Frame, heat: NDArray[np.float32], bar: float, *, unsure: bool = False
    ) -> None:
        """Hold what stands and is still there, before the frame is followed.

        Args:
            frame: On the view, in which something can be seen.
            heat: Its anomaly map [h, w], 1.0 where just unusual, with nothing taken out.
            bar: What the map is divided by.
            unsure: Whether the picture as a whole is not as it was, so that nothing is told by it.
        """
        passed_s = 0.0 if self._seen_s is None else frame.pts_s - self._seen_s
        blind = self._seen_s is None or passed_s > max(BLIND_S, _PACE * self._pace_s)
        self._seen_s, self._pace_s = frame.pts_s, passed_s
        for track, stand in self._stands.items():
            if blind:
                stand.usual_s = None
            if unsure or _peak(heat, stand.place, frame) >= STILL_UNUSUAL * bar:
                stand.usual_s = None
            elif stand.usual_s is None:
                stand.usual_s = frame.pts_s
            if stand.usual_s is None or frame.pts_s - stand.usual_s < self._rule.normal_s:
                # As if another hid it; one that is awaited is waited for on.
                track.alive_s = frame.pts_s

    def put_right(self, frame: Frame, changes: TrackChanges) -> list[tuple[Track, Track]]:
        """Give what stands its event back where that went on with somebody who walked by.

        Args:
            frame: The one that was followed.
            changes: What it changed; sightings change hands, too.

        Returns:
            What stands, and who walked by: a track that just opened and has new pictures.
        """
        exchanged = [(self._heir_of(new, frame), new) for new in changes.opened]
        put_right = [(old, new) for old, new in exchanged if old is not None]
        for old, new in put_right:
            stand = self._stands.get(old) or self._gone.pop(old)
            old.exchange(new, stand.other_s or frame.pts_s)
            stand.other_s = None
            hands = {old: new, new: old}
            changes.seen = [(hands.get(track, track), shown) for track, shown in changes.seen]
        return put_right

    def _heir_of(self, new: Track, frame: Frame) -> Track | None:
        """Which track stood where a new one is, and was seen elsewhere since not long ago."""
        for track, stand in {**self._gone, **self._stands}.items():
            lately = stand.other_s is not None and frame.pts_s - stand.other_s <= LATELY_S
            if lately and is_there(stand.place, new.box) and not is_there(stand.place, track.box):
                return track
        return None

    def news(self, frame: Frame, tracks: Sequence[Track]) -> list[tuple[Track, EventState]]:
        """What is to be told of open tracks, once the frame was followed."""
        self._forget(tracks)
        told: list[tuple[Track, EventState]] = []
        for track in tracks:
            state = self._state(track, frame) if track.opened else None
            if state is not None:
                told.append((track, state))
        return told

    def staying(self, tracks: Iterable[Track]) -> set[Track]:
        """Those of the tracks whose things stand, and so are still there when others look again."""
        return {track for track in tracks if track in self._stands}

    def _state(self, track: Track, frame: Frame) -> EventState | None:
        stand = self._stands.get(track)
        if stand is None:
            return "stationary" if self._settled(track, frame) else None
        if self._something_else(track, stand, frame.pts_s):
            self._gone[track] = self._stands.pop(track)
            self._since_s[track] = frame.pts_s
            return "updated"
        every_us = round(1e6 * self._rule.reminder_s)
        if every_us and frame.time_us - stand.since_us >= every_us * (stand.reminders + 1):
            # Those that nobody could tell while nobody looked are not made up for.
            stand.reminders = (frame.time_us - stand.since_us) // every_us
            return "stationary"
        return None

    def _settled(self, track: Track, frame: Frame) -> bool:
        """Note that a thing has stood for long enough; returns whether it has, just now."""
        since_s = max(track.still_s, self._since_s.get(track, track.still_s))
        if not self._rule.stationary_s or track.rest is None or track.end_s < frame.pts_s:
            return False
        if frame.pts_s - since_s < self._rule.stationary_s:
            return False
        since_us = frame.time_us - round(1e6 * (frame.pts_s - track.still_s))
        self._stands[track] = _Stand(track.rest, since_us, track.peak)
        return True

    def _something_else(self, track: Track, stand: _Stand, now_s: float) -> bool:
        if track.end_s < now_s:
            # It is not seen just now.
            return False
        score = track.path[-1][2]
        if is_there(stand.place, track.box) and score < JUMP * stand.highest:
            stand.other_s, stand.highest = None, max(stand.highest, score)
            return False
        stand.other_s = now_s if stand.other_s is None else stand.other_s
        return now_s - stand.other_s >= LASTS_S

    def _forget(self, tracks: Sequence[Track]) -> None:
        """Forget what has ended."""
        here = {*tracks}
        for kept in (self._stands, self._gone, self._since_s):
            for track in [one for one in kept if one not in here]:
                del kept[track]


def _peak(heat: NDArray[np.float32], place: Box, frame: Frame) -> float:
    """The highest value of a map [h, w] in a place of the frame."""
    rows, columns = heat.shape
    down, across = rows / frame.image.shape[0], columns / frame.image.shape[1]
    top, left = max(int(place.y1 * down), 0), max(int(place.x1 * across), 0)
    part = heat[
        top : max(round(place.y2 * down), top + 1), left : max(round(place.x2 * across), left + 1)
    ]
    return float(part.max(initial=0.0))
