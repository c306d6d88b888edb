"""Where each of several people is whom an event shows.

People who walk together are one track: to part them while they are followed would take a look at
every frame. Its pictures are looked at anyhow once it is named, and that is when it is told where
each of them is. What only one picture shows may be a pole, a shadow or half of somebody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.events.event import Part, Picture, box_sides
from detectors.types import Box
from novic.surrounded import Place, Surrounded
from novic.vocabulary import Naming

AGREE = 2
"""Pictures of an event that must show as many people clearly apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """A picture in which people are clearly apart."""

    picture: Picture
    parts: tuple[Part, ...]
    """Each of them in pixels of its frame, from left to right."""

    @property
    def clear(self) -> float:
        """How good a view it is, by him who is seen worst; comparable within a track only."""
        return self.picture.quality * min(part.p for part in self.parts)


def parted(named: Mapping[Picture, Sequence[Naming]], people: int) -> Parted | None:
    """The picture that shows each of several people best.

    Args:
        named: The pictures of its track with the namings of their crops.
        people: How many most of these show.

    Returns:
        As many as there are people; None where they are not clearly apart in two pictures.
    """
    if people < 2:
        return None
    apart = []
    for picture, namings in named.items():
        # All crops of a picture are looked for in one square.
        places = next((naming.places for naming in namings if naming.places), ())
        if picture.around is not None and len(places) == people:
            parts = [_part(picture, picture.around, place) for place in places]
            apart.append(Parted(picture, tuple(sorted(parts, key=lambda part: part.box.x1))))
    return max(apart, key=lambda one: one.clear) if len(apart) >= AGREE else None


def _part(picture: Picture, around: Surrounded, place: Place) -> Part:
    x1, y1, x2, y2 = around.in_picture(place.edges, box_sides(picture.box))
    height, width = picture.frame_size
    inside = Box(max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
    return Part(inside, place.p)
