"""What rating by digits will take, before anything is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.llm.costs import DIRECT_PRICES, Prices, TokenCounter, token_counter
from scenarios.raters.digits.plan import Planner, dealt, pilot_size, shuffled
from scenarios.raters.digits.prompts import REAL_LINES, keys, request_body
from scenarios.ratings.records import Line, Place, Planned

OPINIONS = 1.8
"""Per noun, as the simulated rater of benchmarks/rating_agreement.py needs; 1.35 was
hoped for (scenarios_spec §3.3)."""
REQUEST_S = 4.0
"""Seconds that a request is assumed to take; servers differ, this is a guess."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a whole run."""

    requests: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    seconds: float | None
    """With so many requests at once as asked for; None for batches, which providers promise within
    24 hours per round."""
    exact: bool
    """Whether tokens were counted with o200k_base. Other models count a few per cent differently;
    without it, they are taken from the number of characters."""


def estimate(
    place: Place,
    lines: Sequence[Line],
    opinions: float = OPINIONS,
    prices: Prices = DIRECT_PRICES,
    *,
    model: str = "gpt-4o-mini",
    parallel: int | None = 8,
) -> Estimate:
    """Count requests and tokens of a first opinion, and take the others to be alike.

    Args:
        place: What the model is told.
        lines: Nouns to be rated.
        opinions: Per noun, on average.
        prices: USD per million tokens.
        model: Decides which options a request has.
        parallel: Requests at once; None for the batch service.

    Raises:
        scenarios.ratings.records.RatingError: If the description or the examples do not suffice.
    """
    counter = token_counter()
    requests = first_opinion(place, lines)
    tokens_in = sum(counter.request(request_body(model, place, planned)) for planned in requests)
    answers = {count: answer_tokens(count, counter) for count in {len(p.lines) for p in requests}}
    tokens_out = sum(answers[len(planned.lines)] for planned in requests)
    count = round(opinions * len(requests))
    tokens_in, tokens_out = round(opinions * tokens_in), round(opinions * tokens_out)
    return Estimate(
        count,
        tokens_in,
        tokens_out,
        prices.cost(tokens_in, tokens_out),
        None if parallel is None else count * REQUEST_S / parallel,
        counter.exact,
    )


def first_opinion(place: Place, lines: Sequence[Line]) -> list[Planned]:
    """The requests that ask every noun once; about as they will be, as duplicates are drawn later.

    Args:
        place: What the model is told.
        lines: Nouns; the owner's examples among them are asked in hidden lines alone.
    """
    examples = {*place.seen, *place.never}
    nouns = shuffled([line for line in lines if line.target_noun not in examples], 0, 1)
    pilot = pilot_size(place)
    first, others = nouns[: pilot * REAL_LINES], nouns[pilot * REAL_LINES :]
    spellings = {line.target_noun: line.asked_as for line in lines}
    planner = Planner(place, 0, 0, spellings)
    requests = planner.requests(dealt(first, pilot), 1, 1, 0)
    later = Planner(place, 0, pilot, spellings, first)
    return requests + later.requests(dealt(others, -(-len(others) // REAL_LINES)), 1, 1, 0)


def answer_tokens(count: int, counter: TokenCounter) -> int:
    """Tokens of an answer to so many lines, as models write JSON."""
    names = keys([Line("", "")] * count)
    return counter.count("{" + ", ".join(f'"{name}": 0' for name in names) + "}")
