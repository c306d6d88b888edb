"""Keeps what was promised of false events: what a camera's maps are divided by, and why.

The detector never changes while it looks; only this one number does, and only between bounds.
"""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.levels import Finds, OpeningLevels
from calibration.promise import Kept, Promise, at_bar, keep, prior_factor, told_hours
from calibration.remembered import RememberedLevels
from calibration.tail import GAP_S
from detectors.base import Detector
from detectors.files import PROMISE, read_facts
from detectors.tracks import TrackRule
from detectors.types import Frame
from novic.json_files import read_json
from novic.whole_files import write_whole

REFIT_S = 600.0
"""Quiet footage after which what the maps are divided by is chosen anew."""
LOWEST_SHARE = 0.75
"""Of the largest value of normal frames: from there on things are followed to learn from them."""
STEP = 0.05
"""What a watch learns to divide maps by is a multiple of this."""
_NEXT = {"hour": Promise(1, "day"), "day": Promise(1, "week"), "week": Promise(1, "week")}


def lowest_level(peak: float) -> float:
    """The level from which on things are followed; `peak` as `Detector.peak`."""
    return LOWEST_SHARE * (min(peak, 1.0) if peak > 0 else 0.5)


class Keeper:
    """Keeps one camera's promise."""

    def __init__(
        self,
        promise: Promise,
        peak: float,
        evidence: RememberedLevels | None = None,
        *,
        bar: float | None = None,
        rule: TrackRule | None = None,
        say: Callable[[str], None] = lambda _: None,
        save: Callable[["Keeper"], None] = lambda _: None,
    ) -> None:
        """Choose what the maps are divided by.

        Args:
            promise: To be kept.
            peak: Of the detector; see `Detector.peak`.
            evidence: What is known of its normal footage; None for nothing.
            bar: What maps are divided by, whatever was promised; None to choose.
            rule: As the camera follows; the default one if not given.
            say: Told in a sentence when the promise becomes shown.
            save: Called when more is known.
        """
        self.promise = promise
        self.peak = peak
        self._bar = bar
        self._rule = rule or TrackRule()
        self.evidence = evidence or RememberedLevels(lowest_level(peak))
        self.kept = self._choose()
        self._say, self._save = say, save
        self._levels: OpeningLevels | None = None
        self._quiet_from_s = -np.inf
        self._time_s = 0.0

    @property
    def factor(self) -> float:
        """What maps are divided by; 1 would be the detector's own threshold."""
        return self.kept.factor

    def learn(self, finds: Finds) -> None:
        """Learn from now on of quiet frames, in which things are found as the camera finds them."""
        self._levels = OpeningLevels(finds, self._rule, self.evidence.lowest)

    def see(self, frame: Frame, heat: NDArray[np.float32] | None, *, quiet: bool) -> None:
        """Take a frame that was watched.

        Args:
            frame: Later than all before it.
            heat: Its map [h, w], not divided, 0 where nobody watches; None if it shows what the one
                before did.
            quiet: Whether nothing is open, and the camera sees well.
        """
        if self._levels is None:
            return
        if not quiet:
            self._levels.forget()
            self._quiet_from_s = frame.pts_s + GAP_S
        elif frame.pts_s >= self._quiet_from_s:
            if heat is None:
                self._levels.again(frame)
            else:
                self._levels.see(frame, heat)
            self._time_s = frame.time_us / 1e6
            if self._levels.watched_s >= REFIT_S:
                self._refit()

    def finish(self) -> None:
        """Keep what was seen since the last choice."""
        if self._levels is not None and self._levels.watched_s > 0:
            self._levels.finish()
            self._refit()

    def _refit(self) -> None:
        """Choose anew after what was seen since."""
        if self._levels is None:
            return
        time_s = self._time_s
        before = self.kept
        self.evidence.add(self._levels.take(), time_s, cut=before.factor)
        chosen = self._choose()
        # Changes too small to matter would only part what is remembered.
        if self._bar is None:
            chosen = replace(chosen, factor=math.ceil(chosen.factor / STEP - 1e-9) * STEP)
        self.kept = chosen
        if self.kept.shown and not before.shown:
            self._say(told(self.kept, time_s))
        self._save(self)

    def _choose(self) -> Kept:
        prior = prior_factor(self.peak, self._rule.open_score)
        tails = self.evidence.tails()
        if self._bar is not None:
            return at_bar(self.promise, tails, self._bar)
        if not tails:
            return Kept(self.promise, prior, "prior", 0.0)
        return keep(self.promise, tails, prior)


