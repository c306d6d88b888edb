"""One camera with what looks at it, what names and what keeps: the same for files and live."""

import math
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from app.events.bets import Bet
from app.events.checkpoint import Checkpoint
from app.events.event import Finding
from app.feedback.heeding import Heeding
from app.sources.base import Gap
from app.watching.camera import Camera
from app.watching.drifting import Drifting, Watched
from app.watching.gate import MotionGate
from app.watching.holding import Holding
from app.watching.moves import Moves
from app.watching.nameless import Nameless
from app.watching.naming import Teller
from app.watching.recorder import Recorder
from detectors.base import AnomalyMaps
from detectors.types import Frame, Pixels


class Detects(Protocol):
    """Whatever maps frames; a fitted `detectors.base.Detector` does."""

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        """Map what is unusual in B images, RGB uint8 [H, W, 3]."""
        ...


class Lookout:
    """Takes the frames of one camera through all steps."""

    def __init__(
        self,
        camera: Camera,
        detector: Detects,
        teller: Teller,
        recorder: Recorder,
        gate: MotionGate | None = None,
        heeding: Heeding | None = None,
    ) -> None:
        """Put together what was made for this camera.

        Without a gate every frame is looked at, without `heeding` everything is told.
        """
        self.camera = camera
        self.recorder = recorder
        self.frames = 0
        """Frames that were looked at, or left out because they show nothing new."""
        self.detector_s = 0.0
        """Wall time that the detector took, in seconds."""
        self._detector = detector
        self._teller = teller
        self._gate = gate
        self._heeding = heeding
        self._moves = Moves()
        self.nameless: Nameless | None = None
        """What an earlier session left without a name; None for nothing."""
        self.drifting: Drifting | None = None
        """What notices that the camera's calibration no longer holds; None where it has none."""

    def hold(self, holding: Holding | None, bets: Sequence[Bet], watched: Watched) -> None:
        """Notice from now on when a calibration no longer holds.

        Args:
            holding: The camera's; None if it has none.
            bets: All that were made against it before.
            watched: What is looked at.
        """
        if holding is None or holding.sampling is None:
            return
        holding.recall(bets)
        self.drifting = Drifting(holding, holding.sampling, watched, self._teller.aside, bets)

    def look(self, frames: Sequence[Frame]) -> None:
        """Detect, follow and count.

        Args:
            frames: RGB uint8 [H, W, 3], later than all before them.

        Raises:
            detectors.base.DetectorError: If the detector cannot look at them; nothing of them was
                followed or counted then.
        """
        if self._same_again(frames):
            self.recorder.watched(frames, self.camera.pass_over(frames))
            self.frames += len(frames)
            return
        admitted = self.camera.admit(frames)
        if not admitted:
            if self._gate is not None:
                self._gate.forget()
            return
        began = time.monotonic()
        maps = self._detector.detect([frame.image for frame in admitted]).maps
        self.detector_s += time.monotonic() - began
        peaks = self.camera.follow(admitted, maps)
        self.recorder.watched(admitted, peaks)
        if self.drifting is not None:
            self.drifting.see(admitted, maps, peaks, self.camera.where)
        self.frames += len(admitted)

    def _same_again(self, frames: Sequence[Frame]) -> bool:
        """Whether none of the frames shows anything new."""
        if self._gate is None:
            return False
        at_rest = self.camera.at_rest
        # All are asked, so that the gate knows each.
        closed = [self._gate.closed(frame, at_rest=at_rest) for frame in frames]
        return all(closed) and bool(closed)

    def findings(self, *, flush: bool = False) -> list[Finding]:
        """Events that changed and were named since the last call, in the order to tell them.

        Args:
            flush: Whether those of all tracks that have ended, however few they are.
        """
        if flush:
            self.camera.flush()
        heeded = self._heeded(self._teller.findings(self.camera))
        if self.nameless is not None:
            heeded += self._named_late(self.nameless)
        return heeded if self.drifting is None else [*heeded, *self.drifting.findings()]

    def _named_late(self, nameless: Nameless) -> list[Finding]:
        """What an earlier session left without a name and is named by now, as it is heeded."""
        found = nameless.findings(self._teller)
        return found if self._heeding is None else self._heeding.heeded(found)

    def finish(
        self, *, cut: bool = False, goes_on: bool = False, within_s: float = math.inf
    ) -> list[Finding]:
        """End all tracks, and name what they were.

        Args:
            cut: Whether the run stops here although the source goes on.
            goes_on: See `Camera.finish`.
            within_s: See `Teller.last`.
        """
        self.camera.finish(cut=cut, goes_on=goes_on)
        left = self._heeded(self._teller.last(self.camera, within_s))
        if self.drifting is None:
            return left
        return [*left, *self.drifting.last(cut=cut, wait=math.isinf(within_s))]

    def _heeded(self, findings: list[Finding]) -> list[Finding]:
        """The same, joined where a thing has moved, and marked where they are not to be told."""
        linked = self._moves.linked(findings)
        return linked if self._heeding is None else self._heeding.heeded(linked)

    def save(
        self,
        findings: Sequence[Finding],
        *,
        checkpoint: Checkpoint | None = None,
        gaps: Iterable[Gap] = (),
    ) -> None:
        """Keep what is new; see `Recorder.save`.

        Args:
            findings: Events that changed.
            checkpoint: What is being followed now, if the source is to be taken up from here.
            gaps: The source's own; the camera's are added.
        """
        drifting = self.drifting
        self.recorder.save(
            findings,
            checkpoint=checkpoint,
            gaps=[*gaps, *self.camera.gaps],
            lasting=[*self.camera.lasting, *([] if drifting is None else drifting.lasting)],
            moments=self.camera.take_moments(),
            traces=self.camera.take_traces(whole=checkpoint is not None),
            bets=[] if drifting is None else drifting.take_bets(),
        )
