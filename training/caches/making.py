"""Makes caches of nouns, captions, images and classes of images."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from novic.digest import file_sha256
from novic.embedder import Embedder
from novic.errors import UsageError
from novic.image_sets import ImageSet, Split, open_folder
from novic.images import ENDINGS
from novic.vocabulary import sanitised
from scenarios.dictionary import ObjectDictionary, read_dictionary
from training.caches.cache import CARD, EmbeddingCache, read_card
from training.caches.embedding import Filled, ImageSample, Work, embed_captions, embed_images
from training.caches.joining import join_into_v1
from training.caches.merge import Input
from training.caches.output import Build, Making, provenance
from training.caches.report import cache_info
from training.caches.shards import VectorKind
from training.caches.writer import CacheWriter
from training.evaluation.class_names import accepted_nouns, read_class_names
from training.texts.captions import (
    CAPTIONS_PER_FREQ,
    SAMPLES_PER_FREQ,
    caption_samples,
    nouns_without_captions,
    read_captions,
)
from training.texts.multisets import multiset_captions, multiset_samples
from training.texts.prompts import DEFAULT_COLLECTIONS, read_prompts


@dataclass(frozen=True, slots=True)
class NounSource:
    """Nouns and the prompts that they are put into."""

    dictionary: Path
    threshold: int = 0
    """FT: only nouns of a higher total frequency."""
    prompts: Path | None = None
    """A prompts.json; None for the one that Nomaly ships."""
    collections: str = DEFAULT_COLLECTIONS
    multiset: tuple[int, ...] = (1,)
    """How many sets of captions about one noun, two nouns and so on."""


@dataclass(frozen=True, slots=True)
class CaptionSource:
    """Captions of nouns."""

    captions: Path
    """A captions_dataset.json."""
    dictionary: Path
    threshold: int = 0
    captions_per_freq: int = CAPTIONS_PER_FREQ
    samples_per_freq: int = SAMPLES_PER_FREQ


@dataclass(frozen=True, slots=True)
class ClassSource:
    """Images in a folder for each class."""

    folder: Path
    split: Split = "all"
    names: Path | None = None
    """A cls_class_names file; None to name classes by their folders."""
    dictionary: Path | None = None
    """Target nouns; None for the class names' own synonyms."""
    threshold: int = 0


def cache_nouns(source: NounSource, build: Build, making: Making) -> dict[str, Any]:
    """Embed every noun in every prompt, alone and in multisets.

    Args:
        source: Nouns and prompts.
        build: Builds the embedder.
        making: Output, format and kind of vectors.

    Returns:
        What was made, for people and scripts.

    Raises:
        DictionaryError: If the dictionary breaks a rule.
        PromptError: If the prompts do.
        CacheError: If it cannot be finished; the same command goes on.
        UsageError: If the output holds something else.
    """
    dictionary = read_dictionary(source.dictionary).thresholded(source.threshold)
    prompts = read_prompts(source.prompts, source.collections)
    request = {
        "dictionary": file_sha256(source.dictionary),
        "threshold": source.threshold,
        "prompts": _digest([(prompt.template, prompt.freq) for prompt in prompts]),
        "multiset": list(source.multiset),
        "seed": making.seed,
    }

    def fill(writer: CacheWriter, embedder: Embedder, kind: VectorKind) -> Filled:
        captions = multiset_captions(dictionary, prompts, source.multiset, making.seed)
        samples = multiset_samples(dictionary, prompts, source.multiset)
        nouns = len(dictionary.targets)
        return embed_captions(writer, captions, samples, nouns, embedder, kind, making.tell)

    sources = {
        "dictionary": str(source.dictionary),
        "prompts": str(source.prompts or "shipped"),
        "collections": source.collections,
    }
    return _make("nouns", making, build, dictionary.targets, request, sources, fill)


