"""`nomaly evaluate detector`: how good detectors are, on stills and on recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    Device,
    Json,
    Out,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
)
from app.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from app.evaluating.recordings import EvaluatedAudit
    from app.evaluating.run import Evaluation

cli = command_list()


@cli.command(
    "evaluate detector",
    epilog="Examples:  nomaly evaluate detector mvtec/bottle mvtec/screw --out bottle-screw\n\n"
    "nomaly evaluate detector bottle/ --detector-model padim --detector-model diagonal\n\n"
    "nomaly evaluate detector shift.mp4 --truth shift.json --normal-first 60\n\n"
    "nomaly evaluate detector nomaly-audit --truth shift.json",
)
def evaluate_detector(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folders with train/good, test/KIND and ground_truth (MVTec AD); with --truth one "
            "recording, or the folder of its audit."
        ),
    ],
    truth: Annotated[
        Path | None,
        typer.Option(help="What was in the recording: Nomaly's JSON, the demo's, or COCO's."),
    ] = None,
    out: Out = Path("nomaly-evaluation"),
    detector_model: Annotated[
        list[str] | None,
        typer.Option(help="Kind of detector that learns; several are compared on stills."),
    ] = None,
    detector_setting: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting of it.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="For a recording: a detector that was fitted before.")
    ] = None,
    normal_first: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="For a recording: so much of its start is normal."),
    ] = None,
    fps: Annotated[float, typer.Option(help="For a recording: frames a second to look at.")] = 5.0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure detectors where the truth is known.

    On stills AUROC, AUPRO, F1 and AP of boxes; on recordings events found by size, false events an
    hour, AP of boxes, delay. Writes report.html and evaluation.json.
    """
    from app.commands.looking_options import Learning
    from app.commands.stills_options import StillsLearning
    from app.evaluating.place import check_free

    kinds = list(dict.fromkeys(detector_model or [None]))
    if truth is None and (detector is not None or normal_first is not None):
        raise UsageError("--detector and --normal-first are for a recording, with --truth FILE")
    if truth is not None and (len(data) > 1 or len(kinds) > 1):
        raise UsageError("--truth is that of one recording; evaluate others one by one")
    fits = [StillsLearning(kind, detector_setting).request(device) for kind in kinds]
    config = Learning(kinds[0], detector_setting).config(fitted=detector)
    check_free(out, overwrite=overwrite)

    from app.evaluating.run import LookingRequest, audit_of, evaluate_recording, evaluate_stills
    from app.private import privately

    reporter = show_progress(quiet)
    try:
        with privately(out, reporter.say):
            if truth is None:
                done = evaluate_stills(data, fits, out, reporter)
            else:
                looking = LookingRequest(
                    config=config,
                    detector=detector,
                    normal_first_s=normal_first,
                    fps=fps,
                    device=device,
                )
                audited = audit_of(data[0], out, looking)
                done = evaluate_recording(audited, truth, out, reporter)
    except KeyboardInterrupt as error:
        raise StoppedError("stopped; what was measured whole lies in its own folder") from error
    if as_json:
        print_json(done.as_json())
    else:
        _print(done, out)


def _print(done: "Evaluation", out: Path) -> None:
    """The figures, for people."""
    from app.commands.stills_tables import figures_lines

    for one in done.stills:
        typer.echo(f"{one.folder}, {one.kind}:")
        for line in figures_lines(one.figures):
            typer.echo(f"  {line}")
    for one in done.audits:
        for line in _audit_lines(one):
            typer.echo(line)
    typer.echo(f"Report: {out / 'report.html'}")


def _audit_lines(one: "EvaluatedAudit") -> list[str]:
    from app.commands.stills_tables import estimate_text

    figures = one.figures
    rate, low, high = figures.false_per_hour
    lines = [
        f"{one.out}: {figures.false_events} false events in {figures.hours:.2f} h, {rate:.2f} an "
        f"hour ({low:.2f}-{high:.2f})"
    ]
    for size, share in figures.recall.items():
        named = f"{100 * size:g}% of the width" if size else "all"
        tight = ", ".join(
            f"{100 * shares[size]:.0f} at IoU {iou}" for iou, shares in figures.tight.items()
        )
        lines.append(f"  {named}: found {estimate_text(share)} of {share.images}; {tight}")
    if figures.ap50 is not None and figures.ap is not None:
        lines.append(f"  boxes: AP50 {100 * figures.ap50:.1f}, AP {100 * figures.ap:.1f}")
    if figures.delay_s is not None:
        lines.append(f"  opens after {figures.delay_s:.1f} s (median)")
    return lines
