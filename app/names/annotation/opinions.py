"""Opinions of language models: kept line by line, and when they are enough for a judgement."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from app.errors import UsageError
from app.names.annotation.asking import PROMPT, VERDICTS, Opinion, Verdict
from novic.append_log import AppendLog, DamagedLineError
from training.evaluation.annotations import AnnotationError, Category

CATEGORY_OF: dict[Verdict, Category] = {
    "correct": "correct_primary",
    "close": "close_primary",
    "incorrect": "incorrect",
}
"""The three categories that language models fill."""

ROUNDING = 1e-9
"""0.8 of 5 is 4, whatever floating point makes of it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When opinions are enough, and what follows from them (novic_spec §9.5)."""

    least: int = 3
    """Opinions on every noun."""
    most: int = 5
    agree: float = 0.78
    """Share of the opinions on a noun that must be the same."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            UsageError: If the numbers of opinions are not 1 <= least <= most, or agree is not
                above one half and at most 1 (two verdicts could both hold then).
        """
        if not 1 <= self.least <= self.most:
            raise UsageError(f"opinions must be 1 <= least <= most, got {self.least}..{self.most}")
        if not 0.5 < self.agree <= 1:
            raise UsageError(f"agree must be above 0.5 and at most 1, got {self.agree}")

    def category(self, verdicts: Sequence[Verdict]) -> Category | None:
        """The judgement that opinions come to; None if more are to be asked for.

        Enough of them correct or incorrect decide so; enough close ones, or opinions that can no
        longer come to agree, make it close.
        """
        if len(verdicts) < self.least:
            return None
        counts = Counter(verdicts)
        for verdict, category in CATEGORY_OF.items():
            if counts[verdict] >= self.agree * len(verdicts) - ROUNDING:
                return category
        left = self.most - len(verdicts)
        hope = max(counts.values()) + left >= self.agree * self.most - ROUNDING
        return None if left > 0 and hope else "close_primary"


class Opinions:
    """The opinions of one model, in a file that only ever grows.

    A line is `{"image", "model", "prompt", "verdicts": {noun: verdict}, "shows", "tokens"}`, or one
    with `rejected` (why) in place of verdicts. Lines of other models and of other wordings of the
    question stay in the file and don't count.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.path = path
        self.model = model
        self.tokens = (0, 0)
        """Read and written by this model, in all runs."""
        self.answers = 0
        """Answers of this model, useless ones included, in all runs."""
        self._verdicts: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        self._log = AppendLog(path)

    @classmethod
    def load(cls, path: Path, model: str) -> Self:
        """Read the opinions that there are; a file that is missing holds none.

        The end of a line that a kill cut short is dropped.

        Raises:
            AnnotationError: If the file cannot be read or a line of it is damaged.
        """
        opinions = cls(path, model)
        try:
            opinions._log.read(opinions._count)
            if path.exists() and not path.read_bytes().endswith(b"\n"):
                opinions._log.append()
        except OSError as error:
            raise AnnotationError(f"{path}: cannot be read: {error.strerror or error}") from error
        except DamagedLineError as error:
            raise AnnotationError(
                f"{path}:{error.line}: is not an opinion; restore the file, or delete the line "
                "and lose that opinion"
            ) from error
        return opinions

    def of(self, image: str, noun: str) -> list[Verdict]:
        """What the model has said about a noun of an image so far."""
        return list(self._verdicts.get((image, noun), ()))

    def tells_apart(self) -> bool:
        """Whether the model has ever given different verdicts."""
        return len({verdict for given in self._verdicts.values() for verdict in given}) > 1

    def add(self, image: str, opinion: Opinion) -> None:
        """Keep an opinion.

        Raises:
            AnnotationError: If it cannot be written.
        """
        self._append(
            {
                **self._head(image),
                "verdicts": dict(opinion.verdicts),
                "shows": opinion.shows,
                "tokens": list(opinion.tokens),
            }
        )

    def reject(self, image: str, why: str, tokens: tuple[int, int]) -> None:
        """Note that an answer was of no use, and what it cost.

        Raises:
            AnnotationError: If it cannot be written.
        """
        self._append({**self._head(image), "rejected": why, "tokens": list(tokens)})

    def _head(self, image: str) -> dict[str, Any]:
        return {"image": image, "model": self.model, "prompt": PROMPT}

    def _append(self, row: dict[str, Any]) -> None:
        try:
            self._log.append(row)
        except OSError as error:
            raise AnnotationError(
                f"{self.path}: cannot be written: {error.strerror or error}"
            ) from error
        self._count(row)

    def _count(self, row: dict[str, Any]) -> None:
        """Take a line into account."""
        image, verdicts = row["image"], row.get("verdicts", {})
        read, written = row["tokens"]
        if unknown := set(verdicts.values()) - set(VERDICTS):
            raise ValueError(f"unknown verdicts {unknown}")
        if row["model"] != self.model:
            return
        self.tokens = (self.tokens[0] + read, self.tokens[1] + written)
        self.answers += 1
        if row["prompt"] == PROMPT:
            for noun, verdict in verdicts.items():
                self._verdicts[image, noun].append(verdict)