def told(kept: Kept, now_s: float | None = None) -> str:
    """What is kept of a promise, in a sentence.

    Args:
        kept: What the maps are divided by, and why.
        now_s: UTC in seconds since 1970, where footage still comes in; None where it does not.
    """
    promise = kept.promise
    if kept.bound == "set":
        return _told_of_bar(kept)
    if kept.bound == "ceiling" and not kept.shown:
        return (
            f"False events: up to {kept.per_hour:.3g}/hour are to be expected, not {promise}: too "
            "much stirs in the normal footage. Leave out where it does (--exclude), or learn from "
            "calmer footage."
        )
    if kept.shown:
        text = f"False events: {promise} is shown by {told_hours(kept.hours)} of normal footage"
        finer = _NEXT[promise.unit]
        if finer.per_hour < promise.per_hour and finer.needs_hours > kept.hours:
            text += f"; for {finer} {_needed(finer, kept.hours, now_s)}"
        return f"{text}."
    return (
        f"False events: {promise} is not shown yet; {_needed(promise, kept.hours, now_s)}. Until "
        "then it looks as closely as calm views bear."
    )


def _told_of_bar(kept: Kept) -> str:
    text = f"The bar is set to {kept.factor:g}, whatever was promised"
    if kept.per_hour is None:
        return f"{text}; how many false events that makes is not known yet."
    return f"{text}: up to {kept.per_hour:.3g} false events an hour are to be expected."


def _needed(promise: Promise, hours: float, now_s: float | None) -> str:
    if hours >= promise.needs_hours:
        seen = told_hours(hours)
        return f"too little happened in {seen} of normal footage to tell, it takes more"
    if now_s is None:
        return f"it takes {told_hours(promise.needs_hours)} of normal footage"
    missing = max(0.0, promise.needs_hours - hours)
    until = datetime.fromtimestamp(now_s, UTC).astimezone() + timedelta(hours=missing)
    clock = f"{until:%H:%M}" if missing < 12 else f"{until:%A %H:%M}"
    return f"it takes quiet footage until {clock}"


def read_evidence(
    path: Path, detector: Path, say: Callable[[str], None]
) -> RememberedLevels | None:
    """What was kept of a detector's normal footage.

    Args:
        path: The file.
        detector: The folder of the detector that it must belong to.
        say: Told if the file cannot be used.

    Returns:
        None if there is none, or none of this detector.
    """
    try:
        facts = read_json(path)
        if facts["detector"] != read_facts(detector)["weights_sha256"]:
            return None
        return RememberedLevels.of(facts["evidence"])
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        say(f"{path}: cannot be used, so the promise begins anew ({error}).")
        return None


def write_evidence(
    path: Path, evidence: RememberedLevels, detector: Path, say: Callable[[str], None]
) -> None:
    """Keep what is known of a detector's normal footage; what cannot be written ends nothing."""
    facts: dict[str, Any] = {
        "detector": read_facts(detector)["weights_sha256"],
        "evidence": evidence.facts(),
    }
    try:
        write_whole(path, json.dumps(facts).encode())
    except OSError as error:
        say(f"{path}: cannot be written ({error.strerror or error}).")


def keeper_of(
    detector: Detector,
    folder: Path,
    promise: Promise,
    say: Callable[[str], None],
    *,
    rule: TrackRule | None = None,
    state: Path | None = None,
    bar: float | None = None,
) -> Keeper:
    """What keeps a promise with a fitted detector.

    Args:
        detector: That looks.
        folder: Where it lies, with what was learned of its normal footage.
        promise: To be kept.
        say: Told in sentences.
        rule: As the camera will follow; the default one if not given.
        state: File of a watch in which it goes on learning; None where it does not.
        bar: What maps are divided by instead; None to choose.
    """
    evidence = read_evidence(state, folder, say) if state is not None else None
    evidence = evidence or read_evidence(folder / PROMISE, folder, say)

    def save(keeper: Keeper) -> None:
        if state is not None:
            write_evidence(state, keeper.evidence, folder, say)

    return Keeper(promise, detector.peak, evidence, bar=bar, rule=rule, say=say, save=save)
