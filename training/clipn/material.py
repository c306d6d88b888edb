"""Texts and images that a CLIPN learns from, as people have them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from novic.bundle import NOUNS
from novic.errors import UsageError
from novic.image_sets import open_folder
from novic.json_files import read_json
from novic.model import starter_bundle_path
from novic.vocabulary import canonical

NUMBERED = re.compile(r"[\s_\-.()]*\d*[\s_\-.()]*$")
"""What counts pictures of one thing at the end of a file's name."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and what it shows."""

    image: Path
    text: str


def vocabulary_nouns() -> tuple[str, ...]:
    """The nouns that the shipped decoder says."""
    return tuple(row[0] for row in read_json(starter_bundle_path() / NOUNS))


def read_nouns(file: Path) -> tuple[str, ...]:
    """Nouns of a file, one a line, in canonical form; empty lines and repetitions are left out.

    Raises:
        UsageError: If it cannot be read or holds fewer than two.
    """
    found = tuple(dict.fromkeys(noun for line in _lines(file) if (noun := canonical(line))))
    if len(found) < 2:
        raise UsageError(f"{file}: holds {len(found)} nouns; a CLIPN needs two at least")
    return found


def read_pairs(file: Path) -> list[Pair]:
    """Pairs of a file: an image's path, a tab and its text on each line.

    Args:
        file: Paths that are not absolute begin in its folder.

    Raises:
        UsageError: If it cannot be read, or a line is no pair.
    """
    found = []
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        image, tab, text = line.partition("\t")
        if not tab or not image.strip() or not text.strip():
            raise UsageError(f"{file}, line {number}: write an image's path, a tab and its text")
        found.append(Pair(file.parent / image.strip(), " ".join(text.split())))
    if not found:
        raise UsageError(f"{file}: holds no pairs; write an image's path, a tab and its text")
    return found


def folder_pairs(folder: Path) -> list[Pair]:
    """Pairs of a folder: images lie in a sub-folder of their noun, or are called by it.

    `cups/cup 3.jpg` shows a cup by its folder's name, `cup_3.jpg` and `cup-3.jpg` by their own.

    Raises:
        ImageSetError: If the folder holds no images, or some beside folders of images.
        UsageError: If a file's name says no noun.
    """
    images = open_folder(folder, "all")
    if images.classes:
        nouns = [canonical(images.classes[number].split(",")[0]) for number in images.labels]
    else:
        nouns = [_noun(file) for file in images.files]
    return [Pair(file, noun) for file, noun in zip(images.files, nouns, strict=True)]


def distinct(pairs: Sequence[Pair]) -> tuple[tuple[str, ...], list[int]]:
    """The texts of pairs, each once, and the number of each pair's text among them."""
    numbers: dict[str, int] = {}
    owners = [numbers.setdefault(pair.text, len(numbers)) for pair in pairs]
    return tuple(numbers), owners


def _noun(file: Path) -> str:
    noun = canonical(NUMBERED.sub("", file.stem).replace("_", " "))
    if not noun:
        raise UsageError(
            f"{file}: its name says no noun; call it by what it shows (cup-3.jpg), or put it into "
            "a folder of that name"
        )
    return noun


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
