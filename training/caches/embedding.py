"""Embeds captions and images into the shards of a cache (`training.caches.writer` keeps them)."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from novic.embedder import Embedder, Vectors
from novic.images import load_images
from training.batches import NO_TARGET
from training.caches.cache import CacheError, Flags
from training.caches.prefetch import OneBehind, one_ahead
from training.caches.shards import Shard, VectorKind, pack_vectors
from training.caches.spill import SpillCounts, UniqueText, groups, read_parts, spill, text_hash
from training.caches.writer import SHARD_IMAGES, SHARD_TEXTS, SPILL, CacheWriter
from training.texts.samples import Caption

CHUNK_TEXTS = 2_048
"""Texts handed to the embedder at once, of like length, which spares padding."""
CHUNK_IMAGES = 64
UNIT_TOLERANCE = 1e-3
"""How far the length of an embedder's vector may be from 1."""

type Tell = Callable[[str, int, int, str], None]
"""Called with a stage's name, how much is done, of how much, and a note."""


@dataclass(slots=True)
class Work:
    """How much was embedded, and how long that took."""

    began: float = field(default_factory=time.perf_counter)
    embedded: int = 0
    """Texts or images of this run; those of shards that were finished before do not count."""
    embedding_s: float = 0.0
    """Seconds in which the embedder was at work."""

    def rate(self) -> float:
        """Texts or images a second since the run began."""
        return self.embedded / (time.perf_counter() - self.began)

    def busy(self) -> float:
        """Share of the run's time in which the embedder was at work."""
        return self.embedding_s / (time.perf_counter() - self.began)


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a cache's shards."""

    work: Work
    """Of this run."""
    flags: Flags
    """Of all samples."""
    max_targets: int
    """M."""


@dataclass(frozen=True, slots=True, eq=False)
class _TextShard:
    """Unique texts to be embedded, and the entries they stand for."""

    name: str
    of: int
    """Shards in its group."""
    texts: list[str]
    row: NDArray[np.int32]
    count: NDArray[np.int32]
    targets: NDArray[np.int32]
    captions: int
    """The captions that were spilled for it, for progress."""


def embed_captions(
    writer: CacheWriter,
    captions: Iterable[Caption],
    samples: int,
    nouns: int,
    embedder: Embedder,
    kind: VectorKind,
    tell: Tell,
) -> Filled:
    """Embed captions into shards; what was finished before is not done again.

    Reading, sorting and writing go on in other threads while the embedder works.

    Args:
        writer: Where the shards go.
        captions: The same in the same order in every run; not read if they were spilled before.
        samples: How many samples they stand for, for progress; 0 if nobody knows.
        nouns: How many target nouns there are.
        embedder: Embeds their texts.
        kind: How vectors are stored.
        tell: Progress.

    Raises:
        CacheError: If there are no captions, a vector is no unit vector, or the disk is full.
    """
    folder, clean = writer.folder / SPILL, embedder.clean_text
    clean("")  # Loads the text model, whose seconds are not the run's.
    work = Work()
    counts = spill(
        captions,
        folder,
        clean,
        nouns,
        lambda written: tell("Writing captions", written, samples, ""),
    )
    done = 0
    with OneBehind() as behind:
        for shard in one_ahead(_text_shards(writer, counts, clean)):

            def told(texts: int, shard: _TextShard = shard, before: int = done) -> None:
                captions = before + shard.captions * texts // len(shard.texts)
                tell("Embedding", captions, counts.captions, f"{work.rate():,.0f} texts/s")

            if shard.texts:
                vectors = embed_texts(shard.texts, embedder, work, told)
                behind.do(partial(_write_texts, writer, shard, vectors, kind))
            done += shard.captions
    flags = Flags(full_targets=all(writer.notes("full")), default_weights=True, unit_weights=True)
    return Filled(work, flags, counts.max_targets)


def embed_texts(
    texts: Sequence[str], embedder: Embedder, work: Work, told: Callable[[int], None]
) -> Vectors:
    """Embed the texts of a shard, those of like length together.

    Raises:
        CacheError: If a vector is no unit vector; its text is named.
    """
    vectors = np.empty((len(texts), embedder.width), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda number: (len(texts[number]), texts[number]))
    for first in range(0, len(texts), CHUNK_TEXTS):
        chosen = order[first : first + CHUNK_TEXTS]
        began = time.perf_counter()
        vectors[chosen] = embedder.embed_texts([texts[number] for number in chosen])
        work.embedding_s += time.perf_counter() - began
        work.embedded += len(chosen)
        told(first + len(chosen))
    check_units(vectors, lambda number: f"text '{texts[number]}'", embedder.spec)
    return vectors


