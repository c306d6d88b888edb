"""`nomaly events why`: why something rang or did not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import completing
from app.commands.events_group import EventPlace, cli
from app.commands.options import Json, print_json

if TYPE_CHECKING:
    from app.why.receipt import Change, Gate, Receipt


@cli.command(
    epilog="Examples:  nomaly events why hall 065b3c2d1f0000-1a2b3c\n\n"
    "nomaly events why hall 12:03:20\n\nnomaly events why nomaly-audit 83.5s --json"
)
def why(
    place: EventPlace,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|TIME",
            autocompletion=completing.events,
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
    from app.why.places import why_there

    told = why_there(place, asked)
    if as_json:
        print_json([receipt.as_json() for _, receipt in told])
        return
    for folder, receipt in told:
        print_receipt(receipt, folder)


def print_receipt(receipt: "Receipt", out: Path) -> None:
    """A receipt for people; `out` is the folder that its commands name."""
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
    print_gates(receipt, out)
    typer.echo("")


def print_gates(receipt: "Receipt", out: Path) -> None:
    """What was asked and what would have flipped it."""
    typer.echo(f"  {receipt.said}")
    for gate in receipt.gates:
        typer.echo(_gate(gate))
    if receipt.usual:
        typer.echo(f"  {receipt.usual[0].upper()}{receipt.usual[1:]}.")
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
