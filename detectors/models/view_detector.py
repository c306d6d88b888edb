"""What every detector of one view has in common: the fit, the threshold, what is saved."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from detectors.base import NOT_LEARNED, DetectorError, Progress
from detectors.configs import ViewConfig
from detectors.files import write_folder
from detectors.frames import check_view, checked_size, stacked
from detectors.learned import LearnedView
from detectors.maps import blur
from detectors.normal import Part, normal_size, split_normal
from detectors.scaling import resized
from detectors.tails import checked_threshold
from detectors.tolerance import checked_tolerance, usual
from detectors.types import Pixels

LEAST_THRESHOLD = 1e-6
"""Of a view that never changes at all; what is divided by it stays finite."""

type Told = Callable[[int], None]
"""Called with the number of steps that are done more."""


class Look(Protocol):
    """From pictures of one size to what a model judges."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the pictures."""
        ...

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the maps."""
        ...

    def features(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """What a model is given for pictures, RGB uint8 [B, H, W, 3]: a tensor [B, ...]."""
        ...


class ViewModel(Protocol):
    """What the cells of one view taught."""

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """How far from normal every cell is [B, h, w], float32, of features [B, ...]."""
        ...

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that has to be saved, on the CPU."""
        ...


@dataclass(frozen=True, slots=True)
class Lesson[M: ViewModel]:
    """One model that is about to be taught."""

    learn: Callable[[Iterable[torch.Tensor], Told], M]
    """From features of normal pictures, batches [up to BATCH, ...] made one by one, to a model."""
    steps: int = 1
    """Pictures in whose time it learns; as many are told."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned[M: ViewModel]:
    """What one view taught."""

    frame_size: tuple[int, int]
    """(height, width) of its frames."""
    view: LearnedView | None
    """What it usually looks like; None from a folder of the first format."""
    model: M
    threshold: float
    """Raw map value that counts as 1.0."""
    tolerance: NDArray[np.float32]
    """How much more is borne at each cell [h, w], at least 1; see `detectors.tolerance`."""
    peak: float
    """Largest map value of its real frames; NaN from a folder that does not tell."""
    pictures: int = 0
    """That the model was taught by; 0 from a folder that does not tell."""


class _Steps:
    """How far a fit is."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    def add(self, steps: int) -> None:
        """Count steps, and tell."""
        self._done += steps
        if self._progress is not None:
            self._progress(self._done, self._total)