def check_units(vectors: Vectors, what: Callable[[int], str], embedder: str) -> None:
    """Make sure that an embedder gave unit vectors.

    Raises:
        CacheError: If one is not; what it is of is named.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= UNIT_TOLERANCE))
    if len(wrong):
        raise CacheError(
            f"{what(int(wrong[0]))}: embedder '{embedder}' gave a vector of length "
            f"{lengths[wrong[0]]:.4g} instead of 1, and {len(wrong) - 1} more such; its weights "
            "are damaged or its precision is too low"
        )


def _text_shards(
    writer: CacheWriter, counts: SpillCounts, clean: Callable[[str], str]
) -> Iterator[_TextShard]:
    """Shards that are not finished; for those that are, one without texts to advance progress."""
    for parts in groups(counts):
        group, captions = f"{parts.start:03d}", sum(counts.parts[part] for part in parts)
        if writer.has_group(group):
            yield _text_shard(group, 1, [], counts.max_targets, captions)
            continue
        unique = read_parts(writer.folder / SPILL, parts, clean)
        of = math.ceil(len(unique) / SHARD_TEXTS)
        for number in range(of):
            first, last = (len(unique) * edge // of for edge in (number, number + 1))
            name = f"{group}-{number:03d}"
            texts = [] if writer.has(name) else unique[first:last]
            yield _text_shard(name, of, texts, counts.max_targets, captions // of)


def _text_shard(
    name: str, of: int, unique: list[UniqueText], most: int, captions: int
) -> _TextShard:
    entries = [
        (row, count, targets)
        for row, text in enumerate(unique)
        for targets, count in sorted(text.counts.items())
    ]
    targets = np.full((len(entries), most), NO_TARGET, dtype=np.int32)
    for number, (_, _, nouns) in enumerate(entries):
        targets[number, : len(nouns)] = nouns
    return _TextShard(
        name,
        of,
        [text.text for text in unique],
        np.array([row for row, _, _ in entries], dtype=np.int32),
        np.array([count for _, count, _ in entries], dtype=np.int32),
        targets,
        captions,
    )


def _write_texts(
    writer: CacheWriter, shard: _TextShard, vectors: Vectors, kind: VectorKind
) -> None:
    full = bool((shard.targets != NO_TARGET).all())
    packed = pack_vectors(vectors, kind)
    written = Shard(packed, shard.row, shard.count, shard.targets)
    writer.write(shard.name, written, of=shard.of, full=full)


@dataclass(frozen=True, slots=True)
class ImageSample:
    """An image file with the nouns that it shows."""

    path: str
    """Relative to the folder that was named; decides the image's place in the cache."""
    targets: tuple[int, ...] = ()


def embed_images(
    writer: CacheWriter,
    folder: Path,
    images: Sequence[ImageSample],
    embedder: Embedder,
    kind: VectorKind,
    tell: Tell,
) -> Filled:
    """Embed image files into shards; images that cannot be read are left out and noted.

    The next images are opened in threads while the embedder works.

    Args:
        writer: Where the shards go.
        folder: Folder of all images.
        images: All images.
        embedder: Embeds them.
        kind: How vectors are stored.
        tell: Progress.

    Raises:
        CacheError: If a vector is no unit vector or the disk is full.
    """
    work, done = Work(), 0
    most = max(len(image.targets) for image in images)
    ordered = sorted(images, key=lambda image: (text_hash(image.path), image.path))
    of = math.ceil(len(ordered) / SHARD_IMAGES)
    for number in range(of):
        name = f"{number:05d}"
        shard = ordered[len(ordered) * number // of : len(ordered) * (number + 1) // of]
        if not writer.has(name):

            def told(images: int, before: int = done) -> None:
                tell("Embedding", before + images, len(ordered), f"{work.rate():,.1f} images/s")

            kept, vectors, skipped = _embed_image_shard(folder, shard, embedder, work, told)
            targets = np.full((len(kept), most), NO_TARGET, dtype=np.int32)
            for row, image in enumerate(kept):
                targets[row, : len(image.targets)] = image.targets
            rows = np.arange(len(kept), dtype=np.int32)
            packed = pack_vectors(vectors, kind)
            writer.write(name, Shard(packed, rows, np.ones_like(rows), targets), skipped=skipped)
        done += len(shard)
    full = bool(most) and all(len(image.targets) == most for image in images)
    flags = Flags(full_targets=full, default_weights=bool(most), unit_weights=bool(most))
    return Filled(work, flags, most)


def _embed_image_shard(
    folder: Path,
    images: Sequence[ImageSample],
    embedder: Embedder,
    work: Work,
    told: Callable[[int], None],
) -> tuple[list[ImageSample], Vectors, list[tuple[str, str]]]:
    """The images of a shard that can be read, their vectors, and the others with the reason."""
    vectors = [np.empty((0, embedder.width), dtype=np.float32)]
    kept: list[ImageSample] = []
    skipped: list[tuple[str, str]] = []
    opened = load_images(str(folder / image.path) for image in images)
    for chunk in batched(zip(images, opened, strict=True), CHUNK_IMAGES):
        skipped += [(image.path, loaded.error) for image, loaded in chunk if loaded.image is None]
        good = [image for image, loaded in chunk if loaded.image is not None]
        began = time.perf_counter()
        found = embedder.embed_images(
            [loaded.image for _, loaded in chunk if loaded.image is not None]
        )
        work.embedding_s += time.perf_counter() - began
        work.embedded += len(good)
        check_units(found, lambda row, of=good: of[row].path, embedder.spec)
        vectors.append(found)
        kept += good
        told(len(kept) + len(skipped))
    return kept, np.concatenate(vectors), skipped
