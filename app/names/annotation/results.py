"""Results of annotating for people in a terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.names.annotation.llm import LlmResult, LlmRun
from scenarios.llm.costs import Prices, usd
from training.evaluation.agreement import Agreement, Comparison

FAILURES_SHOWN = 10


def print_estimate(figures: Mapping[str, Any], price: Prices | None) -> None:
    """What a run would ask for."""
    least, most = figures["least"], figures["most"]
    _say(f"To judge: {figures['nouns']} nouns of {figures['images']} images.")
    _say(
        f"Requests: {least['requests']} if all opinions agree, {most['requests']} if none do; "
        f"about {_tokens(least)} to {_tokens(most)} tokens{_cost(least, most, price)}."
    )


def print_llm(
    result: LlmResult, run: LlmRun, price: Prices | None, people: Agreement | None
) -> None:
    """What a run has judged, what it cost, what it could not judge, and whether people agree."""
    if result.nouns:
        _print_judged(result, run, price)
    else:
        _say(f"Every predicted noun is judged in {run.path} already; nothing was asked.")
    if people:
        _say(f"With people, on {people.nouns} nouns that both have judged: {_figures(people)}")


def _print_judged(result: LlmResult, run: LlmRun, price: Prices | None) -> None:
    _say(
        f"{sum(result.judged.values())} of {result.nouns} nouns of {result.images} images judged: "
        f"{result.judged['correct_primary']} correct, {result.judged['close_primary']} close, "
        f"{result.judged['incorrect']} incorrect."
    )
    read, written = result.tokens
    dollars = f", ${price.cost(*result.tokens):.2f}" if price else ""
    _say(
        f"{result.asked} answers, {read:,} tokens read and {written:,} written{dollars}; "
        f"{sum(run.opinions.tokens):,} tokens of {run.opinions.model} in all runs."
    )
    for image, why in result.failed[:FAILURES_SHOWN]:
        _say(f"Not judged: {image}: {why}")
    if len(result.failed) > FAILURES_SHOWN:
        _say(f"Not judged: {len(result.failed) - FAILURES_SHOWN} more")
    if result.judged:
        _say(f"Wrote {run.path}. Opinions: {run.opinions.path}")


def print_comparison(
    comparison: Comparison,
    differing: Sequence[tuple[str, str, str, str]],
    files: tuple[Path, Path],
) -> None:
    """Agreement in figures, tables of both kinds, and nouns to look at."""
    first, second = files
    _say(f"{comparison.categories.nouns} nouns of {comparison.images} images are judged by both;")
    _say(f"{comparison.only_first} only in {first}, {comparison.only_second} only in {second}.")
    if not comparison.categories.nouns:
        return
    console = Console()
    for title, agreement in (
        ("Correct, close, incorrect", comparison.grades),
        ("All categories", comparison.categories),
    ):
        _say(f"\n{title}: {_figures(agreement)}")
        console.print(_confusion(agreement))
    _say(f"\nRows: {first}. Columns: {second}.")
    if differing:
        _say("\nLook at:")
    for image, noun, one, other in differing:
        _say(f"  {image}: {noun}: {one}, {other}")


def _confusion(agreement: Agreement) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("")
    for label in agreement.labels:
        table.add_column(_short(label), justify="right")
    for row in agreement.labels:
        cells = (str(agreement.confusion.get((row, column), 0)) for column in agreement.labels)
        table.add_row(escape(_short(row)), *cells)
    return table


def _figures(agreement: Agreement) -> str:
    kappa = agreement.kappa
    shown = "undefined" if kappa is None else f"{kappa:.2f}"
    return f"{100 * (agreement.share or 0):.1f}% the same, Cohen's kappa {shown}"


def _short(label: str) -> str:
    return label.replace("_primary", "").replace("_secondary", " 2nd")


def _tokens(figures: Mapping[str, int]) -> str:
    return f"{figures['tokens_read'] + figures['tokens_written']:,}"


def _cost(least: Mapping[str, int], most: Mapping[str, int], price: Prices | None) -> str:
    if price is None:
        return ""
    low, high = (price.cost(f["tokens_read"], f["tokens_written"]) for f in (least, most))
    return f", {usd(low, high)}"


def _say(text: str) -> None:
    Console().print(text, highlight=False, markup=False, soft_wrap=True)
