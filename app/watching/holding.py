"""A camera's calibration as long as it holds: once bets against it win it is void.

Void it stays, over a restart too, until another calibration lies there; what looks and names goes
on without. Bets begin anew after `app.events.bets.PERIOD` of them, so that a watch of years holds
no more than one of weeks; that a calibration is void for nothing has its bound in each such period.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.events.bets import PERIOD, Bet, newest
from app.report.times import since
from calibration.betting import Betting, Void
from calibration.scores.protocol import ScoreError
from calibration.site.calibrated import SiteCalibration
from calibration.site.weights import Weights
from novic.certainty import Scaling
from scenarios.belonging_rule import BelongingRule

_LIGHTER = 8.0
"""Grey levels, and usual spreads, by which light differs where it has changed."""
_SPREADS = 3.0
_SPREAD = 1.4826
"""From a median absolute deviation to a standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Light:
    """How light a view usually is."""

    usual: float
    """Median of the mean greys of its frames, 0 to 255."""
    spread: float
    """How far they usually lie from it."""

    @classmethod
    def of(cls, greys: Sequence[float]) -> Self | None:
        """By the mean greys of frames; None of none."""
        if not len(greys):
            return None
        usual = float(np.median(greys))
        return cls(usual, _SPREAD * float(np.median(np.abs(np.asarray(greys) - usual))))


def reason_of(before: Light | None, since: Sequence[float]) -> str:
    """Why a calibration may no longer hold.

    Args:
        before: How light it was while it held; None if nobody knows.
        since: Mean greys of frames since, 0 to 255.
    """
    if before is not None and len(since):
        now = float(np.median(since))
        if abs(now - before.usual) > max(_LIGHTER, _SPREADS * before.spread):
            return f"light changed (mean grey {before.usual:.0f} before, {now:.0f} since)"
    return "what is seen there looks otherwise"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the crops of a calibration were taken; later ones must be taken alike."""

    every_s: float
    """Seconds from one frame of which crops were taken to the next."""
    a_minute: float
    """Crops that a minute gave."""
    light: Light | None = None

    def share(self, a_minute: float) -> float:
        """Of the crops, chosen by chance, that give so many a minute on average."""
        return min(1.0, a_minute / self.a_minute)

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the calibration; keys are stable."""
        light = self.light
        return {
            "every_s": round(self.every_s, 4),
            "a_minute": round(self.a_minute, 4),
            "light": None if light is None else [round(light.usual, 2), round(light.spread, 2)],
        }

    @classmethod
    def of(cls, kept: object) -> Self | None:
        """What `as_json` gave; None of anything else."""
        try:
            every_s, a_minute = float(kept["every_s"]), float(kept["a_minute"])  # type: ignore[index]
            light = kept["light"]  # type: ignore[index]
            lit = None if light is None else Light(float(light[0]), float(light[1]))
        except (KeyError, TypeError, ValueError, IndexError):
            return None
        good = np.isfinite([every_s, a_minute]).all() and every_s > 0 and a_minute > 0
        return cls(every_s, a_minute, lit) if good else None


