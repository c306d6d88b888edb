"""`nomaly annotate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    NOTHING_ASKED,
    Json,
    Quiet,
    command_group,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from app.names.annotation.opinions import Rule
    from scenarios.llm.costs import Prices

cli = command_group(
    "annotate",
    "Judge predicted nouns, by hand or with a language model.",
    "nomaly annotate human photos/ predictions.json",
    "nomaly annotate llm photos/ predictions.json --model gpt-4o --dry-run",
)

Images = Annotated[Path, typer.Argument(help="Folder of the images.")]
Predictions = Annotated[
    list[Path], typer.Argument(help="Predictions files, which nomaly evaluate writes.")
]
File = Annotated[
    Path | None,
    typer.Option("--annotations", help="Annotation file; default: beside the images."),
]
Top = Annotated[
    int | None, typer.Option(min=1, help="Only the best so many nouns of each prediction.")
]


@cli.command(
    epilog="Example:  nomaly annotate human photos/ predictions.json\n\n"
    "Keys: Q correct, W correct but secondary, O close, P close but secondary, I incorrect, U undo."
)
def human(
    images: Images,
    predictions: Predictions,
    annotations: File = None,
    top: Top = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge nouns by hand, on a page that this command serves until Ctrl-C.

    Every judgement is saved at once; the same command goes on where you were.
    """
    from app.names.annotation.human import serve_until_stopped
    from app.names.annotation.session import Session
    from app.names.annotation.work import annotations_so_far, find_items, tell_missing
    from training.evaluation.annotations import HUMAN_FILE, read_predicted_nouns

    items, missing = find_items(images, read_predicted_nouns(predictions, top))
    path = annotations or images / HUMAN_FILE
    session = Session(items, annotations_so_far(path), path)
    reporter = show_progress(quiet)
    tell_missing(missing, images, reporter)
    serve_until_stopped(session, host, port, reporter, browser=browser)
    progress = session.progress()
    if as_json:
        made = {"judged_now": session.made, **progress}
        print_json({"annotations": str(path), **made, "missing": missing})
        return
    typer.echo(
        f"{session.made} nouns judged in this session; "
        f"{progress['nouns_done']} of {progress['nouns']} nouns and "
        f"{progress['images_done']} of {progress['images']} images are done."
    )
    if session.made:
        typer.echo(f"Wrote {path}. Next: {_next(predictions, path)}")


@cli.command(
    epilog="Examples:  nomaly annotate llm photos/ predictions.json --model gpt-4o --dry-run\n\n"
    "nomaly annotate llm photos/ predictions.json --model llava --base-url http://localhost:8000/v1"
    "\n\nThe key is read from the environment variable OPENAI_API_KEY, and from nowhere else."
)
def llm(
    images: Images,
    predictions: Predictions,
    model: Annotated[str, typer.Option(help="A multimodal model of the endpoint.")],
    base_url: Annotated[
        str | None,
        typer.Option(help="Any OpenAI-compatible endpoint; default: OPENAI_BASE_URL, or OpenAI."),
    ] = None,
    annotations: File = None,
    top: Top = None,
    opinions: Annotated[
        str, typer.Option(help="Fewest and most opinions on a noun, LEAST..MOST.")
    ] = "3..5",
    agree: Annotated[float, typer.Option(help="Share of them that must be the same.")] = 0.78,
    parallel: Annotated[int, typer.Option(min=1, help="Images asked about at once.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many images.")] = None,
    retries: Annotated[
        int, typer.Option(min=0, help="Attempts after a fault that may pass, ever further apart.")
    ] = 5,
    price: Annotated[
        str | None,
        typer.Option(help="US dollars for a million tokens READ,WRITTEN, to show the cost."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be asked.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge nouns with a multimodal language model, by several opinions on each.

    Every opinion is kept beside the annotations as soon as it is there: after Ctrl-C or a kill, the
    same command goes on and asks nothing twice.
    """
    from app.names.annotation.llm import estimate
    from app.names.annotation.request import LlmRequest, ask_all, plan_run
    from app.names.annotation.results import print_estimate, print_llm
    from app.names.annotation.work import agreement_with_people

    request = LlmRequest(
        images,
        tuple(predictions),
        model,
        base_url,
        annotations,
        top,
        _rule(opinions, agree),
        limit,
        parallel,
        retries,
    )
    cost, reporter = _price(price), show_progress(quiet)
    run, missing = plan_run(request, reporter)
    if dry_run:
        figures = estimate(run.items, run.opinions, run.rule)
        if as_json:
            print_json(figures)
        else:
            print_estimate(figures, cost)
            typer.echo(NOTHING_ASKED)
        return
    result = ask_all(request, run, reporter)
    people = agreement_with_people(images, run.annotations)
    if as_json:
        told = {"annotations": str(run.path), "opinions": str(run.opinions.path)}
        told |= {**result.as_json(), "missing": missing}
        told |= {"dollars": round(cost.cost(*result.tokens), 4)} if cost else {}
        told |= {"people": people.as_json()} if people else {}
        print_json(told)
    else:
        print_llm(result, run, cost, people)
        if len(run.annotations):
            typer.echo(f"Next: {_next(predictions, run.path)}")
    if result.fault or result.stopped:
        why = result.fault or "stopped; the same command goes on from here"
        typer.echo(f"nomaly: {why}", err=True)
    if result.fault or result.stopped or result.failed:
        raise typer.Exit(1)


@cli.command(
    epilog="Example:  nomaly annotate compare photos/_class_annotations.json "
    "photos/_class_annotations_gpt.json"
)
def compare(
    first: Annotated[Path, typer.Argument(help="An annotation file.")],
    second: Annotated[Path, typer.Argument(help="Another one about the same images.")],
    show: Annotated[int, typer.Option(min=0, help="Disagreements to list.")] = 10,
    as_json: Json = False,
) -> None:
    """Tell how far two annotation files agree, on the nouns that both judge."""
    from app.names.annotation.results import print_comparison
    from training.evaluation.agreement import compare_annotations, disagreements
    from training.evaluation.annotations import read_annotations

    one, other = read_annotations(first), read_annotations(second)
    comparison, differing = compare_annotations(one, other), disagreements(one, other)
    if as_json:
        print_json({**comparison.as_json(), "differing": [list(row) for row in differing[:show]]})
    else:
        print_comparison(comparison, differing[:show], (first, second))


def _rule(opinions: str, agree: float) -> "Rule":
    from app.names.annotation.opinions import Rule

    least, _, most = opinions.partition("..")
    if not least.isdecimal() or not (most or least).isdecimal():
        raise UsageError(f"--opinions {opinions}: write LEAST..MOST, for example 3..5")
    return Rule(int(least), int(most or least), agree)


def _price(price: str | None) -> "Prices | None":
    from scenarios.llm.costs import Prices

    if price is None:
        return None
    try:
        read, written = (float(dollars) for dollars in price.split(","))
    except ValueError as error:
        raise UsageError(f"--price {price}: write READ,WRITTEN, for example 2.5,10") from error
    return Prices(read, written)


def _next(predictions: list[Path], annotations: Path) -> str:
    from shlex import join

    words = ["nomaly", "score", *map(str, predictions), "--annotations", str(annotations)]
    return join(words)
