"""Room on the disk: the oldest pictures are given up before there is none for new events."""

import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

from app.errors import PicturesError
from app.events.media import remove
from app.events.media_files import MediaFile, as_given_up, enough_of, media_files
from app.events.schema import faults

FLOOR_BYTES = 500_000_000
FLOOR_SHARE = 0.02
"""So much of the disk is left free, or so many bytes where that is less."""
_MORE = 0.05
"""So much more than it lacks is made free, as a share of the floor: not with every picture."""
_EASY = 1.25
"""The disk is full no longer once so many times the floor are free."""
_LOOK_AGAIN_S = 60.0
"""After so long the files are listed anew where there was nothing to give up."""

type Keeps = Callable[[], Collection[str]]
"""Tells ids of events that are not touched."""


class Room:
    """Keeps some of a disk free."""

    def __init__(self, folder: Path, floor: int | None = None) -> None:
        """Look after the disk on which a folder lies.

        Args:
            folder: Of a store.
            floor: Bytes to leave free; None for the default.
        """
        self._folder = folder
        self._asked = floor
        self._waiting: list[MediaFile] = []
        """Files in the order to give them up."""
        self._listed_s = float("-inf")
        self.said = ""
        """That the disk is full, in a sentence; empty while it is not."""

    def make(self, kept: Keeps) -> None:
        """Make room for pictures; what is kept is not touched.

        Args:
            kept: Tells the ids of the events that are not touched, where that has to be asked.

        Raises:
            PicturesError: If there is none: nothing more can be given up.
        """
        with faults(self._folder, PicturesError):
            total, _, free = shutil.disk_usage(self._folder)
            floor = self._floor(total)
            if free >= floor:
                self.said = self.said if free < _EASY * floor else ""
                return
            self.said = self._full(floor)
            left = self._give_up(round(floor * (1 + _MORE)) - free, kept)
        if left > floor * _MORE:
            raise PicturesError(
                f"{self._folder}: cannot be written: the disk is full but for less than "
                f"{floor / 1e6:.0f} MB, and there are no older pictures to give up"
            )

    def _floor(self, total: int) -> int:
        return (
            self._asked if self._asked is not None else min(FLOOR_BYTES, int(FLOOR_SHARE * total))
        )

    def _full(self, floor: int) -> str:
        return (
            f"Less than {floor / 1e6:.0f} MB are free on the disk of {self._folder}: the oldest "
            "pictures are given up for new ones, and every event stays. Make room there, or keep "
            "less with nomaly retain."
        )

    def _give_up(self, bytes_: int, kept: Keeps) -> int:
        """Remove files of so many bytes; returns how many of these there were none for."""
        now_s = time.monotonic()
        if not self._waiting and now_s - self._listed_s >= _LOOK_AGAIN_S:
            self._listed_s = now_s
            self._waiting = as_given_up(media_files(self._folder), ())
        if not self._waiting:
            return bytes_
        stay = kept()
        free = [one for one in self._waiting if one.event_id not in stay]
        chosen = enough_of(free, bytes_)
        remove(one.path for one in chosen)
        gone = {one.path for one in chosen}
        self._waiting = [one for one in self._waiting if one.path not in gone]
        if not chosen:
            # What is left is kept.
            self._waiting = []
        return bytes_ - sum(one.size for one in chosen)
