"""How both towers of a CLIP-like model are run: batches, half precision, unit vectors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import batched

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from novic.embedder import EmbedderError, Pixels, Vectors
from novic.errors import UsageError
from novic.images import WORKERS

PRECISIONS = {"fp16": torch.float16, "bf16": torch.bfloat16}
"""Names of the types that autocast computes in; `fp32` is none."""

ON_CUDA = {"images": 256, "texts": 512}
ON_CPU = {"images": 32, "texts": 64}
"""Images and texts that run at once."""

LONGEST = 16
"""Where a model cuts out the middle square, a longer side is first cut to so many shorter ones:
otherwise a crop of 1 by 4,000 pixels would be blown up to 200 million pixels."""

type Inputs = Mapping[str, Tensor]
"""A tower's inputs by name, each [B, ...]."""


def autocast_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """The type that a model computes in; None for plain float32.

    Args:
        precision: `auto` (float16 on CUDA, float32 elsewhere), `fp16`, `bf16` or `fp32`.
        device: Where it runs.

    Raises:
        UsageError: If the precision is unknown or not to be had on that device.
    """
    if precision not in ("auto", "fp32", *PRECISIONS):
        raise UsageError(f"unknown precision '{precision}'; use auto, fp16, bf16 or fp32")
    if device.type != "cuda":
        if precision in PRECISIONS:
            raise UsageError(f"precision '{precision}' needs a CUDA device; use auto or fp32")
        return None
    return None if precision == "fp32" else PRECISIONS.get(precision, torch.float16)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs a tower over any number of images or texts.

    The next batch is prepared (opened, resized, tokenised) while the model works on this one.
    """

    spec: str
    """The embedder, named in errors."""
    device: torch.device
    dtype: torch.dtype | None
    """What autocast computes in; None for plain float32."""

    def run[T](
        self,
        items: Sequence[T],
        what: str,
        prepare: Callable[[Sequence[T]], Inputs],
        encode: Callable[[Inputs], Tensor],
    ) -> list[Vectors]:
        """Embed images or texts.

        Args:
            items: N of them.
            what: `images` or `texts`: how many run at once, and what errors call them.
            prepare: Turns up to a batch of them into inputs on the CPU; runs in another thread.
            encode: The tower: inputs on the device to features [B, F], or [B, P, F].

        Returns:
            Unit vectors, float32, of one batch after the other, of the form of the features.

        Raises:
            EmbedderError: If features are not finite, or the memory is too small for a single one.
        """
        at_once = (ON_CUDA if self.device.type == "cuda" else ON_CPU)[what]
        rows = []
        for inputs in _one_ahead(prepare, batched(items, at_once)):
            on_device = {name: tensor.to(self.device) for name, tensor in inputs.items()}
            with torch.inference_mode(), self._autocast():
                features = self._features(on_device, encode)
            rows.append(self._unit(features, what))
        return rows

    def _features(self, inputs: Inputs, encode: Callable[[Inputs], Tensor]) -> Tensor:
        """Run the tower; in halves where a GPU's memory is too small for the whole batch."""
        count = len(next(iter(inputs.values())))
        try:
            return encode(inputs)
        except torch.OutOfMemoryError as error:
            if count == 1:
                raise EmbedderError(
                    f"embedder '{self.spec}' does not fit into the memory of {self.device}; "
                    "use --device cpu"
                ) from error
        # Outside the handler, which would keep the failed batch's memory alive.
        middle = count // 2
        first = {name: tensor[:middle] for name, tensor in inputs.items()}
        second = {name: tensor[middle:] for name, tensor in inputs.items()}
        return torch.cat([self._features(half, encode) for half in (first, second)])

    def _autocast(self) -> AbstractContextManager[object]:
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def _unit(self, features: Tensor, what: str) -> Vectors:
        features = features.float()
        lengths = features.norm(dim=-1, keepdim=True)
        good = (lengths.isfinite() & (lengths > 0)).flatten(1).all(dim=1)
        bad = int((~good).sum())
        if bad:
            cure = "its weights are damaged" if self.dtype is None else "use precision bf16 or fp32"
            raise EmbedderError(
                f"embedder '{self.spec}' gives vectors that are zero or not finite for {bad} of "
                f"{len(features)} {what}: {cure}"
            )
        return (features / lengths).cpu().numpy()


def _one_ahead[T](
    prepare: Callable[[Sequence[T]], Inputs], batches: Iterator[tuple[T, ...]]
) -> Iterator[Inputs]:
    with ThreadPoolExecutor(1, thread_name_prefix="prepare") as thread:
        waiting: Future[Inputs] | None = None
        for batch in batches:
            following = thread.submit(prepare, batch)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def stacked(rows: list[Vectors], width: int) -> Vectors:
    """Batches of vectors as one array [N, width]; [0, width] for none."""
    return np.concatenate([np.empty((0, width), dtype=np.float32), *rows])


def prepare_images(images: Sequence[Pixels], prepare: Callable[[Pixels], Tensor]) -> Tensor:
    """Prepare images in several threads: [B, ...]."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="resize") as pool:
        return torch.stack(list(pool.map(prepare, images)))


def as_picture(image: Pixels, *, middle_square: bool) -> Image.Image:
    """An image as Pillow has it.

    Args:
        image: RGB uint8 [H, W, 3].
        middle_square: The model will cut out the middle square.

    Raises:
        ValueError: If it is not of that form or has no pixels.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"an image must be RGB uint8 [H, W, 3] with pixels, got {image.dtype} {image.shape}"
        )
    if middle_square:
        limit = LONGEST * min(image.shape[:2])
        top, left = (max(0, (side - limit) // 2) for side in image.shape[:2])
        image = image[top : image.shape[0] - top, left : image.shape[1] - left]
    return Image.fromarray(np.ascontiguousarray(image))
