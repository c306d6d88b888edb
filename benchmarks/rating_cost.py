"""What does rating the full dictionary cost, against upstream's way of asking?

Counts the tokens of both request sets, request by request, with o200k_base. Ours: 25 lines per
request, one digit each, 1.8 opinions. Upstream's (scenarios_spec §3.1): one noun per request,
three opinions, nine fields of which five are prose. Its texts here are of our own wording, and
shorter than scenarios_spec §3.3 has them (391 for 532 tokens), which errs in upstream's favour. Its
answer is counted twice: as long as upstream itself plans for (288 tokens) and as long as the
example below. A schema is counted as a type and as JSON.

    python -m benchmarks.rating_cost [--dictionary FILE] [--json]
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenarios.dictionary import read_dictionary
from scenarios.llm.costs import DIRECT_PRICES, TokenCounter, token_counter
from scenarios.paths import base_dictionary_path
from scenarios.raters.digits.estimate import OPINIONS, answer_tokens, estimate, first_opinion
from scenarios.raters.digits.prompts import asked_as, request_body
from scenarios.ratings.records import Line, Place
from scenarios.site import LIBRARY, load_scenario

UPSTREAM_OPINIONS = 3
PLANNED_ANSWER = 288
"""Tokens: upstream's limit of 600 times its planning ratio of 0.48."""

SYSTEM = """\
You help to make a noun dictionary for one particular scenario. You are given a single noun and \
reply with structured facts about it, and nothing else.
An object noun is a noun that names a physical thing that can be touched and photographed, such as \
a tool, an animal, a plant, a vehicle, a piece of furniture, food, a building or a part of any of \
these. Nouns for ideas, events, feelings, quantities, places in general or materials without a \
shape are none.
The facts decide how often the noun is to appear in the dictionary of the scenario: nouns for what \
will regularly be in view get a high frequency, nouns for what can hardly come into view get a low \
one. Consider the whole range of the scale, and consider each noun only by itself.
The scenario is: {description}"""

FIELDS: dict[str, str] = {
    "object_noun": "string",
    "formatted_noun": "string",
    "dictionary_gloss": "string",
    "is_valid_object_noun_discussion": "string",
    "is_valid_object_noun": "boolean",
    "can_conceivably_occur_discussion": "string",
    "can_conceivably_occur_rating": "integer",
    "will_likely_occur_discussion": "string",
    "will_likely_occur_rating": "integer",
}
HELP: dict[str, str] = {
    "object_noun": "The noun exactly as it was given.",
    "formatted_noun": "The noun as a dictionary would print it.",
    "dictionary_gloss": "A short definition of the noun.",
    "is_valid_object_noun_discussion": "Two sentences on whether this is an object noun.",
    "is_valid_object_noun": "Whether it is.",
    "can_conceivably_occur_discussion": "Three sentences on whether it could ever come into view.",
    "can_conceivably_occur_rating": "How conceivable that is, from 1 (not) to 10 (entirely).",
    "will_likely_occur_discussion": "Three sentences on how likely it will come into view.",
    "will_likely_occur_rating": "How likely that is, from 1 (not at all) to 10 (certain).",
}
ANSWER = {
    "object_noun": "torque wrench",
    "formatted_noun": "torque wrench",
    "dictionary_gloss": "a hand tool that tightens a bolt or nut with a set turning force",
    "is_valid_object_noun_discussion": "A torque wrench is a solid tool that can be picked up, "
    "used and photographed. It is therefore clearly a noun for a physical object.",
    "is_valid_object_noun": True,
    "can_conceivably_occur_discussion": "Aircraft are put together with a very large number of "
    "bolts whose tightness is laid down. A torque wrench is the usual tool for that, and mechanics "
    "carry it to where they work. It could be in view of a camera in nearly every hall of the "
    "facility.",
    "can_conceivably_occur_rating": 10,
    "will_likely_occur_discussion": "On an assembly line such wrenches lie on benches, hang on "
    "tool boards and are in the hands of mechanics during every shift. Offices and stores will see "
    "them less, but they make up a smaller part of the indoor areas. Over an ordinary month the "
    "cameras will almost surely capture torque wrenches many times.",
    "will_likely_occur_rating": 9,
}


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dictionary", type=Path, default=base_dictionary_path())
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    counter = token_counter()
    entries = read_dictionary(arguments.dictionary).entries
    lines = [Line(entry.target_noun, asked_as(entry)) for entry in entries]
    result: dict[str, Any] = {"nouns": len(lines), "exact": counter.exact}
    for name in ("airbus", "nicol"):
        place = load_scenario(LIBRARY / name).place()
        result[name] = compare(place, lines, counter)
    if not arguments.json:
        print("tokens per request and USD at batch prices; schema as type / as JSON")
        for name in ("airbus", "nicol"):
            for side in ("ours", "upstream", "upstream_short"):
                row = result[name][side]
                print(
                    f"{name:<7} {side:<15} {row['requests']:>7} requests  "
                    f"in {row['in']:>4} / {row['in_json']:>4}  out {row['out']:>3}  "
                    f"{row['usd']:>6.2f} / {row['usd_json']:>6.2f} USD"
                )
            print(f"{name:<7} ours is 1/{result[name]['times']:.1f} of upstream's at its dearest "
                  "for us")  # fmt: skip
    print(json.dumps(result))


