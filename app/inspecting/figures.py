"""How good the verdicts of an inspection are, where it is known what is defective."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.inspecting.layout import GOOD
from calibration.overlaps import average_precision, mean_average_precision
from calibration.pixels import PixelCounts, PixelFigures
from calibration.ranking import auroc, f1_max, measured
from detectors.types import Box, Detection
from novic.intervals import Estimate


@dataclass(frozen=True, slots=True)
class KindFigures:
    """Figures of one kind of defect against all good images."""

    kind: str
    images: int
    found: int
    """Called defective."""
    auroc: Estimate | None
    aupro: Estimate | None
    """None without masks."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of all images; None where there is nothing to measure by."""

    good: int
    wrong: int
    """Good images called defective."""
    defective: int
    found: int
    """Defective images called so."""
    auroc: Estimate | None
    f1: Estimate | None
    """The best that any threshold gives."""
    pixels: PixelFigures | None
    """None without masks."""
    ap: float | None
    """Of the boxes, mean over IoU .50 to .95; None without masks."""
    ap50: float | None
    kinds: tuple[KindFigures, ...]

    def as_json(self) -> dict[str, Any]:
        """As scripts read it, estimates in percent; keys are stable."""
        pixels = self.pixels
        return {
            "good": self.good,
            "good_called_defective": self.wrong,
            "defective": self.defective,
            "defective_found": self.found,
            "image_auroc": _json(self.auroc),
            "image_f1_max": _json(self.f1),
            "pixel_auroc": _json(pixels.auroc if pixels else None),
            "pixel_aupro": _json(pixels.aupro if pixels else None),
            "pixel_f1_max": _json(pixels.f1 if pixels else None),
            "box_ap": _percent(self.ap),
            "box_ap50": _percent(self.ap50),
            "kinds": {
                one.kind: {
                    "images": one.images,
                    "found": one.found,
                    "image_auroc": _json(one.auroc),
                    "pixel_aupro": _json(one.aupro),
                }
                for one in self.kinds
            },
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What counts of one image."""

    kind: str
    defective: bool
    score: float
    """Above 1.0 it is called defective."""
    found: Sequence[Detection] = ()
    true: Sequence[Box] | None = None
    """Where its defects are, in the same pixels; None if nobody says."""


def figures(
    verdicts: Sequence[Verdict], pixels: Mapping[str, PixelCounts], seed: int = 0
) -> Figures | None:
    """Figures of images of which it is known whether they are defective.

    Args:
        verdicts: One for each image.
        pixels: Counts of the masked images of each kind, good ones among them.
        seed: Of the intervals.

    Returns:
        The figures; None if no image is known to be defective, or none to be good.
    """
    good = [one.score for one in verdicts if not one.defective]
    bad = [one.score for one in verdicts if one.defective]
    if not good or not bad:
        return None
    masked = [(one.found, one.true) for one in verdicts if one.true is not None]
    everything = PixelCounts.joined(pixels.values())
    none = PixelCounts()
    fine = pixels.get(GOOD, none)
    kinds = dict.fromkeys(one.kind for one in verdicts if one.defective)
    return Figures(
        good=len(good),
        wrong=sum(score > 1 for score in good),
        defective=len(bad),
        found=sum(score > 1 for score in bad),
        auroc=measured(auroc, good, bad, seed),
        f1=measured(lambda fine, faulty: f1_max(fine, faulty)[0], good, bad, seed),
        pixels=everything.figures(seed),
        ap=mean_average_precision(masked),
        ap50=average_precision(masked, 0.5),
        kinds=tuple(
            _of_kind(kind, verdicts, good, PixelCounts.joined((fine, pixels.get(kind, none))), seed)
            for kind in kinds
        ),
    )


def _of_kind(
    kind: str, verdicts: Sequence[Verdict], good: Sequence[float], pixels: PixelCounts, seed: int
) -> KindFigures:
    scores = [one.score for one in verdicts if one.defective and one.kind == kind]
    masked = pixels.figures(seed)
    return KindFigures(
        kind,
        len(scores),
        sum(score > 1 for score in scores),
        measured(auroc, good, scores, seed),
        masked.aupro if masked else None,
    )


def _json(value: Estimate | None) -> dict[str, float | int] | None:
    return None if value is None else value.as_json()


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 4)
