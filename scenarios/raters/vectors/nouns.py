"""What nouns mean, as vectors of a small text model; made once for all sites and dictionaries.

Each noun is embedded by all-MiniLM-L6-v2 bare, as "a photo of a NOUN" (scenarios_spec §4), and in
two texts that turn from the thing to where it is and who uses it. The cache is a folder that every
dictionary adds to: it knows texts, not dictionaries, so a dictionary that shares most of its nouns
with an earlier one only pays for the others. Its files hold up to 2,048 texts each, are written
whole and carry their own checksum: a run that is stopped or killed keeps what it has embedded.

    minilm-<model>-<texts>.safetensors    vectors float16 [M, 384]; metadata: texts, sha256
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from novic.embedder import Vectors
from novic.embedders.starter import TEXT_SHA256, WIDTH, TextModel
from novic.whole_files import write_whole
from scenarios.articles import article
from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.ratings.records import RatingError

TEXTS_PER_FILE = 2048
"""Twenty seconds of work: what a kill can lose."""

_PREFIX = f"minilm-{TEXT_SHA256[:8]}-"

type Embed = Callable[[Sequence[str]], Vectors]
"""Texts to unit vectors float32 [N, 384]."""


@dataclass(frozen=True)
class NounVectors:
    """The vectors of a dictionary's nouns."""

    nouns: tuple[str, ...]
    """Target nouns [N]; a noun's number is its place."""
    bare: Vectors
    """Unit vectors of the nouns alone [N, 384]."""
    photo: Vectors
    """Unit vectors of "a photo of a NOUN" [N, 384]."""
    where: Vectors
    """Unit vectors of "the place where you usually see a NOUN" [N, 384]."""
    people: Vectors
    """Unit vectors of "people who work with a NOUN" [N, 384]."""

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Number of each noun."""
        return {noun: number for number, noun in enumerate(self.nouns)}

    @cached_property
    def both(self) -> Vectors:
        """Bare and photo side by side, float32 [N, 768]: what the student judges by."""
        return np.concatenate([self.bare, self.photo], axis=1)


TEMPLATES = (
    "{}",
    "a photo of {}",
    "the place where you usually see {}",
    "people who work with {}",
)
"""The texts of a noun, in the order of NounVectors; the first without an article."""


def noun_texts(entry: NounEntry) -> list[str]:
    """The texts of a noun, without the article if there is only a plural."""
    noun = entry.target_noun
    named = f"{article(noun)} {noun}" if entry.singulars else noun
    return [noun, *(template.format(named) for template in TEMPLATES[1:])]


def noun_vectors(
    dictionary: ObjectDictionary,
    folder: Path,
    *,
    report: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[str], None] = lambda _sentence: None,
    embed: Embed | None = None,
) -> NounVectors:
    """Vectors of a dictionary's nouns, from the cache as far as it has them.

    Args:
        dictionary: Its target nouns are embedded.
        folder: The cache; made if missing, shared by all dictionaries.
        report: Told how many of the dictionary's texts, four a noun, have vectors, and of how many.
            If it raises, what was embedded is kept.
        tell: Told in a sentence if a part of the cache was damaged, or if another run embeds now.
        embed: The text model; loaded, in seconds, only if something has to be embedded.

    Raises:
        RatingError: If the cache can be neither read nor written.
        EmbedderError: If the text model is needed and missing.
    """
    nouns = dictionary.targets
    texts = [text for entry in dictionary.entries for text in noun_texts(entry)]
    rows = text_vectors(texts, folder, report=report, tell=tell, embed=embed)
    bare, photo, where, people = rows.reshape(len(nouns), len(TEMPLATES), WIDTH).swapaxes(0, 1)
    return NounVectors(nouns, bare, photo, where, people)


def text_vectors(
    texts: Sequence[str],
    folder: Path,
    *,
    report: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[str], None] = lambda _sentence: None,
    embed: Embed | None = None,
) -> Vectors:
    """Vectors of any texts, from the same cache: unit float32 [N, 384]; see `noun_vectors`.

    Raises:
        RatingError: If the cache can be neither read nor written.
        EmbedderError: If the text model is needed and missing.
    """
    try:
        vectors = _cached(list(dict.fromkeys(texts)), folder, report, tell, embed)
    except OSError as error:
        raise RatingError(
            f"{folder}: the word vectors cannot be kept: {error.strerror or error}; free space or "
            "make the folder writable, what was embedded so far is kept"
        ) from error
    return np.stack([vectors[text] for text in texts]).astype(np.float32)


def _cached(
    texts: Sequence[str],
    folder: Path,
    report: Callable[[int, int], None],
    tell: Callable[[str], None],
    embed: Embed | None,
) -> Mapping[str, NDArray[np.float16]]:
    """Vectors of distinct texts, after embedding those that the cache lacks."""
    known = _read(folder, tell)
    if all(text in known for text in texts):
        report(len(texts), len(texts))
        return known
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, tell):
        known = _read(folder, tell)  # Another run may have embedded them meanwhile.
        missing = [text for text in texts if text not in known]
        report(len(texts) - len(missing), len(texts))
        embed = embed or TextModel().embed
        for start in range(0, len(missing), TEXTS_PER_FILE):
            chosen = missing[start : start + TEXTS_PER_FILE]
            # Rounded at once, so that vectors are the same when they come from the cache.
            fresh = embed(chosen).astype(np.float16)
            _write(folder, chosen, fresh)
            known.update(zip(chosen, fresh, strict=True))
            report(len(texts) - len(missing) + start + len(chosen), len(texts))
    return known


@contextmanager
def _alone(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other run embeds into the folder: two would do the same work twice."""
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell("another run is embedding words; waiting for it, since its vectors serve both")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _read(folder: Path, tell: Callable[[str], None]) -> dict[str, NDArray[np.float16]]:
    """Everything that the cache holds; damaged files are deleted, so that they are made again."""
    known: dict[str, NDArray[np.float16]] = {}
    for file in sorted(folder.glob(f"{_PREFIX}*.safetensors")):
        try:
            known.update(_read_file(file))
        except (ValueError, KeyError, SafetensorError) as error:
            tell(f"{file}: damaged ({error}); it is deleted and its words are embedded again")
            file.unlink(missing_ok=True)
    return known


def _read_file(file: Path) -> dict[str, NDArray[np.float16]]:
    """Texts of a file with their vectors [384]; any damage raises."""
    with safe_open(file, "np") as opened:
        metadata = opened.metadata() or {}
        vectors: NDArray[np.float16] = opened.get_tensor("vectors")
    listed = metadata["texts"]
    if _checksum(listed, vectors) != metadata["sha256"]:
        raise ValueError("its checksum differs")
    return dict(zip(json.loads(listed), vectors, strict=True))


def _write(folder: Path, texts: Sequence[str], vectors: NDArray[np.float16]) -> None:
    """Write a file in one go: after a kill it is there whole or not at all."""
    listed = json.dumps(texts, ensure_ascii=False)
    metadata = {"texts": listed, "sha256": _checksum(listed, vectors)}
    name = f"{_PREFIX}{hashlib.sha256(listed.encode()).hexdigest()[:16]}.safetensors"
    write_whole(folder / name, save({"vectors": vectors}, metadata))


def _checksum(listed: str, vectors: NDArray[np.float16]) -> str:
    return hashlib.sha256(listed.encode() + vectors.tobytes()).hexdigest()
