"""Options that several commands take, and how commands talk. Light: every command imports it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Results as JSON on stdout, for scripts.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
Overwrite = Annotated[bool, typer.Option(help="Replace the results that the folder holds.")]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "--bundle",
        help="Decoder that names things: a bundle or an upstream .train file; by default the "
        "bundle that Nomaly ships.",
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
ScenarioName = Annotated[
    str | None,
    typer.Option("--scenario", help="Name things with the decoder that was built for a site."),
]
ScenarioFt = Annotated[
    int | None,
    typer.Option(
        "--ft",
        min=0,
        help="Which of the site's decoders; by default the one of the lowest threshold, which "
        "knows most nouns.",
    ),
]
ScenarioRoot = Annotated[
    Path | None,
    typer.Option(
        "--root",
        help="Folder of scenarios; by default NOMALY_SCENARIOS, else nomaly-scenarios.",
    ),
]
DetectorFolder = Annotated[
    Path | None, typer.Option("--detector", help="A detector that was fitted before.")
]
Fps = Annotated[float, typer.Option(help="Frames a second to look at.")]
EveryFrame = Annotated[bool, typer.Option("--every-frame", help="Look at every frame instead.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(help="Polygon that is not watched: x,y x,y x,y as shares of width, height."),
]
Camera = Annotated[str, typer.Option(help="Name of the camera in the results.")]


def print_json(value: Any) -> None:  # noqa: ANN401
    """A result as one line of JSON, the last line of stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def show_progress(quiet: bool) -> Any:  # noqa: ANN401
    """Where a command shows progress; stdout stays free for results."""
    from app.progress import Reporter

    return Reporter(quiet=quiet)


def command_group(purpose: str) -> typer.Typer:
    """A command that has commands of its own: `nomaly model show`."""
    return typer.Typer(help=purpose, no_args_is_help=True, rich_markup_mode="rich")
