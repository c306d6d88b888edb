"""What stays of a camera's earlier calibration where a run measures only a part of it anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.calibrating.words import NO_ANSWERS, when
from calibration.site.calibrated import Bindings, SiteCalibration
from calibration.site.files import CalibrationError, load_calibration
from detectors.files import CALIBRATION
from novic.json_files import CARD_BYTES, read_json

_LOOKED = ("site_p", "unnameable_p", "tail", "rings", "drift", "clock")
"""Parts that come from looking at footage."""
LOOKED = frozenset(_LOOKED[:2])
"""Of these at least one is kept where what comes from looking at footage is."""
_KEPT = "; kept from the calibration of "


@dataclass(frozen=True, slots=True)
class Again:
    """What a run did not measure to its end, as it was stopped or not asked, or had too little."""

    looked: bool
    names: bool
    verdict: bool
    blind: bool
    answers: bool = False
    """Whether it had the answers of people alone, and no footage."""


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """What is written: what is new, and what stays."""

    done: SiteCalibration
    facts: Mapping[str, Any]
    kept: tuple[str, ...] = ()
    """Parts that stay, by name."""


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
        old, kept = self.done, dict[str, str]()
        card, measured = {**facts}, {**done.measured}
        short = "" if without.looked else self._too_short(done)
        as_before = bool(short or without.answers or (without.looked and _fitted(old)))
        if as_before:
            fitted = {"site": old.site, "site_ranks": old.site_ranks}
            done = replace(done, **fitted, unnameable_ranks=old.unnameable_ranks)
            measured = _with_own(old.measured, measured)
            card["footage"] = self.facts.get("footage")
            kept |= {name: short for name in _LOOKED if name in old.said}
        if without.names and old.names is not None:
            kept["names_p"] = _of_answers(done.said, "names_p", "not refitted, ")
            done = replace(done, names=old.names)
            measured["names_ece"] = old.measured.get("names_ece")
        if without.verdict and old.weights is not None:
            kept["verdict"] = _of_answers(done.said, "verdict", "the rule is kept, ")
            done = replace(done, weights=old.weights)
            measured["verdict"] = old.measured.get("verdict")
        if without.names and without.verdict and {"names_p", "verdict"} & kept.keys():
            card["confirmed"] = self.facts.get("confirmed")
        if without.blind and old.blind is not None:
            done = replace(done, blind=old.blind)
            kept["blind_map"] = ""
        if without.answers and "blind_map" not in kept and "blind_map" in old.said:
            kept["blind_map"] = ""
        # Of the clock of footage that is not used nobody need know.
        own = {name: text for name, text in done.said.items() if name != "clock" or not as_before}
        said = own | {name: self._told(name, why) for name, why in kept.items()}
        return Merged(replace(done, said=said, measured=measured), card, tuple(kept))

    def _too_short(self, done: SiteCalibration) -> str:
        """Why footage that was looked at fits less than is there; empty if it does not."""
        old = self.done
        pairs = {
            "site_p": (old.site_ranks, done.site_ranks),
            "unnameable_p": (old.unnameable_ranks, done.unnameable_ranks),
        }
        lost = [name for name, (was, now) in pairs.items() if was is not None and now is None]
        if not lost or any(was is None and now is not None for was, now in pairs.values()):
            return ""
        why = done.said.get(lost[0], "").partition("not fitted")[2].lstrip(",: ")
        return f"this footage: {why}"

    def _told(self, name: str, why: str) -> str:
        """A sentence of the earlier calibration, with when that was and why it stays."""
        text, _, kept = self.done.said.get(name, f"{name}: known").partition(_KEPT)
        # A third one says when it was measured, not when it was kept.
        date = when(kept.partition(" (")[0] or str(self.facts.get("created", "before")))
        return f"{text}{_KEPT}{date}{f' ({why})' if why else ''}"


def _fitted(old: SiteCalibration) -> bool:
    return old.site_ranks is not None or old.unnameable_ranks is not None


def _with_own(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of earlier footage, with those that answers of now gave."""
    own = {key: new[key] for key in ("names_ece", "verdict") if key in new}
    ranked = (new.get("auroc") or {}).get("event_score")
    if ranked is not None:
        own["auroc"] = {**(old.get("auroc") or {}), "event_score": ranked}
    return {**old, **own}


def _of_answers(said: Mapping[str, str], name: str, before: str) -> str:
    """Why answers that were given are too few; empty if none were given."""
    why = said.get(name, "").partition(before)[2]
    return f"these answers: {why}" if why and NO_ANSWERS not in why else ""


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
