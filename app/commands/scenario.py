"""`nomaly scenario`: describe a site, get its own dictionary and its own decoders."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands import build, dictionary, llm, rate, review
from app.commands.options import (
    Json,
    Overwrite,
    Quiet,
    ScenarioArgument,
    ScenarioRoot,
    command_group,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from scenarios.settings import Examples
    from scenarios.site import Scenario
    from scenarios.state import State

cli = command_group(
    "scenario",
    "A site in a sentence: what is seen there, and decoders that know it.",
    "nomaly scenario show airbus",
    'nomaly scenario init hall --description "A camera in a loading hall"',
    "nomaly scenario rate hall",
    "nomaly scenario build hall --ft 6",
)
for module in (rate, review, build, dictionary, llm):
    cli.add_typer(module.cli)


@cli.command(
    epilog='Examples:  nomaly scenario init hall --description "A camera in the loading hall of a '
    'furniture factory." --seen forklift,pallet --never cow,sailboat\n\n'
    'nomaly scenario init hall2 --like airbus --description "A camera in a helicopter factory."'
)
def init(
    name: Annotated[str, typer.Argument(help="Letters, digits, - and _.")],
    description: Annotated[
        str | None,
        typer.Option(
            "--description", "-d", help="The place and the camera, in a sentence or a few."
        ),
    ] = None,
    seen: Annotated[
        str | None, typer.Option(help="Things regularly seen there, with commas; ten are good.")
    ] = None,
    never: Annotated[
        str | None, typer.Option(help="Things never seen there, with commas; as many.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(help="A scenario or preset that lends what is not said: examples and such."),
    ] = None,
    any_language: Annotated[
        bool, typer.Option("--any-language", help="Take a description that is not English.")
    ] = False,
    proposing: Annotated[
        bool | None,
        typer.Option(
            "--propose/--no-propose",
            help="Propose examples from the description if none are named; by default in a "
            "terminal, where they can be checked at once.",
        ),
    ] = None,
    root: ScenarioRoot = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Begin a scenario: a folder with a scenario.yaml."""
    from scenarios.drafting import draft, words
    from scenarios.settings import Examples, Settings, faults
    from scenarios.site import create, known_scenario, refuse_existing, scenario_root

    lent = known_scenario(like, root).settings if like else None
    told = description if description is not None else lent.description if lent else None
    if told is None:
        raise UsageError('say where the camera is: --description "A camera in ..."')
    lists = lent.examples if lent else Examples()
    settings = Settings(
        version=1,
        name=name,
        description=told,
        any_language=any_language or bool(lent and description is None and lent.any_language),
        examples=Examples(
            seen=list(words(seen)) if seen is not None else lists.seen,
            never=list(words(never)) if never is not None else lists.never,
        ),
        expected=lent.expected if lent else [],
        never_expected=lent.never_expected if lent else [],
    )
    if found := faults(settings):
        raise UsageError("; ".join(f"{'.'.join(map(str, key))}: {what}" for key, what in found))
    folder = scenario_root(root) / name
    refuse_existing(folder)
    unnamed = like is None and seen is None and never is None
    proposed = unnamed and (_in_terminal() if proposing is None else proposing)
    if proposed:
        settings = settings.model_copy(update={"examples": _proposed(told, quiet=quiet)})
    create(folder, draft(settings, unchecked=proposed and not _in_terminal()))
    following = f"nomaly scenario rate {name}"
    if as_json:
        print_json({"scenario": name, "file": str(folder / "scenario.yaml"), "next": following})
        return
    few = min(len(settings.examples.seen), len(settings.examples.never))
    advice = f"it has {few} examples each way, fill in ten; then" if few < 8 else "Next:"
    typer.echo(f"Wrote {folder / 'scenario.yaml'}. {advice[0].upper()}{advice[1:]} {following}")


def _in_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _proposed(description: str, *, quiet: bool) -> "Examples":
    """Examples from the description, checked if somebody is there to do it."""
    from app.sites.examples import check_examples, propose_examples
    from scenarios.settings import Examples

    def say(text: str) -> None:
        typer.echo(text, err=True)

    def ask(question: str) -> str:
        return typer.prompt(question, default="", show_default=False, err=True)

    proposal = propose_examples(description, show_progress(quiet))
    if _in_terminal():
        proposal = check_examples(proposal, say, ask)
    return Examples(seen=list(proposal.seen), never=list(proposal.never))


