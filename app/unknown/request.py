"""What `nomaly evaluate ood` is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.unknown.measuring import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class OodRequest:
    """What is measured."""

    known: Path
    """Folder of what is known."""
    others: tuple[Path, ...]
    """Folders of what is not."""
    fit: Path | None = None
    """What scores are fitted on; None for half of the known."""
    tuning: Path | None = None
    """Foreign pictures that a fusion is weighed by."""
    labels: bool = True
    """Sub-folders of what is fitted on are classes."""
    nouns: tuple[str, ...] = ()
    """Of what is known; empty for the names of the classes."""
    template: str = ""
    """Of texts, `{}` stands for the noun; empty for the embedder's usual one."""
    model: Path | None = None
    embedder: str | None = None
    tagood: Path | None = None
    """Folder of a trained TagOOD, for one more score."""
    device: str = "auto"
    seed: int = 0
    out: Path | None = None
    keep: Path | None = None
    """Folder that the fitted scores are written into."""
    fitted: Path | None = None
    """Folder of scores that an earlier evaluation kept; nothing is fitted then."""


@dataclass(frozen=True, slots=True, eq=False)
class OodResult:
    """What was measured, and on what."""

    request: OodRequest
    embedder: str
    fitted: int
    """Pictures that scores were fitted on."""
    classes: tuple[str, ...]
    """Of these; empty without labels."""
    nouns: tuple[str, ...]
    """That stand for what is known; empty without."""
    new: int
    """Known pictures that were measured."""
    others: Mapping[str, int]
    """Pictures of each folder."""
    broken: Mapping[str, str]
    """Files that could not be read, and why."""
    measured: Measured

    @property
    def fitted_on(self) -> str:
        """What the scores were fitted on, in words."""
        if self.request.fitted is not None:
            return f"what {self.request.fitted} says ({self.fitted} pictures)"
        if self.request.fit is not None:
            return f"{self.request.fit} ({self.fitted} pictures)"
        whole = self.fitted + self.new
        drawn = f"{self.fitted} of {whole} pictures of {self.request.known}"
        return f"{drawn}, drawn with seed {self.request.seed}"

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "known": str(self.request.known),
            "embedder": self.embedder,
            "fitted_on": str(self.request.fitted or self.request.fit or self.request.known),
            "fitted_pictures": self.fitted,
            "known_pictures": self.new,
            "folders": dict(self.others),
            "classes": list(self.classes),
            "nouns": list(self.nouns),
            "seed": self.request.seed,
            "scores": [row.as_json() for row in self.measured.rows],
            "left_out": dict(self.measured.left_out),
            "broken": dict(self.broken),
        }
