"""What is to be rated, by whom, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.llm.costs import DIRECT_PRICES, Prices
from scenarios.ratings.records import Backend

LEAST_AUC = 0.9
"""Share of the owner's examples, in pairs, that a language model must put in the right order."""
LEAST_PRIOR_AUC = 0.6
"""The same of the prior. It learns from the examples themselves: judging each without its help,
ten diverse examples say less of it than hand labels do (docs/decisions.md)."""


@dataclass(frozen=True, slots=True)
class RateOrder:
    """An order as it was typed."""

    name: str
    backend: Backend
    root: Path | None = None
    dictionary: Path | None = None
    """Base dictionary; by default the scenario's, else that of the last rating, else Nomaly's own,
    which the word base names."""
    limit: int | None = None
    """Only so many nouns are asked about, the most frequent."""
    everything: bool = False
    """Ask about every noun instead of stopping by measurement."""
    model: str = "gpt-4o-mini"
    model_file: Path | None = None
    """GGUF file of the local back end."""
    threads: int | None = None
    base_url: str | None = None
    parallel: int = 8
    prices: Prices = DIRECT_PRICES
    """Of direct requests."""
    max_cost: float | None = None
    """USD that may be spent on this question in all; None for no cap."""
    seed: int = 0
    least_auc: float | None = None
    """Share of pairs of examples that must be in order; by default what its back end must reach."""
    upstream_rule: bool = False
    restart: bool = False
    """Begin anew although a run with other settings is unfinished."""

    @property
    def gate(self) -> float:
        """Share of pairs of examples that must be in order before anything is written."""
        if self.least_auc is not None:
            return self.least_auc
        return LEAST_PRIOR_AUC if self.backend == "prior" else LEAST_AUC

    @property
    def asked_prices(self) -> Prices:
        """What this back end pays."""
        return self.prices.in_batches() if self.backend == "batch" else self.prices


@dataclass(frozen=True, slots=True)
class Rated:
    """What the finished dictionary holds and took."""

    output: Path
    rated: int
    """Nouns that the rater judged."""
    estimated: int
    """Nouns with a value that follows from others'."""
    unrated: int
    """Nouns that were asked about in vain."""
    requests: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    auc_examples: float | None
    """Share of pairs of the owner's examples in order; None if none was judged."""
    ft: dict[int, int]
    """Nouns in the dictionary above each frequency threshold."""
    more: tuple[str, ...] = ()
    """Nouns that are far more expected here than anywhere, the most telling first."""
    less: tuple[str, ...] = ()
    """Nouns that are far less expected here."""

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "rated": self.rated,
            "estimated": self.estimated,
            "unrated": self.unrated,
            "requests": self.requests,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_usd": round(self.cost_usd, 6),
            "auc_examples": None if self.auc_examples is None else round(self.auc_examples, 4),
            "ft": self.ft,
            "more": list(self.more),
            "less": list(self.less),
            "output": str(self.output),
        }
