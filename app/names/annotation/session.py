"""A person's session: images to judge, judgements saved one by one, and steps back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.names.annotation.work import Item
from novic.errors import NomalyError
from training.evaluation.annotations import (
    AnnotationError,
    Annotations,
    Category,
    write_annotations,
)


class NoSuchItemError(NomalyError):
    """The page asked for an image or noun that the session doesn't have."""


@dataclass(slots=True)
class Session:
    """Images, their nouns, and what was said about them so far."""

    items: Sequence[Item]
    annotations: Annotations
    path: Path
    """Written after every judgement."""
    made: int = 0
    """Judgements of this session, less those taken back."""
    _steps: list[tuple[int, str, Category | None]] = field(default_factory=list)
    """(image number, noun, what it was before), the latest last."""

    def item(self, number: int) -> Item:
        """The image of a number, from 0.

        Raises:
            NoSuchItemError: If there is none.
        """
        if not 0 <= number < len(self.items):
            raise NoSuchItemError(f"there is no image {number}")
        return self.items[number]

    def judge(self, number: int, noun: str, category: Category | None) -> None:
        """Judge a noun of an image, or take its judgement back, and save.

        Args:
            number: The image's place among the items, from 0.
            noun: One of its nouns.
            category: None takes the judgement back.

        Raises:
            NoSuchItemError: If there is no such image or noun.
            AnnotationError: If it cannot be saved; nothing has changed then.
        """
        if noun not in self.item(number).nouns:
            raise NoSuchItemError(f"image {number} has no noun {noun!r}")
        before = self._set(number, noun, category)
        if before != category:
            self._steps.append((number, noun, before))

    def undo(self) -> tuple[int, str] | None:
        """Take the latest step back and save.

        Returns:
            The image's number and the noun that it was about; None if there is nothing to undo.

        Raises:
            AnnotationError: If it cannot be saved; nothing has changed then.
        """
        if not self._steps:
            return None
        number, noun, before = self._steps[-1]
        self._set(number, noun, before)
        self._steps.pop()
        return number, noun

    def start(self) -> int:
        """Where to go on: at the image that was judged last, or the next one with work left."""
        places = {item.name: number for number, item in enumerate(self.items)}
        # The file keeps images in the order in which they were begun.
        begun = [places[name] for name in self.annotations.images if name in places]
        last = begun[-1] if begun else 0
        after = self.next_open(last - 1)
        return last if after is None else after

    def next_open(self, number: int) -> int | None:
        """The next image after `number`, from the start again at the end, with work left."""
        count = len(self.items)
        order = ((number + step) % count for step in range(1, count + 1))
        return next((place for place in order if self._open(place)), None)

    def state(self, number: int) -> dict[str, Any]:
        """What the page shows for an image.

        Raises:
            NoSuchItemError: If there is no such image.
        """
        item = self.item(number)
        nouns = [
            {"noun": noun, "category": self.annotations.category(item.name, noun)}
            for noun in item.nouns
        ]
        return {
            "number": number,
            "name": item.name,
            "nouns": nouns,
            "next_open": self.next_open(number),
            "steps": len(self._steps),
            "progress": self.progress(),
        }

    def progress(self) -> dict[str, int]:
        """How much is judged, in nouns and in whole images."""
        left = [self._open(number) for number in range(len(self.items))]
        total = sum(len(item.nouns) for item in self.items)
        return {
            "images": len(self.items),
            "images_done": left.count(0),
            "nouns": total,
            "nouns_done": total - sum(left),
        }

    def _open(self, number: int) -> int:
        item = self.items[number]
        judged = self.annotations.images.get(item.name, {})
        return sum(noun not in judged for noun in item.nouns)

    def _set(self, number: int, noun: str, category: Category | None) -> Category | None:
        """Change and save one judgement; what it was before."""
        image = self.items[number].name
        before = self.annotations.category(image, noun)
        self._put(image, noun, category)
        try:
            write_annotations(self.path, self.annotations)
        except AnnotationError:
            self._put(image, noun, before)
            raise
        self.made += (category is not None) - (before is not None)
        return before

    def _put(self, image: str, noun: str, category: Category | None) -> None:
        if category is None:
            self.annotations.forget(image, noun)
        else:
            self.annotations.judge(image, noun, category)
