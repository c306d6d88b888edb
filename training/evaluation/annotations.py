"""Which nouns are right for which image: annotations as upstream stores them, and what to annotate.

    _class_annotations.json        judged by people
    _class_annotations_gpt.json    judged by a language model, which leaves the secondary ones empty

    {"cat.jpg": {"correct_primary": ["cat", "kitten"], "correct_secondary": ["sofa"],
                 "close_primary": ["lynx"], "close_secondary": [], "incorrect": ["dog"]}}

A noun stands in one category of an image; a noun in none has not been judged (novic_spec §9.4).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, Self, get_args

from novic.errors import NomalyError
from novic.whole_files import write_whole

type Category = Literal[
    "correct_primary", "correct_secondary", "close_primary", "close_secondary", "incorrect"
]
CATEGORIES: tuple[Category, ...] = get_args(Category.__value__)
"""Best first. Primary: the noun names what the image is of; secondary: something else in it."""

HUMAN_FILE = "_class_annotations.json"
"""In the folder of the images."""
LLM_FILE = "_class_annotations_gpt.json"

PREDICTIONS_VERSION = 1
MOST_FAULTS = 5
"""Faults of one file that an error text lists."""


class AnnotationError(NomalyError):
    """Annotations cannot be read, written or made; the text names the file, image and category."""


@dataclass(slots=True)
class Annotations:
    """The judged nouns of images, each noun of an image in exactly one category."""

    images: dict[str, dict[str, Category]] = field(default_factory=dict)
    """For each image its judged nouns and their categories, in the order they were judged."""

    @classmethod
    def from_json(cls, value: Any) -> Self:  # noqa: ANN401
        """Take image → category → nouns apart.

        Categories that an image lacks are empty; a noun listed twice in one category counts once.

        Raises:
            AnnotationError: If it is shaped otherwise, has an unknown category, or has a noun of an
                image in two categories; the text lists the faults by image and category.
        """
        faults = list(_faults(value))
        if faults:
            more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
            raise AnnotationError("; ".join(faults[:MOST_FAULTS]) + more)
        return cls(
            {
                image: {noun: category for category in judged for noun in judged[category]}
                for image, judged in value.items()
            }
        )

    def as_json(self) -> dict[str, dict[str, list[str]]]:
        """Image → category → nouns, every category present."""
        return {
            image: {category: self.nouns(image, category) for category in CATEGORIES}
            for image in self.images
        }

    def category(self, image: str, noun: str) -> Category | None:
        """What the noun was judged to be, or None if it was not judged."""
        return self.images.get(image, {}).get(noun)

    def nouns(self, image: str, category: Category) -> list[str]:
        """The nouns of one category of an image."""
        return [noun for noun, given in self.images.get(image, {}).items() if given == category]

    def judge(self, image: str, noun: str, category: Category) -> None:
        """Put a noun into a category, and out of the one it was in.

        Raises:
            AnnotationError: If there is no such category.
        """
        if category not in CATEGORIES:
            raise AnnotationError(f"image {image!r}: {_unknown(category)}")
        self.images.setdefault(image, {})[noun] = category

    def forget(self, image: str, noun: str) -> None:
        """Take a judgement back, if there is one; an image without judgements goes too."""
        judged = self.images.get(image, {})
        judged.pop(noun, None)
        if not judged:
            self.images.pop(image, None)

    def __len__(self) -> int:
        """How many judgements there are."""
        return sum(len(judged) for judged in self.images.values())


def read_annotations(path: Path) -> Annotations:
    """Read an annotation file.

    Raises:
        AnnotationError: If it is missing, unreadable or breaks the format.
    """
    value = _read_json(path)
    try:
        return Annotations.from_json(value)
    except AnnotationError as error:
        raise AnnotationError(f"{path}: {error}") from error


def write_annotations(path: Path, annotations: Annotations) -> None:
    """Write an annotation file whole or not at all; what was there before survives a failure.

    Raises:
        AnnotationError: If it cannot be written.
    """
    text = json.dumps(annotations.as_json(), ensure_ascii=False, indent=2)
    try:
        write_whole(path, f"{text}\n".encode())
    except (OSError, UnicodeEncodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise AnnotationError(f"{path}: cannot be written: {why}") from error


def read_predicted_nouns(paths: Iterable[Path], top: int | None = None) -> dict[str, list[str]]:
    """Collect what models said about each image, from predictions files (novic_spec §9.3).

    Only `version`, `samples` and the `pred` rows are needed, so that what other programs say can be
    judged too (`training.evaluation.predictions` reads and checks whole files).

    Args:
        paths: Predictions files; images may be in several of them.
        top: Nouns to take of each list, from the best on; all by default.

    Returns:
        For each image its distinct nouns: best ones first, by rank, then in the order of the files.
        Samples that are quoted texts instead of images are left out, and so is "no noun" ("").

    Raises:
        AnnotationError: If a file is missing, unreadable or of another format.
    """
    ranked: dict[str, list[list[str]]] = {}
    for path in paths:
        for image, nouns in _predictions(path, _read_json(path)):
            ranked.setdefault(image, []).append(nouns[:top])
    return {
        image: list(dict.fromkeys(noun for rank in zip_longest(*lists) for noun in rank if noun))
        for image, lists in ranked.items()
    }


def unjudged_nouns(
    predicted: Mapping[str, Iterable[str]], annotations: Annotations
) -> dict[str, list[str]]:
    """The predicted nouns that annotations don't judge yet; images without such nouns go out."""
    left = {
        image: [noun for noun in nouns if annotations.category(image, noun) is None]
        for image, nouns in predicted.items()
    }
    return {image: nouns for image, nouns in left.items() if nouns}