def cache_captions(source: CaptionSource, build: Build, making: Making) -> dict[str, Any]:
    """Embed samples of captions that a language model wrote.

    Returns:
        What was made; `nouns_without_captions` tells how many nouns lack some.

    Raises:
        CaptionError: If the captions break a rule.
        DictionaryError: If the dictionary does.
        CacheError: If it cannot be finished; the same command goes on.
        UsageError: If the output holds something else.
    """
    dictionary = read_dictionary(source.dictionary).thresholded(source.threshold)
    written = read_captions(source.captions)
    per_freq = (source.captions_per_freq, source.samples_per_freq)
    request = {
        "dictionary": file_sha256(source.dictionary),
        "threshold": source.threshold,
        "captions": file_sha256(source.captions),
        "per_freq": list(per_freq),
        "seed": making.seed,
    }

    def fill(writer: CacheWriter, embedder: Embedder, kind: VectorKind) -> Filled:
        captions = caption_samples(dictionary, written, making.seed, *per_freq)
        nouns = len(dictionary.targets)
        return embed_captions(writer, captions, 0, nouns, embedder, kind, making.tell)

    sources = {"dictionary": str(source.dictionary), "captions": str(source.captions)}
    made = _make("captions", making, build, dictionary.targets, request, sources, fill)
    return {**made, "nouns_without_captions": len(nouns_without_captions(dictionary, written))}


def cache_images(folder: Path, build: Build, making: Making) -> dict[str, Any]:
    """Embed all images below a folder, without targets.

    Returns:
        What was made; `skipped` lists images that could not be read.

    Raises:
        CacheError: If it cannot be finished; the same command goes on.
        UsageError: If there are no images, or the output holds something else.
    """
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    images = [
        ImageSample(file.relative_to(folder).as_posix())
        for file in files
        if file.suffix.lower() in ENDINGS and file.is_file()
    ]
    return _make_images("images", making, build, folder, images, ())


def cache_classes(source: ClassSource, build: Build, making: Making) -> dict[str, Any]:
    """Embed images of classes; the targets of an image are all nouns of its class.

    Returns:
        What was made; `skipped` lists images that could not be read, `classes_without_noun` the
        classes whose images were left out.

    Raises:
        EvaluationError: If the folder is not laid out as it must be.
        DictionaryError: If the dictionary breaks a rule.
        CacheError: If it cannot be finished; the same command goes on.
        UsageError: If no class has a noun, or the output holds something else.
    """
    found = open_folder(source.folder, source.split)
    if not found.labels:
        raise UsageError(
            f"{source.folder}: holds images but no folders of classes; use `nomaly cache images`"
        )
    names = found.classes
    if source.names is not None:
        names = read_class_names(source.names, found.name, len(names))
    dictionary = read_dictionary(source.dictionary) if source.dictionary else None
    nouns, targets = class_targets(names, dictionary, source.threshold)
    images = _class_images(source.folder, found, targets)
    lacking = [name for name, own in zip(names, targets, strict=True) if not own]
    if not images:
        raise UsageError(f"{source.folder}: no class has a noun of the dictionary")
    made = _make_images("classes", making, build, source.folder, images, nouns)
    return {**made, "classes_without_noun": lacking}


def class_targets(
    names: Sequence[str], dictionary: ObjectDictionary | None, threshold: int
) -> tuple[tuple[str, ...], list[tuple[int, ...]]]:
    """Nouns of classes.

    Args:
        names: Synonyms of each class with commas between.
        dictionary: Target nouns; None for the synonyms themselves.
        threshold: FT of the dictionary.

    Returns:
        All target nouns, and the numbers of each class's own, those of its first name first; none
        for a class that the dictionary lacks.
    """
    if dictionary is None:
        spelt = [[sanitised(name) for name in names_.split(",")] for names_ in names]
        nouns = tuple(sorted({noun for own in spelt for noun in own if noun}))
        number = {noun: at for at, noun in enumerate(nouns)}
        return nouns, [tuple(dict.fromkeys(number[n] for n in own if n)) for own in spelt]
    nouns = dictionary.thresholded(threshold).targets
    number = {noun: at for at, noun in enumerate(nouns)}
    accepted = accepted_nouns(names, nouns, dictionary)
    return nouns, [tuple(sorted(number[noun] for noun in own)) for own in accepted]


