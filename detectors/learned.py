"""The one picture that a detector keeps of the view that it learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.scaling import resized, thinned
from detectors.types import Box, Pixels

if TYPE_CHECKING:  # who only looks at the picture needs no torch
    import torch

LONGER_SIDE = 1280
"""Pixels of the picture's longer side, at most."""
MOST_FRAMES = 31
"""Normal frames that the picture is the median of, at most; odd, so that none is interpolated."""
SAMPLES = 8
"""Of these that are kept as they are."""
_QUALITY = 95
_COLOURS = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
"""As sharp as the light."""
_ROWS = 64
"""Rows that are worked out at once, which bounds the memory."""
_ALIKE = 3.0
"""Usual spreads, and as many grey levels, up to which two pictures of a view look alike."""
_SPREAD = 1.4826
"""From a median absolute deviation to a standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True, eq=False)
class LearnedView:
    """What a view usually looks like: the median of its normal frames."""

    picture: Pixels
    """RGB uint8 [h, w, 3], all of the view, at most LONGER_SIDE long."""
    noise: NDArray[np.float32]
    """How far the grey of each pixel [h, w] usually is from the picture's, as a standard deviation
    in grey levels; without that frames are lighter or darker as a whole."""
    frame_size: tuple[int, int]
    """(height, width) in pixels of the frames that it was learned from."""
    samples: tuple[NDArray[np.uint8], ...] = ()
    """Some of its frames as JPEGs [n], of the picture's size: a median is not sharp where leaves
    swayed."""

    @classmethod
    def of(cls, frames: Sequence[Pixels]) -> "LearnedView":
        """From normal frames.

        Args:
            frames: RGB uint8 [H, W, 3], of one size, at least one, in any order.
        """
        height, width = frames[0].shape[:2]
        scale = min(1.0, LONGER_SIDE / max(height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        chosen = thinned(frames, min(MOST_FRAMES, len(frames) - 1 + len(frames) % 2))
        pictures = np.stack([resized(frame, size) for frame in chosen])
        picture, noise = np.empty((*size, 3), np.uint8), np.empty(size, np.float32)
        for top in range(0, size[0], _ROWS):
            rows = slice(top, top + _ROWS)
            picture[rows] = _median(pictures[:, rows])
        greys = np.stack([_grey(one) for one in pictures])
        usual = _grey(picture)
        lighter = [np.median(grey[::4, ::4] - usual[::4, ::4]) for grey in greys]
        for top in range(0, size[0], _ROWS):
            rows = slice(top, top + _ROWS)
            apart = greys[:, rows] - usual[rows] - np.array(lighter, np.float32)[:, None, None]
            noise[rows] = _SPREAD * _median(np.abs(apart))
        samples = tuple(_packed(one) for one in thinned([*pictures], SAMPLES))
        return cls(picture, noise, (height, width), samples)

    @classmethod
    def from_tensors(
        cls, tensors: "Mapping[str, torch.Tensor]", frame_size: tuple[int, int]
    ) -> "LearnedView":
        """What `tensors` gave.

        Args:
            tensors: `view_picture` [h, w, 3], uint8, `view_noise` [h, w], float16, and, of newer
                detectors, `view_sample_0` [n] and so on, uint8.
            frame_size: (height, width) of the frames that it was learned from.

        Raises:
            KeyError: If one is missing.
            ValueError: If their shapes or types are not those, or the noise is not finite.
        """
        picture, noise = tensors["view_picture"].numpy(), tensors["view_noise"].float().numpy()
        fits = picture.dtype == np.uint8 and picture.shape == (*noise.shape, 3)
        if not fits or not 1 <= min(noise.shape) <= max(noise.shape) <= LONGER_SIDE:
            raise ValueError(
                f"view_picture {picture.dtype} {picture.shape} and view_noise {noise.shape}: "
                "must be a picture and its noise"
            )
        if not np.isfinite(noise).all() or noise.min() < 0:
            raise ValueError("view_noise holds values that are no spread")
        names = (f"view_sample_{number}" for number in range(SAMPLES))
        samples = tuple(tensors[name].numpy() for name in names if name in tensors)
        view = cls(picture, noise, frame_size, samples)
        if any(one.shape != picture.shape for one in view.sharp()):
            raise ValueError("view_sample: holds what is no picture of the view")
        return view

    def tensors(self) -> "dict[str, torch.Tensor]":
        """What is kept of it; see `from_tensors`."""
        import torch  # noqa: PLC0415  # who only looks at the picture needs no torch

        return {
            "view_picture": torch.from_numpy(self.picture),
            "view_noise": torch.from_numpy(self.noise).half(),
            **{
                f"view_sample_{number}": torch.from_numpy(one)
                for number, one in enumerate(self.samples)
            },
        }

    def sharp(self) -> list[Pixels]:
        """Some of the normal frames, RGB uint8 [h, w, 3], hardly changed, as large as the picture.

        Raises:
            ValueError: If one is no picture.
        """
        size = (self.picture.shape[0], self.picture.shape[1])
        return [resized(_unpacked(one), size) for one in self.samples]

    def joined(self, later: "LearnedView", share: float) -> "LearnedView":
        """The picture of older and of later normal frames together.

        Where both look alike it is their mean; elsewhere it is how the view looks now. The noise
        is that of all frames together, so it grows where both are normal and look different.

        Args:
            later: Of frames of the same size.
            share: Of the older ones in all frames, 0 to 1.
        """
        before, after = _grey(self.picture), _grey(later.picture)
        apart = before - after - float(np.median(before - after))
        usual = np.sqrt(share * self.noise**2 + (1 - share) * later.noise**2)
        alike = (np.abs(apart) <= _ALIKE * (usual + 1))[..., None]
        mean = cv2.addWeighted(self.picture, share, later.picture, 1 - share, 0.0)
        noise = np.sqrt(usual**2 + share * (1 - share) * apart**2)
        picture = np.where(alike, mean, later.picture).astype(np.uint8)
        older = thinned(self.samples, round(SAMPLES * share))
        samples = (*older, *thinned(later.samples, SAMPLES - len(older)))
        return LearnedView(picture, noise.astype(np.float32), self.frame_size, samples)

    @property
    def rounded(self) -> "LearnedView":
        """As it comes back from a file: the noise in half precision."""
        return replace(self, noise=self.noise.astype(np.float16).astype(np.float32))

    def scaled(self, size: tuple[int, int]) -> "LearnedView":
        """The same with a picture of another size (height, width)."""
        if self.picture.shape[:2] == size:
            return self
        noise = cv2.resize(self.noise, size[::-1], interpolation=cv2.INTER_AREA)
        return replace(
            self, picture=resized(self.picture, size), noise=np.asarray(noise, np.float32)
        )

    def part(self, box: Box) -> Pixels:
        """What is usually there.

        Args:
            box: In pixels of the full frame.

        Returns:
            A crop of the picture, RGB uint8 [h, w, 3], at least one pixel.
        """
        down = self.picture.shape[0] / self.frame_size[0]
        across = self.picture.shape[1] / self.frame_size[1]
        return box.scaled(across, down).cut(self.picture)


def _median[T: np.generic](values: NDArray[T]) -> NDArray[T]:
    """The median over the first axis of an odd number of values, of their own type."""
    middle = len(values) // 2
    return np.partition(values, middle, axis=0)[middle]


def _grey(image: Pixels) -> NDArray[np.float32]:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _packed(picture: Pixels) -> NDArray[np.uint8]:
    how = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, *_COLOURS]
    _, jpeg = cv2.imencode(".jpg", picture[..., ::-1], how)
    return np.asarray(jpeg, np.uint8)


def _unpacked(jpeg: NDArray[np.uint8]) -> Pixels:
    picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR) if jpeg.ndim == 1 and jpeg.size else None
    if picture is None:
        raise ValueError("view_sample: holds what is no JPEG")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)
