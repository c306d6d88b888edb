"""`nomaly fit`: a detector of a camera's normal view."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.looking_options import FalseEvents, Learning
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
)

cli = command_list()


@cli.command(
    epilog="Examples:  nomaly fit sunday.mp4 --out hall-detector\n\n"
    "nomaly fit day.mp4 night.mp4 --detector-setting passes=320 --out hall-detector\n\n"
    "nomaly fit snow.mp4 --more hall-detector --out hall-detector --overwrite"
)
@with_option_sets
def fit(
    videos: Annotated[
        list[Path],
        typer.Argument(
            help="Videos or images of one view that hold nothing unusual: files, folders, patterns."
        ),
    ],
    *,
    out: Out = Path("nomaly-detector"),
    seconds: Annotated[
        float | None, typer.Option(help="Only so many from the start of each.")
    ] = None,
    more: Annotated[
        Path | None,
        typer.Option(
            metavar="DETECTOR",
            help="Add the videos to what this detector learned, instead of starting over; with "
            "--out DETECTOR --overwrite in its place.",
        ),
    ] = None,
    assume_fps: AssumeFps = None,
    learning: Learning,
    false_events: FalseEvents = "1/hour",
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Teach a detector the normal view of a camera, for audit and watch --detector."""
    from app.sources.folder import find_videos
    from app.sources.open import check_recording
    from app.stop import Stop
    from app.watching.checks import check_assumed, check_length, normal_stretch
    from app.watching.keeping import check_place
    from calibration.promise import Promise

    config, promise = learning.config(fitted=more), Promise.parse(false_events)
    check_place(out, overwrite=overwrite, more=more)
    check_assumed(assume_fps)
    reporter, check = show_progress(quiet), Stop().check
    videos = find_videos(videos, reporter.say)
    stretch = normal_stretch(seconds, None, None)
    for video in videos:
        check_recording(video)
        if stretch is not None:
            check_length(video, stretch, "--seconds", assume_fps)

    from app.private import privately
    from app.watching.calibrating import Footage, measured, tolerant
    from app.watching.calm import normal_view_of
    from app.watching.fitting import fit_detector
    from app.watching.keeping import put_detector
    from app.watching.normal import normal_frames
    from novic.device import resolve_device

    frames = normal_frames(videos, seconds, reporter, check, assume_fps=assume_fps)
    if frames:
        normal_view_of(frames).tell(out, reporter)
    footage = Footage(tuple(videos), for_s=seconds, assume_fps=assume_fps)
    learned = fit_detector(config, frames, resolve_device(device), reporter, check, more)
    fitted = tolerant(learned, footage, reporter, check)
    with privately(out, reporter.say):
        put_detector(fitted, out, more)
        view = normal_view_of(frames).borne(fitted.tolerance)
        view.save(out, reporter)
        view.tell_borne(out, reporter)
        promised = measured(fitted, out, footage, promise, reporter, check)
    if as_json:
        facts = {"detector": str(out), "frames": len(frames), "threshold": fitted.threshold}
        print_json(facts | {"false_events": promised})
    else:
        typer.echo(f"Learned from {len(frames)} frames. Next: nomaly audit VIDEO --detector {out}")