def compare(place: Place, lines: Sequence[Line], counter: TokenCounter) -> dict[str, Any]:
    """Both request sets for a place, and how many times dearer upstream's is at least."""
    ours = our_requests(place, lines, counter)
    upstream = upstream_requests(place, lines, counter, PLANNED_ANSWER)
    short = upstream_requests(place, lines, counter, counter.count(json.dumps(ANSWER)))
    times = min(
        theirs[usd] / ours[usd] for theirs in (upstream, short) for usd in ("usd", "usd_json")
    )
    return {"ours": ours, "upstream": upstream, "upstream_short": short, "times": round(times, 1)}


def our_requests(place: Place, lines: Sequence[Line], counter: TokenCounter) -> dict[str, float]:
    """Requests, mean tokens and USD of ours."""
    planned = first_opinion(place, lines)
    bodies = [request_body("gpt-4o-mini", place, each) for each in planned]
    tokens_out = sum(answer_tokens(len(each.lines), counter) for each in planned)
    row = _row(
        len(planned),
        sum(map(counter.request, bodies)),
        sum(map(counter.longest_request, bodies)),
        tokens_out,
        OPINIONS,
    )
    # What users are told before they pay is this very sum.
    assert row["requests"] == estimate(place, lines).requests  # noqa: S101
    return row


def upstream_requests(
    place: Place, lines: Sequence[Line], counter: TokenCounter, answer: int
) -> dict[str, float]:
    """The same of upstream's design."""
    body = {
        "messages": [
            {"role": "system", "content": SYSTEM.format(description=place.description)},
            {"role": "user", "content": "NOUN:\n"},
        ],
        "response_format": {"json_schema": schema()},
    }
    # The nouns alone differ from request to request; the words of the help are part of the type.
    words = sum(counter.count(f" // {HELP[name]}") for name in FIELDS)
    nouns = sum(counter.count(line.asked_as) for line in lines)
    constant = counter.request(body) + words
    return _row(
        len(lines),
        constant * len(lines) + nouns,
        counter.longest_request(body) * len(lines) + nouns,
        answer * len(lines),
        UPSTREAM_OPINIONS,
    )


def schema() -> dict[str, Any]:
    """Upstream's nine fields, as strict as it has them."""
    properties = {
        name: {"title": name, "type": kind, "description": HELP[name]}
        for name, kind in FIELDS.items()
    }
    strict = {"type": "object", "required": list(FIELDS), "additionalProperties": False}
    return {"name": "noun", "strict": True, "schema": {**strict, "properties": properties}}


def _row(
    requests: int, tokens_in: int, longest_in: int, tokens_out: int, opinions: float
) -> dict[str, float]:
    prices = DIRECT_PRICES.in_batches()
    return {
        "requests": round(opinions * requests),
        "in": round(tokens_in / requests),
        "in_json": round(longest_in / requests),
        "out": round(tokens_out / requests),
        "usd": round(opinions * prices.cost(tokens_in, tokens_out), 3),
        "usd_json": round(opinions * prices.cost(longest_in, tokens_out), 3),
    }


if __name__ == "__main__":
    main()
