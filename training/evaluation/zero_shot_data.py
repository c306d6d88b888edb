"""What the zero-shot test is run on: labelled images, their prompts, the published figures.

Opens a data set, says what its classes may be called and which prompts they are put into, and
knows the data sets and embedders that figures are published for (novic_spec §9.6).
"""

import importlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from novic.image_sets import ImageSet, Split, open_image_set
from novic.json_files import read_json
from training.evaluation.predictions import EvaluationError

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


def known_spec(spec: str) -> str:
    """The spec that figures are published under: a local copy is known by its folder's name."""
    name = spec.partition(":")[2]
    for known in PUBLISHED:
        if Path(name).name == known.rpartition("/")[2] and spec.partition(":")[0] == "openclip":
            return known
    return spec


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
    return importlib.import_module("novic.embedders.openclip")


def _synonyms(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in name.split(",") if part.strip())


def _given_names(path: Path, classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Names from a classes.json: {folder: name or list of names}.

    Raises:
        EvaluationError: If it is no such file or names a folder that is not there.
    """
    try:
        given = read_json(path)
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
