"""`nomaly audit` and `nomaly watch`: what does not belong in front of a camera."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.archive_options import AtScale, run_at, tell_found
from app.commands.lasting_options import Lasting
from app.commands.looking_options import Learning, Looking
from app.commands.normal_options import Normal
from app.commands.option_sets import with_option_sets
from app.commands.options import (
    AssumeFps,
    Device,
    Json,
    Out,
    Overwrite,
    Quiet,
    command_list,
    print_json,
    show_progress,
    tell_stopped,
)
from app.commands.passing_on import PassingOn
from app.commands.site import check_only, is_site, watch_site
from app.errors import UsageError
from app.events.lock import check_unused
from app.quick import importing

if TYPE_CHECKING:
    from app.sites.model import OpenedSite

Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="HOST:PORT",
        help="Answer /metrics for Prometheus, /healthz and /readyz there, as 127.0.0.1:9464; an "
        "address that others reach needs a token in the environment's NOMALY_TOKEN.",
    ),
]

_OUT, _CONNECT_S = Path("nomaly-watch"), 30.0

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly audit shift.mp4 --normal-first 60\n\n"
    "nomaly audit monday.mp4 tuesday.mp4 --normal sunday.mp4 --out week\n\n"
    "nomaly audit clips --each --workers 4 --detector hall-detector --fail-on 'p>0.9'"
)
@with_option_sets
def audit(
    videos: Annotated[
        list[Path],
        typer.Argument(
            help="Videos of one camera, or images in a row: files, folders, patterns in quotes."
        ),
    ],
    *,
    normally: Normal,
    out: Out = Path("nomaly-audit"),
    looking: Looking,
    learning: Learning,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When the recording began, as 2026-11-29 08:00, in this machine's time zone "
            "unless it names one.",
        ),
    ] = None,
    passing_on: PassingOn,
    assume_fps: AssumeFps = None,
    draw: Annotated[bool, typer.Option(help="Write annotated.mp4.")] = True,
    clips: Annotated[
        bool,
        typer.Option(
            "--clips",
            help="Cut a short video of every event out of the videos; also of an audit that is "
            "finished.",
        ),
    ] = False,
    at_scale: AtScale,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find and name what does not belong in recorded video.

    Writes events.sqlite, events.jsonl, report.html, annotated.mp4 and pictures. Ctrl-C leaves a
    report of what was done; the same command goes on from there.
    """
    from app.sources.folder import camera_of, find_videos

    began, sinks = _start(start), passing_on.sinks()
    check_unused(out)
    scale, checks = at_scale.scale(out, overwrite=overwrite), at_scale.checks()
    site = looking.open_site(taught=normally.said)
    reporter = at_scale.reporter(quiet)
    camera = looking.camera or camera_of(videos)
    videos = find_videos(videos, reporter.say)
    normally = normally.resolved(videos, reporter)
    normally.check(videos, site.detector, looking.pace, assume_fps)
    shared = _shared(looking, learning, site)
    shared["camera"] = camera

    from app.commands.tables import print_events
    from app.private import privately
    from app.watching.audit import AuditRequest
    from app.watching.clip_rule import ClipRule

    request = AuditRequest(
        videos=tuple(videos),
        out=out,
        normal=normally.videos,
        normal_first_s=normally.normal_first,
        normal_from_s=normally.normal_from,
        normal_for_s=normally.normal_for,
        start=began,
        sinks=sinks,
        assume_fps=assume_fps,
        draw=draw,
        clips=ClipRule() if _wants_clips(clips, looking, usual=False) else None,
        each=at_scale.each,
        **shared,
        device=device,
        overwrite=overwrite,
    )
    with privately(out, reporter.say):
        result = run_at(scale, request, reporter)
    if as_json:
        print_json(result.as_json())
    else:
        print_events(result)
    found = tell_found(checks, result)
    if result.stopped:
        tell_stopped()
    if result.failed or found:
        raise typer.Exit(1)


