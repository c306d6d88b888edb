"""What stays of a camera's earlier calibration where a run measures only a part of it anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from calibration.site.calibrated import Bindings, SiteCalibration
from calibration.site.files import CalibrationError, load_calibration
from detectors.files import CALIBRATION
from novic.json_files import CARD_BYTES, read_json

_LOOKED = ("site_p", "unnameable_p", "tail", "drift", "clock")
"""Parts that come from looking at footage."""
_KEPT = "; kept from the calibration of "


@dataclass(frozen=True, slots=True)
class Again:
    """What a run did not measure to its end, as it was stopped or not asked."""

    looked: bool
    names: bool
    blind: bool


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """What is written: what is new, and what stays."""

    done: SiteCalibration
    facts: Mapping[str, Any]
    kept: tuple[str, ...] = ()
    """Parts that stay, by name."""

    def keeps(self, part: str) -> bool:
        """Whether a part is of an earlier calibration."""
        return part in self.kept


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """A calibration of the same detector, embedder, decoder and nouns."""

    done: SiteCalibration
    facts: Mapping[str, Any]
    """Its card."""

    def merged(self, done: SiteCalibration, facts: Mapping[str, Any], without: Again) -> Merged:
        """What a run measured, and what it did not measure but was there.

        Args:
            done: What the run measured.
            facts: When it was made, and of what.
            without: What it did not measure to its end.
        """
        old, kept = self.done, list[str]()
        card, measured = {**facts}, {**done.measured}
        if without.looked and (old.site_ranks is not None or old.unnameable_ranks is not None):
            fitted = {"site": old.site, "site_ranks": old.site_ranks}
            done = replace(done, **fitted, unnameable_ranks=old.unnameable_ranks)
            own = {key: measured[key] for key in ("names_ece", "verdict") if key in measured}
            measured = {**old.measured, **own}
            card["footage"] = self.facts.get("footage")
            kept += [name for name in _LOOKED if name in old.said]
        if without.names and old.names is not None:
            done = replace(done, names=old.names)
            measured["names_ece"] = old.measured.get("names_ece")
            card["confirmed"] = self.facts.get("confirmed")
            kept.append("names_p")
        if without.names and old.weights is not None:
            done = replace(done, weights=old.weights)
            measured["verdict"] = old.measured.get("verdict")
            card["confirmed"] = self.facts.get("confirmed")
            kept.append("verdict")
        if without.blind and old.blind is not None:
            done = replace(done, blind=old.blind)
            kept.append("blind_map")
        said = {**done.said} | {name: self._told(name) for name in kept}
        return Merged(replace(done, said=said, measured=measured), card, tuple(kept))

    def _told(self, name: str) -> str:
        """A sentence of the earlier calibration, with when that was."""
        text = self.done.said.get(name, f"{name}: known")
        return text if _KEPT in text else f"{text}{_KEPT}{self.facts.get('created', 'before')}"


def earlier_of(folder: Path, bindings: Bindings, say: Callable[[str], None]) -> Earlier | None:
    """The calibration that lies beside a detector already.

    Args:
        folder: Of the detector.
        bindings: What looks and names now.
        say: Told in a sentence why nothing of one that is there can be kept.

    Returns:
        None if there is none, or none of the same detector, embedder, decoder and nouns.
    """
    if not (folder / CALIBRATION).exists():
        return None
    try:
        done = load_calibration(folder, bindings)
        return Earlier(done, read_json(folder / CALIBRATION, CARD_BYTES))
    except (CalibrationError, OSError, ValueError) as error:
        say(f"{error}. Nothing of it is kept.")
        return None
