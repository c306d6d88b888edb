"""Work for workers that takes no time to load: it writes who it is, and waits to be let go."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from app.archive.segments import Job, Outcome


class Counting:
    """Waits for a file of its segment's name, at most a minute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def perform(self, job: Job, alive: Callable[[], bool]) -> Outcome:
        number = job.segment.number
        place = self.folder / f"pid-{number}"
        fresh = self.folder / f"fresh-{os.getpid()}"
        fresh.write_text(str(os.getpid()))
        fresh.replace(place)
        for _ in range(600):
            if (self.folder / f"go-{number}").exists():
                return Outcome(number, "met", frames=os.getpid())
            assert alive()
            time.sleep(0.1)
        return Outcome(number, "fault", fault="nobody let it go")


def worker(folder: Path) -> Counting:
    return Counting(folder)
