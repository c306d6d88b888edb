"""What all addresses of the page work with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag

from app.watching.board import Board
from app.web.cameras import Cameras
from app.web.live import Lives
from app.web.news import News
from app.web.places import Place, Places


@dataclass(frozen=True, slots=True)
class Web:
    """One page."""

    places: Places
    cameras: Cameras
    news: News
    site: bool
    """Whether the cameras are those of a site, whose file is the owner of their zones."""
    lives: Lives = field(default_factory=Lives)
    ended: Flag = field(default_factory=Flag)
    """Set when the server ends, so that nobody streams on."""

    @classmethod
    def of(cls, roots: Sequence[Path], board: Board | None, *, site: bool) -> "Web":
        """The page of some folders."""
        places = Places(roots, board)
        cameras = Cameras(places)
        return cls(places, cameras, News(places, cameras), site)

    def over(self, place: Place) -> bool:
        """Whether there is no live picture of a camera any more."""
        if self.ended.is_set():
            return True
        try:
            return self.places.station(place.folder) is not place.station
        except OSError:
            return True
