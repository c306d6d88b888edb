"""`nomaly cache`: vectors of nouns, captions and images, made once and read by training."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.option_sets import with_option_sets
from app.commands.options import Device, Json, Quiet, command_group, print_json, show_progress
from app.errors import StoppedError, UsageError
from novic.embedders.kinds import SPECS

if TYPE_CHECKING:
    from novic.embedder import Embedder
    from training.caches.merge import TargetCount
    from training.caches.output import Build, Making
    from training.caches.shards import VectorKind

cli = command_group(
    "cache",
    "Embeddings of nouns, captions and images, stored for training.",
    "nomaly cache nouns --dictionary object_nouns.json --ft 2 --out nouns",
    "nomaly cache merge nouns captions --out both",
    "nomaly cache info both",
)

Out = Annotated[Path, typer.Option("--out", "-o", help="Where the cache goes.")]
Format = Annotated[
    str, typer.Option("--format", help="nomaly: a folder; v1: one file that upstream reads too.")
]
Stored = Annotated[
    str,
    typer.Option(
        "--vectors",
        help="float16; int8, half as large, turns vectors by half a degree; or float32.",
    ),
]
Restored = Annotated[
    str,
    typer.Option(
        "--vectors",
        help="float16, int8 or float32; by default as the caches that are read, or float16.",
    ),
]
EmbedderSpec = Annotated[str, typer.Option(help=SPECS)]
Dictionary = Annotated[Path, typer.Option(help="An object_nouns.json.")]
Threshold = Annotated[
    int, typer.Option("--ft", min=0, help="Only nouns of a higher total frequency than this.")
]
Trust = Annotated[bool, typer.Option(help="Believe that the embedder is the same one.")]
Cache = Annotated[Path, typer.Argument(help="A cache: a folder, or a version-1 file.")]


@dataclass(frozen=True, slots=True)
class CacheRun:
    """Options of every command that makes a cache."""

    seed: Annotated[
        int, typer.Option(help="Seed of everything drawn, and of version 1's order.")
    ] = 0
    device: Device = "auto"
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier cache.")] = False
    as_json: Json = False
    quiet: Quiet = False


@cli.command(
    epilog="Examples:  nomaly cache nouns --dictionary object_nouns.json --ft 2 --out nouns\n\n"
    "nomaly cache nouns --dictionary object_nouns.json --multiset 1,1,1 --out sets"
)
@with_option_sets
def nouns(
    dictionary: Dictionary,
    out: Out,
    *,
    ft: Threshold = 0,
    multiset: Annotated[
        str, typer.Option(help="Sets of texts about one noun, about two, about three: 1,1,1.")
    ] = "1",
    prompts: Annotated[
        Path | None, typer.Option(help="A prompts.json; by default CLIP's own prompts.")
    ] = None,
    collections: Annotated[
        str, typer.Option(help="Collections of prompts, with | between.")
    ] = "ImageNet1K | CIFAR",
    embedder: EmbedderSpec = "starter",
    vectors: Stored = "int8",
    file_format: Format = "nomaly",
    run: CacheRun,
) -> None:
    """Embed every noun in every prompt.

    Ctrl-C keeps what is finished, and the same command goes on from there.
    """
    from training.caches.making import NounSource, cache_nouns

    source = NounSource(dictionary, ft, prompts, collections, read_sets(multiset))
    with _making(out, file_format, vectors, run) as making:
        made = cache_nouns(source, lambda: _build(embedder, run.device), making)
    _show(made, run.as_json)


@cli.command(
    epilog="Example:  nomaly cache captions captions_dataset.json --dictionary object_nouns.json "
    "--out captions"
)
@with_option_sets
def captions(
    file: Annotated[Path, typer.Argument(help="A captions_dataset.json.")],
    dictionary: Dictionary,
    out: Out,
    *,
    ft: Threshold = 0,
    captions_per_freq: Annotated[
        int, typer.Option(min=1, help="Captions used for each unit of a noun's frequency.")
    ] = 10,
    samples_per_freq: Annotated[
        int, typer.Option(min=1, help="Samples for each unit of a spelling's frequency.")
    ] = 20,
    embedder: EmbedderSpec = "starter",
    vectors: Stored = "int8",
    file_format: Format = "nomaly",
    run: CacheRun,
) -> None:
    """Embed captions that a language model wrote. Ctrl-C and the same command go on."""
    from training.caches.making import CaptionSource, cache_captions

    source = CaptionSource(file, dictionary, ft, captions_per_freq, samples_per_freq)
    with _making(out, file_format, vectors, run) as making:
        made = cache_captions(source, lambda: _build(embedder, run.device), making)
    _show(made, run.as_json)


@cli.command(epilog="Example:  nomaly cache images holiday --out holiday-vectors")
@with_option_sets
def images(
    folder: Annotated[Path, typer.Argument(help="Folder of images, with all below it.")],
    out: Out,
    *,
    embedder: EmbedderSpec = "starter",
    vectors: Stored = "float16",
    file_format: Format = "nomaly",
    run: CacheRun,
) -> None:
    """Embed images without targets; those that cannot be read are left out and listed."""
    from training.caches.making import cache_images

    with _making(out, file_format, vectors, run) as making:
        made = cache_images(folder, lambda: _build(embedder, run.device), making)
    _show(made, run.as_json)


@cli.command(
    epilog="Examples:  nomaly cache classes flowers --out flower-vectors\n\n"
    "nomaly cache classes imagenet --split train --dictionary object_nouns.json --out imagenet-ft0"
)
@with_option_sets
def classes(
    folder: Annotated[
        Path, typer.Argument(help='A folder for each class, named by its synonyms: "cab, taxi".')
    ],
    out: Out,
    *,
    split: Annotated[str, typer.Option(help="train, valid or all.")] = "all",
    names: Annotated[
        Path | None, typer.Option(help="Class names instead, a cls_class_names_multi.json.")
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(help="Nouns to aim at; by default the synonyms themselves."),
    ] = None,
    ft: Threshold = 0,
    embedder: EmbedderSpec = "starter",
    vectors: Stored = "float16",
    file_format: Format = "nomaly",
    run: CacheRun,
) -> None:
    """Embed images of known classes; all nouns of its class are an image's targets."""
    from novic.image_sets import SPLITS
    from training.caches.making import ClassSource, cache_classes

    source = ClassSource(folder, _one_of("--split", split, SPLITS), names, dictionary, ft)
    with _making(out, file_format, vectors, run) as making:
        made = cache_classes(source, lambda: _build(embedder, run.device), making)
    _show(made, run.as_json)


