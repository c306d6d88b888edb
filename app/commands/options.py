"""Options that several commands take, and how commands talk. Light: every command imports it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from app.commands import completing
from app.commands.help import CommandList
from novic.device import check_device
from novic.model_files import check_model

if TYPE_CHECKING:
    from app.progress import Reporter

Json = Annotated[bool, typer.Option("--json", help="Results as JSON on stdout, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
AssumeFps = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        help="The frames are so many a second, whatever time stamps, names or EXIF say; of images "
        "that say nothing one a second otherwise.",
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.", callback=check_device)]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "--bundle",
        help="Decoder that names things: a bundle or an upstream .train file; by default the "
        "bundle that Nomaly ships.",
        callback=check_model,
    ),
]
EmbedderSpec = Annotated[
    str | None,
    typer.Option(
        "--embedder",
        help="The same embedder from elsewhere, for example openclip:/folder; by default the one "
        "that the model names.",
    ),
]
WrongNames = Annotated[
    float | None,
    typer.Option(
        "--wrong-names",
        metavar="SHARE",
        min=0.01,
        max=0.99,
        help="How many of the names told as facts may be wrong at the line, as 0.1, so that fewer "
        "or more are told.  [default: 0.3, of kinds 0.2]",
    ),
]
ScenarioName = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        help="Name things with the decoder that was built for a site.",
        autocompletion=completing.scenarios,
    ),
]
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        help="A scenario: its name, a preset's, or its folder.",
        autocompletion=completing.scenarios,
    ),
]
ScenarioFt = Annotated[
    int | None,
    typer.Option(
        "--ft",
        min=0,
        help="Which of the site's decoders: the one that knows the nouns of at least this "
        "frequency there (scenario build --ft made it); by default the lowest, which knows most.",
    ),
]
ScenarioRoot = Annotated[
    Path | None,
    typer.Option(
        "--root",
        help="Folder in which scenarios lie, each in a folder of its name; by default the "
        "environment's NOMALY_SCENARIOS, else nomaly-scenarios.",
    ),
]


def print_json(value: object) -> None:
    """A result as one line of JSON, the last line of stdout."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # a file's name that is not UTF-8, or a terminal that is not
        text = json.dumps(value)
    typer.echo(text)


def show_progress(quiet: bool) -> "Reporter":
    """Where a command shows progress; stdout stays free for results."""
    from app.progress import Reporter

    return Reporter(quiet=quiet)


def tell_stopped() -> NoReturn:
    """End a command that Ctrl-C stopped after its results were told.

    Raises:
        typer.Exit: Always, with code 1.
    """
    typer.echo("nomaly: stopped; the same command goes on from here", err=True)
    raise typer.Exit(1)


def command_list() -> typer.Typer:
    """Commands that are called by their own name: `nomaly audit`."""
    return CommandList()


NOTHING_ASKED = "Nothing was asked. Without --dry-run the same command asks."
"""Ends what a dry run tells people."""


def command_group(name: str, purpose: str, *examples: str) -> typer.Typer:
    """Commands below another one: `nomaly model show`."""
    listed = "\n\n".join(examples)
    return CommandList(name=name, help=purpose, no_args_is_help=True, epilog=f"Examples:  {listed}")
