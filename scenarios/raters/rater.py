"""What all language models that rate nouns have in common, however they are asked."""

from collections.abc import Callable, Sequence
from typing import Protocol

from scenarios.ratings.records import Line, Question, RawScores

type Report = Callable[[int, int, str], None]
"""Told how much is done, of how much, and what more there is to say. What it raises stops the work
between two answers; those that are there are kept."""


def unheard(done: int, total: int, note: str) -> None:
    """A report to nobody."""


class Rater(Protocol):
    """A language model that rates nouns for one place and leaves its answers in a store."""

    @property
    def question(self) -> Question:
        """Under which the store keeps its answers."""
        ...

    def rate(self, lines: Sequence[Line], report: Report = unheard) -> None:
        """Ask about nouns that have no answer yet; what was answered before is in the store.

        Args:
            lines: All nouns of a stage, those with an answer too.
            report: Told after every answer or block of answers.

        Raises:
            RatingError: If the model is of no use or does not answer.
        """
        ...

    def scores(self, nouns: Sequence[str]) -> RawScores:
        """What the store holds of it about nouns and the owner's examples.

        Args:
            nouns: Target nouns; those without an answer are left out.
        """
        ...

    def faults(self, scores: RawScores, unrated: float) -> list[str]:
        """Why its answers cannot be trusted, a sentence each; empty if they can.

        Args:
            scores: All of them.
            unrated: Share of the nouns asked about in vain, from 0 to 1.
        """
        ...
