"""Makes caches of nouns, captions and images; joins caches and turns them into the other format."""

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

from safetensors.numpy import load_file, save

from novic.embedder import Embedder
from novic.images import ENDINGS
from novic.vocabulary import sanitised
from scenarios.dictionary import ObjectDictionary, read_dictionary
from training.caches.merge import (
    Input,
    TargetCount,
    check_alike,
    merge_into_folder,
    merge_into_v1,
    open_inputs,
    result_flags,
    result_targets,
)
from training.caches.own import (
    CARD,
    V1_TARGETS,
    EmbeddingCache,
    VectorKind,
    file_sha256,
    read_card,
)
from training.caches.reader import maker_of
from training.caches.report import cache_info
from training.caches.v1 import (
    NO_HASH,
    CacheV1,
    V1Header,
    V1Targets,
    embedder_hash,
    v1_targets,
)
from training.caches.writer import (
    CacheWriter,
    Filled,
    ImageSample,
    Tell,
    Work,
    embed_captions,
    embed_images,
)
from training.captions import (
    CAPTIONS_PER_FREQ,
    SAMPLES_PER_FREQ,
    caption_samples,
    nouns_without_captions,
    read_captions,
)
from training.evaluation.class_names import accepted_nouns, read_class_names
from training.evaluation.image_sets import ImageSet, Split, open_folder
from training.multisets import multiset_captions, multiset_samples
from training.prompts import DEFAULT_COLLECTIONS, read_prompts

type Build = Callable[[], Embedder]
"""Builds the embedder: seconds, so inputs are checked first."""

type CacheFormat = Literal["nomaly", "v1"]
CACHE_FORMATS: tuple[CacheFormat, ...] = get_args(CacheFormat.__value__)


