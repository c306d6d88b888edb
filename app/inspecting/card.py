"""What a detector of stills knows besides its maps: when a whole image counts as defective."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from calibration.good import GoodThreshold
from detectors.base import DetectorError
from novic.json_files import CARD_BYTES, read_json
from novic.whole_files import write_whole

CARD = "inspection.json"
"""Lies in the detector's folder."""
ALIGNED = 0.8
"""Parts shifted by 1% and turned by a degree reach .91 and .98, crops of textures .09."""
_FORMAT, _VERSION = "nomaly-inspection", 1


@dataclass(frozen=True, slots=True)
class InspectionCard:
    """How images are judged."""

    image: GoodThreshold
    """Scores of whole images above its value are defective; over the detector's threshold."""
    share: float
    """Of good images that were wished to be called defective at most."""
    learned: int
    """Good images that the detector was fitted on."""
    likeness: float = 0.0
    """Of good images to their common picture: median correlation of their greys, -1 to 1."""

    @property
    def aligned(self) -> bool:
        """Whether images show one thing in one place, so that boxes can be drawn by pixels."""
        return self.likeness >= ALIGNED

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "expected_share_of_good": self.image.share,
            "how": self.image.how,
            "held_out": self.image.seen,
            "learned": self.learned,
        }

    def expectation(self) -> str:
        """What is to be expected of good images, in one sentence."""
        rest = f"{self.image.seen} good images that were held out in turn"
        if self.image.how == "counted":
            return (
                f"At most {100 * self.image.share:.1f}% of good images are expected above the "
                f"threshold, counted on {rest}."
            )
        needed = round(1 / self.share) - 1
        return (
            f"About {100 * self.image.share:.1f}% of good images are expected above the threshold, "
            f"extrapolated from {rest}; {needed} would show it."
        )


def write_card(card: InspectionCard, folder: Path) -> None:
    """Put a card into a detector's folder.

    Raises:
        DetectorError: If it cannot be written.
    """
    text = json.dumps({"format": _FORMAT, "version": _VERSION, **asdict(card)}, indent=2) + "\n"
    try:
        write_whole(folder / CARD, text.encode())
    except OSError as error:
        raise DetectorError(f"{folder / CARD}: cannot be written: {error.strerror}") from error


def read_card(folder: Path) -> InspectionCard:
    """The card of a detector of stills.

    Raises:
        DetectorError: If there is none, or it is damaged or of another version.
    """
    place = folder / CARD
    try:
        facts = read_json(place, CARD_BYTES)
    except FileNotFoundError as error:
        raise DetectorError(
            f"{folder}: no detector of stills ({CARD} is missing); make one: "
            f"nomaly inspect fit GOOD_FOLDER --out DETECTOR"
        ) from error
    except OSError as error:
        raise DetectorError(f"{place}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DetectorError(f"{place}: damaged: {error}") from error
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
        raise DetectorError(f"{place}: not written by nomaly inspect fit")
    if facts.get("version") != _VERSION:
        raise DetectorError(
            f"{place}: version {facts.get('version')}, this nomaly reads {_VERSION}; fit it again"
        )
    try:
        return _card(facts)
    except (KeyError, TypeError, ValueError) as error:
        raise DetectorError(f"{place}: damaged: {error}; fit it again") from error


def _card(facts: dict[str, Any]) -> InspectionCard:
    image = GoodThreshold(**facts["image"])
    if not 0 < image.value < float("inf") or image.how not in ("counted", "extrapolated"):
        raise ValueError(f"image threshold {image.value}, {image.how}")
    return InspectionCard(
        image, float(facts["share"]), int(facts["learned"]), float(facts["likeness"])
    )
