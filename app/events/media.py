"""The pictures of events, as files beside the store.

crops/       the place of the thing, one JPEG an event of an object
snapshots/   the whole frame, one JPEG an event
heat/        the anomaly map as a small transparent PNG, one an event of an object
before/      the crop as it was learned, one JPEG an event of what has not simply arrived
clips/       what was filmed, one mp4 an event (app.watching.clips), and parts of those being made

A picture is written before the event that speaks of it is final, under a name that holds the time
at which it was taken, and takes its place in the event's name after. Whatever fails or is killed in
between leaves the stored event with the picture that it speaks of.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import PicturesError
from app.events.event import Event, Finding, Picture
from app.events.schema import faults
from app.media.pictures import heat_image, write_image
from app.sources.ring import PART

CONTEXT_MARGIN = 0.12
"""Margin of a kept crop around the box, as a share of its longer side. A tight crop and one with
surroundings together name more than either (benchmarks/README.md)."""
SNAPSHOT_SIDE = 960
"""Longest side of a kept frame in pixels; bounds the memory of a track."""

CLIPS = "clips"
_ENDINGS = {"crops": "jpg", "snapshots": "jpg", "heat": "png", "before": "jpg", CLIPS: "mp4"}
MEDIA = tuple(_ENDINGS)


def media_path(folder: Path, kind: str, event_id: str, snapshot_s: float) -> Path:
    """Where a picture of an event lies; `kind` is one of MEDIA."""
    fresh = _fresh(folder, kind, event_id, snapshot_s)
    return fresh if fresh.exists() else _place(folder, kind, event_id)


@contextmanager
def pictures_of(folder: Path, findings: Sequence[Finding]) -> Iterator[None]:
    """Write the pictures of findings; they take their places once what is done inside is final.

    If that fails, they are removed. What an interrupt leaves is left to `sweep`, since it may come
    right behind the commit.

    Raises:
        PicturesError: If one cannot be written; those that were are removed.
    """
    written: dict[Path, Path] = {}
    try:
        with faults(folder, PicturesError):
            for finding in findings:
                _write(folder, finding, written)
        yield
    except Exception:
        remove(written)
        raise
    for fresh, place in written.items():
        # One that cannot be moved is found where it is.
        with suppress(OSError):
            fresh.replace(place)


def has_pictures(folder: Path, finding: Finding) -> bool:
    """Whether the pictures are there that a finding brings."""
    event, picture = finding.event, finding.picture
    kinds = _images(event, picture) if picture is not None else ()
    return all(media_path(folder, kind, event.id, event.snapshot_s).exists() for kind in kinds)


def pictures_at(folder: Path, event_id: str, snapshot_s: float) -> list[Path]:
    """All files that may be pictures of an event."""
    return [
        path
        for kind in MEDIA
        for path in (_fresh(folder, kind, event_id, snapshot_s), _place(folder, kind, event_id))
    ]


def remove(paths: Iterable[Path]) -> None:
    """Remove pictures that nothing speaks of any more; what resists is left to `sweep`."""
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def sweep(folder: Path, events: Sequence[tuple[str, float]]) -> None:
    """Remove the pictures and clips that a kill left behind; of parts clips can still be made.

    Args:
        folder: Where nobody else is writing.
        events: (id, snapshot_s) of all events of the store.
    """
    kept = {media_path(folder, kind, *event) for event in events for kind in MEDIA}
    ids = {event_id for event_id, _ in events}
    for kind in MEDIA:
        remove(
            path
            for path in [*(folder / kind).iterdir()]
            if path not in kept and not (kind == CLIPS and _is_part(path, ids))
        )


def _is_part(path: Path, ids: Collection[str]) -> bool:
    """Whether it is the part of a known event's clip (`app.sources.remux`)."""
    return path.suffix == PART and path.name.partition(".")[0] in ids


def _fresh(folder: Path, kind: str, event_id: str, snapshot_s: float) -> Path:
    return folder / kind / f"{event_id}-{round(snapshot_s * 1000)}.{_ENDINGS[kind]}"


def _place(folder: Path, kind: str, event_id: str) -> Path:
    return folder / kind / f"{event_id}.{_ENDINGS[kind]}"


def _write(folder: Path, finding: Finding, written: dict[Path, Path]) -> None:
    event, picture = finding.event, finding.picture
    if picture is None:
        return
    for kind, image in _images(event, picture).items():
        fresh = _fresh(folder, kind, event.id, event.snapshot_s)
        written[fresh] = _place(folder, kind, event.id)
        write_image(fresh, image())


def _images(event: Event, picture: Picture) -> dict[str, Callable[[], NDArray[np.uint8]]]:
    """What is kept of a picture, by kind."""
    images: dict[str, Callable[[], NDArray[np.uint8]]] = {"snapshots": lambda: picture.snapshot}
    if event.kind == "object":
        images["crops"] = lambda: picture.crops[-1]
        images["heat"] = lambda: heat_image(picture.heat)
    if event.change != "arrived" and picture.before:
        images["before"] = lambda: picture.before[-1]
    return images
