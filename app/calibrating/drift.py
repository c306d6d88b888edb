"""Whether the calibration holds on the part of the footage that nothing was fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.calibrating.footage import Minute
from app.report.times import since
from app.watching.holding import Light, reason_of
from calibration.betting import ALPHA, Void
from calibration.site.calibrated import HeldOut, SiteCalibration
from calibration.site.crops import Crops


@dataclass(frozen=True, slots=True)
class Drift:
    """What bets against the calibration won."""

    path: tuple[tuple[int, float], ...]
    """(UTC in microseconds, natural logarithm of the fortune) after each crop."""
    void: Void | None
    reason: str
    """Of a calibration that is void."""

    @property
    def said(self) -> str:
        """All of it in one sentence."""
        if self.void is None:
            return (
                f"drift: it holds on {len(self.path)} pictures that nothing was learned from (one "
                f"that holds is called void once in {1 / ALPHA:.0f} at most)"
            )
        when = since(self.void.since_us, self.void.noticed_us)
        return f"drift: calibration void since {when}: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "crops": len(self.path),
            "highest_log_fortune": round(max((won for _, won in self.path), default=0.0), 4),
            "void_since_us": None if self.void is None else self.void.since_us,
            "noticed_us": None if self.void is None else self.void.noticed_us,
            "reason": self.reason,
        }


def drift_of(
    done: SiteCalibration, crops: Crops, held_out: HeldOut, minutes: Sequence[Minute]
) -> Drift | None:
    """Bet against a calibration on crops that it was not fitted on.

    Args:
        done: What was fitted.
        crops: All crops.
        held_out: Which of them nothing was fitted on.
        minutes: How light each minute was.

    Returns:
        None if distances were not fitted.
    """
    betting = done.betting()
    if betting is None or not len(held_out.at):
        return None
    path: list[tuple[int, float]] = []
    for at, distance in zip(held_out.at, done.distances(crops.vectors[held_out.at]), strict=True):
        time_us = int(crops.time_us[at])
        betting.see(float(distance), time_us)
        path.append((time_us, betting.log_fortune))
    void = betting.void
    return Drift(tuple(path), void, "" if void is None else reason(minutes, void.since_us))


def reason(minutes: Sequence[Minute], since_us: int) -> str:
    """Why a calibration may no longer hold.

    Args:
        minutes: How light each minute was.
        since_us: From when on it does not, UTC in microseconds.
    """
    before = Light.of([one.light for one in minutes if one.time_us < since_us])
    return reason_of(before, [one.light for one in minutes if one.time_us >= since_us])
