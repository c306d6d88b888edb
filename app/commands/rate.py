"""`nomaly scenario rate`: have a site's nouns rated, by language models or without."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from app.commands.options import (
    NOTHING_ASKED,
    Json,
    Quiet,
    ScenarioArgument,
    ScenarioRoot,
    command_list,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from app.progress import Reporter
    from app.sites.rating.order import RateOrder
    from app.sites.rating.plan import RatingPlan
    from app.sites.rating.run import Rated

LANGUAGE = "Language models behind an endpoint"
LOCAL = "Local language model"

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly scenario rate airbus\n\n"
    "nomaly scenario rate airbus --backend local\n\n"
    "nomaly scenario rate airbus --backend batch --dry-run"
)
def rate(
    name: ScenarioArgument,
    backend: Annotated[
        str,
        typer.Option(
            help="prior: no language model, only the scenario's examples. local: a GGUF model in "
            "this process. direct: an endpoint that speaks OpenAI's protocol, at once. batch: its "
            "batch service, half the price, within a day."
        ),
    ] = "prior",
    root: ScenarioRoot = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            help="Base dictionary; by default the scenario's, else that of the last rating, else "
            "Nomaly's own, which the word base names."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Ask about so many nouns only, the most frequent; the prior judges no others.",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Ask about every noun, instead of stopping once the rest is unlikely."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show an example and what it would cost.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="Model to ask.", rich_help_panel=LANGUAGE)
    ] = "gpt-4o-mini",
    base_url: Annotated[
        str | None,
        typer.Option(
            help="Another server that speaks OpenAI's protocol, up to /v1.",
            rich_help_panel=LANGUAGE,
        ),
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, help="Direct requests at once.", rich_help_panel=LANGUAGE)
    ] = 8,
    max_cost: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="USD that this site's ratings by this model may cost in all; nothing is sent "
            "that could exceed it.",
            rich_help_panel=LANGUAGE,
        ),
    ] = None,
    input_price: Annotated[
        float,
        typer.Option(
            min=0, help="USD for a million tokens sent, asked directly.", rich_help_panel=LANGUAGE
        ),
    ] = 0.15,
    output_price: Annotated[
        float, typer.Option(min=0, help="The same for tokens back.", rich_help_panel=LANGUAGE)
    ] = 0.60,
    model_file: Annotated[
        Path | None,
        typer.Option(
            help="GGUF file; by default the one that `nomaly scenario llm fetch` brought.",
            rich_help_panel=LOCAL,
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="By default one a core.", rich_help_panel=LOCAL)
    ] = None,
    upstream_rule: Annotated[
        bool,
        typer.Option(
            "--upstream-rule",
            help="Turn ratings into frequencies as NOVIC does: no spelling falls below 1.",
        ),
    ] = False,
    upstream_ratings: Annotated[
        Path | None,
        typer.Option(help="Take the ratings of this file, written by NOVIC's script; ask nobody."),
    ] = None,
    drop_invalid: Annotated[
        bool,
        typer.Option(
            "--drop-invalid", help="With it: leave out what was judged to be no object noun."
        ),
    ] = False,
    least_auc: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            max=1,
            help="Write nothing if a smaller share of pairs of examples is in order; by default "
            "0.9, for the prior 0.6.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Begin anew although a run with other settings is open."),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Rate how often each noun is seen at a site, and write the site's noun dictionary.

    Every answer is kept for good as it comes, and never asked or paid twice: after Ctrl-C, a kill
    or an empty account the same command goes on. Without --all the common nouns are asked about
    first, then the likeliest of the others until hardly any is seen there; the rest is estimated
    from the answers and marked so. The key is read from OPENAI_API_KEY. The preset prices are
    gpt-4o-mini's.
    """
    from scenarios.ratings.records import Backend
    from scenarios.site import find_scenario

    if backend not in get_args(Backend.__value__):
        raise UsageError(f"--backend {backend}: use prior, local, direct or batch")
    find_scenario(name, root, lambda _: None)

    from app.sites.rating.order import RateOrder
    from scenarios.llm.costs import Prices

    order = RateOrder(
        name=name,
        backend=backend,  # pyright: ignore[reportArgumentType] - checked above
        root=root,
        dictionary=dictionary,
        limit=limit,
        everything=everything,
        model=model,
        model_file=model_file,
        threads=threads,
        base_url=base_url,
        parallel=parallel,
        prices=Prices(input_price, output_price),
        max_cost=max_cost,
        seed=seed,
        least_auc=least_auc,
        upstream_rule=upstream_rule,
        restart=restart,
    )
    reporter = show_progress(quiet)
    if dry_run:
        from app.sites.rating.plan import plan_rating

        _show_plan(plan_rating(order, reporter), as_json=as_json)
        return
    _show_rated(_rate(order, upstream_ratings, drop_invalid, reporter), name, as_json=as_json)


def _rate(
    order: "RateOrder", upstream: Path | None, drop_invalid: bool, reporter: "Reporter"
) -> "Rated":
    if upstream is not None:
        from app.sites.rating.upstream import take_upstream_ratings

        return take_upstream_ratings(order, upstream, reporter, drop_invalid=drop_invalid)
    if drop_invalid:
        raise UsageError("--drop-invalid is for --upstream-ratings; other raters are not asked it")
    if order.backend == "local":
        from scenarios.raters.local.llama_server import sleep_while_waiting

        sleep_while_waiting()
    from app.sites.rating.run import rate_site

    return rate_site(order, reporter)


def _show_rated(rated: "Rated", name: str, *, as_json: bool) -> None:
    if as_json:
        print_json(rated.as_json())
        return
    typer.echo(
        f"Rated {rated.rated:,} nouns, estimated {rated.estimated:,}, "
        f"{rated.unrated:,} could not be rated."
    )
    if rated.more:
        typer.echo(f"More expected here than elsewhere: {', '.join(rated.more)}.")
        typer.echo(f"Less expected: {', '.join(rated.less)}.")
    if rated.auc_examples is not None:
        typer.echo(
            f"Judged unseen, an example of what is seen here came before one of what never is in "
            f"{rated.auc_examples:.0%} of all pairs (50% would be chance)."
        )
    if rated.requests:
        typer.echo(
            f"{rated.requests:,} requests, {rated.tokens_in:,} tokens sent, "
            f"{rated.tokens_out:,} back, {rated.cost_usd:.4f} USD."
        )
    sizes = ", ".join(f"{count:,} for --ft {ft}" for ft, count in rated.ft.items())
    typer.echo(
        f"Wrote {rated.output}. Nouns that a decoder would say: {sizes}.\n"
        f"Next: nomaly scenario review {name}"
    )


def _show_plan(plan: "RatingPlan", *, as_json: bool) -> None:
    if as_json:
        print_json(plan.as_json())
        return
    for message in plan.example:
        typer.echo(f"--- {message['role']}\n{message['content']}\n")
    typer.echo(plan.sentence())
    typer.echo(NOTHING_ASKED)
