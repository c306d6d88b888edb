"""The zero-shot test of an embedder: does an image lie nearest to the text of its class?

A class is the normalised mean of its prompts' vectors, an image belongs to the class with the
largest cosine (Radford et al. 2021). Of embedders whose figures are published it is the acceptance
test: a wrong resize, tokenizer or activation costs points (novic_spec §9.6).
"""

import importlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from math import sqrt
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from novic.embedder import Embedder, Pixels, Vectors
from novic.images import load_images
from training.evaluation.image_sets import ImageSet, Split, open_image_set
from training.evaluation.predictions import EvaluationError

BATCH = 256
"""Images embedded at once, at most."""
BATCH_BYTES = 512 * 2**20
"""Of decoded pixels in a batch, about: photographs of many megapixels come in smaller batches."""
TEXTS = 4096
"""Prompts embedded at once, about."""
TOLERANCE = 0.2
"""Percentage points within which a figure agrees with the published one."""
NORMAL_95 = 1.959964
"""Standard deviations of the 95% interval."""

CLASS = "{c}"
"""Stands for the class in a prompt, as in upstream's prompt files."""

_SEEN_AS = (
    "photo of {} {{c}}",
    "blurry photo of {} {{c}}",
    "black and white photo of {} {{c}}",
    "low contrast photo of {} {{c}}",
    "high contrast photo of {} {{c}}",
    "bad photo of {} {{c}}",
    "good photo of {} {{c}}",
    "photo of {} small {{c}}",
    "photo of {} big {{c}}",
)
CIFAR_PROMPTS = tuple(f"a {seen.format(word)}." for word in ("a", "the") for seen in _SEEN_AS)
"""The 18 that CLIP is tested with on CIFAR (Radford et al. 2021)."""
FOOD_PROMPTS = ("a photo of {c}, a type of food.",)
"""The one that CLIP is tested with on Food-101."""
OTHER_PROMPTS = ("{c}", "a {c}", "a photo of a {c}.", "a photo of the {c}.", "a close-up of a {c}.")
"""For data sets that have none of their own."""

CIFAR10 = frozenset(
    "airplane automobile bird cat deer dog frog horse ship truck".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A data set that figures are published for."""

    name: str
    images: int
    """How many its test part holds; the figures are of all of them."""


BENCHMARKS = {
    "cifar10": Benchmark("CIFAR-10", 10_000),
    "food101": Benchmark("Food-101", 25_250),
    "imagenet1k": Benchmark("ImageNet-1K", 50_000),
}

PUBLISHED: dict[str, dict[str, float]] = {
    "openclip:timm/ViT-B-16-SigLIP": {"cifar10": 92.33, "food101": 91.54, "imagenet1k": 76.06},
    "openclip:apple/DFN5B-CLIP-ViT-H-14-378": {
        "cifar10": 98.79,
        "food101": 96.18,
        "imagenet1k": 84.34,
    },
}
"""Top-1 in percent (novic_spec §9.6)."""

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
        z2 = NORMAL_95**2
        share = self.hits / self.of
        middle = (share + z2 / (2 * self.of)) / (1 + z2 / self.of)
        half = sqrt(share * (1 - share) / self.of + z2 / (4 * self.of**2)) / (1 + z2 / self.of)
        half *= NORMAL_95
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class TestSet:
    """Images with the class of each, and what the classes may be called."""

    __test__ = False

    name: str
    images: ImageSet
    classes: tuple[tuple[str, ...], ...]
    """Names of each class."""
    prompts: tuple[str, ...]
    benchmark: str = ""
    """Key of `BENCHMARKS` if figures are published for it."""


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


def open_test_set(
    data: str,
    root: Path | None = None,
    split: Split = "valid",
    limit: int | None = None,
    prompts: Path | None = None,
) -> TestSet:
    """Open labelled images.

    Args:
        data: A folder of class folders, named as the classes or with a `classes.json`
            ({folder: name or list of names}); `cifar10`, `food101` or another benchmark below
            `root`; or `NAME=FOLDER`. CIFAR-10 is read from its binary version alone: the Python
            version is made of pickles.
        root: Folder of all benchmarks.
        split: Which part of it.
        limit: Take so many images, drawn with a fixed seed; all by default.
        prompts: File of prompts, `{c}` standing for the class: one a line, or JSON, a list or
            {data set: list}.

    Raises:
        EvaluationError: If there is no such set, it has no classes, or a file is not as it must
            be.
    """
    images = open_image_set(_named(data, root), root, split)
    if not images.labels:
        raise EvaluationError(f"{data}: its images have no classes; put them in folders by class")
    benchmark = _benchmark(images)
    named = tuple(_synonyms(name) for name in images.classes)
    given = Path(data) / "classes.json"
    if given.is_file():
        named = _given_names(given, images.classes)
    texts = _benchmark_prompts(benchmark)
    if benchmark == "imagenet1k" and not given.is_file():
        named = _imagenet_names()
    if prompts:
        texts = read_prompts(prompts, benchmark or images.name)
    if limit is not None:
        images = _sample(images, limit)
    return TestSet(images.name, images, named, texts, benchmark)


def read_prompts(path: Path, data_set: str) -> tuple[str, ...]:
    """Read prompts: a text file with one a line, or JSON, a list or {data set: list}.

    Raises:
        EvaluationError: If the file cannot be read, is empty, or a prompt lacks `{c}`.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else text.splitlines()
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path}: cannot be read: {error}") from error
    if isinstance(found, dict):
        by_name = {_plain(name): value for name, value in found.items()}
        found = by_name.get(_plain(data_set))
        if found is None:
            raise EvaluationError(f"{path}: holds no prompts for '{data_set}'")
    if not isinstance(found, list) or not all(isinstance(prompt, str) for prompt in found):
        raise EvaluationError(f"{path}: prompts must be a list of texts")
    prompts = tuple(prompt.strip() for prompt in found if prompt.strip())
    if not prompts:
        raise EvaluationError(f"{path}: holds no prompts")
    for prompt in prompts:
        if prompt.count(CLASS) != 1:
            raise EvaluationError(f"{path}: '{prompt}' must hold {CLASS} once, for the class")
    return prompts


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


