"""The `nomaly` command: arguments in, results out. Heavy libraries are imported inside commands."""

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands import (
    annotate,
    cache,
    captions,
    embedder,
    evaluation,
    model,
    naming,
    scenario,
    train,
)
from app.commands.options import (
    Camera,
    DetectorFolder,
    Device,
    EmbedderSpec,
    EveryFrame,
    Exclude,
    Fps,
    Json,
    Model,
    Out,
    Overwrite,
    Quiet,
    ScenarioFt,
    ScenarioName,
    ScenarioRoot,
    print_json,
    show_progress,
)
from app.errors import StoppedError, StoreError, UsageError
from app.redact import RedactFilter, redact

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Any command takes --debug, which shows where an error comes from.",
)

for group in (scenario, model, embedder, captions, cache, annotate):
    cli.add_typer(group.cli, name=group.__name__.rsplit(".", 1)[-1])

TYPER_ABORTED = 130
"""What typer makes of a Ctrl-C that no command handled."""


@cli.callback()
def nomaly() -> None:
    """Cameras that name what should not be there.

    Start with [bold]nomaly demo[/bold], which needs no camera.
    """


@cli.command(epilog="Example:  nomaly demo --seed 3 --out other-demo")
def demo(
    out: Out = Path("nomaly-demo"),
    seed: Annotated[int, typer.Option(help="Another number draws another demo.")] = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make footage of a watched place from real photographs, and audit it.

    Objects that do not belong enter, rest and leave; the table shows what was placed beside what
    was found and how it was named.
    """
    from app.demo.run import run_demo
    from app.demo.table import print_demo

    result = run_demo(out, seed, device, show_progress(quiet), overwrite=overwrite)
    if not as_json:
        print_demo(result)
    _finish(result.as_json() if as_json else None, stopped=result.audited.stopped)


@cli.command(
    epilog="Examples:  nomaly audit shift.mp4 --normal-first 60\n\n"
    "nomaly audit monday.mp4 tuesday.mp4 --normal sunday.mp4 --out week"
)
def audit(
    videos: Annotated[list[Path], typer.Argument(help="Video files of one camera.")],
    normal: Annotated[
        Path | None, typer.Option(help="A video that holds nothing unusual, to learn from.")
    ] = None,
    normal_first: Annotated[
        float | None,
        typer.Option(help="Or: seconds at the start of the first video that are normal."),
    ] = None,
    detector: DetectorFolder = None,
    out: Out = Path("nomaly-audit"),
    fps: Fps = 5.0,
    every_frame: EveryFrame = False,
    model: Model = None,
    scenario: ScenarioName = None,
    ft: ScenarioFt = None,
    root: ScenarioRoot = None,
    embedder: EmbedderSpec = None,
    camera: Camera = "",
    exclude: Exclude = None,
    draw: Annotated[bool, typer.Option(help="Write annotated.mp4.")] = True,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find and name what does not belong in recorded video.

    Writes events.sqlite, events.jsonl, report.html, annotated.mp4 and pictures. Ctrl-C leaves a
    report of what was done; the same command goes on from there.
    """
    from app.commands.tables import print_events
    from app.sites.model import site_bundle, site_detector
    from app.watching.audit import AuditRequest
    from app.watching.audit import audit as run_audit

    request = AuditRequest(
        videos=tuple(videos),
        out=out,
        normal=normal,
        normal_first_s=normal_first,
        detector=site_detector(
            scenario, root, detector, taught=bool(normal) or normal_first is not None
        ),
        fps=None if every_frame else fps,
        device=device,
        model=site_bundle(scenario, ft, root, model),
        embedder=embedder,
        camera=camera,
        zones=_zones(exclude or [], scenario, root),
        overwrite=overwrite,
        draw=draw,
    )
    result = run_audit(request, show_progress(quiet))
    if not as_json:
        print_events(result)
    _finish(result.as_json() if as_json else None, stopped=result.stopped)
    if result.failed:
        raise typer.Exit(1)


@cli.command(
    epilog="Examples:  nomaly watch 0 --learn 20\n\n"
    "nomaly watch rtsp://user:password@camera/stream --learn 60 --out hall"
)
def watch(
    source: Annotated[
        str, typer.Argument(help="Webcam number, rtsp:// or http:// address, or a video file.")
    ],
    learn: Annotated[
        float | None, typer.Option(help="Seconds of normal view to learn from first.")
    ] = None,
    detector: DetectorFolder = None,
    out: Out = Path("nomaly-watch"),
    fps: Fps = 5.0,
    every_frame: EveryFrame = False,
    model: Model = None,
    scenario: ScenarioName = None,
    ft: ScenarioFt = None,
    root: ScenarioRoot = None,
    embedder: EmbedderSpec = None,
    camera: Camera = "",
    exclude: Exclude = None,
    connect: Annotated[float, typer.Option(help="Seconds to wait for the first frame.")] = 30.0,
    for_s: Annotated[
        float | None, typer.Option("--for", help="Stop after so many seconds of watching.")
    ] = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Watch a live camera and name what does not belong, until Ctrl-C."""
    from app.commands.tables import print_state
    from app.sites.model import site_bundle, site_detector
    from app.watching.watch import WatchRequest
    from app.watching.watch import watch as run_watch

    request = WatchRequest(
        source=source,
        out=out,
        learn_s=learn,
        detector=site_detector(scenario, root, detector, taught=learn is not None),
        fps=None if every_frame else fps,
        device=device,
        model=site_bundle(scenario, ft, root, model),
        embedder=embedder,
        camera=camera,
        zones=_zones(exclude or [], scenario, root),
        overwrite=overwrite,
        connect_s=connect,
        for_s=for_s,
    )
    summary = run_watch(request, show_progress(quiet), print_json if as_json else print_state)
    if as_json:
        print_json(summary)
    else:
        typer.echo(f"{len(summary['events'])} events. Report: {summary['report']}")


cli.command(
    epilog="Examples:  nomaly name photo.jpg\n\nnomaly name holiday/ --csv > names.csv"
    "\n\ncurl -s http://camera/snapshot.jpg | nomaly name -"
    "\n\nnomaly name part.jpg --model novic.train --gencfg beam_k5_gr --guide parts.txt"
)(naming.name)
cli.command(
    epilog="Example:  nomaly decode vectors.npy --model novic.train --gencfg all_k10_gp --json"
)(naming.decode)
cli.command(
    epilog="Examples:  nomaly evaluate photos/ --out photos.json"
    "\n\nnomaly evaluate ImageNet1K CIFAR10 --root /data --model novic.train --out results"
    "\n\nnomaly evaluate cifar10=/data/cifar-10-batches-bin -g beam_k10_gp -g greedy_gn"
)(evaluation.evaluate)
cli.command(
    epilog="Examples:  nomaly score photos.json --annotations photos/"
    "\n\nnomaly score ft2.json ft0.json --annotations World/ --specificity nouns.json --latex"
)(evaluation.score)


@cli.command(epilog="Example:  nomaly fit sunday.mp4 --out hall-detector")
def fit(
    video: Annotated[Path, typer.Argument(help="A video that holds nothing unusual.")],
    out: Out = Path("nomaly-detector"),
    seconds: Annotated[float | None, typer.Option(help="Only so many from its start.")] = None,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Teach a detector the normal view of a camera, for audit and watch --detector."""
    from app.stop import Stop
    from app.watching.fitting import fit_detector, normal_frames
    from novic.device import resolve_device

    if out.exists():
        raise UsageError(f"--out {out}: exists already; name a new folder")
    reporter, check = show_progress(quiet), Stop().check
    frames = normal_frames(video, seconds, reporter, check)
    fitted = fit_detector(frames, resolve_device(device), reporter, check)
    fitted.save(out)
    if as_json:
        print_json({"detector": str(out), "frames": len(frames), "threshold": fitted.threshold})
    else:
        typer.echo(f"Learned from {len(frames)} frames. Next: nomaly audit VIDEO --detector {out}")


cli.command(
    epilog="Examples:  nomaly train --preset starter --out my-starter"
    "\n\nnomaly train --cache cache --preset small --out my-decoder"
    "\n\nnomaly train --cache ft2.bin --batch 8192 --accumulate 1 --bf16 --out ft2"
)(train.train)


def main() -> None:
    """Run the command and leave at once."""
    try:
        _run()
    except SystemExit as ended:
        if "torch" not in sys.modules or not isinstance(ended.code, int):
            raise
        # Everything is written by now; unloading torch and OpenVINO takes longer than a stopped
        # watch may take to end.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code)


def _run() -> None:
    """Every expected fault is one sentence and an exit code."""
    debug = "--debug" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--debug"]
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactFilter())
    try:
        cli(standalone_mode=True)
    except SystemExit as ended:
        if ended.code != TYPER_ABORTED:
            raise
        _fail("stopped before there was anything to report", 1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        if debug:
            typer.echo(redact(traceback.format_exc()), err=True)
        code = _exit_code(error)
        if code is None:
            _fail(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)
        else:
            _fail(str(error), code)


def _exit_code(error: Exception) -> int | None:
    """2 usage, 3 source unreachable, 4 model missing, 1 other known faults, None if unknown."""
    if isinstance(error, UsageError):
        return 2
    if isinstance(error, StoreError | StoppedError):
        return 1
    # Named, not imported: whoever could raise them has been imported already.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"EmbedderError", "BundleError", "CheckpointError"}:
        return 4
    if "ScenarioError" in kinds:
        return 2
    if "SourceError" in kinds:
        return 3 if _is_watch() else 1
    known = {"DetectorError", "VideoError", "PhotoError"}
    known |= {"WordNetError", "DistilError", "DictionaryError", "PromptError", "CaptionError"}
    known |= {"CacheError", "TrainingError", "EvaluationError", "AnnotationError", "RatingError"}
    return 1 if kinds & known else 2 if isinstance(error, ValueError) else None


def _is_watch() -> bool:
    return "watch" in sys.argv[1:2]


def _fail(sentence: str, code: int) -> None:
    typer.echo(f"nomaly: {redact(sentence)}", err=True)
    sys.exit(code)


def _finish(result: dict[str, Any] | None, *, stopped: bool) -> None:
    if result is not None:
        print_json(result)
    if stopped:
        typer.echo("nomaly: stopped; the same command goes on from here", err=True)
        raise typer.Exit(1)


def _zones(exclude: list[str], scenario: str | None, root: Path | None) -> Any:  # noqa: ANN401
    """Polygons from the command line, else the scenario's."""
    from app.sites.model import site_zones
    from detectors.zones import Zones

    if not exclude and scenario is not None:
        return site_zones(scenario, root)
    try:
        polygons = tuple(
            tuple((float(x), float(y)) for x, y in (corner.split(",") for corner in text.split()))
            for text in exclude
        )
        return Zones(exclude=polygons)
    except ValueError as error:
        raise UsageError(
            f"--exclude {' '.join(exclude)}: {error}; write corners as x,y x,y x,y"
        ) from error
