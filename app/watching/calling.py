"""Events that are due: what is told of a track at this moment, and of a camera itself."""

from collections.abc import Iterable

from app.events.event import Event, EventState, Picture
from app.events.reading import as_left
from app.watching.best import settled
from app.watching.course import Told
from app.watching.followed import Due, Followed, id_of
from detectors.track import Track


def event_of(track: Track, state: EventState, picture: Picture, *, video: str, bar: float) -> Event:
    """What a track is at this moment, without its name.

    Args:
        track: What is followed.
        state: Why it is told.
        picture: The most typical view of it.
        video: The file that it was found in, if any.
        bar: What maps are divided by.
    """
    return Event(
        id=id_of(track),
        camera=track.camera,
        state=state,
        start_s=track.start_s,
        end_s=track.end_s,
        start_us=track.start_us,
        end_us=track.end_us,
        box=settled(track.path, picture.box),
        frame_size=picture.frame_size,
        score=track.peak,
        frames=track.frames,
        video=video,
        snapshot_s=picture.pts_s,
        bar=bar,
    )


def of_left(event: Event, track: Track, kept: Followed, *, gone: bool) -> list[Due]:
    """What is to be told of what an earlier session left.

    Args:
        event: As it was left.
        track: Which was not seen again so far.
        kept: What is kept of it.
        gone: Whether it is there no longer.
    """
    return [Due(as_left(event) if gone else event, None, (), tuple(track.path), kept)]


def of_camera(faults: Iterable[Told], *, live: bool) -> list[Due]:
    """What is to be told of the camera itself; of a recording, when it is over."""
    return [
        Due(told.event, told.picture, (), (), Followed())
        for told in faults
        if live or told.event.state == "closed"
    ]
