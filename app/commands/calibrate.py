"""`nomaly calibrate`: how far one camera can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    Device,
    EmbedderSpec,
    Json,
    Model,
    Quiet,
    command_list,
    print_json,
    show_progress,
)
from app.errors import UsageError

if TYPE_CHECKING:
    from app.calibrating.request import Calibrated

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly calibrate hall-detector --normal sunday.mp4\n\n"
    "nomaly calibrate hall --normal day.mp4 --normal night.mp4 --events confirmed.jsonl\n\n"
    "nomaly calibrate hall-detector --normal sunday.mp4 --no-blind-map\n\n"
    "nomaly calibrate hall-detector --events confirmed.jsonl    # footage was looked at before"
)
def calibrate(
    site: Annotated[
        Path,
        typer.Argument(help="Folder of a fitted detector, or that of a run which learned one."),
    ],
    normal: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="VIDEO",
            help="Video that holds nothing unusual, better one that the detector did not learn "
            "from; several may be named, for example by day and by night. Not needed to learn of "
            "--events alone, once it was looked at.",
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Lines of events.jsonl with what each was: "confirmed": "person", or "unknown" if '
            'nobody can tell, or "normal": true.',
        ),
    ] = None,
    model: Model = None,
    embedder: EmbedderSpec = None,
    blind_map: Annotated[
        bool, typer.Option(help="Put cut-outs into the footage and measure what is found.")
    ] = True,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Moments of each hour into which things of all sizes are put in every zone; by "
            "default 8 of one hour, 3 each of many.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Polygon that is not watched: x,y x,y x,y as shares of width, height."),
    ] = None,
    false_events: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="How many false events the camera may tell, as in fit and watch; by default as "
            "the run of SITE does, else 1/hour.",
        ),
    ] = None,
    bar: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="How unusual a thing must be to be told, in place of what --false-events "
            "chooses; by default as the run of SITE does.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames a second to look at; by default as the run of SITE does, or 5."),
    ] = None,
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure how far a camera can be trusted: what p means there, and where it is blind.

    Writes calibration.json and calibration.html into the folder of the detector.
    """
    from app.calibrating.request import CalibrateRequest
    from app.calibrating.run import calibrate as measure
    from app.calibrating.run import site_folder
    from app.calibrating.watched import watched_in
    from app.commands.looking_options import check_bar
    from app.sites.model import open_site
    from app.sources.folder import find_videos
    from app.sources.open import check_recording
    from calibration.promise import Promise

    if fps is not None and not 0 < fps <= 1000:
        raise UsageError(f"--fps {fps:g}: must be above 0")
    if not normal and events is None:
        raise UsageError(
            "nothing to calibrate on: name footage with --normal, or what events were with --events"
        )
    folder = site_folder(site)
    watched = watched_in(site if folder != site else folder).but(
        fps=fps,
        zones=open_site(None, exclude=exclude, taught=True).zones if exclude else None,
        promise=Promise.parse(false_events) if false_events else None,
        bar=check_bar(bar),
    )
    reporter = show_progress(quiet)
    videos = find_videos(normal, reporter.say) if normal else []
    for video in videos:
        check_recording(video)

    from app.calibrating.page import write_page
    from app.private import privately

    request = CalibrateRequest(
        site=folder,
        normal=tuple(videos),
        events=events,
        model=model,
        embedder=embedder,
        device=device,
        watched=watched,
        blind=blind_map,
        repeats=repeats,
    )
    with privately(folder, reporter.say):
        done = measure(request, reporter)
        page = write_page(done)
    if as_json:
        print_json(done.as_json())
    else:
        _print(done, page)
    if done.stopped:
        typer.echo("nomaly: stopped; what was measured until then is kept", err=True)
        raise typer.Exit(1)


def _print(done: "Calibrated", page: Path) -> None:
    """What was measured, for people."""
    from app.calibrating.words import titled

    for title, sentence in titled(done.done.said):
        typer.echo(f"{title}: {sentence}")
    blind = done.done.blind
    if blind is not None:
        for size in blind.sizes:
            share = blind.share(size=size)
            low, high = share.interval
            typer.echo(
                f"  {100 * size:g}% of the width: {100 * share.value:.0f}% found "
                f"({100 * low:.0f}-{100 * high:.0f}), {share.of} put there"
            )
        zones = [str(zone + 1) for zone in blind.zones if blind.blind(zone)]
        if zones:
            typer.echo(f"  blind in zone {', '.join(zones)} (row by row from the upper left)")
    typer.echo(f"Report: {page}")
