"""Notices while a camera runs that its calibration no longer holds.

Now and then a crop of what the camera usually shows is taken, as `nomaly calibrate` took its own
(`app.watching.sampling`), named beside the frames, and bet on (`app.watching.holding`). That a
calibration is void is told as an event of the camera: it opens when that is sure, and closes where
the recording or the run ends, as nothing but another calibration ends it.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.events.bets import Bet
from app.events.event import VOID, Event, Finding, Lasting, Picture, event_id
from app.events.media import SNAPSHOT_SIDE
from app.watching.best import at_most
from app.watching.holding import Holding, Sampling
from app.watching.namer import vote
from app.watching.sampling import Crop, Sampler
from detectors.types import Box, Frame
from detectors.zones import Zones
from novic.vocabulary import Naming

LIVE, RECORDED = 4.0, 1.0
"""Crops a minute that are bet on, on average: of a recording fewer, as they hold up its frames."""
MOST_ASKED = 8
"""Frames whose crops may wait for their names; while so many wait none is taken."""

type Aside = Callable[[Sequence[Picture]], Future[Mapping[Picture, tuple[Naming, ...]]]]
"""Names pictures, at once or beside the frames."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    frame: Frame
    crops: Sequence[Crop]
    light: float
    named: Future[Mapping[Picture, tuple[Naming, ...]]]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched."""

    uri: str
    video: str = ""
    """The file, if it is one; empty for a live camera."""
    zones: Zones = field(default_factory=Zones)
    seen_s: float = -math.inf
    """Up to here it was looked at before, seconds from its start."""


class Drifting:
    """Holds what one source shows against its camera's calibration."""

    def __init__(
        self,
        holding: Holding,
        sampling: Sampling,
        watched: Watched,
        aside: Aside,
        bets: Sequence[Bet],
    ) -> None:
        """Go on from what was bet before.

        Args:
            holding: The calibration; it knows those bets.
            sampling: How its crops were taken.
            watched: The source.
            aside: Names crops.
            bets: All that were made against it.
        """
        self._holding, self._watched, self._aside = holding, watched, aside
        taken = [(one.at_s, one.place) for one in bets if one.uri == watched.uri]
        share = sampling.share(RECORDED if watched.video else LIVE)
        self._sampler = Sampler(sampling.every_s, share, taken, watched.seen_s)
        self._asked: deque[_Asked] = deque()
        self._bets: list[Bet] = []
        self._void: Finding | None = None
        """That it is void, once this source has shown it."""
        self._untold = False
        """Whether it was void before, and is to be told as going on."""

    @property
    def lasting(self) -> list[Lasting]:
        """How far the event has come that tells that it is void, if it is open."""
        if self._void is None:
            return []
        one = self._void.event
        return [Lasting(one.id, one.end_s, one.end_us, one.score, one.frames)]

    def see(
        self,
        frames: Sequence[Frame],
        maps: NDArray[np.float32],
        peaks: NDArray[np.float32],
        followed: Sequence[Sequence[Box]],
    ) -> None:
        """Take frames that were looked at.

        Args:
            frames: B frames, laid on the learned view.
            maps: Their maps [B, h, w], not divided.
            peaks: [B], NaN where nothing can be seen in the frame, or where it was seen before.
            followed: Where things were in each of them that are followed, whether they were told
                or not, pixels of the view [B].
        """
        self._last(frames[-1])
        for frame, heat, peak, things in zip(frames, maps, peaks, followed, strict=True):
            if np.isnan(peak) or self._holding.said or not self._sampler.due(frame.pts_s):
                continue
            if len(self._asked) >= MOST_ASKED:
                continue
            mask = self._watched.zones.grid((heat.shape[0], heat.shape[1]))
            crops = self._sampler.crops(frame, np.where(mask, heat, np.float32(0)), things)
            if crops:
                light = float(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).mean())
                named = self._aside([one.picture for one in crops])
                self._asked.append(_Asked(frame, crops, light, named))

    def findings(self, *, wait: bool = False) -> list[Finding]:
        """Bet on what has been named by now.

        Args:
            wait: Whether to wait for the names of all that was taken.

        Returns:
            The event that tells that the calibration is void, where it opens.
        """
        told: list[Finding] = []
        if self._untold and self._void is not None:
            self._untold = False
            told.append(self._void)
        while self._asked and (wait or self._asked[0].named.done()):
            told += self._bet(self._asked.popleft())
        return told

    def last(self, *, cut: bool = False, wait: bool = True) -> list[Finding]:
        """The same at the end of the source or the run, with the event closed.

        Args:
            cut: Whether the run stops here although the source goes on.
            wait: Whether to wait for names; a bet whose name is not there is left out otherwise.
        """
        told = self.findings(wait=wait)
        if self._void is not None:
            event = replace(self._void.event, state="closed", cut=cut)
            told.append(replace(self._void, event=event))
            self._void = None
        return told

    def take_bets(self) -> list[Bet]:
        """Bets that were made since this was asked last."""
        bets, self._bets = self._bets, []
        return bets

    def _bet(self, asked: _Asked) -> list[Finding]:
        named = asked.named.result()
        for crop in asked.crops:
            vector = vote({crop.picture: named[crop.picture]}).vector
            distance = None if vector is None else self._holding.distance(vector)
            if self._holding.said:
                break
            # Its place of this minute is taken all the same, also for who goes on from here.
            distance = math.inf if distance is None else distance
            uri, key = self._watched.uri, self._holding.key
            bet = Bet(uri, key, crop.at_s, crop.time_us, crop.place, distance, asked.light)
            self._bets.append(bet)
            if self._holding.bet(bet):
                self._void = self._finding(asked.frame)
                return [self._void]
        return []

    def _last(self, frame: Frame) -> None:
        """Note the newest frame: what is void lasts, also from a session before."""
        before = self._holding.noticed
        if self._void is None and before is not None and before.uri == self._watched.uri:
            shown = replace(frame, pts_s=before.at_s, time_us=before.time_us)
            # Its picture was kept when it was told first.
            self._void, self._untold = replace(self._finding(shown), picture=None), True
        if self._void is not None:
            event = self._void.event
            end_us = max(event.end_us, frame.time_us)
            self._void = replace(self._void, event=replace(event, end_s=frame.pts_s, end_us=end_us))

    def _finding(self, frame: Frame) -> Finding:
        """That it is void, told when that is sure."""
        void = self._holding.void
        since_us = frame.time_us if void is None else void.since_us
        since_s = self._holding.since(self._watched.uri)
        size = frame.image.shape[0], frame.image.shape[1]
        whole = Box(0, 0, size[1], size[0])
        event = Event(
            id=event_id(frame.camera, since_us, VOID),
            camera=frame.camera,
            state="opened",
            start_s=frame.pts_s if since_s is None else since_s,
            end_s=frame.pts_s,
            start_us=since_us,
            end_us=max(since_us, frame.time_us),
            box=whole,
            frame_size=size,
            score=0.0,
            frames=1,
            video=self._watched.video,
            snapshot_s=frame.pts_s,
            kind="camera",
            name=VOID,
            said=self._holding.sentence,
        )
        shown, nothing = at_most(frame.image, SNAPSHOT_SIDE), np.zeros((1, 1), np.float32)
        return Finding(event, Picture(frame.pts_s, whole, size, (), shown, nothing, 1.0), ())
