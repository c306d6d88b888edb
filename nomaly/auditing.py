"""Recorded video in, named events out."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.progress import Reporter
from app.sources.folder import find_videos
from app.watching import audit as auditing
from app.watching.audit import AuditRequest
from app.watching.results import AuditResult
from calibration.promise import Promise


def audit(
    videos: str | Path | Sequence[str | Path],
    out: str | Path = "nomaly-audit",
    *,
    normal_first_s: float | None = None,
    normal: str | Path | Sequence[str | Path] | None = None,
    detector: str | Path | None = None,
    fps: float | None = 5.0,
    model: str | Path | None = None,
    camera: str = "",
    start: datetime | None = None,
    false_events: str = "1/hour",
    draw: bool = True,
    overwrite: bool = False,
    device: str = "auto",
) -> AuditResult:
    """Find and name what does not belong in recorded video, as `nomaly audit` does.

    Writes report, events, pictures and the annotated video into `out`. Ctrl-C ends it with what
    was found so far, and the same call goes on from there. A finished one is not run again.

    Args:
        videos: Files of one camera, folders of them, or patterns.
        out: A folder, new, empty or of an earlier audit.
        normal_first_s: Seconds at the start of the first video that show nothing unusual; one of
            this, `normal` and `detector` is needed.
        normal: A video that shows nothing unusual, or several of one view.
        detector: Folder of a detector that was fitted before.
        fps: Frames a second that are looked at; None for every frame.
        model: Decoder that names things; None for the starter that comes along.
        camera: What the camera is called; empty for the file's name.
        start: When the recording began, in this machine's zone unless it has one; None where the
            file must tell.
        false_events: How many false events are borne, as 1/hour, 2/day or 1/week.
        draw: Whether to write `annotated.mp4`.
        overwrite: Replace what an earlier run left in `out`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        NomalyError: If the request makes no sense, a video cannot be read, or results cannot be
            written.
    """
    request = AuditRequest(
        videos=_paths(videos),
        out=Path(out),
        normal=_paths(normal),
        normal_first_s=normal_first_s,
        detector=_path(detector),
        fps=fps,
        model=_path(model),
        camera=camera,
        start=start.astimezone() if start is not None else None,
        promise=Promise.parse(false_events),
        draw=draw,
        overwrite=overwrite,
        device=device,
    )
    return auditing.audit(request, Reporter(quiet=True))


def _path(text: str | Path | None) -> Path | None:
    return Path(text) if text is not None else None


def _paths(files: str | Path | Sequence[str | Path] | None) -> tuple[Path, ...]:
    several = [files] if isinstance(files, str | Path) else files or ()
    return tuple(find_videos((Path(file) for file in several), lambda _: None))
