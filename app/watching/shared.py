"""What a watch has in common with the others of its process, as those of a site's cameras."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Lock

from app.sources.base import GapReason
from app.stop import Stop
from app.watching.naming import Teller
from detectors.features.extractors import Extractors
from novic.model import NounModel

_ASK_S = 0.1
"""How often one who waits for his turn asks whether he is to stop."""


class Turns:
    """One at a time: what takes all of a machine is sooner done by each if they do not mix."""

    def __init__(self) -> None:
        self._lock = Lock()

    @contextmanager
    def taken(self, check: Callable[[], None], say: Callable[[str], None]) -> Iterator[None]:
        """Wait for the turn, and have it while entered.

        Args:
            check: Raises if the waiting is to end.
            say: Told in a sentence that others come first.
        """
        if self._lock.locked():
            say("learns once another camera has learned; what it shows meanwhile is kept")
        while not self._lock.acquire(timeout=_ASK_S):
            check()
        try:
            yield
        finally:
            self._lock.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What is shared, and by whom the watch is stopped."""

    stop: Stop
    """Of this watch; whoever reads it in vain shows that the watch goes on."""
    names: NounModel
    """Names for all."""
    naming: Callable[[], AbstractContextManager[Teller]]
    """How this watch asks for names."""
    extractors: Extractors = field(default_factory=Extractors)
    """Where detectors find the network that they have in common."""
    learning: Turns = field(default_factory=Turns)
    """Detectors learn one after the other."""
    away: tuple[GapReason, str] | None = None
    """Why nobody looked until now, if that is known better than from the store."""
    unreached: Callable[[str], None] = lambda _: None
    """Told why the camera does not answer, whenever that is another reason; empty once it does."""
