"""`nomaly events would`: what a change would have made of the last days."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.events_group import cli
from app.commands.looking_options import check_bar
from app.commands.options import (
    Json,
    Model,
    Quiet,
    ScenarioFt,
    ScenarioName,
    ScenarioRoot,
    WrongNames,
    print_json,
    show_progress,
)
from app.errors import UsageError
from app.lengths import written_s

if TYPE_CHECKING:
    from app.replaying.change import Change
    from app.replaying.outcome import Different, Outcome

_LISTED = 40


@cli.command(
    epilog="Examples:  nomaly events would hall --bar 1.3\n\n"
    'nomaly events would hall --exclude "0,0 .4,0 .4,1 0,1" --page would.html\n\n'
    "nomaly events would hall --false-events 1/day --since 2w --json"
)
def would(
    place: Annotated[
        Path, typer.Argument(help="Folder of an audit or a watch, or of a site's cameras.")
    ],
    bar: Annotated[
        float | None, typer.Option("--bar", metavar="X", help="Another bar: 1.3 for fewer events.")
    ] = None,
    false_events: Annotated[
        str | None,
        typer.Option("--false-events", metavar="N/TIME", help="Another promise, as 1/day."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Polygon that would not be watched: x,y x,y x,y as shares of the view."),
    ] = None,
    tell: Annotated[
        list[str] | None,
        typer.Option("--tell", metavar="KINDS", help="Tell only such things, as 'any animal'."),
    ] = None,
    model: Model = None,
    scenario: ScenarioName = None,
    ft: ScenarioFt = None,
    root: ScenarioRoot = None,
    wrong_names: WrongNames = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="How far back: 12h, 7d or 2w.")
    ] = "7d",
    page: Annotated[
        Path | None, typer.Option("--page", help="Write a page with pictures there.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell what would have rung, and what would not, before a change is made; nothing is changed.

    What was stored of the last days is followed, named and judged again. What is uncertain says so.
    """
    change = _change(bar, false_events, exclude, tell, model, scenario, ft, root, wrong_names)
    since_s = _seconds(since)

    from app.replaying.page import write_page
    from app.replaying.would import would as asked

    outcome = asked(place, change, since_s, show_progress(quiet or as_json).say)
    if page is not None:
        write_page(outcome, page)
    if as_json:
        print_json(outcome.as_json())
        return
    _print(outcome)
    if page is not None:
        typer.echo(f"Page: {page}")


def _change(
    bar: float | None,
    false_events: str | None,
    exclude: list[str] | None,
    tell: list[str] | None,
    model: Path | None,
    scenario: str | None,
    ft: int | None,
    root: Path | None,
    wrong_names: float | None,
) -> "Change":
    from app.replaying.change import Change
    from app.sites.model import open_site
    from calibration.promise import Promise
    from novic.kind_rules import KindRule

    if bar is not None and false_events is not None:
        raise UsageError("--bar and --false-events are given; a promise chooses the bar by itself")
    site = open_site(scenario, ft, root, model=model, exclude=exclude or (), taught=True)
    zoned = exclude or (scenario is not None and (site.zones.exclude or site.zones.include))
    return Change(
        bar=check_bar(bar),
        promise=None if false_events is None else Promise.parse(false_events),
        zones=site.zones if zoned else None,
        rule=site.rule if scenario is not None else None,
        tell=None if tell is None else tuple(KindRule.parse(text) for text in tell),
        belonging=site.belonging if scenario is not None else None,
        renames=bool(model or scenario or wrong_names is not None),
        model=site.bundle,
        wrong_names=wrong_names,
        said=_said(
            {
                "--bar": bar,
                "--false-events": false_events,
                "--exclude": exclude,
                "--tell": tell,
                "--model": model,
                "--scenario": scenario,
                "--ft": ft,
                "--wrong-names": wrong_names,
            }
        ),
    )


def _said(options: dict[str, object]) -> str:
    """The options as they were typed."""
    words: list[str] = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                text = str(one)
                words += [name, f'"{text}"' if " " in text else text]
    return " ".join(words)


def _seconds(text: str) -> float:
    """A length of time as 12h, 7d or 2w.

    Raises:
        UsageError: If it is none.
    """
    seconds = written_s(text, "hdw")
    if seconds is None:
        raise UsageError(f"--since {text}: write a number of hours, days or weeks, as 12h or 7d")
    return seconds


def _print(outcome: "Outcome") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    console.print(outcome.headline, style="bold", markup=False, highlight=False, soft_wrap=True)
    for name, before, after in outcome.bars:
        line = f"{name}: the bar is {before:.3g} and would be {after:.3g}."
        console.print(line, markup=False, highlight=False)
    for note in outcome.notes:
        console.print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    if not outcome.different:
        return
    table = Table(box=None, header_style="bold")
    for column in ("would be", "when", "camera", "lasts", "what", "then", ""):
        table.add_column(column, justify="right" if column == "lasts" else "left")
    for one in outcome.different[:_LISTED]:
        table.add_row(*(escape(cell) for cell in _cells(one)))
    console.print(table)
    if len(outcome.different) > _LISTED:
        more = len(outcome.different) - _LISTED
        console.print(f"and {more} more: --page FILE or --json shows all.", highlight=False)


def _cells(one: "Different") -> tuple[str, ...]:
    from app.report.times import local

    then = {
        "lost": "",
        "new": "not named",
        "silent": "kept, not told",
        "told": one.after_said,
        "renamed": one.after_said,
        "belongs": one.why,
    }
    return (
        one.kind,
        f"{local(one.start_us):%a %H:%M:%S}",
        one.camera,
        f"{one.end_s - one.start_s:.1f} s",
        one.before_said,
        then[one.kind],
        "uncertain" if one.uncertain else "",
    )