@cli.command(epilog="Example:  nomaly scenario examples hall")
def examples(
    name: ScenarioArgument,
    root: ScenarioRoot = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Propose examples from a scenario's description, to check and copy into its scenario.yaml."""
    from app.sites.examples import propose_examples
    from scenarios.site import known_scenario

    scenario = known_scenario(name, root)
    proposal = propose_examples(scenario.place().description, show_progress(quiet))
    if as_json:
        print_json({"seen": list(proposal.seen), "never": list(proposal.never)})
        return
    typer.echo(f"seen: [{', '.join(proposal.seen)}]\nnever: [{', '.join(proposal.never)}]")
    typer.echo(f"Check each, then put what is right under examples in {scenario.file}.")


@cli.command(name="list", epilog="Example:  nomaly scenario list")
def list_scenarios(root: ScenarioRoot = None, as_json: Json = False) -> None:
    """List scenarios and presets."""
    from scenarios.site import presets, scenario_root

    home = scenario_root(root)
    names = sorted(path.parent.name for path in home.glob("*/scenario.yaml"))
    rows = [_listed(home / name) for name in names]
    if as_json:
        fresh = [name for name in presets() if name not in names]
        print_json({"root": str(home), "scenarios": rows, "presets": fresh})
        return
    for row in rows:
        rated = "rated" if row["rated"] else "not rated"
        built = " ".join(f"ft{ft}" for ft in row["bundles"]) or "no decoder"
        typer.echo(f"{row['name']:20}  {row['error'] or f'{rated}, {built}'}")
    for name in presets():
        if name not in names:
            typer.echo(f"{name:20}  preset")
    typer.echo(f"In {home}. Next: nomaly scenario show NAME")


def _listed(folder: Path) -> dict[str, Any]:
    from scenarios.site import load_scenario
    from scenarios.state import is_rated
    from scenarios.yaml_files import ScenarioError

    try:
        scenario = load_scenario(folder)
    except ScenarioError as error:
        return {"name": folder.name, "rated": False, "bundles": [], "error": str(error)}
    bundles = sorted((one.ft for one in scenario.settings.bundles), reverse=True)
    return {
        "name": folder.name,
        "rated": is_rated(scenario),
        "bundles": bundles,
        "error": "",
    }


@cli.command(epilog="Example:  nomaly scenario show airbus")
def show(name: ScenarioArgument, root: ScenarioRoot = None, as_json: Json = False) -> None:
    """Show how far a scenario has come, and what is next. A preset is shown, not copied."""
    from scenarios.site import known_scenario
    from scenarios.state import state

    scenario = known_scenario(name, root)
    found = state(scenario)
    if as_json:
        print_json(_shown(scenario, found))
    else:
        _print(scenario, found)


def _shown(scenario: "Scenario", found: "State") -> dict[str, Any]:
    settings = scenario.settings
    return {
        "name": scenario.name,
        "folder": str(scenario.folder),
        "description": scenario.place().description,
        "seen": settings.examples.seen,
        "never": settings.examples.never,
        "expected": settings.expected,
        "never_expected": settings.never_expected,
        "rated": bool(found.nouns),
        "nouns": {f"ft{ft}": count for ft, count in found.nouns.items()},
        "excluded": found.excluded,
        "flags": found.flags,
        "described_anew": found.described_anew,
        "edits": found.edits,
        "bundles": [{"ft": ft, "path": str(path)} for ft, path in found.bundles.items()],
        "missing": [{"ft": ft, "path": str(path)} for ft, path in found.missing.items()],
        "next": found.next,
    }


def _print(scenario: "Scenario", found: "State") -> None:
    settings = scenario.settings
    typer.echo(f"{scenario.name} in {scenario.folder}\n\n{scenario.place().description}\n")
    examples = settings.examples
    typer.echo(f"examples   {len(examples.seen)} seen, {len(examples.never)} never")
    typer.echo(f"edits      {found.edits}")
    if found.nouns:
        counts = ", ".join(f"{count:,} above ft{ft}" for ft, count in found.nouns.items())
        typer.echo(f"nouns      {counts}; {found.excluded:,} excluded")
        marked = ", ".join(f"{count:,} {flag}" for flag, count in sorted(found.flags.items()))
        typer.echo(f"flags      {marked or 'none'}")
    else:
        typer.echo("nouns      not rated yet")
    for ft, path in found.bundles.items():
        typer.echo(f"decoder    ft{ft}  {path}")
    for ft, path in found.missing.items():
        typer.echo(f"decoder    ft{ft}  {path} is not there; build it again")
    if found.described_anew:
        typer.echo("The description was changed since the rating; rate again.")
    typer.echo(f"\nNext: {found.next}")


@cli.command(epilog="Example:  nomaly scenario export airbus --out airbus.zip")
def export(
    name: ScenarioArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A .zip or .tar.gz; by default NAME.zip.")
    ] = None,
    root: ScenarioRoot = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Put a scenario into one archive: settings, edits, dictionary, ratings, decoders."""
    from scenarios.archive import export_scenario
    from scenarios.site import known_scenario

    scenario = known_scenario(name, root)
    archive = out or Path(f"{scenario.name}.zip")
    exported = export_scenario(scenario, archive, overwrite=overwrite)
    if as_json:
        print_json(
            {"archive": str(archive), "files": exported.files, "left_out": exported.left_out}
        )
        return
    for path in exported.left_out:
        typer.echo(f"Left out {path}: it lies outside {scenario.folder}.")
    typer.echo(
        f"Wrote {archive} with {exported.files} files. "
        f"Next, elsewhere: nomaly scenario import {archive.name}"
    )


@cli.command(name="import", epilog="Example:  nomaly scenario import airbus.zip")
def import_archive(
    archive: Annotated[Path, typer.Argument(help="What export wrote.")],
    root: ScenarioRoot = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take a scenario out of an archive; every file is checked before anything is replaced."""
    from scenarios.archive import import_scenario
    from scenarios.site import scenario_root
    from scenarios.state import next_command

    reporter = show_progress(quiet)
    scenario = import_scenario(archive, scenario_root(root), overwrite=overwrite, say=reporter.say)
    following = next_command(scenario)
    if as_json:
        print_json({"scenario": scenario.name, "folder": str(scenario.folder), "next": following})
    else:
        typer.echo(f"Wrote {scenario.folder}. Next: {following}")


@cli.command(epilog="Example:  nomaly scenario schema > scenario.schema.json")
def schema() -> None:
    """Print the JSON schema of scenario.yaml, for editors that check while one types."""
    from scenarios.settings import schema as of_settings

    typer.echo(json.dumps(of_settings(), indent=2, ensure_ascii=False))