@cli.command(
    epilog="Examples:  nomaly cache merge sets captions captions captions captions --out all\n\n"
    "nomaly cache merge nouns --vectors int8 --out smaller"
)
@with_option_sets
def merge(
    caches: Annotated[
        list[Path], typer.Argument(help="Caches; one that is named again counts again.")
    ],
    out: Out,
    *,
    targets: Annotated[
        str, typer.Option(help="Targets of a sample: as the caches' max, their min, or a number.")
    ] = "max",
    embedder: Annotated[
        str, typer.Option(help="For version 1, where the first cache does not name it.")
    ] = "",
    vectors: Restored = "",
    file_format: Format = "nomaly",
    trust: Trust = False,
    run: CacheRun,
) -> None:
    """Join caches of the same nouns and the same embedder, of either format."""
    from training.caches.joining import merge_caches

    wanted = _targets(targets)
    with _making(out, file_format, vectors, run) as making:
        made = merge_caches(
            caches, making, _builder(caches[0], embedder, run.device), targets=wanted, trust=trust
        )
    _show(made, run.as_json)


@cli.command(
    epilog="Examples:  nomaly cache convert upstream.bin --out mine --vectors int8\n\n"
    "nomaly cache convert mine --out upstream.bin"
)
@with_option_sets
def convert(
    cache: Cache,
    out: Out,
    *,
    embedder: Annotated[
        str, typer.Option(help="For version 1, where the cache does not name it.")
    ] = "",
    vectors: Restored = "",
    run: CacheRun,
) -> None:
    """Turn a version-1 file into a folder, and a folder into a version-1 file."""
    from training.caches.joining import merge_caches

    other = "v1" if cache.is_dir() else "nomaly"
    with _making(out, other, vectors, run) as making:
        made = merge_caches([cache], making, _builder(cache, embedder, run.device))
    _show(made, run.as_json)