@dataclass(frozen=True, slots=True)
class Making:
    """What all ways of making a cache have in common."""

    out: Path
    """A folder, or a file for version 1."""
    tell: Tell
    format: CacheFormat = "nomaly"
    vectors: VectorKind | None = None
    """How vectors are stored. None for float16, or for what joined caches have; version 1 has
    float32 only."""
    seed: int = 0
    """Of what is drawn at random, and of the order of a version-1 file."""
    overwrite: bool = False
    command: str = ""
    """The command line, for the record."""

    @property
    def folder(self) -> Path:
        """Where shards are made; beside a version-1 file until it is written."""
        return self.out if self.format == "nomaly" else self.out.with_name(f"{self.out.name}.parts")

    def check(self) -> None:
        """Make sure that nothing finished is in the way, before any work is done.

        Raises:
            ValueError: If something is.
        """
        v1 = self.format == "v1"
        if v1 and self.out.is_dir():
            raise ValueError(f"--out {self.out}: is a folder; a version-1 cache is one file")
        finished = self.out.exists() if v1 else (self.out / CARD).is_file()
        if finished and not self.overwrite:
            raise ValueError(
                f"--out {self.out}: holds a finished cache; name another place, or replace it "
                "with --overwrite"
            )


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
        ValueError: If the output holds something else.
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
        ValueError: If the output holds something else.
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
        ValueError: If there are no images, or the output holds something else.
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
        ValueError: If no class has a noun, or the output holds something else.
    """
    found = open_folder(source.folder, source.split)
    if not found.labels:
        raise ValueError(
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
        raise ValueError(f"{source.folder}: no class has a noun of the dictionary")
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


def merge_caches(
    paths: Sequence[Path],
    making: Making,
    build: Build | None = None,
    *,
    targets: TargetCount = "max",
    trust: bool = False,
) -> dict[str, Any]:
    """Join caches of either format into one of either format.

    Args:
        paths: The caches; one that is named several times counts as often.
        making: Output, format and kind of vectors.
        build: Builds the embedder; needed for version 1 if no input knows its tokens.
        targets: M of the result.
        trust: Believe that all were made with the same embedder.

    Returns:
        What was made.

    Raises:
        CacheError: If they cannot be joined or one is damaged.
        ValueError: If the output holds something else.
    """
    if making.out.resolve() in {path.resolve() for path in paths}:
        raise ValueError(f"--out {making.out}: is one of the caches that are read; name another")
    inputs = open_inputs(paths)
    check_alike(inputs, trust=trust)
    width = result_targets(inputs, targets)
    making.check()
    if making.format == "v1":
        _write_v1(inputs, width, making, build)
        return cache_info(making.out)
    kind = making.vectors or _common_kind(inputs)
    request = {
        "what": "merge",
        "inputs": [[_fingerprint(item.cache), item.times] for item in inputs],
        "targets": width,
        "vectors": kind,
    }
    writer = CacheWriter(making.out, request, overwrite=making.overwrite)
    merge_into_folder(inputs, writer, width, kind, making.tell)
    first = inputs[0].cache
    maker = next((m for m in (maker_of(item.cache) for item in inputs) if m.identity), None)
    maker = maker or maker_of(first)
    card = {
        "kind": "merge" if len(inputs) > 1 or inputs[0].times > 1 else _kind(first),
        "embedder": maker.spec,
        "identity": dict(maker.identity),
        "width": first.width,
        "vectors": kind,
        "max_targets": width,
        "flags": asdict(result_flags(inputs, width)),
        "request": request,
        "provenance": _provenance(making, {"inputs": [_origin(item) for item in inputs]}),
    }
    tokens = _known_tokens(inputs)
    extra = {}
    if tokens is not None:
        extra[V1_TARGETS] = save({"tokens": tokens.tokens, "masks": tokens.masks})
        card["v1"] = {"target_hash": tokens.hash.hex(), "embedder_hash": maker.hash.hex()}
    elif not maker.identity:
        card["v1"] = {"target_hash": "", "embedder_hash": maker.hash.hex()}
    writer.finish(first.nouns, card, extra)
    return cache_info(making.out)


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
        card = {
            "kind": what,
            "embedder": embedder.spec,
            "identity": dict(identity),
            "width": embedder.width,
            "vectors": kind,
            "max_targets": filled.max_targets,
            "flags": asdict(filled.flags),
            "skipped": [image for shard in writer.notes("skipped") for image in shard or []],
            "request": request,
            "provenance": _provenance(making, sources),
        }
        writer.finish(nouns, card)
    skipped = read_card(making.folder)["skipped"]
    rates = {"embedded": work.embedded, "embedder_busy": round(work.busy(), 4)}
    if making.format == "v1":
        inputs = [Input(EmbeddingCache(making.folder), 1)]
        _write_v1(inputs, inputs[0].cache.max_targets, making, lambda: embedder)
        shutil.rmtree(making.folder)
    return {**cache_info(making.out), "skipped": skipped, **rates}


def _make_images(
    what: str,
    making: Making,
    build: Build,
    folder: Path,
    images: Sequence[ImageSample],
    nouns: tuple[str, ...],
) -> dict[str, Any]:
    if not images:
        raise ValueError(f"{folder}: holds no images (*{', *'.join(sorted(ENDINGS))})")
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


def _write_v1(
    inputs: Sequence[Input],
    targets: int,
    making: Making,
    build: Build | None,
) -> None:
    """Write a version-1 file of some caches."""
    first = inputs[0].cache
    tokens = _known_tokens(inputs)
    if tokens is None and targets:
        if build is None:
            raise ValueError(
                f"{first.path}: a version-1 file needs the tokens of its nouns; name its embedder "
                "with --embedder"
            )
        tokens = v1_targets(first.nouns, build())
    makers = [maker_of(item.cache) for item in inputs]
    known = next((maker for maker in makers if maker.hash or maker.identity), makers[0])
    hash_ = known.hash or (embedder_hash(known.identity) if known.identity else b"")
    header = V1Header(
        use_targets=bool(targets),
        flags=result_flags(inputs, targets),
        strict=bool(hash_),
        embedder_hash=hash_ or NO_HASH,
        target_hash=tokens.hash if tokens and hash_ else NO_HASH,
        strings=len(first.nouns) + 1 if targets else 0,
        strings_bytes=len(tokens.strings()) if tokens else 0,
        token_dim=tokens.tokens.shape[1] if tokens else 0,
        token_dtype=_token_dtype(tokens),
        vectors=0,
        targets=targets,
        width=first.width,
    )
    merge_into_v1(inputs, making.out, header, tokens, making.seed, making.tell)


def _token_dtype(tokens: V1Targets | None) -> int:
    """The dtype id of the token table."""
    return {1: 0, 2: 1, 4: 2, 8: 3}[tokens.tokens.itemsize] if tokens else 0


def _known_tokens(inputs: Sequence[Input]) -> V1Targets | None:
    """The noun tokens that an input carries from a version-1 file."""
    for cache in (item.cache for item in inputs):
        if isinstance(cache, CacheV1):
            if tokens := cache.targets():
                return tokens
        elif (cache.path / V1_TARGETS).is_file():
            tables = load_file(cache.path / V1_TARGETS)
            target_hash = bytes.fromhex(cache.card["v1"]["target_hash"])
            return V1Targets(cache.nouns, tables["tokens"], tables["masks"], target_hash)
    return None


def _is_finished(folder: Path, request: Mapping[str, Any]) -> bool:
    """Whether all is embedded and only the version-1 file is missing."""
    return (folder / CARD).is_file() and read_card(folder).get("request") == json.loads(
        json.dumps(request)
    )


def _common_kind(inputs: Sequence[Input]) -> VectorKind:
    """How all inputs store their vectors; float16 if they differ or are of version 1."""
    first = _stored_kind(inputs[0].cache)
    return first if all(_stored_kind(item.cache) == first for item in inputs) else "float16"


def _stored_kind(cache: EmbeddingCache | CacheV1) -> VectorKind:
    return "float16" if isinstance(cache, CacheV1) else cache.kind


def _kind(cache: EmbeddingCache | CacheV1) -> str:
    return "v1" if isinstance(cache, CacheV1) else str(cache.card["kind"])


def _fingerprint(cache: EmbeddingCache | CacheV1) -> str:
    if isinstance(cache, EmbeddingCache):
        return file_sha256(cache.path / CARD)
    stat = cache.path.stat()
    return f"{stat.st_size} bytes of {stat.st_mtime_ns}"


def _origin(item: Input) -> dict[str, Any]:
    origin = {"path": str(item.cache.path), "times": item.times}
    if isinstance(item.cache, EmbeddingCache):
        origin["provenance"] = item.cache.card["provenance"]
    return origin


def _provenance(making: Making, sources: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": making.command,
        "seed": making.seed,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("nomaly", "numpy", "torch")},
        },
        **sources,
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