@cli.command(
    epilog="Examples:  nomaly watch 0 --learn 20\n\n"
    "nomaly watch rtsp://user:password@camera/stream --learn 60 --out hall\n\n"
    "nomaly watch env:HALL_CAMERA --learn 60 --out hall\n\nnomaly watch site.yaml"
)
@with_option_sets
def watch(
    source: Annotated[
        str,
        typer.Argument(
            help="Webcam number, rtsp:// or http:// address, a folder into which a camera puts "
            "images or videos, a video file, or a site's .yaml with many cameras; env:NAME, @FILE "
            "or - (standard input) for an address that the list of processes is not to show."
        ),
    ],
    *,
    learn: Annotated[
        float | None, typer.Option(help="Seconds of normal view to learn from first.")
    ] = None,
    out: Out = _OUT,
    looking: Looking,
    learning: Learning,
    connect: Annotated[
        float, typer.Option(help="Seconds to wait for the first frame.")
    ] = _CONNECT_S,
    for_s: Annotated[
        float | None, typer.Option("--for", help="Stop after so many seconds of watching.")
    ] = None,
    heartbeat: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Seconds between signs of life, 0 for none; by default 60, and on a terminal a "
            "line that is always up to date.",
        ),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Show live pictures and events on a local page, for example 127.0.0.1:8080.",
        ),
    ] = None,
    lasting: Lasting,
    passing_on: PassingOn,
    clips: Annotated[
        bool | None,
        typer.Option(
            "--clips/--no-clips",
            help="Keep a short video of every event, with the 5 s before it; by default of network "
            "cameras.",
        ),
    ] = None,
    metrics: Metrics = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Watch a live camera and name what does not belong, until Ctrl-C.

    The same command goes on in the same folder, also after a crash: with the detector that it
    learned, and with a note of the time in which nobody looked. The file of a site says all but
    --for, --heartbeat, --json and --quiet by itself.
    """
    if is_site(source):
        check_only(
            {
                "--learn": learn is not None,
                "--out": out != _OUT,
                "options of looking": looking != Looking(),
                "options of learning": learning != Learning(),
                "--connect": connect != _CONNECT_S,
                "--page or --metrics": page is not None or metrics is not None,
                "options of keeping": lasting != Lasting(),
                "--clips": clips is not None,
                "--sink or --on-event": passing_on != PassingOn(),
                "--device": device != "auto",
                "--overwrite": overwrite,
            }
        )
        watch_site(Path(source), for_s=for_s, heartbeat=heartbeat, as_json=as_json, quiet=quiet)
        return
    with importing():
        from app.lasting import LastingStdout
        from app.private import privately
        from app.sources.open import kind_of
        from app.sources.typed import read_source
        from app.watching.asked import check_watch
        from app.web.beside import drawn_zones, shown_on

    reporter = show_progress(quiet)
    source = read_source(source, reporter.say)
    sinks, retention = passing_on.sinks(), lasting.retention
    check_unused(out)
    site = looking.open_site(taught=learn is not None)
    check_watch(
        source,
        learn_s=learn,
        detector=site.detector,
        seconds={"--connect": connect, "--for": for_s},
    )
    wants_clips = _wants_clips(clips, looking, usual=kind_of(source) == "network")
    zones = drawn_zones(out, site.zones, reporter.say)
    # Heavy: what makes no sense has been said by now.
    with importing():
        from app.commands.tables import print_state
        from app.watching.board import Board
        from app.watching.clip_rule import ClipRule
        from app.watching.watch import watch as run_watch
        from app.watching.watch_request import WatchRequest
        from app.web.exposing import exposing

    request = WatchRequest(
        source=source,
        out=out,
        learn_s=learn,
        connect_s=connect,
        for_s=for_s,
        heartbeat_s=heartbeat,
        life=lasting.life,
        retention=retention,
        sinks=sinks,
        clips=ClipRule() if wants_clips else None,
        **_shared(looking, learning, replace(site, zones=zones)),
        device=device,
        overwrite=overwrite,
    )
    print_one = print_json if as_json else partial(print_state, of_file=kind_of(source) == "file")
    stdout, board = LastingStdout(reporter.say), Board()
    with (
        privately(out, reporter.say),
        shown_on(page, out, board, reporter.say),
        exposing(metrics, board, out, reporter.say),
    ):
        summary = run_watch(request, reporter, partial(stdout.tell, print_one), board)
    stdout.tell(print_json if as_json else _print_watched, summary)
    if summary["stopped"]:
        tell_stopped()
    if summary["state"] == "failed" or stdout.fault:
        raise typer.Exit(1)


def _wants_clips(clips: bool | None, looking: Looking, *, usual: bool) -> bool:
    """Whether events get clips, which show people as they came from the camera."""
    if looking.blur_people:
        if clips:
            raise UsageError("--clips and --blur-people are given; clips show people as they are")
        return False
    return usual if clips is None else clips


def _print_watched(summary: dict[str, Any]) -> None:
    from app.commands.tables import watched

    for note in (*summary["notes"], *summary["calibration_void"]):
        typer.echo(f"Note: {note}")
    typer.echo(watched(summary))


def _shared(looking: Looking, learning: Learning, site: "OpenedSite") -> dict[str, Any]:
    """What the groups of options and the scenario say of an `app.watching.request.RunRequest`."""
    return {
        "detector": site.detector,
        "detector_config": learning.config(fitted=site.detector, site=site.detector_config),
        "fps": looking.pace,
        "model": site.bundle,
        "embedder": looking.embedder,
        "wrong_names": looking.wrong_names,
        "camera": looking.camera,
        "zones": site.zones,
        "rule": site.rule,
        "promise": looking.promise,
        "bar": looking.checked_bar,
        "tell": looking.wanted,
        "blur_people": looking.blur_people,
        "belonging": site.belonging,
    }


def _start(text: str | None) -> datetime | None:
    """What --start says, with its zone."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--start {text}: is no time; write it as 2026-11-29 08:00 or 2026-11-29T08:00+01:00"
        ) from error
