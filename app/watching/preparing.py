"""What an audit judges by, before it looks: its detector, and what keeps the promise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from app.errors import UsageError
from app.progress import Reporter
from app.sources.joined import Recorded
from app.watching.audit_request import AuditRequest
from app.watching.blurring import People
from app.watching.calibrating import Following, Footage, measured, tolerant
from app.watching.fitting import fit_detector
from app.watching.keeper import Keeper, keeper_of, told
from app.watching.learning import learned
from app.watching.normal import normal_frames
from detectors.base import Detector
from detectors.build import load_detector
from detectors.files import PROMISE


@dataclass(frozen=True, slots=True)
class Preparing:
    """How one audit gets ready to look."""

    request: AuditRequest
    recorded: Sequence[Recorded]
    """What is audited; its first part may be what is normal."""
    reporter: Reporter
    check: Callable[[], None]
    """Called often; raises to end it."""
    people: People | None
    """What hides people in what is kept."""

    def detector(self, device: torch.device) -> Detector:
        """The detector asked for, or the one of the run that was stopped, or a new one.

        Raises:
            UsageError: If there is nothing to learn from.
            app.sources.base.SourceError: If the normal footage cannot be read.
            detectors.base.DetectorError: If it cannot be fitted or loaded.
        """
        kept = self.request.kept_detector
        if self.request.detector is not None:
            return load_detector(self.request.detector, device)
        if kept.exists():
            return load_detector(kept, device)
        normal = self._normal_footage()
        frames = normal_frames(
            normal.videos,
            normal.for_s,
            self.reporter,
            self.check,
            normal.from_s,
            normal.assume_fps,
        )
        if not frames:
            raise UsageError(f"{normal.videos[0]}: holds no normal footage to learn from")
        config, reporter, check = self.request.detector_config, self.reporter, self.check
        detector = learned(
            frames,
            lambda: fit_detector(config, frames, device, reporter, check),
            lambda fitted: tolerant(fitted, normal, reporter, check),
            self.request.out,
            reporter,
            self.people,
        )
        detector.save(kept)
        return detector

    def keeper(self, detector: Detector) -> Keeper:
        """What keeps the promise, by all that the normal footage shows."""
        request, say = self.request, self.reporter.say
        folder = request.detector or request.kept_detector
        fresh = request.detector is None and not (folder / PROMISE).exists()
        if fresh:
            measured(
                detector,
                folder,
                self._normal_footage(),
                request.promise,
                self.reporter,
                self.check,
                Following(request.rule, request.zones),
            )
        keeper = keeper_of(
            detector, folder, request.promise, say, rule=request.rule, bar=request.bar
        )
        if not fresh:
            say(told(keeper.kept))
        return keeper

    def _normal_footage(self) -> Footage:
        request, stretch = self.request, self.request.normal_stretch
        videos = request.normal or (self.recorded[0].parts[0].path,)
        from_s, for_s = (stretch.from_s, stretch.for_s) if stretch else (0.0, None)
        return Footage(videos, from_s, for_s, request.fps, request.assume_fps)
