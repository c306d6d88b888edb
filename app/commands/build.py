"""`nomaly scenario build`: a site's decoders from its dictionary."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.cache import read_sets
from app.commands.options import (
    Device,
    Json,
    Quiet,
    ScenarioRoot,
    command_list,
    print_json,
    show_progress,
)
from app.errors import StoppedError, UsageError
from novic.embedders.kinds import SPECS

if TYPE_CHECKING:
    from app.progress import Reporter
    from app.sites.decoders import Built, Method
    from app.sites.text_training import TextSettings
    from scenarios.site import Scenario

MOST_SEED = 2**31 - 1000

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly scenario build airbus --ft 6\n\n"
    "nomaly scenario build airbus --ft 6 4 2 0 --runs 4"
)
def build(
    words: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="The scenario; thresholds may stand around it."),
    ],
    ft: Annotated[
        list[int] | None,
        typer.Option(
            "--ft",
            help="Frequency thresholds: --ft 6 4 2 0 makes four decoders, each of the nouns that "
            "are more frequent than that. By default 6 4 2 0.",
        ),
    ] = None,
    embedder: Annotated[str, typer.Option(help=SPECS)] = "starter",
    runs: Annotated[
        int, typer.Option(min=1, max=99, help="Decoders for each threshold; the best is used.")
    ] = 1,
    method: Annotated[
        str | None,
        typer.Option(
            help="distil: what the starter's classifier can answer, the default with it; texts: "
            "texts about nouns alone, for any embedder."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of --method distil; by default by nouns.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Of --method texts: small (default) or upstream.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of --method texts: passes through them.")
    ] = None,
    multiset: Annotated[
        str | None,
        typer.Option(help="Of --method texts: sets of texts about one, two, three nouns: 1,1,1."),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="Of --method texts: a prompts.json; by default CLIP's own.")
    ] = None,
    root: ScenarioRoot = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Of the first run.")] = 0,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a decoder for each frequency threshold of a site's dictionary.

    Ctrl-C saves, and the same command goes on from there, as it does after a kill. What is built
    stays, unless the dictionary or a setting changed.
    """
    from scenarios.lock import running
    from scenarios.site import find_scenario, write_bundles

    name, thresholds = _sorted_words(words, ft or [])
    find_scenario(name, root, lambda _: None)

    from app.sites.decoders import BuildRequest, build_bundles
    from novic.device import resolve_device

    chosen = _method(method, embedder)
    texts = {"preset": preset, "epochs": epochs, "multiset": multiset, "prompts": prompts}
    _refuse_unused(chosen, texts, steps)
    reporter = show_progress(quiet)
    scenario = find_scenario(name, root, reporter.say)
    request = BuildRequest(
        folder=scenario.folder,
        dictionary=scenario.site_dictionary_path,
        runs=runs,
        embedder=embedder,
        method=chosen,
        steps=steps,
        texts=_text_settings(preset, epochs, multiset, prompts),
        seed=seed,
        device=resolve_device(device),
        command=" ".join(["nomaly", *sys.argv[1:]]),
    )
    if thresholds:
        request = replace(request, thresholds=thresholds)
    with running(scenario.folder), _reporting(reporter) as report:
        built = build_bundles(request, report, reporter.say)
        best = {one.ft: one.path for one in reversed(built)}
        write_bundles(scenario, {ft: best[ft] for ft in request.thresholds})
    if as_json:
        print_json({"bundles": [one.as_json() for one in built]})
    else:
        _show(scenario, built)


def _sorted_words(words: list[str], ft: list[int]) -> tuple[str, tuple[int, ...]]:
    """Name and thresholds, from what stands behind --ft and what click takes for arguments.

    An option takes one value, so of `NAME --ft 6 4 2 0` all but the 6 are arguments.
    """
    names = [word for word in words if not word.isdecimal()]
    if len(names) != 1:
        told = " and ".join(names) if names else "none"
        raise UsageError(f"name one scenario, got {told}; for example: build airbus --ft 6 4 2 0")
    further = [int(word) for word in words if word.isdecimal()]
    if further and not ft:
        raise UsageError(f"{further[0]}: write thresholds behind --ft, as --ft 6 4 2 0")
    return names[0], (*ft, *further)


def _method(method: str | None, embedder: str) -> "Method":
    if method is None:
        return "distil" if embedder == "starter" else "texts"
    if method == "distil" or method == "texts":
        return method
    raise UsageError(f"--method {method}: must be distil or texts")


def _refuse_unused(method: "Method", texts: dict[str, object], steps: int | None) -> None:
    """Refuse options that would silently do nothing."""
    given = [name for name, value in texts.items() if value is not None]
    if method == "distil" and given:
        raise UsageError(f"--{given[0]} is for --method texts; --method distil takes --steps")
    if method == "texts" and steps is not None:
        raise UsageError("--steps is for --method distil; --method texts takes --epochs")


def _text_settings(
    preset: str | None, epochs: int | None, multiset: str | None, prompts: Path | None
) -> "TextSettings":
    from app.sites.text_training import TextSettings
    from training.presets import PRESETS

    settings = TextSettings(epochs=epochs, prompts=prompts)
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"--preset {preset}: must be one of {', '.join(PRESETS)}")
    if preset is not None:
        settings = replace(settings, preset=preset)
    if multiset is not None:
        settings = replace(settings, multiset=read_sets(multiset))
    return settings


@contextmanager
def _reporting(reporter: "Reporter") -> Iterator[Callable[[str, int, int, str], None]]:
    """Progress, through which Ctrl-C stops the work between two steps."""
    from app.stop import stoppable

    try:
        with stoppable() as stop, reporter.stages() as tell:

            def report(stage: str, done: int, total: int, note: str) -> None:
                tell(stage, done, total, note)
                stop.check()

            yield report
    except KeyboardInterrupt as stopped:
        raise StoppedError(
            "stopped; what is finished is kept, and the same command goes on from there"
        ) from stopped


def _show(scenario: "Scenario", built: list["Built"]) -> None:
    for one in built:
        figures = ", ".join(
            f"{name} {value:.3f}" for name, value in one.metrics.items() if name.endswith("top1")
        )
        typer.echo(f"ft {one.ft}: {one.nouns:,} nouns, {figures}. {one.path}")
    typer.echo(f"Next: nomaly name IMAGE --scenario {scenario.name}")
