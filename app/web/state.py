"""What all addresses of the page work with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.watching.board import Board
from app.web.cameras import Cameras
from app.web.ended import Ended
from app.web.live import Lives
from app.web.news import News
from app.web.places import Place, Places
from app.web.steered import Steered
from app.web.trials import Trials


@dataclass(frozen=True, slots=True)
class Web:
    """One page."""

    places: Places
    cameras: Cameras
    news: News
    steered: Steered | None
    """The site whose cameras they are, which is the owner of their zones; None of anything else."""
    lives: Lives = field(default_factory=Lives)
    trials: Trials = field(default_factory=Trials)
    ended: Ended = field(default_factory=Ended)
    """Set when the server ends, so that nobody streams on."""

    @classmethod
    def of(cls, roots: Sequence[Path], board: Board | None, steered: Steered | None) -> "Web":
        """The page of some folders."""
        places = Places(roots, board)
        cameras = Cameras(places, steered)
        return cls(places, cameras, News(places, cameras), steered)

    def over(self, place: Place) -> bool:
        """Whether there is no live picture of a camera any more."""
        if self.ended.is_set():
            return True
        try:
            return self.places.station(place.folder) is not place.station
        except OSError:
            return True