def _make(
    what: str,
    making: Making,
    build: Build,
    nouns: tuple[str, ...],
    request: Mapping[str, Any],
    sources: Mapping[str, Any],
    fill: Callable[[CacheWriter, Embedder, VectorKind], Filled],
) -> dict[str, Any]:
    """Make a cache in Nomaly's format and, if version 1 is wanted, write that from it."""
    making.check()
    # Training turns the vectors of texts by 73 degrees; to int8 they are turned by 0.4.
    small: VectorKind = "int8" if what in ("nouns", "captions") else "float16"
    kind: VectorKind = "float32" if making.format == "v1" else making.vectors or small
    embedder = build()
    identity = embedder.identity()
    request = {
        "what": what,
        "embedder": embedder.spec,
        "model": _digest([identity[key] for key in ("model_id", "model_config", "class")]),
        "vectors": kind,
        **request,
    }
    work = Work()
    if making.format == "nomaly" or not _is_finished(making.folder, request):
        writer = CacheWriter(making.folder, request, overwrite=making.overwrite)
        filled = fill(writer, embedder, kind)
        work = filled.work
        skipped = [image for shard in writer.notes("skipped") for image in shard or []]
        card = {
            **_card(embedder, identity, request, filled),
            "skipped": skipped,
            "provenance": provenance(making, sources),
        }
        writer.finish(nouns, card)
    skipped = read_card(making.folder)["skipped"]
    rates = {"embedded": work.embedded, "embedder_busy": round(work.busy(), 4)}
    if making.format == "v1":
        inputs = [Input(EmbeddingCache(making.folder), 1)]
        join_into_v1(inputs, inputs[0].cache.max_targets, making, lambda: embedder)
        shutil.rmtree(making.folder)
    return {**cache_info(making.out), "skipped": skipped, **rates}


def _card(
    embedder: Embedder, identity: Mapping[str, Any], request: Mapping[str, Any], filled: Filled
) -> dict[str, Any]:
    """What a cache says of its vectors and of how they were made."""
    return {
        "kind": request["what"],
        "embedder": embedder.spec,
        "identity": dict(identity),
        "width": embedder.width,
        "vectors": request["vectors"],
        "max_targets": filled.max_targets,
        "flags": asdict(filled.flags),
        "request": request,
    }


def _make_images(
    what: str,
    making: Making,
    build: Build,
    folder: Path,
    images: Sequence[ImageSample],
    nouns: tuple[str, ...],
) -> dict[str, Any]:
    if not images:
        raise UsageError(f"{folder}: holds no images (.jpg, .png and others)")
    listing = [[image.path, list(image.targets)] for image in images]
    request = {"folder": str(folder.resolve()), "images": _digest(listing), "nouns": _digest(nouns)}

    def fill(writer: CacheWriter, embedder: Embedder, kind: VectorKind) -> Filled:
        embedder.warm_up()
        return embed_images(writer, folder, images, embedder, kind, making.tell)

    return _make(what, making, build, nouns, request, {"folder": str(folder)}, fill)


def _class_images(
    folder: Path, found: ImageSet, targets: Sequence[tuple[int, ...]]
) -> list[ImageSample]:
    return [
        ImageSample(file.relative_to(folder).as_posix(), targets[label])
        for file, label in zip(found.files, found.labels, strict=True)
        if targets[label]
    ]


def _is_finished(folder: Path, request: Mapping[str, Any]) -> bool:
    """Whether all is embedded and only the version-1 file is missing."""
    return (folder / CARD).is_file() and read_card(folder).get("request") == json.loads(
        json.dumps(request)
    )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
