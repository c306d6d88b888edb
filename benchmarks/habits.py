"""Is it known how often a noun comes to a place at an hour, from days or weeks of a site?

Sites are drawn: nouns with a rate of their own, each at one or two places and with hours of its own
(people by day, a fox by night, some on working days only). A dictionary's frequencies are the true
shares off by a factor of e to the 1.5 either way (standard deviation). A site is watched for some
days; then it is told for each noun, place and hour of the week that follows how likely one comes.

    python -m benchmarks.habits [--split report] [--sites 20] [--tune] [--json]
"""

import argparse
import json
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.habits.rates import GRID, HOURS, History, Smoothing, chance

SEEDS = {"dev": 0, "report": 100_000}
DAYS = (3, 7, 28)
AHEAD = 7
NOUNS = 8

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What truly comes."""

    rates: Floats
    """Expected events [NOUNS, rows, columns, HOURS] on a working day."""
    weekend: Floats
    """Factor of each noun on Saturday and Sunday [NOUNS]."""
    shares: Floats
    """What a dictionary expects [NOUNS]."""

    def drawn(self, days: range, rng: np.random.Generator) -> Floats:
        """Events of some days, 0 a Monday [days, NOUNS, rows, columns, HOURS]."""
        factors = [self.weekend if day % 7 > 4 else np.ones(NOUNS) for day in days]
        drawn = [rng.poisson(self.rates * f[:, None, None, None]) for f in factors]
        return np.stack(drawn).astype(float)


def site(rng: np.random.Generator) -> Site:
    """A site with habits of its own."""
    daily = np.exp(rng.uniform(np.log(0.05), np.log(15), NOUNS))
    rates = np.zeros((NOUNS, *GRID, HOURS))
    for noun in range(NOUNS):
        hours = np.full(HOURS, 0.02)
        for _ in range(rng.integers(1, 4)):
            away = (np.arange(HOURS) - rng.uniform(0, HOURS) + 12) % HOURS - 12
            hours += np.exp(-0.5 * (away / rng.uniform(0.7, 3)) ** 2)
        places = np.full(GRID, 0.01)
        for _ in range(rng.integers(1, 3)):
            row, column = rng.uniform(0, GRID[0]), rng.uniform(0, GRID[1])
            rows, columns = (np.arange(n) + 0.5 for n in GRID)
            places += np.exp(-2 * ((rows[:, None] - row) ** 2 + (columns[None] - column) ** 2))
        both = places[..., None] * hours
        rates[noun] = daily[noun] * both / both.sum()
    weekend = np.where(rng.random(NOUNS) < 0.4, 0.15, 1.0)
    shares = daily / daily.sum() * np.exp(rng.normal(0, 1.5, NOUNS)) * 0.5
    return Site(rates, weekend, shares.clip(1e-6, 0.9))


def history(seen: Floats) -> History:
    """What a camera knows after these days [days, NOUNS, rows, columns, HOURS]."""
    counts = {str(noun): seen[:, noun].sum(0).astype(float) for noun in range(NOUNS)}
    return History(np.full(HOURS, float(len(seen))), counts, float(seen.sum()))


def told(known: History, shares: Floats, by: Smoothing) -> Floats:
    """The chance of each noun, place and hour [NOUNS, rows, columns, HOURS]."""
    found = np.zeros((NOUNS, *GRID, HOURS))
    for noun, *at in product(range(NOUNS), range(GRID[0]), range(GRID[1]), range(HOURS)):
        found[noun, at[0], at[1], at[2]] = chance(
            known, str(noun), (at[0], at[1], at[2]), float(shares[noun]), by
        )
    return found


def loss(chances: Floats, ahead: Floats) -> float:
    """Bits a day that what came was worse known than for sure [days, ...]."""
    came = ahead > 0
    p = chances.clip(1e-9, 1 - 1e-9)
    bits = -np.where(came, np.log2(p), np.log2(1 - p))
    return float(bits.sum() / len(ahead))


def compared(seed: int, days: int, ways: dict[str, Smoothing]) -> dict[str, float]:
    """The loss of each way, of the truth, and of what knows no hour or place."""
    rng = np.random.default_rng(seed)
    true = site(rng)
    known = history(true.drawn(range(days), rng))
    ahead = true.drawn(range(days, days + AHEAD), rng)
    hours = np.stack([true.weekend if day % 7 > 4 else np.ones(NOUNS)
                      for day in range(days, days + AHEAD)])  # fmt: skip
    exact = -np.expm1(-true.rates[None] * hours[:, :, None, None, None])
    of_noun = np.array([known.counts[str(noun)].sum() for noun in range(NOUNS)])
    flat = (of_noun + 0.5) / known.hours / (GRID[0] * GRID[1])
    by_dictionary = true.shares * max(known.events, 1) / known.hours / (GRID[0] * GRID[1])

    def spread(rates: Floats) -> Floats:
        whole = np.broadcast_to(rates[:, None, None, None], (NOUNS, *GRID, HOURS))
        return -np.expm1(-whole)

    return {
        "truth": loss(exact, ahead),
        **{name: loss(told(known, true.shares, by), ahead) for name, by in ways.items()},
        "noun alone": loss(spread(flat), ahead),
        "dictionary alone": loss(spread(by_dictionary), ahead),
    }


def mean_of(sites: int, first: int, days: int, ways: dict[str, Smoothing]) -> dict[str, float]:
    """The mean over sites."""
    each = [compared(first + number, days, ways) for number in range(sites)]
    return {name: round(float(np.mean([one[name] for one in each])), 2) for name in each[0]}


def _grid() -> dict[str, Smoothing]:
    ways = product((1.0, 1.5, 2.0), (0.4, 0.6), (2.0, 6.0), (6.0, 12.0, 24.0, 48.0))
    return {
        f"hours {h} cells {c} place {p} own {o}": Smoothing(h, c, place_h=p, own_h=o)
        for h, c, p, o in ways
    }


def main() -> None:
    """Compare on some sites, print a line for each number of days and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--split", default="report", choices=[*SEEDS])
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--tune", action="store_true", help="try many ways of smoothing")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()

    ways = _grid() if options.tune else {"habits": Smoothing()}
    results = {}
    for days in DAYS:
        results[days] = mean_of(options.sites, SEEDS[options.split], days, ways)
        if not options.json:
            print(days, results[days], flush=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
