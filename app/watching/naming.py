"""When what a camera has to tell is named: at once, or beside its frames."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self

from app.events.event import Finding, Picture
from app.watching.camera import Camera
from app.watching.followed import Due, wanted
from app.watching.namer import Names, name_pictures
from novic.vocabulary import Naming

MOST_DUE = 32
"""Events that may wait while others are named; their pictures are held in memory."""


def tell(
    names: Names, cameras: Sequence[Camera], keep: Callable[[Due], None] | None = None
) -> list[list[Finding]]:
    """Name what cameras have to tell, all in one batch.

    Args:
        names: Names crops.
        cameras: Each may have taken any number of frames since it was asked last.
        keep: Shown each event that is due, before it is named.

    Returns:
        The findings of each camera, in the order they should be told.
    """
    due = [camera.take_due() for camera in cameras]
    if keep is not None:
        for one in (one for those in due for one in those):
            keep(one)
    named = name_pictures(names, wanted(one for those in due for one in those))
    return [camera.told(those, named) for camera, those in zip(cameras, due, strict=True)]


class Teller(Protocol):
    """Gives the findings of one camera."""

    def findings(self, camera: Camera) -> list[Finding]:
        """What can be told now, in the order it should be told."""
        ...

    def last(self, camera: Camera, within_s: float = math.inf) -> list[Finding]:
        """All that was not told yet; waits for its names.

        Args:
            camera: Whose.
            within_s: How long to wait, seconds; what has no name by then is told without.
        """
        ...

    def aside(self, pictures: Sequence[Picture]) -> Future[Mapping[Picture, tuple[Naming, ...]]]:
        """Name pictures that no event waits for, one naming for each crop of each."""
        ...


class AtOnce:
    """Names in the caller's thread; nobody waits for what a recording shows next.

    Args:
        names: Names crops.
        keep: See `tell`.
    """

    def __init__(self, names: Names, keep: Callable[[Due], None] | None = None) -> None:
        self._names, self._keep = names, keep

    def findings(self, camera: Camera) -> list[Finding]:
        """All that is due, named."""
        return tell(self._names, [camera], self._keep)[0]

    def last(self, camera: Camera, within_s: float = math.inf) -> list[Finding]:
        """The same; it is named in any case, as nothing else waits."""
        del within_s
        return self.findings(camera)

    def aside(self, pictures: Sequence[Picture]) -> Future[Mapping[Picture, tuple[Naming, ...]]]:
        """See `Teller.aside`; they are named when it returns."""
        named: Future[Mapping[Picture, tuple[Naming, ...]]] = Future()
        named.set_result(name_pictures(self._names, pictures))
        return named


@dataclass(frozen=True, slots=True, eq=False)
class _UnderWay:
    due: Sequence[Due]
    named: Future[Mapping[Picture, tuple[Naming, ...]]]


class Asks(Protocol):
    """Names pictures on another thread; for one camera, or for several that share it."""

    def ask(self, pictures: Sequence[Picture]) -> Future[Mapping[Picture, tuple[Naming, ...]]]:
        """Begin to name pictures, behind all that were asked for before."""
        ...

    def close(self) -> None:
        """End, and name nothing more."""
        ...


class _Alone:
    """A thread for one camera."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._thread = ThreadPoolExecutor(1, "names")

    def ask(self, pictures: Sequence[Picture]) -> Future[Mapping[Picture, tuple[Naming, ...]]]:
        return self._thread.submit(name_pictures, self._names, pictures)

    def close(self) -> None:
        # What is asked for and not waited for is of no use any more.
        self._thread.shutdown(wait=False, cancel_futures=True)


class Beside:
    """Names on a thread of its own, so that a live camera is looked at meanwhile.

    One batch is under way at a time; what becomes due meanwhile is the next. So every picture is
    named once, everything is told in order, and nothing is lost: who adds more than MOST_DUE events
    waits for the batch.
    """

    def __init__(self, names: Names | Asks) -> None:
        """Take what names crops, which is called from one other thread; or such a thread."""
        self._asks = _Alone(names) if isinstance(names, Names) else names
        self._under_way: _UnderWay | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._asks.close()

    def findings(self, camera: Camera) -> list[Finding]:
        """What has been named by now, and what needs no more names."""
        batch = self._under_way
        if batch is not None and not batch.named.done() and camera.due <= MOST_DUE:
            return []
        return [*self._collected(camera), *self._asked(camera)]

    def last(self, camera: Camera, within_s: float = math.inf) -> list[Finding]:
        """See `Teller.last`."""
        until_s = time.monotonic() + within_s
        found = self._collected(camera, until_s)
        if time.monotonic() >= until_s:
            return [*found, *camera.told(camera.take_due(), {})]
        found += self._asked(camera)
        return [*found, *self._collected(camera, until_s)]

    def aside(self, pictures: Sequence[Picture]) -> Future[Mapping[Picture, tuple[Naming, ...]]]:
        """See `Teller.aside`; behind the batch that is under way."""
        return self._asks.ask(pictures)

    def _collected(self, camera: Camera, until_s: float = math.inf) -> list[Finding]:
        """The findings of the batch that is under way; waits for it, or tells them as they are."""
        batch, self._under_way = self._under_way, None
        if batch is None:
            return []
        left_s = max(0.0, until_s - time.monotonic())
        try:
            named = batch.named.result(None if math.isinf(left_s) else left_s)
        except TimeoutError:
            # Either it is late, or that is the fault of what names.
            named = batch.named.result() if batch.named.done() else {}
        return camera.told(batch.due, named)

    def _asked(self, camera: Camera) -> list[Finding]:
        """Begin the next batch; findings only if it needs no names."""
        due = camera.take_due()
        pictures = wanted(due)
        if not pictures:
            return camera.told(due, {})
        self._under_way = _UnderWay(due, self._asks.ask(pictures))
        return []
