"""What a rating would ask and cost, before anything is asked."""

import os
from dataclasses import dataclass, field
from typing import Any

from app.progress import Reporter
from app.sites.rating.order import RateOrder
from app.sites.rating.run import FEW
from app.sites.rating.work import Work, check_examples_named, open_work
from scenarios.llm.costs import usd
from scenarios.raters.digits.estimate import REQUEST_S, Estimate, estimate, first_opinion
from scenarios.raters.digits.prompts import request_body
from scenarios.raters.vectors.student import first_nouns
from scenarios.site import find_scenario

LOCAL_CPU_S = 0.45
"""Processor seconds that the local model takes for a noun at most (scenarios_spec §3.4)."""


@dataclass(frozen=True, slots=True)
class RatingPlan:
    """Bounds of what is going to be asked."""

    backend: str
    nouns: int
    """Of the dictionary, or of the limit."""
    first: int
    """Nouns that are asked about in any case, before measurement says how many more."""
    least: Estimate | None = None
    """For them; None for back ends that cost nothing."""
    most: Estimate | None = None
    """For all nouns."""
    cpu_s: tuple[float, float] | None = None
    """Least and most processor seconds of the local model."""
    example: list[dict[str, str]] = field(default_factory=list)
    """Messages of the first request."""

    def sentence(self) -> str:
        """For people."""
        asked = f"{self.first:,} to {self.nouns:,} nouns" if self.first < self.nouns else ""
        asked = asked or f"{self.nouns:,} nouns"
        if self.least is not None and self.most is not None:
            return _priced(asked, self.least, self.most)
        if self.cpu_s is not None:
            cores = os.cpu_count() or 1
            least, most = (seconds / cores / 3600 for seconds in self.cpu_s)
            return f"The local model is asked about {asked}: {least:.1f} to {most:.1f} hours here."
        return f"The prior judges {self.nouns:,} nouns without asking anybody."

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "backend": self.backend,
            "nouns": self.nouns,
            "first": self.first,
            "least": self.least and _estimate_json(self.least),
            "most": self.most and _estimate_json(self.most),
            "cpu_s": self.cpu_s,
        }


def plan_rating(order: RateOrder, reporter: Reporter) -> RatingPlan:
    """What `rate_site` would ask if nothing were answered yet; asks and sends nothing.

    Raises:
        RatingError: If the scenario's examples or description do not suffice.
        ScenarioError, DictionaryError: If files cannot be read.
    """
    scenario = find_scenario(order.name, order.root, reporter.say)
    check_examples_named(scenario)
    work = open_work(order, scenario, reporter)
    nouns, first = work.asked(), _first(work)
    if order.backend == "prior":
        return RatingPlan(order.backend, len(nouns), len(nouns))
    if order.backend == "local":
        cpu_s = (LOCAL_CPU_S * len(first), LOCAL_CPU_S * len(nouns))
        return RatingPlan(order.backend, len(nouns), len(first), cpu_s=cpu_s)
    planned = first_opinion(work.place, work.lines(first))[0]
    example = request_body(order.model, work.place, planned)["messages"]
    least, most = _estimate(work, first), _estimate(work, nouns)
    return RatingPlan(order.backend, len(nouns), len(first), least, most, example=example)


def _first(work: Work) -> list[str]:
    """The nouns that are asked about in any case."""
    order = work.order
    if order.limit or order.everything or len(work.base.entries) <= FEW:
        return work.asked()
    return list(first_nouns(work.base, order.seed))


def _estimate(work: Work, nouns: list[str]) -> Estimate:
    order = work.order
    return estimate(
        work.place,
        work.lines(nouns),
        prices=order.asked_prices,
        model=order.model,
        parallel=order.parallel if order.backend == "direct" else None,
    )


def _priced(asked: str, least: Estimate, most: Estimate) -> str:
    def both(low: str, high: str) -> str:
        return low if low == high else f"{low} to {high}"

    requests = both(f"{least.requests:,}", f"{most.requests:,}")
    cost = usd(least.cost_usd, most.cost_usd)
    tokens = both(f"{least.tokens_in:,}", f"{most.tokens_in:,}")
    counted = "" if least.exact else " (tokens are guessed from letters)"
    when = "within a day per round"
    if least.seconds is not None and most.seconds is not None:
        minutes = both(f"{least.seconds / 60:.0f}", f"{most.seconds / 60:.0f}")
        when = f"about {minutes} minutes if a request takes {REQUEST_S:g} s"
    return (
        f"{asked}: {requests} requests, {tokens} tokens sent, {cost}{counted} at the prices of "
        f"--input-price and --output-price (set 0 for a server of your own), {when}. "
        "--max-cost holds it to a sum."
    )


def _estimate_json(of: Estimate) -> dict[str, Any]:
    return {
        "requests": of.requests,
        "tokens_in": of.tokens_in,
        "tokens_out": of.tokens_out,
        "cost_usd": round(of.cost_usd, 4),
        "seconds": of.seconds,
        "exact": of.exact,
    }
