"""What is kept of a track for its event, and events that are to be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from app.events.ballots import Ballots, cast
from app.events.checkpoint import Kept
from app.events.event import Event, EventChange, Finding, Picture, event_id
from app.watching.best import KEPT, BestPictures
from app.watching.change import Looks
from app.watching.namer import Words, vote
from app.watching.near import Reached
from app.watching.parting import parted
from detectors.learned import LearnedView
from detectors.track import Track
from detectors.types import Box
from novic.vocabulary import PERSON, Naming

type Sightings = Sequence[tuple[float, Box, float]]
"""(pts_s, box, score), at least one."""


@dataclass(slots=True, eq=False)
class Followed:
    """What is kept for a track besides its boxes."""

    views: BestPictures = field(default_factory=BestPictures)
    looks: Looks = field(default_factory=Looks)
    named: dict[Picture, tuple[Naming, ...]] = field(default_factory=dict)
    """What the crops of its pictures were named; a picture is named only once."""
    named_from: int = 0
    """Pictures that its present name rests on; 0 while it has none."""
    due: bool = False
    """Whether it is being named."""
    left: Event | None = None
    """As an earlier session left it, until it is seen again."""
    learned: dict[Picture, Picture] = field(default_factory=dict)
    """Its pictures with the crops of the learned one, by which that is named which has gone."""
    reached: Reached = field(default_factory=Reached)

    def shown(self, change: EventChange, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
        """Pictures of the thing as they were taken, or as it was learned if it has gone."""
        if change != "missing":
            return tuple(pictures)
        return tuple(self.learned.setdefault(one, one.as_learned) for one in pictures)

    def kept(self, track: Track) -> Kept:
        """All of it that a checkpoint holds; pictures that were named are named again."""
        pictures = tuple(self.views.pictures)
        level, level_s = self.reached.level, self.reached.until_s
        looks = self.looks.state()
        return Kept(id_of(track), track.opened, self.named_from, pictures, looks, level, level_s)

    @classmethod
    def on(cls, view: LearnedView | None) -> Self:
        """Of a track that begins.

        Args:
            view: What is usually there; None if that is not known.
        """
        return cls(BestPictures(view=view))

    @classmethod
    def restored(cls, kept: Kept, view: LearnedView | None) -> Self:
        """What a checkpoint holds."""
        views = BestPictures([*kept.pictures], view)
        looks, reached = Looks.restored(kept.looks), Reached(kept.level, kept.level_s)
        return cls(views, looks, named_from=kept.named_from, reached=reached)

    @classmethod
    def of_left(cls, event: Event, path: Sightings, view: LearnedView | None) -> Self:
        """What is known of an event that an earlier session left, with its sightings."""
        reached = Reached(event.level or 0.0, path[-1][0])
        return cls(BestPictures(view=view), named_from=1, left=event, reached=reached)

    def parted_at(self, since_s: float) -> "Followed":
        """Give those pictures away, as of another track, that were taken since a moment."""
        view, pictures = self.views.view, self.views.pictures
        others = [one for one in pictures if one.pts_s >= since_s]
        self.views = BestPictures([one for one in pictures if one.pts_s < since_s] or others, view)
        return Followed(BestPictures(others or [*pictures], view))

    @property
    def new(self) -> bool:
        """Whether it was never named, nor is being named."""
        return not self.due and not self.named_from

    @property
    def ripe(self) -> bool:
        """Whether it was named by fewer pictures than there are now, all of them."""
        return not self.due and 0 < self.named_from < KEPT == len(self.views.pictures)


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """An event that is to be told as soon as its pictures are named, as it was when it was due."""

    event: Event
    """Without nouns."""
    picture: Picture | None
    """The most typical view of it; None if it was not seen in this session."""
    pictures: tuple[Picture, ...]
    """All that its name rests on."""
    path: tuple[tuple[float, Box, float], ...]
    followed: Followed

    @property
    def wanted(self) -> list[Picture]:
        """Those of its pictures that have no names yet."""
        return [one for one in self.pictures if one not in self.followed.named]

    def finding(self, named: Mapping[Picture, tuple[Naming, ...]], words: Words) -> Finding:
        """What is told, by a vote on its name.

        Args:
            named: The namings of each picture's crops, of those that were wanted; of a watch that
                stops maybe of some alone, or of none: those that there are decide then.
            words: What is known of the nouns.
        """
        followed = self.followed
        known = {**named, **followed.named}
        pictures = [picture for picture in self.pictures if picture in known]
        if not pictures:
            # Of the camera itself, or of an earlier session: as it was told before.
            return Finding(self.event, self.picture, self.path)
        followed.named = {picture: known[picture] for picture in pictures}
        followed.named_from, followed.due = len(pictures), False
        elected = vote(followed.named, words.certainty)
        event, picture = self._parted(words.named(self.event, elected))
        signature = followed.looks.signature(event.change)
        ballots = _ballots(followed.named)
        return Finding(event, picture, self.path, elected.vector, signature, ballots)

    def _parted(self, event: Event) -> tuple[Event, Picture | None]:
        """The event with a box for each of several people, and the picture that shows them."""
        found = None
        if event.noun == PERSON:
            found = parted(self.followed.named, event.people)
        if found is None:
            return event, self.picture
        picture = found.picture
        told = replace(
            event,
            parts=found.parts,
            # As it is in this picture, not where most of its pictures have it: people walk on.
            box=picture.box,
            frame_size=picture.frame_size,
            snapshot_s=picture.pts_s,
        )
        return told, picture


def _ballots(named: Mapping[Picture, Sequence[Naming]]) -> Ballots | None:
    """What all crops of pictures said."""
    return cast(
        [
            (naming.vector, picture.quality, number, naming.person_p, naming.people)
            for number, picture in enumerate(named)
            for naming in named[picture]
        ]
    )


def track_of(event: Event, path: Sightings) -> Track:
    """The track of an event that an earlier session left.

    Args:
        event: Of an object.
        path: Its sightings, at least one.
    """
    return Track(
        event.camera,
        event.start_s,
        event.start_us,
        path=[*path],
        end_s=event.end_s,
        end_us=event.end_us,
        peak=event.score,
        frames=event.frames,
        id=event.id,
    )


def wanted(due: Iterable[Due]) -> list[Picture]:
    """The pictures without whose names these cannot be told, each once."""
    return [*{picture: None for one in due for picture in one.wanted}]


def id_of(track: Track) -> str:
    """The id of its event."""
    return track.id or event_id(track.camera, track.start_us, str(track.path[0][1]))