class Holding:
    """Is to who names what the calibration is while it holds, and as none once it is void."""

    def __init__(
        self,
        site: SiteCalibration,
        say: Callable[[str], None] = lambda _: None,
        rule: BelongingRule | None = None,
    ) -> None:
        """Take a calibration; it holds until `bet` or `recall` shows that it does not.

        Args:
            site: What was calibrated.
            say: Told in a sentence when it becomes void, why nobody asks whether it holds, and that
                its weights do not decide.
            rule: Of the site, by which weights must have been fitted; None not to ask.
        """
        self._weights = weights = site.weights
        if weights is not None and rule is not None and not weights.fits(rule):
            say(
                "The camera's weights of what belongs there were fitted with nouns expected from "
                f"frequency {weights.expected_from:g} on, at this site it is "
                f"{rule.expected_from:g}. The rule of the site decides; run nomaly calibrate with "
                "--events again."
            )
            self._weights = None
        self._site, self._say = site, say
        self.key = site.sha256
        """What bets against it are kept by."""
        self.sampling = Sampling.of(site.measured.get("sampling"))
        """How crops are to be taken; None where nobody can ask whether it holds."""
        if site.site_ranks is None:
            self.sampling = None
        elif self.sampling is None:
            say(
                "The camera's calibration does not tell how its pictures were taken, so nobody can "
                "tell when it no longer holds; run nomaly calibrate again."
            )
        self._begin()
        self.said = ""
        """That it is void, since when and why; empty while it holds."""

    @property
    def void(self) -> Void | None:
        """That it no longer holds."""
        return None if self._betting is None else self._betting.void

    @property
    def names(self) -> Scaling | None:
        """See `app.watching.namer.SiteLooks`."""
        return None if self.said else self._site.names

    @property
    def weights(self) -> Weights | None:
        """See `app.watching.namer.SiteLooks`."""
        return None if self.said else self._weights

    def site_p(self, vector: NDArray[np.float32]) -> float | None:
        """See `app.watching.namer.SiteLooks`; None too of a vector that is not finite."""
        known = not self.said and bool(np.isfinite(vector).all())
        return self._site.site_p(vector) if known else None

    def distance(self, vector: NDArray[np.float32]) -> float | None:
        """How far a crop lies from the normal ones; None of one that is not finite."""
        try:
            found = float(self._site.distances(vector[None])[0])
        except ScoreError:
            return None
        return found if np.isfinite(found) else None

    def recall(self, bets: Sequence[Bet]) -> None:
        """Go on from the bets that were made before, and from nothing else.

        Args:
            bets: As `app.events.bets.read` gives them.
        """
        before, self.said = self.said, ""
        self._begin()
        for one in newest(bets):
            self._see(one)
        if self.said and self.said != before:
            self._say(self.sentence)

    def bet(self, one: Bet) -> bool:
        """Bet on one more crop; returns whether it became void by that."""
        if self.said or not self._see(one):
            return False
        self._say(self.sentence)
        return True

    @property
    def sentence(self) -> str:
        """The same for people, with what to do; empty while it holds."""
        text = self.said[:1].upper() + self.said[1:]
        return text and f"{text}. It goes on uncalibrated; run nomaly calibrate again."

    def since(self, uri: str) -> float | None:
        """When it became void in a source, seconds from its start; None if it did not there."""
        return None if self.void is None else self._firsts.get(uri)

    def _begin(self) -> None:
        """Begin a period."""
        self._betting: Betting | None = self._site.betting()
        self.noticed: Bet | None = None
        """The bet by which it became void; None while it holds."""
        self._count = 0
        self._earlier: list[float] = []
        """How light it was before the fortune was lowest, ..."""
        self._later: list[float] = []
        """... and since, ..."""
        self._firsts: dict[str, float] = {}
        """... and the first time since then in each source, seconds from its start."""

    def _see(self, one: Bet) -> bool:
        """Whether it is void after one more bet."""
        if self._betting is None or self.said:
            return bool(self.said)
        if self._count == PERIOD:
            self._begin()
        self._count += 1
        if not np.isfinite(one.distance):
            return False
        void = self._betting.see(one.distance, one.time_us)
        if self._betting.lowest == self._betting.seen:
            self._earlier += self._later
            self._later, self._firsts = [], {}
        self._later.append(one.light)
        self._firsts.setdefault(one.uri, one.at_s)
        if void:
            self.said, self.noticed = self._told(), one
        return void

    def _told(self) -> str:
        void, usual = self.void, None if self.sampling is None else self.sampling.light
        if void is None:
            return ""
        reason = reason_of(usual or Light.of(self._earlier), self._later)
        return f"calibration void since {since(void.since_us, void.noticed_us)}: {reason}"
