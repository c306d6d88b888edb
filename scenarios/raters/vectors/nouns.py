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
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
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
from scenarios.dictionary import ObjectDictionary
from scenarios.raters.vectors.shipped import PackedVectors
from scenarios.raters.vectors.texts import TEMPLATES, noun_texts
from scenarios.ratings.records import RatingError

TEXTS_PER_FILE = 2048
"""Twenty seconds of work: what a kill can lose."""

TEXTS_AT_ONCE = 128
"""A second of work, after which progress is told and Ctrl-C is looked at."""

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


def noun_vectors(
    dictionary: ObjectDictionary,
    folder: Path,
    *,
    packed: PackedVectors | None = None,
    report: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[str], None] = lambda _sentence: None,
    embed: Embed | None = None,
) -> NounVectors:
    """Vectors of a dictionary's nouns: packed ones, then from the cache as far as it has them.

    Args:
        dictionary: Its target nouns are embedded.
        folder: The cache; made if missing, shared by all dictionaries.
        packed: Vectors that are used where they are of the very same texts.
        report: Told how many of the texts that are not packed, four a noun, have vectors, and of
            how many. If it raises, what was embedded is kept.
        tell: Told in a sentence if a part of the cache was damaged, if another run embeds now, or
            how long it will take if that is more than a minute.
        embed: The text model; loaded, in seconds, only if something has to be embedded.

    Raises:
        RatingError: If the cache can be neither read nor written.
        EmbedderError: If the text model is needed and missing.
    """
    texts = [tuple(noun_texts(entry)) for entry in dictionary.entries]
    rows = packed.rows if packed else {}
    places = [place for place, of_noun in enumerate(texts) if of_noun in rows]
    others = [place for place, of_noun in enumerate(texts) if of_noun not in rows]
    found = np.empty((len(texts), len(TEMPLATES), WIDTH), dtype=np.float32)
    if packed and places:
        found[places] = packed.vectors([rows[texts[place]] for place in places])
    if others:
        wanted = [text for place in others for text in texts[place]]
        embedded = text_vectors(wanted, folder, report=report, tell=tell, embed=embed)
        found[others] = embedded.reshape(len(others), len(TEMPLATES), WIDTH)
    bare, photo, where, people = np.ascontiguousarray(found.swapaxes(0, 1))
    return NounVectors(dictionary.targets, bare, photo, where, people)


def text_vectors(
    texts: Sequence[str],
    folder: Path,
    *,
    packed: PackedVectors | None = None,
    report: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[str], None] = lambda _sentence: None,
    embed: Embed | None = None,
) -> Vectors:
    """Vectors of any texts, unit float32 [N, 384], from the same cache; see `noun_vectors`.

    Of packed texts only the prior's own are used, which are held as they are.

    Raises:
        RatingError: If the cache can be neither read nor written.
        EmbedderError: If the text model is needed and missing.
    """
    ready = packed.axes if packed else {}
    wanted = [text for text in dict.fromkeys(texts) if text not in ready]
    vectors: Mapping[str, NDArray[np.float16]] = {}
    try:
        if wanted:
            vectors = _cached(wanted, folder, report, tell, embed)
    except OSError as error:
        raise RatingError(
            f"{folder}: the word vectors cannot be kept: {error.strerror or error}; free space or "
            "make the folder writable, what was embedded so far is kept"
        ) from error
    chosen = [vectors[text] if text in vectors else ready[text] for text in texts]
    return np.stack(chosen).astype(np.float32)


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
        before = len(texts) - len(missing)
        report(before, len(texts))
        pace = _Pace(len(missing), tell)
        embed = embed or TextModel().embed
        for start in range(0, len(missing), TEXTS_PER_FILE):
            # Closed at once when a report raises, so that what is embedded is written.
            with closing(_embedded(missing[start:][:TEXTS_PER_FILE], folder, embed)) as batches:
                for fresh in batches:
                    known.update(fresh)
                    pace.tell_after(len(fresh))
                    report(before + pace.done, len(texts))
    return known


def _embedded(
    texts: Sequence[str], folder: Path, embed: Embed
) -> Generator[dict[str, NDArray[np.float16]]]:
    """Embed the texts of one file and write it, also if whoever takes them stops before the end."""
    fresh: list[NDArray[np.float16]] = []
    try:
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            chosen = texts[start : start + TEXTS_AT_ONCE]
            # Rounded at once, so that vectors are the same when they come from the cache.
            vectors = embed(chosen).astype(np.float16)
            fresh += list(vectors)
            yield dict(zip(chosen, vectors, strict=True))
    finally:
        if fresh:
            _write(folder, texts[: len(fresh)], np.stack(fresh))


class _Pace:
    """Tells once how long it will take, if that is long."""

    def __init__(self, texts: int, tell: Callable[[str], None]) -> None:
        self.done = 0
        self._texts = texts
        self._tell = tell
        self._began: float | None = None

    def tell_after(self, batch: int) -> None:
        """Measure the second batch: loading the model and warming up are no measure."""
        self.done += batch
        if self._began is None:
            self._began = time.monotonic()
        elif self.done == 2 * TEXTS_AT_ONCE:
            left = self._texts - self.done
            minutes = (time.monotonic() - self._began) / TEXTS_AT_ONCE * left / 60
            if minutes > 1:
                self._tell(
                    f"{left:,} texts are not known yet; embedding them takes about "
                    f"{minutes:.0f} min here, once. Ctrl-C keeps what is done"
                )


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
