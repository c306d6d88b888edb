"""The zero-shot test of an embedder: does an image lie nearest to the text of its class?

A class is the normalised mean of its prompts' vectors, an image belongs to the class with the
largest cosine (Radford et al. 2021). Of embedders whose figures are published it is the acceptance
test: a wrong resize, tokenizer or activation costs points (novic_spec §9.6). The images, prompts
and published figures come from `zero_shot_data`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

import numpy as np

from novic.embedder import Embedder, Pixels, Vectors
from novic.image_sets import ImageSet
from novic.images import load_images
from novic.intervals import wilson
from training.evaluation.predictions import EvaluationError
from training.evaluation.zero_shot_data import BENCHMARKS, CLASS, PUBLISHED, TestSet, known_spec

BATCH = 256
"""Images embedded at once, at most."""
BATCH_BYTES = 512 * 2**20
"""Of decoded pixels in a batch, about: photographs of many megapixels come in smaller batches."""
TEXTS = 4096
"""Prompts embedded at once, about."""
TOLERANCE = 0.2
"""Percentage points within which a figure agrees with the published one."""

type Tell = Callable[[int, int], None]
"""Told how many images are done, of how many."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the images, with what a sample of this size leaves open."""

    hits: int
    of: int

    @property
    def percent(self) -> float:
        """The share of the hits."""
        return 100 * self.hits / self.of

    def interval(self) -> tuple[float, float]:
        """The 95% interval in percent (Wilson 1927), which holds for few images too."""
        low, high = wilson(self.hits, self.of)
        return 100 * low, 100 * high


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """What the test found."""

    spec: str
    data: str
    classes: int
    prompts: int
    top1: Share
    top5: Share
    broken: tuple[tuple[str, str], ...] = ()
    """Images that could not be read, and why; they count neither way."""
    published: float | None = None
    """Top-1 in percent that is published for this embedder on these images."""
    not_compared: str = ""
    """Why the figure cannot be held against the published one, if it cannot."""

    @property
    def agrees(self) -> bool | None:
        """Whether it is within `TOLERANCE` of the published figure; None if not comparable."""
        if self.published is None or self.not_compared:
            return None
        return abs(self.top1.percent - self.published) <= TOLERANCE + 1e-9

    def as_json(self) -> dict[str, Any]:
        """The result as scripts read it; keys are stable."""
        return {
            "embedder": self.spec,
            "data": self.data,
            "classes": self.classes,
            "prompts": self.prompts,
            "images": self.top1.of,
            "broken": [list(fault) for fault in self.broken],
            "top1": round(self.top1.percent, 3),
            "top1_interval": [round(bound, 3) for bound in self.top1.interval()],
            "top5": round(self.top5.percent, 3),
            "top5_interval": [round(bound, 3) for bound in self.top5.interval()],
            "published": self.published,
            "agrees": self.agrees,
            "not_compared": self.not_compared,
        }


def class_vectors(
    embedder: Embedder, classes: Sequence[Sequence[str]], prompts: Sequence[str]
) -> Vectors:
    """The text of each class: the normalised mean over its names and prompts.

    Args:
        embedder: Embeds the texts.
        classes: Names of each of K classes, one or more.
        prompts: With `{c}` in the place of a name.

    Returns:
        Unit vectors float32 [K, F].
    """
    most = max(len(names) for names in classes) * len(prompts)
    rows = []
    for some in batched(classes, max(1, TEXTS // most)):
        texts = [
            [prompt.replace(CLASS, name) for name in names for prompt in prompts] for names in some
        ]
        vectors = embedder.embed_texts([text for of_class in texts for text in of_class])
        ends = np.cumsum([len(of_class) for of_class in texts])
        rows += [part.mean(axis=0) for part in np.split(vectors, ends[:-1])]
    means = np.stack(rows)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return (means / lengths).astype(np.float32)


def zero_shot(
    embedder: Embedder, test: TestSet, like: str = "", tell: Tell = lambda done, of: None
) -> ZeroShot:
    """Run the test.

    Args:
        embedder: What is tested.
        test: Images and classes.
        like: Spec of the embedder whose published figures it should reach; by default its own.
        tell: Progress.

    Raises:
        EvaluationError: If no image can be read.
        EmbedderError: If the embedder gives vectors that are not finite.
    """
    texts = class_vectors(embedder, test.classes, test.prompts)
    count = len(test.images.images)
    broken: list[tuple[str, str]] = []
    top1 = top5 = seen = 0
    for batch in _batches(_labelled(test.images, broken)):
        labels = np.array([label for _, label in batch])
        cosines = embedder.embed_images([image for image, _ in batch]) @ texts.T
        # How many classes are nearer than the right one: 0 is a hit.
        own = cosines[np.arange(len(labels)), labels][:, None]
        nearer = (cosines > own).sum(axis=1)
        top1 += int((nearer < 1).sum())
        top5 += int((nearer < 5).sum())
        seen += len(batch)
        tell(seen + len(broken), count)
    if not seen:
        raise EvaluationError(f"{test.name}: none of its {count} images can be read")
    published = PUBLISHED.get(like or known_spec(embedder.spec), {}).get(test.benchmark)
    return ZeroShot(
        spec=embedder.spec,
        data=test.name,
        classes=len(texts),
        prompts=len(test.prompts),
        top1=Share(top1, seen),
        top5=Share(top5, seen),
        broken=tuple(broken),
        published=published,
        not_compared=_not_compared(test, seen) if published is not None else "",
    )


def _not_compared(test: TestSet, seen: int) -> str:
    whole = BENCHMARKS[test.benchmark]
    if seen != whole.images:
        return f"it is of the {whole.images:,} test images of {whole.name}, these are {seen:,}"
    return ""


def _labelled(images: ImageSet, broken: list[tuple[str, str]]) -> Iterator[tuple[Pixels, int]]:
    """Images with their classes; what cannot be read goes to `broken`."""
    if images.pictures is not None:
        yield from zip(images.pictures, images.labels, strict=True)
        return
    loaded = load_images(str(file) for file in images.files)
    for file, name, label in zip(loaded, images.images, images.labels, strict=True):
        if file.image is None:
            broken.append((name, file.error))
        else:
            yield file.image, label


def _batches(labelled: Iterator[tuple[Pixels, int]]) -> Iterator[list[tuple[Pixels, int]]]:
    batch: list[tuple[Pixels, int]] = []
    size = 0
    for image, label in labelled:
        batch.append((image, label))
        size += image.nbytes
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