class ViewDetector[C: ViewConfig, M: ViewModel](ABC):
    """A detector whose model is taught once and never changes while it looks.

    So an object left behind stays unusual for as long as it lies there.
    """

    def __init__(self, config: C, device: torch.device) -> None:
        """Prepare an unfitted detector.

        Args:
            config: How it is made.
            device: Where it computes.
        """
        self.config = config
        self.device = device
        self._learned: Learned[M] | None = None

    @abstractmethod
    def _open(self, frame_size: tuple[int, int]) -> Look:
        """What looks at frames of a size (height, width)."""

    @abstractmethod
    def _lesson(self, look: Look) -> Lesson[M]:
        """A model that has yet to learn from what `look` gives."""

    @abstractmethod
    def _model(self, tensors: Mapping[str, torch.Tensor], frame_size: tuple[int, int]) -> M:
        """The model whose `tensors` were saved, checked.

        Raises:
            KeyError: If one is missing; a ValueError if one is wrong.
        """

    @abstractmethod
    def _input_size(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """(H, W) that frames of a size are scaled to."""

    def _facts(self) -> dict[str, Any]:
        """What else has to be known of a fitted detector, as JSON can hold it."""
        return {}

    def _own_tensors(self) -> dict[str, torch.Tensor]:
        """What else has to be saved."""
        return {}

    @property
    def threshold(self) -> float:
        """Raw map value that counts as 1.0; NaN before the fit."""
        return math.nan if self._learned is None else self._learned.threshold

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) of the frames it was fitted on; None before the fit."""
        return None if self._learned is None else self._learned.frame_size

    @property
    def view(self) -> LearnedView | None:
        """See `Detector.view`."""
        return None if self._learned is None else self._learned.view

    @property
    def tolerance(self) -> NDArray[np.float32]:
        """See `Detector.tolerance`."""
        return np.ones((1, 1), np.float32) if self._learned is None else self._learned.tolerance

    @property
    def peak(self) -> float:
        """See `Detector.peak`."""
        return math.nan if self._learned is None else self._learned.peak

    def fit(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Learn from normal frames; see `Detector.fit` and `split_normal`.

        Args:
            frames: N images, RGB uint8 [H, W, 3], in the order they were taken.
            progress: Told how many pictures were looked at, of how many; learning from them counts
                as some.

        Raises:
            DetectorError: If there are fewer than 8 frames, their sizes differ or one is not
                [H, W, 3]. What was learned before stays.
        """
        look = self._open(normal_size(frames))
        self._learned = self._taught(frames, look, self._lesson(look), progress)

    def learn_more(self, frames: Sequence[Pixels], progress: Progress | None = None) -> None:
        """Add more normal frames of the view; see `detectors.base.LearnsMore`."""
        before = self._fitted()
        lesson = self._more(before)
        if normal_size(frames) != before.frame_size:
            check_view(frames, before.frame_size)
        look = self._open(before.frame_size)
        fresh = self._taught(frames, look, lesson, progress)
        # What was normal before must stay so: its distances are shorter now.
        nearer = before.threshold * self._nearer(before.model, fresh.model)
        threshold = max(nearer, fresh.threshold)
        highest = [one for one in (before.peak * nearer, fresh.peak * fresh.threshold) if one > 0]
        view = fresh.view
        if before.view is not None and view is not None:
            view = before.view.joined(view, before.pictures / (before.pictures + fresh.pictures))
        self._learned = replace(
            fresh,
            view=view,
            threshold=threshold,
            tolerance=np.maximum(before.tolerance, fresh.tolerance),
            peak=max(highest, default=math.nan) / threshold,
            pictures=before.pictures + fresh.pictures,
        )

    def _more(self, before: Learned[M]) -> Lesson[M]:
        """A lesson in which what was learned before takes up more pictures.

        Raises:
            DetectorError: If it cannot.
        """
        kind = self.config.model_dump()["kind"]
        raise DetectorError(
            f"a detector of the kind {kind} cannot add to what it learned; fit a new one from the "
            "old and the new footage together"
        )

    def _nearer(self, before: M, after: M) -> float:
        """Distances of what a model learned, by the one that took up more, over its own."""
        del before, after
        return 1.0

    def _taught(
        self, frames: Sequence[Pixels], look: Look, lesson: Lesson[M], progress: Progress | None
    ) -> Learned[M]:
        """Give the lesson, and choose the threshold on frames that it does not see."""
        config = self.config
        rng = np.random.default_rng(config.seed)
        first, second = split_normal(
            frames,
            most=config.largest_fit,
            held_out=config.held_out,
            passes=config.passes,
            held_out_passes=config.held_out_passes,
        )
        steps = _Steps(first.count + lesson.steps + second.count, progress)

        def features(part: Part) -> Iterator[torch.Tensor]:
            for batch in stacked(part.pictures(look.size, rng)):
                yield look.features(batch)
                steps.add(len(batch))

        real: list[torch.Tensor] = []
        model = lesson.learn(_noting_real(features(first), first.copies, real), steps.add)
        varied = self._maps(features(second), model)
        shown = np.concatenate([self._maps(real, model), varied[:: second.copies]])
        # Who asks for no variations shows stills: what differs most there is what to look at.
        found = usual(shown, varied, config.false_rate, tolerant=config.passes > 1)
        view = LearnedView.of(frames).rounded
        size = frames[0].shape[0], frames[0].shape[1]
        threshold = checked_threshold(max(found.threshold, LEAST_THRESHOLD))
        return Learned(size, view, model, threshold, found.tolerance, found.peak, first.count)

    def pictures(self, frames: Sequence[Pixels]) -> Iterator[Pixels]:
        """Frames [H, W, 3] of the view in the size that is looked at, made one by one.

        Raises:
            DetectorError: If it is not fitted or the frames have another size, at once.
        """
        learned = self._fitted()
        check_view(frames, learned.frame_size)
        size = self._input_size(learned.frame_size)
        return (resized(frame, size) for frame in frames)

    def judged(self, features: torch.Tensor) -> torch.Tensor:
        """Maps [B, h, w] over the threshold, of features [B, ...]."""
        learned = self._fitted()
        borne = learned.threshold * torch.from_numpy(learned.tolerance).to(features.device)
        return self._raw_maps(features, learned.model) / borne

    def with_threshold(self, threshold: float) -> Self:
        """See `Detector.with_threshold`."""
        other = copy(self)
        other._learned = replace(self._fitted(), threshold=checked_threshold(threshold))
        return other

    def with_tolerance(self, tolerance: NDArray[np.float32]) -> Self:
        """See `Detector.with_tolerance`."""
        other, learned = copy(self), self._fitted()
        borne = learned.tolerance * checked_tolerance(tolerance)
        other._learned = replace(learned, tolerance=borne)
        return other

    def save(self, path: Path) -> None:
        """Write the fitted detector into a new folder; see `Detector.save`."""
        if self._learned is None:
            raise DetectorError(f"{NOT_LEARNED}: nothing to save")
        facts = {
            "kind": self.config.model_dump()["kind"],
            "settings": self.config.model_dump(exclude={"kind"}),
            **self._facts(),
            "frame_size": self._learned.frame_size,
            "threshold": self._learned.threshold,
            "peak": None if math.isnan(self._learned.peak) else self._learned.peak,
            "pictures": self._learned.pictures,
        }
        view = self._learned.view
        tensors = self._learned.model.tensors() | ({} if view is None else view.tensors())
        tensors["tolerance"] = torch.from_numpy(self._learned.tolerance)
        write_folder(path, facts, tensors | self._own_tensors())

    def restore(self, facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Detector.restore`."""
        frame_size = checked_size(facts["frame_size"])
        pictured = facts["version"] > 1 and "view_picture" in tensors
        view = LearnedView.from_tensors(tensors, frame_size) if pictured else None
        model = self._model(tensors, frame_size)
        threshold = checked_threshold(float(facts["threshold"]))
        tolerance, peak = np.ones((1, 1), np.float32), facts.get("peak")
        if "tolerance" in tensors:
            tolerance = checked_tolerance(tensors["tolerance"].numpy())
        peak = math.nan if peak is None else float(peak)
        pictures = facts.get("pictures", 0)
        if not isinstance(pictures, int) or pictures < 0:
            raise ValueError(f"pictures {pictures!r}: must be a count")
        self._learned = Learned(frame_size, view, model, threshold, tolerance, peak, pictures)

    def _fitted(self) -> Learned[M]:
        if self._learned is None:
            raise DetectorError(f"{NOT_LEARNED}: call fit or load one")
        return self._learned

    def _maps(self, batches: Iterable[torch.Tensor], model: M) -> NDArray[np.float32]:
        """Maps [N, h, w] before the threshold, of batches of features [up to BATCH, ...]."""
        return torch.cat([self._raw_maps(some, model) for some in batches]).cpu().numpy()

    def _raw_maps(self, features: torch.Tensor, model: M) -> torch.Tensor:
        """Maps [B, h, w] before the threshold, of features [B, ...]."""
        return blur(model.distances(features), self.config.blur)


def _noting_real(
    batches: Iterable[torch.Tensor], copies: int, real: list[torch.Tensor]
) -> Iterator[torch.Tensor]:
    """Batches of pictures, each followed by its variations; those that are none are noted."""
    start = 0
    for batch in batches:
        if len(unvaried := batch[-start % copies :: copies]):
            real.append(unvaried.clone())
        start += len(batch)
        yield batch
