"""How far two annotators agree on the nouns that both have judged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.evaluation.annotations import CATEGORIES, Annotations

GRADES = {
    "correct_primary": "correct",
    "correct_secondary": "correct",
    "close_primary": "close",
    "close_secondary": "close",
    "incorrect": "incorrect",
}
"""What is left of a category without primary and secondary, which language models don't tell."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judgements of the same nouns, set against each other."""

    labels: tuple[str, ...]
    confusion: Mapping[tuple[str, str], int]
    """Nouns by the first annotator's label and the second's."""

    @property
    def nouns(self) -> int:
        """How many nouns both have judged."""
        return sum(self.confusion.values())

    @property
    def share(self) -> float | None:
        """Share of the nouns that got the same label from both; None without nouns."""
        same = sum(self.confusion.get((label, label), 0) for label in self.labels)
        return same / self.nouns if self.nouns else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: 1 is full agreement, 0 what chance alone would give.

        None where chance alone would agree fully (both gave one and the same label throughout).
        """
        if self.share is None:
            return None
        first, second = Counter[str](), Counter[str]()
        for (one, other), nouns in self.confusion.items():
            first[one] += nouns
            second[other] += nouns
        chance = sum(first[label] * second[label] for label in self.labels) / self.nouns**2
        return (self.share - chance) / (1 - chance) if chance < 1 else None

    def as_json(self) -> dict[str, Any]:
        """Figures, and the table as rows of the first annotator's labels."""
        return {
            "labels": list(self.labels),
            "nouns": self.nouns,
            "share": _rounded(self.share),
            "kappa": _rounded(self.kappa),
            "confusion": [
                [self.confusion.get((row, column), 0) for column in self.labels]
                for row in self.labels
            ],
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two annotation files side by side."""

    images: int
    """Images with at least one noun that both have judged."""
    only_first: int
    """Nouns that only the first annotator has judged."""
    only_second: int
    categories: Agreement
    """On the five categories."""
    grades: Agreement
    """On correct, close, incorrect."""

    def as_json(self) -> dict[str, Any]:
        """The result as scripts read it."""
        return {
            "images": self.images,
            "nouns": self.categories.nouns,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "categories": self.categories.as_json(),
            "grades": self.grades.as_json(),
        }


def compare_annotations(first: Annotations, second: Annotations) -> Comparison:
    """Set two annotators against each other, noun by noun."""
    pairs: list[tuple[str, str]] = []
    images = 0
    for image, judged in first.images.items():
        other = second.images.get(image, {})
        both = [(category, other[noun]) for noun, category in judged.items() if noun in other]
        images += bool(both)
        pairs += both
    return Comparison(
        images,
        len(first) - len(pairs),
        len(second) - len(pairs),
        Agreement(CATEGORIES, Counter(pairs)),
        Agreement(
            tuple(dict.fromkeys(GRADES.values())),
            Counter((GRADES[one], GRADES[other]) for one, other in pairs),
        ),
    )


def disagreements(first: Annotations, second: Annotations) -> Sequence[tuple[str, str, str, str]]:
    """(image, noun, first's category, second's category) of nouns whose grades differ."""
    return [
        (image, noun, category, other)
        for image, judged in first.images.items()
        for noun, category in judged.items()
        if (other := second.category(image, noun)) and GRADES[category] != GRADES[other]
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
