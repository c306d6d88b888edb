"""`nomaly name` and `nomaly decode`: nouns for images, and for vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    Device,
    EmbedderSpec,
    Json,
    Model,
    Quiet,
    ScenarioFt,
    ScenarioName,
    ScenarioRoot,
    WrongNames,
    command_list,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from novic.guides import GuideList
    from novic.model import NounModel

Strategy = Annotated[
    str,
    typer.Option(
        "--gencfg",
        help="How nouns are searched and scored: METHOD_kK_vPRIOR_gGUIDE_tTAU_aALPHA, parts in any "
        "order, any of them missing. greedy, beam or all; gp plain, gr renormalised, gn free.",
    ),
]
GuideFile = Annotated[
    Path | None,
    typer.Option("--guide", help="Text file with the nouns that alone may be said, one a line."),
]
DictionaryFile = Annotated[
    Path | None,
    typer.Option(
        "--dictionary",
        help="object_nouns.json: understands plurals and other spellings in the guide.",
    ),
]
TokenizerFolder = Annotated[
    Path | None,
    typer.Option(
        "--tokenizer", help="Folder of the embedder's tokenizer.json, if it is nowhere else."
    ),
]
cli = command_list()

STANDARD = "beam_k10_vnone_gp_t1_a0"


@cli.command(
    epilog="Examples:  nomaly name photo.jpg\n\nnomaly name holiday/ --csv > names.csv"
    "\n\ncurl -s http://camera/snapshot.jpg | nomaly name -"
    "\n\nnomaly name part.jpg --model novic.train --gencfg beam_k5_gr --guide parts.txt"
)
def name(
    images: Annotated[list[str], typer.Argument(help="Image files, folders, or - for stdin.")],
    top: Annotated[int, typer.Option(min=1, max=100, help="Nouns for each image.")] = 5,
    model: Model = None,
    scenario: ScenarioName = None,
    ft: ScenarioFt = None,
    root: ScenarioRoot = None,
    gencfg: Strategy = STANDARD,
    guide: GuideFile = None,
    dictionary: DictionaryFile = None,
    embedder: EmbedderSpec = None,
    tokenizer: TokenizerFolder = None,
    wrong_names: WrongNames = None,
    device: Device = "auto",
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Results as CSV on stdout.")] = False,
    quiet: Quiet = False,
) -> None:
    """Name what images show, without a list to choose from.

    With --scenario also how unexpected that is at the site: surprise in bits, one more for half as
    frequent.
    """
    from app.commands.name_tables import print_names, print_names_csv
    from app.names.images import find_images
    from app.names.naming import name_images
    from app.sites.model import open_site
    from novic.gencfg import parse_gencfg

    if as_json and as_csv:
        raise UsageError("--json and --csv are given; choose one")
    site = open_site(scenario, ft, root, model=model)
    config, nouns, spellings = parse_gencfg(gencfg), guide_nouns(guide), spellings_of(dictionary)
    found = find_images(images)
    for note in found.notes:
        typer.echo(f"nomaly: {note}", err=True)

    def load() -> "NounModel":
        from novic.device import resolve_device
        from novic.model import ModelOptions, load_model

        options = ModelOptions(
            config, nouns, spellings, embedder, tokenizer, wrong_names=wrong_names
        )
        loaded = load_model(site.bundle, resolve_device(device), options)
        tell_left_out(loaded.decoder.guide)
        return loaded

    named, stopped = until_stopped(name_images(load, found.files, top, show_progress(quiet)))
    if as_json:
        print_json([image.as_json() for image in named])
    elif as_csv:
        print_names_csv(named)
    else:
        print_names(named)
    if stopped:
        typer.echo(f"nomaly: stopped after {len(named)} of {len(found.files)} images", err=True)
    if stopped or any(image.error for image in named):
        raise typer.Exit(1)


@cli.command(
    epilog="Example:  nomaly decode vectors.npy --model novic.train --gencfg all_k10_gp --json"
)
def decode(
    vectors: Annotated[
        Path, typer.Argument(help="NumPy file of vectors [N, F], as the model's embedder gives.")
    ],
    model: Model = None,
    gencfg: Strategy = STANDARD,
    guide: GuideFile = None,
    dictionary: DictionaryFile = None,
    tokenizer: TokenizerFolder = None,
    exact_upstream: Annotated[
        bool,
        typer.Option(
            "--exact-upstream",
            help="Upstream's own answers, its defects included (docs/novic.md lists them); slow.",
        ),
    ] = False,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Name vectors, so that results can be compared without an image encoder.

    Prints for every vector its nouns and their scores (logarithms), best first.
    """
    from app.names.vectors import read_vectors
    from novic.device import resolve_device
    from novic.gencfg import parse_gencfg
    from novic.model import ModelOptions, open_decoder, starter_bundle_path
    from novic.upstream import read_model_file

    config = parse_gencfg(gencfg)
    rows = read_vectors(vectors)
    bundle = read_model_file(
        model or starter_bundle_path(), resolve_device(device), tokenizer=tokenizer
    )
    options = ModelOptions(
        config, guide_nouns(guide), spellings_of(dictionary), tokenizer=tokenizer
    )
    decoder = open_decoder(bundle, options)
    tell_left_out(decoder.guide)
    found = (
        decoder.decode_as_upstream(rows, config) if exact_upstream else decoder.decode(rows, config)
    )
    if as_json:
        print_json([[[noun.noun, _finite(noun.score)] for noun in row] for row in found])
        return
    for number, row in enumerate(found):
        listed = "  ".join(f"{noun.noun} {noun.score:.4f}" for noun in row)
        typer.echo(f"{number}: {listed}")


def until_stopped[T](results: "Iterable[T]") -> tuple[list[T], bool]:
    """All results, or those that there were when Ctrl-C was pressed, and whether it was."""
    done: list[T] = []
    try:
        for result in results:
            done.append(result)
    except KeyboardInterrupt:
        return done, True
    return done, False


def guide_nouns(file: Path | None, option: str = "--guide") -> list[str]:
    """Lines of a guide file; # begins a comment."""
    if file is None:
        return []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no UTF-8"
        raise UsageError(
            f"{option} {file}: cannot be read as text: {why}; name a file of nouns, one a line"
        ) from error
    nouns = [line.partition("#")[0].strip() for line in lines]
    nouns = [noun for noun in nouns if noun]
    if not nouns:
        raise UsageError(f"{option} {file}: holds no nouns; write one a line")
    return nouns


def spellings_of(dictionary: Path | None) -> "Callable[[str], Sequence[str]]":
    """What a typed noun may mean, by the dictionary."""
    if dictionary is None:
        return lambda _: ()
    from scenarios.dictionary import read_dictionary

    resolve = read_dictionary(dictionary).resolve
    return lambda text: [entry.target_noun for entry in resolve(text)]


def tell_left_out(guide: "GuideList | None") -> None:
    """Say what of a guide cannot be said, and what was never trained."""
    if guide is None:
        return
    for text, reason in guide.unknown:
        typer.echo(f"nomaly: guide noun '{text}' {reason}; it is left out", err=True)
    for noun in guide.untrained:
        typer.echo(f"nomaly: guide noun '{noun}' was never trained; scores may be poor", err=True)


def _finite(score: float) -> float | str:
    """A score as JSON can hold it: upstream's NaN and -inf become text."""
    return score if abs(score) < float("inf") else str(score)