@cli.command(epilog="Example:  nomaly cache info nouns --json")
def info(cache: Cache, as_json: Json = False) -> None:
    """Tell what a cache is."""
    from training.caches.report import cache_info

    _show(cache_info(cache), as_json)


@cli.command(epilog="Example:  nomaly cache verify nouns")
def verify(cache: Cache, as_json: Json = False, quiet: Quiet = False) -> None:
    """Read all of a cache and list every fault: checksums, sizes, lengths of vectors, targets."""
    from training.caches.report import cache_faults

    faults = []
    with _stoppable(), show_progress(quiet).stages() as tell:
        for fault in cache_faults(cache, tell):
            faults.append(fault)
            if not as_json:
                typer.echo(fault)
    if as_json:
        print_json({"cache": str(cache), "ok": not faults, "faults": faults})
    elif not faults:
        typer.echo(f"{cache}: no faults")
    if faults:
        raise typer.Exit(1)


@contextmanager
def _making(out: Path, file_format: str, vectors: str, run: CacheRun) -> Iterator["Making"]:
    """What all ways of making a cache share, with progress shown and Ctrl-C explained."""
    from training.caches.output import CACHE_FORMATS, CacheFormat, Making

    known: CacheFormat = _one_of("--format", file_format, CACHE_FORMATS)
    kind = _kind(vectors)
    command = " ".join(["nomaly", *sys.argv[1:]])
    with _stoppable(), show_progress(run.quiet).stages() as tell:
        yield Making(out, tell, known, kind, run.seed, run.overwrite, command)


@contextmanager
def _stoppable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise StoppedError(
            "stopped; what is finished is kept, and the same command goes on from there"
        ) from stopped


def _build(spec: str, device: str) -> "Embedder":
    from novic.device import resolve_device
    from novic.model import build_embedder

    return build_embedder(spec, resolve_device(device))


def _builder(cache: Path, spec: str, device: str) -> "Build | None":
    """Builds the embedder that was named, or else the one that a cache names; None if none is."""
    from training.caches.reader import maker_of, open_cache

    known = spec or maker_of(open_cache(cache)).spec
    return (lambda: _build(known, device)) if known else None


def _one_of[T: str](option: str, text: str, choices: tuple[T, ...]) -> T:
    for choice in choices:
        if choice == text:
            return choice
    raise UsageError(f"{option} {text}: must be one of {', '.join(choices)}")


def _kind(vectors: str) -> "VectorKind | None":
    from training.caches.shards import VECTOR_KINDS

    if not vectors:
        return None
    kind: VectorKind = _one_of("--vectors", vectors, VECTOR_KINDS)
    return kind


def read_sets(text: str) -> tuple[int, ...]:
    """Sets of texts about one noun, two and so on, as typed: "1,1,1".

    Raises:
        UsageError: If that is not what was typed.
    """
    try:
        sets = tuple(int(part) for part in text.split(","))
    except ValueError:
        sets = ()
    if not sets or min(sets) < 0 or not any(sets):
        raise UsageError(f"--multiset {text}: write whole numbers with commas between, as 1,1,1")
    return sets


def _targets(text: str) -> "TargetCount":
    if text == "max" or text == "min":
        return text
    if text.isdecimal():
        return int(text)
    raise UsageError(f"--targets {text}: must be max, min or a number")


def _show(info: dict[str, Any], as_json: bool) -> None:
    from app.commands.cache_tables import print_cache

    if as_json:
        print_json(info)
    else:
        print_cache(info)
