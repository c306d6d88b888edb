"""Names for all cameras of a process: one model, one thread, batches that mix cameras.

Each camera has at most one batch of its own under way, and a few crops that no event waits for
(`app.watching.naming.Beside`), so what waits here is bounded. Of every camera that waits one
picture is taken in turn: one in front of which a crowd walks does not keep the others waiting.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Self

import torch

from app.events.event import Picture
from app.watching.namer import Names, name_pictures
from app.watching.naming import Beside
from novic.vocabulary import Naming

MOST_PICTURES = 16
"""Pictures named at once; who comes next waits for so many at most."""

type Named = Mapping[Picture, tuple[Naming, ...]]


class _Job:
    """Pictures that are asked for together."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        # One that is there twice is named once.
        self.waiting = deque(dict.fromkeys(pictures))
        self.answer: Future[Named] = Future()
        self._left = len(self.waiting)
        self._named: dict[Picture, tuple[Naming, ...]] = {}

    def take(self, picture: Picture, namings: tuple[Naming, ...]) -> None:
        """Keep names of a picture; with those of the last one the answer is given."""
        self._named[picture] = namings
        self._left -= 1
        if not self._left and not self.answer.done():
            self.answer.set_result(self._named)

    def fail(self, error: Exception) -> None:
        """Answer with what went wrong."""
        self.waiting.clear()
        if not self.answer.done():
            self.answer.set_exception(error)


class _Line:
    """Asks for one camera."""

    def __init__(self, names: "SharedNames", camera: str) -> None:
        self._names, self._camera = names, camera

    def ask(self, pictures: Sequence[Picture]) -> Future[Named]:
        """See `app.watching.naming.Asks.ask`."""
        return self._names.ask(self._camera, pictures)

    def close(self) -> None:
        """Nothing: others go on asking."""


class SharedNames:
    """Names crops of several cameras on one thread, while it is entered."""

    def __init__(
        self,
        names: Names,
        on_cpu: Callable[[], Names],
        say: Callable[[str], None],
        most: int = MOST_PICTURES,
    ) -> None:
        """Take what names crops.

        Args:
            names: The model.
            on_cpu: Loads the same one onto the CPU, for a GPU without room.
            say: Told, once each, that a GPU has no room.
            most: Pictures named at once.
        """
        self._names, self._say = names, say
        self._on_cpu: Callable[[], Names] | None = on_cpu
        self.most = most
        """Pictures named at once, by now."""
        self._changed = threading.Condition()
        self._jobs: dict[str, deque[_Job]] = {}
        self._over = False
        self._thread = threading.Thread(target=self._work, name="names", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Name nothing more: what waits is cancelled, the batch under way is not waited for."""
        with self._changed:
            self._over = True
            for job in (job for jobs in self._jobs.values() for job in jobs):
                job.answer.cancel()
            self._jobs.clear()
            self._changed.notify_all()

    @contextmanager
    def of(self, camera: str) -> Iterator[Beside]:
        """What asks for names for a camera while entered."""
        with Beside(_Line(self, camera)) as beside:
            yield beside

    @property
    def waiting(self) -> dict[str, int]:
        """Pictures that wait, for each camera that waits."""
        with self._changed:
            counts = {name: sum(len(j.waiting) for j in jobs) for name, jobs in self._jobs.items()}
        return {name: count for name, count in counts.items() if count}

    def ask(self, camera: str, pictures: Sequence[Picture]) -> Future[Named]:
        """Begin to name pictures of a camera, behind all that it asked for before."""
        job = _Job(pictures)
        if not job.waiting:
            job.answer.set_result({})
            return job.answer
        with self._changed:
            if self._over:
                raise RuntimeError("names are asked for after their end")
            self._jobs.setdefault(camera, deque()).append(job)
            self._changed.notify_all()
        return job.answer

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over or self._jobs)
                if not self._jobs:
                    return
                batch = list(self._drawn())
            self._name(batch)

    def _drawn(self) -> Iterator[tuple[_Job, Picture]]:
        """The next batch: one picture of each camera in turn, who waits longest first."""
        drawn = 0
        while self._jobs and drawn < self.most:
            camera, jobs = next(iter(self._jobs.items()))
            # To the end of the row, if it has more.
            del self._jobs[camera]
            if jobs[0].waiting:
                yield jobs[0], jobs[0].waiting.popleft()
                drawn += 1
            if not jobs[0].waiting:
                jobs.popleft()
            if jobs:
                self._jobs[camera] = jobs

    def _name(self, batch: Sequence[tuple[_Job, Picture]]) -> None:
        left = list(batch)
        while left:
            part = left[: self.most]
            try:
                named = name_pictures(self._names, [picture for _, picture in part])
            except torch.OutOfMemoryError as error:
                if self._has_made_room():
                    continue
                self._fail(part, error)
            except Exception as error:  # noqa: BLE001 - told to the camera whose picture it was
                self._fail(part, error)
            else:
                for job, picture in part:
                    job.take(picture, named[picture])
            left = left[len(part) :]

    def _fail(self, batch: Sequence[tuple[_Job, Picture]], error: Exception) -> None:
        """Find whose fault it was; the others are named."""
        if len(batch) == 1:
            batch[0][0].fail(error)
            return
        for one in batch:
            self._name([one])

    def _has_made_room(self) -> bool:
        """Take less at once of a GPU without room, then none of it; says each once."""
        if self.most > 1:
            self.most //= 2
            self._say(f"the GPU has no room to name so much at once; {self.most} at once from now")
            return True
        if self._on_cpu is None:
            return False
        self._say("the GPU has no room for the model that names things; the CPU names them now")
        self._names, self._on_cpu, self.most = self._on_cpu(), None, MOST_PICTURES
        return True
