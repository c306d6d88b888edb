"""`nomaly captions`: have captions written by a language model, and check them."""

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

if TYPE_CHECKING:
    from app.names.captioning import CaptionOrder, Plan

cli = command_group(
    "captions",
    "Captions for training, written by a language model.",
    "nomaly captions write object_nouns.json --model gpt-4o-mini --out captions.json --dry-run",
    "nomaly captions check captions.json --dictionary object_nouns.json",
)


@cli.command(
    epilog="Examples:  nomaly captions write object_nouns.json --dry-run\n\n"
    "nomaly captions write object_nouns.json --limit 500\n\n"
    "nomaly captions write object_nouns.json --direct --base-url http://localhost:8080/v1"
)
def write(
    dictionary: Annotated[Path, typer.Argument(help="An object_nouns.json.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path(
        "captions_dataset.json"
    ),
    model: Annotated[str, typer.Option(help="Language model to ask.")] = "gpt-4o-mini",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many nouns, the most frequent.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Another server that speaks OpenAI's protocol, up to /v1.")
    ] = None,
    direct: Annotated[
        bool, typer.Option("--direct", help="Ask at once, not through the batch service.")
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, help="Requests at once with --direct.")] = 8,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show an example and what it would cost.")
    ] = False,
    input_price: Annotated[
        float, typer.Option(min=0, help="USD for a million tokens sent, asked directly.")
    ] = 0.15,
    output_price: Annotated[float, typer.Option(min=0, help="The same for tokens back.")] = 0.60,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have captions of every noun written: ten for each unit of its frequency, up to 100.

    They are asked for through the provider's batch service, which takes hours and costs half, or
    with --direct from any server. The key is read from OPENAI_API_KEY. Answers are kept beside the
    file as they come: after Ctrl-C, a kill or a failure the same command goes on, and nothing is
    paid twice in batches. The preset prices are gpt-4o-mini's.
    """
    from app.names.captioning import CaptionOrder, have_captions_written, plan_captions
    from scenarios.llm.costs import Prices

    prices = Prices(input_price, output_price)
    order = CaptionOrder(dictionary, out, model, limit, base_url, direct, parallel, prices)
    if dry_run:
        _show_plan(order, plan_captions(order), as_json=as_json)
        return
    written = have_captions_written(order, show_progress(quiet))
    if as_json:
        print_json(written.as_json())
    else:
        typer.echo(
            f"Wrote {written.captions}: {written.singular_captions:,} captions in the singular and "
            f"{written.plural_captions:,} in the plural of {written.nouns:,} nouns; "
            f"{written.nouns_given_up:,} have fewer than wanted. "
            f"Next: nomaly captions check {written.captions} --dictionary {dictionary}"
        )


@cli.command(epilog="Example:  nomaly captions check captions_dataset.json -d object_nouns.json")
def check(
    file: Annotated[Path, typer.Argument(help="A captions_dataset.json.")],
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", "-d", help="Say what lacks for this object_nouns.json."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a caption file and count what it holds."""
    from app.names.captioning import count_captions

    counts = count_captions(file, dictionary)
    if as_json:
        print_json({"captions": str(file), **counts})
        return
    for name, count in counts.items():
        typer.echo(f"{count:>12,}  {name.replace('_', ' ')}")


def _show_plan(order: "CaptionOrder", plan: "Plan", *, as_json: bool) -> None:
    from scenarios.llm.costs import usd

    asked = plan.estimate
    price = order.asked_prices.cost(asked.input_tokens, asked.output_tokens)
    if as_json:
        print_json(
            {
                "nouns": plan.nouns,
                "calls": asked.calls,
                "input_tokens": asked.input_tokens,
                "output_tokens": asked.output_tokens,
                "price_usd": round(price, 4),
            }
        )
        return
    if plan.example:
        typer.echo(f"{order.model} is asked, for example:\n")
    for message in plan.example:
        typer.echo(f"  {message['role']}: {message['content']}\n")
    how = "asked directly" if order.direct else "in batches"
    typer.echo(
        f"{plan.nouns:,} nouns: at least {asked.calls:,} calls with about "
        f"{asked.input_tokens:,} tokens sent and {asked.output_tokens:,} back, "
        f"{usd(price)} {how} at the prices of --input-price and --output-price."
    )
    typer.echo(NOTHING_ASKED)
