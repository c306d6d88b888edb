"""From what raters said to a site's two files, after a rating and again after a review."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.sites.rating.order import Rated
from app.sites.rating.work import Work
from scenarios.comparing import count_above
from scenarios.dictionary import ObjectDictionary
from scenarios.ratings.files import provenance, read_site_ratings, write_site
from scenarios.ratings.records import RatingError
from scenarios.ratings.result import (
    NounRating,
    RatedLogit,
    Rule,
    SiteRatings,
    exact_frequencies,
    site_dictionary,
)
from scenarios.ratings.scale import Calibration, frequency, share_likely
from scenarios.ratings.store import Asked
from scenarios.ratings.surprises import telling
from scenarios.ratings.upstream import upstream_frequencies

SAMPLE = 300
"""Random nouns that tell what share of the dictionary is likely at a site (scenarios_spec §3.2)."""
RATERS_FLAGS = frozenset({"estimated", "prior", "unrated"})
"""Flags that a rating brings; the others follow from what people say."""
OUR_RULE, UPSTREAM_RULE = "largest remainder", "upstream"
RULES: Mapping[str, Rule] = {OUR_RULE: exact_frequencies, UPSTREAM_RULE: upstream_frequencies}
"""How ratings become frequencies, by the name in the sidecar."""
TOLD = 10
"""Nouns that a rating is told by, of those more and of those less expected here."""
THRESHOLDS = (0, 2, 4, 6, 9)
"""Frequencies that sizes are told for."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What raters said about a site's nouns, calibrated."""

    asked: Asked
    calibration: Calibration
    rated: Mapping[str, float] = field(default_factory=dict)
    """Log-odds by noun, of a language model."""
    opinions: Mapping[str, int] = field(default_factory=dict)
    unrated: frozenset[str] = frozenset()
    """Nouns that it was asked about in vain."""
    estimated: Mapping[str, float] = field(default_factory=dict)
    """Log-odds of nouns that it was not asked about, from those that it was."""
    prior: Mapping[str, float] = field(default_factory=dict)
    """Log-odds by noun, of the offline prior."""

    def logits(self) -> dict[str, RatedLogit]:
        """The best that is known of each noun, with its source."""
        prior = {
            noun: RatedLogit(
                value, 0, ("prior",), ("unrated", "prior") if noun in self.unrated else ("prior",)
            )
            for noun, value in self.prior.items()
        }
        estimated = {
            noun: RatedLogit(value, 0, (self.asked.question.model,), ("estimated",))
            for noun, value in self.estimated.items()
        }
        rated = {
            noun: RatedLogit(value, self.opinions.get(noun, 1), (self.asked.question.model,))
            for noun, value in self.rated.items()
        }
        return prior | estimated | rated


def write_result(work: Work, judged: Judged) -> Rated:
    """Write a rated site's dictionary and sidecar.

    Raises:
        RatingError: If nothing would be left in the dictionary, or the files cannot be written; the
            earlier ones stay.
    """
    logits = judged.logits()
    # The prior only ranks, so it gives no probabilities.
    share = _share(work.base, logits, work.order.seed) if judged.rated else None
    rule = UPSTREAM_RULE if work.order.upstream_rule else OUR_RULE
    told = provenance(
        [(judged.asked, judged.calibration)],
        base_sha256=work.base_sha256,
        dictionary=work.start.as_json(),
        rule=rule,
        share=share,
        made_us=now_us(),
    )
    dictionary, ratings = _write(work, logits, share, told)
    more, less = telling(ratings, TOLD)
    spent, rated = judged.asked.spent, len(judged.rated or judged.prior)
    return Rated(
        output=work.scenario.site_dictionary_path,
        rated=rated,
        estimated=len(logits) - rated - len(judged.unrated),
        unrated=len(judged.unrated),
        requests=spent.requests,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        cost_usd=spent.cost_usd,
        auc_examples=judged.calibration.auc,
        ft=ft_sizes(dictionary),
        more=more,
        less=less,
    )


def write_reviewed(work: Work, ratings: SiteRatings) -> None:
    """Write a site's files anew after edits: the same ratings under another overlay.

    Raises:
        RatingError: As `write_result`; also if the base dictionary is another one now.
    """
    check_same_start(work, ratings)
    logits = {
        noun.target_noun: RatedLogit(
            noun.logit,
            noun.opinions,
            noun.raters,
            tuple(flag for flag in noun.flags if flag in RATERS_FLAGS),
        )
        for noun in ratings.nouns
        if noun.logit is not None
    }
    share = ratings.provenance.get("share_likely")
    told = {
        **ratings.provenance,
        "base_dictionary_sha256": work.base_sha256,
        "dictionary": work.start.as_json(),
    }
    _write(work, logits, share if isinstance(share, float) else None, told)


def check_same_start(work: Work, ratings: SiteRatings) -> None:
    """Refuse to change ratings that were made from another dictionary than there is now.

    Raises:
        RatingError: If it is another.
    """
    noted = ratings.provenance.get("dictionary")
    if isinstance(noted, dict):
        same = noted.get("sha256") == work.start.sha256
    else:
        same = ratings.provenance.get("base_dictionary_sha256") == work.base_sha256
    if not same:
        raise RatingError(
            f"{work.scenario.site_dictionary_path}: was made from another base dictionary than "
            f"there is now; run `nomaly scenario rate {work.scenario.name}` again, with the same "
            "--dictionary if one was named: edits and answers are kept, none is paid for twice"
        )


def frequency_by(work: Work, ratings: SiteRatings) -> Callable[[str, float], int]:
    """What frequency a rating gives a noun under the rule that the site was rated by."""
    rule = RULES[str(ratings.provenance.get("rule", OUR_RULE))]
    entries = {entry.target_noun: entry for entry in work.base.entries}

    def by(noun: str, stars: float) -> int:
        entry = entries.get(noun)
        return frequency(stars) if entry is None else rule(entry, stars)[0].total_freq

    return by


def ft_sizes(dictionary: ObjectDictionary) -> dict[int, int]:
    """How many nouns are above each frequency threshold."""
    return {ft: count_above(dictionary, ft) for ft in THRESHOLDS}


def now_us() -> int:
    """UTC, microseconds; for people."""
    return time.time_ns() // 1000


def _write(
    work: Work, logits: Mapping[str, RatedLogit], share: float | None, told: Mapping[str, Any]
) -> tuple[ObjectDictionary, SiteRatings]:
    scenario = work.scenario
    dictionary, nouns = site_dictionary(
        work.base,
        logits,
        work.overlay,
        work.wishes,
        share=share,
        previous=_previous(scenario.ratings_path),
        rule=RULES[str(told["rule"])],
    )
    ratings = SiteRatings(scenario.name, work.place.description, told, nouns)
    write_site(scenario.folder, scenario.name, dictionary, ratings)
    return dictionary, ratings


def _previous(path: Path) -> dict[str, NounRating]:
    """Ratings that the site had before; none if it had none that can be read."""
    try:
        return {noun.target_noun: noun for noun in read_site_ratings(path).nouns}
    except RatingError:
        return {}


def _share(base: ObjectDictionary, logits: Mapping[str, RatedLogit], seed: int) -> float:
    """Share of nouns that are likely here, from a random sample of those with a value."""
    known = [logits[noun].logit for noun in base.targets if noun in logits]
    drawn = np.random.default_rng(seed).permutation(len(known))[:SAMPLE]
    return share_likely([known[int(number)] for number in drawn])
