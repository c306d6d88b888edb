"""What a camera's pictures are when their size is no longer the one that the detector learned."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from app.paths import path_of, shown_path
from app.sources.base import Gap, Source, SourceInfo
from detectors.base import DetectorError
from detectors.types import Frame, Pixels

SKIPPED = (
    ", and are skipped until the old size comes back; "
    "to watch the new view, start anew and let it learn that"
)


class ShapeError(DetectorError):
    """A camera's pictures have another shape than those that the detector learned."""


class SizeCheck:
    """Scales frames of the fitted shape to the fitted size, and leaves out all others.

    The view behind another shape is another one: nobody knows what is normal there. Every change is
    kept as a gap from the first frame of another size to the first that can be looked at again,
    which is that very frame where it is only scaled; each size is told once.
    """

    def __init__(self, size: tuple[int, int], say: Callable[[str], None] = lambda _: None) -> None:
        """Take the fitted (height, width) in pixels, and who is told of other sizes."""
        self.gaps: list[Gap] = []
        """Changes of size, in order; the last one is open while nothing can be looked at."""
        self._size = size
        self._say = say
        self._told = {size}
        self._before: tuple[int, int] | None = None
        self._last_us = 0

    def fitted(self, frame: Frame) -> Frame | None:
        """The frame in the fitted size; None if it has another shape.

        Raises:
            ShapeError: If it is the first frame and has another shape.
        """
        size = (frame.image.shape[0], frame.image.shape[1])
        before, self._before, self._last_us = self._before, size, frame.time_us
        same = same_shape(size, self._size)
        if not same and before is None:
            raise ShapeError(_misfit(frame.camera, size, self._size))
        if size != before:
            self._note(frame, size, changed=before is not None)
        if not same:
            return None
        return (
            frame if size == self._size else replace(frame, image=scaled(frame.image, self._size))
        )

    def end(self) -> None:
        """Note that nothing comes any more: an open gap ends with the last frame."""
        self._close(self._last_us)

    def _note(self, frame: Frame, size: tuple[int, int], *, changed: bool) -> None:
        """Keep and tell that frames have another size from here on."""
        same = same_shape(size, self._size)
        answer = "are scaled to" if same else "have another shape than"
        what = (
            f"pictures of {_text(size)} pixels {answer} the {_text(self._size)} that were learned"
        )
        if same:
            self._close(frame.time_us)
        if changed and size != self._size and not self._open:
            end_us = frame.time_us if same else None
            self.gaps.append(Gap(frame.time_us, end_us, "size", what))
        if size not in self._told:
            self._told.add(size)
            self._say(f"{frame.camera}: {what}{'' if same else SKIPPED}.")

    @property
    def _open(self) -> bool:
        return bool(self.gaps) and self.gaps[-1].end_us is None

    def _close(self, end_us: int) -> None:
        if self._open:
            self.gaps[-1] = replace(self.gaps[-1], end_us=max(end_us, self.gaps[-1].start_us))


def shape_error(info: SourceInfo, fitted: tuple[int, int]) -> ShapeError:
    """What to raise where a source has another shape than the fitted (height, width)."""
    return ShapeError(_misfit(shown_path(path_of(info.uri)), info.size, fitted))


def misfit(file: Source, fitted: tuple[int, int] | None) -> str:
    """Why a source cannot be looked at by what was fitted on a (height, width); empty if it can."""
    size = file.info.size
    return "" if fitted is None or same_shape(size, fitted) else str(shape_error(file.info, fitted))


def _misfit(name: str, size: tuple[int, int], fitted: tuple[int, int]) -> str:
    return (
        f"{name}: its pictures of {_text(size)} pixels have another shape than the "
        f"{_text(fitted)} that the detector was fitted on: fit it again for this view"
    )


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two (height, width) differ in scale only, but for a pixel of rounding."""
    (height, width), (high, wide) = sorted((one, other))
    return abs(width - height * wide / high) <= 1 or abs(height - width * high / wide) <= 1


def scaled(image: Pixels, size: tuple[int, int]) -> Pixels:
    """The image [H, W, 3] in another (height, width)."""
    height, width = size
    shrinking = image.shape[0] * image.shape[1] > height * width
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method).astype(np.uint8, copy=False)


def _text(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"