def known_spec(spec: str) -> str:
    """The spec that figures are published under: a local copy is known by its folder's name."""
    name = spec.partition(":")[2]
    for known in PUBLISHED:
        if Path(name).name == known.rpartition("/")[2] and spec.partition(":")[0] == "openclip":
            return known
    return spec


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


def _named(data: str, root: Path | None) -> str:
    """A CIFAR-10 folder that is given as a plain folder, called what it is.

    Raises:
        EvaluationError: If the name alone is given and nothing of it lies here.
    """
    folder = Path(data)
    parts = ("test_batch.bin", "cifar-10-batches-bin", "cifar-10-batches-py")
    if "=" not in data and any((folder / part).exists() for part in parts):
        return f"cifar10={data}"
    if folder.name == "cifar-10-batches-py":
        return f"cifar10={data}"
    if data.lower() == "cifar10" and root is None and not folder.exists():
        if not Path("cifar-10-batches-bin").is_dir():
            raise EvaluationError(
                "cifar10: there is no folder cifar-10-batches-bin here; unpack the binary version "
                "(cifar-10-binary.tar.gz; the Python version is pickles) and give cifar10=FOLDER"
            )
        return "cifar10=."
    return data


def _benchmark(images: ImageSet) -> str:
    """Which published data set these images are, by its name or its classes."""
    names = [name.lower() for name in images.classes]
    if images.name in BENCHMARKS:
        return images.name
    if images.name == "imagenet1kval" or (len(names) == 1000 and names[0].startswith("tench")):
        return "imagenet1k"
    if set(names) == CIFAR10:
        return "cifar10"
    return "food101" if len(names) == 101 and {"apple pie", "waffles"} <= set(names) else ""


def _benchmark_prompts(benchmark: str) -> tuple[str, ...]:
    match benchmark:
        case "cifar10":
            return CIFAR_PROMPTS
        case "food101":
            return FOOD_PROMPTS
        case "imagenet1k":
            return tuple(_openclip().imagenet_prompts())
        case _:
            return OTHER_PROMPTS


def _imagenet_names() -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in _openclip().imagenet_names())


def _openclip() -> ModuleType:
    # open_clip takes seconds to import, and nothing but ImageNet needs it here.
    return importlib.import_module("novic.openclip")


def _synonyms(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in name.split(",") if part.strip())


def _given_names(path: Path, classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Names from a classes.json: {folder: name or list of names}.

    Raises:
        EvaluationError: If it is no such file or names a folder that is not there.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(given, Mapping):
        raise EvaluationError(f"{path}: must be an object, {{folder: name or list of names}}")
    folders = sorted(entry.name for entry in path.parent.iterdir() if entry.is_dir())
    if unknown := sorted(given.keys() - set(folders)):
        raise EvaluationError(f"{path}: names {', '.join(unknown)}, but there is no such folder")
    if len(folders) != len(classes):
        raise EvaluationError(f"{path}: is for class folders beside it, not for train and val")
    return tuple(
        _names_of(path, folder, given.get(folder, name))
        for folder, name in zip(folders, classes, strict=True)
    )


def _names_of(path: Path, folder: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise EvaluationError(f"{path}: {folder} must be a name or a list of names")
    found = tuple(part for name in names for part in _synonyms(name))
    if not found:
        raise EvaluationError(f"{path}: {folder} has no name")
    return found


def _sample(images: ImageSet, limit: int) -> ImageSet:
    """So many images, drawn with a fixed seed, in their order."""
    if limit >= len(images.images):
        return images
    kept = sorted(random.Random(0).sample(range(len(images.images)), limit))  # noqa: S311
    return replace(
        images,
        images=[images.images[at] for at in kept],
        files=[images.files[at] for at in kept] if images.files else (),
        pictures=None if images.pictures is None else images.pictures[kept],
        labels=[images.labels[at] for at in kept],
    )


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
