"""Weights of a camera from what people confirmed: what each answer says of the three words."""

import math
from collections.abc import Callable

from app.calibrating.answers import Answers
from calibration.belonging import Evidence, Word, decide
from calibration.site.confirmed import Confirmed
from calibration.site.weights import Answered, Weighed, fit_weights, seen_of
from scenarios.belonging_rule import BelongingRule

_FAR = 50.0
"""Log-odds beyond which p is 0 or 1."""

type Knows = Callable[[str], float | None]
"""A noun's frequency at the site, 1 to 10, 0 if it is none of the site's; None if the decoder
cannot say it."""


def weighed(answers: Answers, knows: Knows, rule: BelongingRule | None = None) -> Weighed:
    """Fit what evidence is worth, by the events that hold it.

    Args:
        answers: What people confirmed.
        knows: What is known of a noun.
        rule: Says which nouns are expected; the default one if not given.
    """
    rule = rule or BelongingRule()
    return fit_weights([answered(one, knows, rule) for one in answers.events if one.seen], rule)


def answered(event: Confirmed, knows: Knows, rule: BelongingRule) -> Answered:
    """What weights learn of an event: all as the site's rule and nouns are now.

    What was told then may have been by another rule, and by p that a calibration scaled.

    Args:
        event: That holds numbers.
        knows: What is known of a noun.
        rule: Of the site.
    """
    plain = plain_of(event, knows)
    seen = {**event.seen, "dictionary": seen_of(plain, rule)["dictionary"]}
    word = word_of(event, knows, rule.expected_from)
    return Answered(event.time_us, word, seen, decide(plain, rule))


def plain_of(event: Confirmed, knows: Knows) -> Evidence:
    """The evidence of an event as the decoder itself gave it.

    Args:
        event: That holds numbers.
        knows: What is known of a noun.
    """
    nouns = tuple((one.noun, one.p, knows(one.noun) or 0.0) for one in event.candidates)
    rest, kind_p, site_p = (_p(event, name) for name in ("rest", "kind", "looks"))
    return Evidence(nouns, event.rest if rest is None else rest, kind_p or 0.0, site_p)


def _p(event: Confirmed, name: str) -> float | None:
    """A number of an event that is log-odds, as a probability; None if it is not known."""
    odds = event.seen.get(name)
    return None if odds is None else 1 / (1 + math.exp(-min(_FAR, max(-_FAR, odds))))


def word_of(event: Confirmed, knows: Knows, line: float) -> Word:
    """What an event truly was.

    What is normal there is expected, and so is a noun of the site from a frequency on. A noun that
    the decoder cannot say is unknown to it, as is what nobody can tell.
    """
    if event.is_normal:
        return "expected"
    frequency = None if event.is_unknown else knows(event.noun)
    if frequency is None:
        return "unknown"
    return "expected" if frequency >= line else "unexpected"
