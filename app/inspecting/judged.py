"""What an inspection found: a verdict for each image, and how good the verdicts are."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.inspecting.card import InspectionCard
from app.inspecting.figures import Figures
from app.inspecting.layout import Still
from detectors.types import Box, Detection
from novic.certainty import headline
from novic.vocabulary import ThingKind

COLUMNS = (
    "image", "kind", "defective", "score", "verdict", "name", "p", "sure",
    "x1", "y1", "x2", "y2", "boxes", "width", "height", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """What a defect was called."""

    nouns: tuple[tuple[str, float], ...]
    """Candidates with their p, best first."""
    sure: bool
    """Whether the best one is told as a fact."""
    thing: ThingKind | None = None
    """What kind of thing it is, where the decoder tells that."""

    @property
    def headline(self) -> str:
        """What is told: the best noun if it is sure, else its kind, or that it has no name."""
        return headline(self.nouns[0][0] if self.nouns else "", self.thing, sure=self.sure)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One image."""

    still: Still
    score: float = 0.0
    """Of the whole image; above 1.0 it is called defective."""
    size: tuple[int, int] = (0, 0)
    """(height, width) of the file's picture, upright."""
    defects: tuple[Detection, ...] = ()
    """Where, in pixels of the file's picture, worst first; none in an image called good."""
    truth: tuple[Box, ...] | None = None
    """Where its defects truly are, in the same pixels; None if nobody says."""
    named: Named | None = None
    """What the worst defect is called; None if it was not asked."""
    heat: str = ""
    """File of its map beside the report, empty if there is none."""
    error: str = ""
    """Why it could not be judged; empty if it was."""

    @property
    def unusual(self) -> bool:
        """Whether it is called defective."""
        return self.score > 1.0

    @property
    def verdict(self) -> str:
        """`good`, `defective`, or `not judged`."""
        return "not judged" if self.error else "defective" if self.unusual else "good"

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        told = {"image": self.still.name, "kind": self.still.kind, "verdict": self.verdict}
        if self.error:
            return {**told, "error": self.error}
        found = [{"box": _corners(one.box), "score": round(one.score, 4)} for one in self.defects]
        named = {} if self.named is None else {
            "headline": self.named.headline,
            "sure": self.named.sure,
            "nouns": [[noun, round(p, 4)] for noun, p in self.named.nouns],
        }  # fmt: skip
        return {
            **told,
            "defective": self.still.defective,
            "score": round(self.score, 4),
            "size": list(self.size),
            "defects": found,
            **named,
            "heat": self.heat,
        }

    def row(self) -> list[object]:
        """A row of the table, see COLUMNS."""
        noun, p = self.named.nouns[0] if self.named and self.named.nouns else ("", None)
        corners = _corners(self.defects[0].box) if self.defects else [None] * 4
        height, width = self.size
        judged = not self.error
        return [
            _text(self.still.name), _text(self.still.kind), self.still.defective,
            round(self.score, 4) if judged else None, self.verdict,
            noun, None if p is None else round(p, 4), self.named.sure if self.named else None,
            *corners, len(self.defects), width or None, height or None, _text(self.error),
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """All images of an inspection."""

    folder: str
    detector: str
    """Folder of the detector."""
    kind: str
    """Of the detector."""
    card: InspectionCard
    images: tuple[Judged, ...]
    """In the order of their names."""
    figures: Figures | None = None
    """How good the verdicts are; None where nobody says what is defective."""
    notes: tuple[str, ...] = field(default=())
    """What was left out, in sentences."""
    seconds: float = 0.0
    """That the detector took."""
    stopped: bool = False
    """Whether Ctrl-C ended it before the last image."""

    @property
    def worst_first(self) -> list[Judged]:
        """The images that were judged, the highest score first."""
        return sorted((one for one in self.images if not one.error), key=lambda one: -one.score)

    @property
    def failed(self) -> list[Judged]:
        """The images that could not be judged."""
        return [one for one in self.images if one.error]

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        judged = self.worst_first
        return {
            "folder": self.folder,
            "detector": self.detector,
            "detector_kind": self.kind,
            "judged": len(judged),
            "defective": sum(one.unusual for one in judged),
            "not_judged": len(self.failed),
            "threshold": self.card.as_json(),
            "figures": self.figures.as_json() if self.figures else None,
            "notes": list(self.notes),
            "ms_per_image": round(1000 * self.seconds / max(len(judged), 1), 1),
            "stopped": self.stopped,
            "images": [one.as_json() for one in self.images],
        }


def as_csv(images: Sequence[Judged]) -> str:
    """A table with a row for each image."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for image in images:
        writer.writerow([_cell(value) for value in image.row()])
    return written.getvalue()


def _corners(box: Box) -> list[float]:
    return [round(side, 1) for side in (box.x1, box.y1, box.x2, box.y2)]


def _cell(value: object) -> object:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _text(value: str) -> str:
    """A text that no table takes for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t") else value
