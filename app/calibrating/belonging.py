"""Weights of a camera from what people confirmed: what each answer says of the three words."""

from collections.abc import Callable

from app.calibrating.answers import Answers
from calibration.belonging import Word
from calibration.site.confirmed import Confirmed
from calibration.site.weights import Answered, Weighed, fit_weights
from scenarios.belonging_rule import BelongingRule

UNKNOWN = "unknown"
"""What people write of a thing that nobody can tell."""

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
    answered = [
        Answered(one.time_us, word_of(one, knows, rule.expected_from), one.seen, one.by_rule)
        for one in answers.events
        if one.seen and one.by_rule is not None
    ]
    return fit_weights(answered, rule.sure_from)


def word_of(event: Confirmed, knows: Knows, line: float) -> Word:
    """What an event truly was.

    What is normal there is expected, and so is a noun of the site from a frequency on. A noun that
    the decoder cannot say is unknown to it, as is what nobody can tell.
    """
    if event.is_normal:
        return "expected"
    frequency = None if event.noun == UNKNOWN else knows(event.noun)
    if frequency is None:
        return "unknown"
    return "expected" if frequency >= line else "unexpected"