def _read_json(path: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_distinct)
    except FileNotFoundError as error:
        raise AnnotationError(f"{path}: there is no such file") from error
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{path}: cannot be read as JSON: {error}") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON readers keep the last of two equal keys; here that would lose judgements."""
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice!r} stands twice in one object; merge the two")
    return value


def _faults(value: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, dict):
        yield f"must be an object with an entry per image, got {_kind(value)}"
        return
    for image, judged in value.items():
        if isinstance(judged, dict):
            for fault in _image_faults(judged):
                yield f"image {image!r}: {fault}"
        else:
            yield f"image {image!r}: must be an object of categories, got {_kind(judged)}"


def _image_faults(judged: Mapping[str, Any]) -> Iterator[str]:
    found: dict[str, str] = {}
    for category, nouns in judged.items():
        if category not in CATEGORIES:
            yield _unknown(category)
        elif not isinstance(nouns, list):
            yield f"{category}: must be a list of nouns, got {_kind(nouns)}"
        else:
            for noun in nouns:
                if not isinstance(noun, str):
                    yield f"{category}: holds {noun!r}, which is no noun"
                elif found.setdefault(noun, category) != category:
                    yield f"{noun!r} is in {found[noun]} and in {category}; keep one of them"


def _unknown(category: object) -> str:
    return f"unknown category {category!r}; there are {', '.join(CATEGORIES)}"


def _kind(value: Any) -> str:  # noqa: ANN401
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return "null" if value is None else kinds.get(type(value), "a number")


def _predictions(path: Path, value: Any) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401
    """(image, nouns best first) of every image and generation config of a predictions file."""
    if not isinstance(value, dict) or not {"version", "samples", "predictions"} <= value.keys():
        raise AnnotationError(
            f"{path}: not a predictions file (it needs version, samples and predictions)"
        )
    if value["version"] != PREDICTIONS_VERSION:
        raise AnnotationError(
            f"{path}: predictions version {value['version']}, "
            f"this Nomaly reads version {PREDICTIONS_VERSION}"
        )
    samples, predictions = value["samples"], value["predictions"]
    if not _texts(samples) or not isinstance(predictions, dict):
        raise AnnotationError(f"{path}: samples must be a list of texts, predictions an object")
    for gencfg, predicted in predictions.items():
        rows = predicted.get("pred") if isinstance(predicted, dict) else None
        if not isinstance(rows, list) or len(rows) != len(samples):
            raise AnnotationError(
                f"{path}: predictions.{gencfg}.pred must be a list with a row for each of the "
                f"{len(samples)} samples"
            )
        for image, nouns in zip(samples, rows, strict=True):
            if not _texts(nouns):
                raise AnnotationError(
                    f"{path}: predictions.{gencfg}.pred: the row of {image!r} must be a list of "
                    "nouns"
                )
            if not image.startswith('"'):
                yield image, nouns


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
