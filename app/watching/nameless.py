"""Events that a stop left without a name, because the namer was not done: named at the next start.

Each was told and stored with its picture. What its crop is named is told as news of it; what is
still there is followed on and named as ever.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, Finding, Picture
from app.events.reading import Left, StoreReader
from app.watching.namer import Words, vote
from app.watching.naming import Teller
from novic.surrounded import Surrounded
from novic.vocabulary import Naming

MOST = 32
"""The newest so many are named; more would be no stop but a fault."""
_WITHOUT = """
SELECT id FROM event WHERE run_id = ? AND kind = 'object' AND state = 'closed'
  AND NOT EXISTS (SELECT 1 FROM candidate WHERE candidate.event_id = event.id)
  AND NOT EXISTS (SELECT 1 FROM vector WHERE vector.event_id = event.id)
ORDER BY start_us DESC LIMIT ?
"""


class Nameless:
    """Names what an earlier session of a run left without a name, once, beside the frames."""

    def __init__(
        self, store: StoreReader, run_id: int, words: Words, left: Sequence[Left] = ()
    ) -> None:
        """Read what there is.

        Args:
            store: That of the run.
            run_id: Of the run.
            words: What is known of the nouns.
            left: Events that may be followed on, which are named then.

        Raises:
            app.errors.StoreError: If it cannot be read.
        """
        ids = [row["id"] for row in store.database.execute(_WITHOUT, (run_id, MOST))]
        self._words, go_on = words, {event.id for event, _ in left}
        self._left: list[Finding] = []
        for event_id in reversed(ids):
            event = store.event(event_id) if event_id not in go_on else None
            crop = (
                None if event is None else cv2.imread(str(store.folder / f"crops/{event_id}.jpg"))
            )
            if event is not None and crop is not None:
                shown = _picture(event, np.asarray(crop[..., ::-1], np.uint8))
                self._left.append(Finding(event, shown, tuple(store.sightings(event_id))))
        self._asked: Future[Mapping[Picture, tuple[Naming, ...]]] | None = None

    def findings(self, teller: Teller) -> list[Finding]:
        """What has been named by now; asks for the names when called first.

        Args:
            teller: Names pictures that no event waits for.

        Returns:
            Of each event that it is named, and, silent, that it is closed as it was.
        """
        if not self._left:
            return []
        if self._asked is None:
            self._asked = teller.aside([one.picture for one in self._left if one.picture])
        if not self._asked.done():
            return []
        named, left, self._left = self._asked.result(), self._left, []
        return [told for one in left for told in _told(one, named, self._words)]


def _told(
    left: Finding, named: Mapping[Picture, Sequence[Naming]], words: Words
) -> tuple[Finding, ...]:
    picture = left.picture
    if picture is None or picture not in named:
        return ()
    elected = vote({picture: named[picture]}, words.certainty)
    event = words.named(left.event, elected)
    news = Finding(replace(event, state="updated"), None, left.path, elected.vector)
    return news, replace(news, event=event, silent=True)


def _picture(event: Event, crop: NDArray[np.uint8]) -> Picture:
    """The stored crop of an event, RGB uint8 [H, W, 3], as something to be named."""
    crop, heat = np.ascontiguousarray(crop), np.zeros((1, 1), np.float32)
    around = Surrounded.whole(crop)
    box, size = event.box, event.frame_size
    return Picture(event.snapshot_s, box, size, (crop,), crop, heat, 1.0, around=around)
