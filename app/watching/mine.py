"""What belongs to one watch alone, handed from step to step."""

from dataclasses import dataclass

from app.events.store import Store
from app.progress import Reporter
from app.watching.board import Board
from app.watching.going_on import GoingOn
from app.watching.shared import Shared
from app.watching.telling import Tell
from app.watching.watch_request import WatchRequest


@dataclass(frozen=True, slots=True)
class Mine:
    """What belongs to one watch."""

    request: WatchRequest
    store: Store
    going_on: GoingOn
    reporter: Reporter
    tell: Tell
    board: Board
    shared: Shared | None
