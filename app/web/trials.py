"""Other things pasted into views to measure a rule's leak by, kept while somebody decides."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.events.event import Event
    from app.watching.pasting import Pasted

type Planter = Callable[[Path], Callable[["Event"], Sequence["Pasted"]]]
"""What pastes things into the view of a folder's camera, as wide as an event's."""
KEPT_S = 900.0
"""So long they are kept: a rule is looked at, changed and kept with the same things."""
MOST = 8
"""Events of which they are kept."""


class Trials:
    """What was pasted for the last events. Safe to use from several threads.

    One after the other: each takes a model and some seconds of all cores.
    """

    def __init__(self, planter: Planter | None = None) -> None:
        """Begin with none.

        Args:
            planter: Makes them; None for the one that `nomaly feedback quiet` takes.
        """
        self._planter = planter or _shipped
        self._turn = threading.Lock()
        self._kept: dict[tuple[Path, str], tuple[float, Sequence[Pasted]]] = {}

    def planting(self, folder: Path) -> Callable[["Event"], Sequence["Pasted"]]:
        """What gives the things for an event of a folder; it raises what the planter raises."""

        def plant(event: "Event") -> Sequence["Pasted"]:
            key = (folder, event.id)
            with self._turn:
                now_s = time.monotonic()
                fresh = {one: kept for one, kept in self._kept.items() if now_s - kept[0] < KEPT_S}
                if key not in fresh:
                    fresh[key] = (now_s, self._planter(folder)(event))
                self._kept = dict([*fresh.items()][-MOST:])
                return self._kept[key][1]

        return plant


def _shipped(folder: Path) -> Callable[["Event"], Sequence["Pasted"]]:
    # Heavy, and only for whoever asks for it.
    from app.quieting.planting import planting  # noqa: PLC0415

    return planting(folder, None)
