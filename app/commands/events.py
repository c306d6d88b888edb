"""`nomaly events`: what a run told, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import Json, command_group, print_json
from app.commands.would import would

if TYPE_CHECKING:
    from app.why.receipt import Change, Gate, Receipt

cli = command_group(
    "events",
    "Show what a run told, and why it rang or did not; also while it goes on.",
    "nomaly events list hall",
    "nomaly events why hall 065b3c2d1f0000-1a2b3c",
    "nomaly events why hall 12:03:20",
    "nomaly events would hall --bar 1.3",
)

RunFolder = Annotated[Path, typer.Argument(help="Folder of an audit or a watch.")]


@cli.command("list", epilog="Example:  nomaly events list hall")
def list_events(out: RunFolder, as_json: Json = False) -> None:
    """List the events of a run, in order, those last that are muted."""
    from app.commands.tables import print_listed
    from app.why.asking import listed

    events = listed(out)
    if as_json:
        print_json([event.as_json() for event in events])
    else:
        print_listed(events)


@cli.command(
    epilog="Examples:  nomaly events why hall 065b3c2d1f0000-1a2b3c\n\n"
    "nomaly events why hall 12:03:20\n\nnomaly events why nomaly-audit 83.5s --json"
)
def why(
    out: RunFolder,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|TIME",
            help="An event's id; or a time, of which it is told what did not ring, too: 12:03:20, "
            "2026-11-29T12:03:20, or 1:23.5 or 83.5s from the start.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Tell why something rang or did not: each gate, by how much, and what would have flipped it.

    The bar is what a thing must reach; --bar sets it, --false-events chooses it. Whether it
    belongs is told where a site's dictionary or nomaly calibrate says what is usual.
    """
    from app.why.asking import why as receipts_of

    receipts = receipts_of(out, asked)
    if as_json:
        print_json([receipt.as_json() for receipt in receipts])
        return
    for receipt in receipts:
        _print(receipt, out)


cli.command(
    epilog="Examples:  nomaly events would hall --bar 1.3\n\n"
    'nomaly events would hall --exclude "0,0 .4,0 .4,1 0,1" --page would.html\n\n'
    "nomaly events would hall --false-events 1/day --since 2w --json"
)(would)


def _print(receipt: "Receipt", out: Path) -> None:
    from app.report.times import clock
    from app.watching.telling import clock_time

    times = clock_time(receipt.start_us)
    if receipt.end_us - receipt.start_us >= 1_000_000:
        times += f" to {clock_time(receipt.end_us)}"
    if receipt.start_s is not None and receipt.end_s is not None:
        until = f" to {clock(receipt.end_s)}" if receipt.end_s > receipt.start_s else ""
        times = f"{clock(receipt.start_s)}{until} ({times})"
    name = f"{receipt.headline} ({receipt.event_id})" if receipt.event_id else ""
    typer.secho(", ".join(part for part in (name, receipt.camera, times) if part), bold=True)
    typer.echo(f"  {receipt.said}")
    for gate in receipt.gates:
        typer.echo(_gate(gate))
    if receipt.uncalibrated:
        typer.echo(f"  Uncalibrated: {receipt.uncalibrated}.")
    for said, change in (
        (_change, receipt.flip),
        (_named, receipt.naming),
        (_belongs, receipt.belonging),
    ):
        if change is not None:
            # A command is told as it is typed.
            text = said(change).replace("nomaly feedback forget", f"nomaly feedback forget {out}")
            typer.echo(f"  {text}")
    typer.echo("")


def _gate(gate: "Gate") -> str:
    # What it is called and whether it belongs let nothing pass: it rings all the same.
    told = gate.name in ("name", "place")
    mark = "" if told else "passed" if gate.passed else "failed"
    text = f"    {gate.name:<9} {mark:<6}  {gate.said}"
    if gate.value is None or gate.needed is None:
        return text
    if told:
        return f"{text} ({100 * gate.value:.0f}%, sure from {100 * gate.needed:.0f}%)"
    return f"{text}: {gate.value:.2f}, needs {gate.needed:.2f} ({gate.margin:.2f} times)"


def _named(change: "Change") -> str:
    """When its name would be told otherwise, without advice to change it."""
    wrong, now = (f"{100 * (share or 0.0):.2g}%" for share in (change.value, change.now))
    return (
        f"{change.outcome[0].upper()}{change.outcome[1:]} only if {wrong} of "
        f"names may be wrong (--wrong-names {change.value:.6g}); now {now} may."
    )


def _belongs(change: "Change") -> str:
    """When it would belong otherwise; the setting is one of a site's file."""
    name = change.setting.removeprefix("belonging.")
    return (
        f"I{change.outcome[1:]} if {name} were {change.value:.4g} under belonging in the site's "
        f"scenario.yaml; now it is {change.now:.3g}."
    )


def _change(change: "Change") -> str:
    value = "" if change.value is None else f" {change.value:.6g}"
    text = f"With {change.setting}{value} {change.outcome}"
    if change.now is not None:
        text += f"; now it is {change.now:.3g}"
    if change.per_hour is not None:
        text += f". Normal footage then makes up to {change.per_hour:.2g} false events an hour"
    return f"{text}."
