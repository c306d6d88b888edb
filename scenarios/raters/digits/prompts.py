"""What a cloud-size language model is asked: 25 things at once, a digit for each.

One request tells the site, seven things seen and seven never seen there, and lists nouns under
fixed keys (scenarios_spec §3.3). The answer is one small JSON object, so nearly all that is paid
for is a digit per noun.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from novic.vocabulary import canonical, sanitised
from scenarios.dictionary import NounEntry
from scenarios.llm.forms import thinks_first
from scenarios.llm.transport import ChatRequest
from scenarios.ratings.records import Line, Place, Planned, Question, RatingError

PROMPT = 1
"""Version of everything below that a model reads; answers to other versions are not mixed."""

REAL_LINES = 22
"""Nouns to be rated in a request; up to three hidden lines come on top."""
SPLITS = 4
"""Ways to divide the owner's examples into told and hidden ones."""
FEWEST_EXAMPLES = 8
"""Of either kind; with fewer neither the model nor its answers can be judged."""

SYSTEM = """\
You rate how often kinds of things are seen by a fixed camera at one real place.

PLACE
{description}

OFTEN SEEN HERE (given by the site's owner): {seen}
NEVER SEEN HERE (given by the site's owner): {never}

You get a numbered list of things. Give each number one whole number:
0 could not be there at all
1 only by a strange accident
2 possible, but not expected in a year
3 perhaps once a year
4 a few times a year
5 about once a month
6 about once a week
7 most days
8 every day
9 in view nearly all the time
Judge the thing itself; a picture, toy or model of it counts only if PLACE says so. If a word has
several meanings, take the one a camera could see most easily here. Use the whole scale. Judge each
line on its own; neighbouring lines are unrelated."""

JSON_PLEASE = (
    "Answer with one JSON object and nothing else: its keys are {first} to {last}, "
    "each with a whole number from 0 to 9."
)
"""Added to the system message for endpoints that take no schema."""

ANSWER_TOKENS = 10
"""Most that a model may write per line, and ten more; strict JSON takes seven."""
THOUGHT_TOKENS = 4000
"""Added for models that think before they answer; what they think is paid for, too."""

_SPECIAL = re.compile(r"<\|[^|<>]*\|>|</?s>|\[/?INST\]|<<?/?SYS>?>|<(?:start|end)_of_turn>", re.I)


@dataclass(frozen=True, slots=True)
class Split:
    """The owner's examples, divided into those that the model is told and those it must judge."""

    seen: tuple[str, ...]
    never: tuple[str, ...]
    hidden_seen: tuple[str, ...]
    hidden_never: tuple[str, ...]


def asked_as(entry: NounEntry) -> str:
    """The spelling of a noun that tells most: "X-ray machine" rather than "x ray machine".

    Of the display spelling and the singulars with the same canonical form as the noun, the one with
    most characters that are neither letters, digits nor spaces; then with most capitals; then the
    first (novic_spec §1.9).
    """
    spellings = [
        word
        for word in (entry.pretty_noun, *entry.singulars)
        if entry.target_noun in (canonical(word), sanitised(word))
    ]
    return max(spellings, key=_telling, default=entry.target_noun)


def digit_question(model: str, place: Place) -> Question:
    """What is asked of a model about a place, as the store knows it."""
    return Question("digit", model, "", PROMPT_SHA256, place.sha256)


@lru_cache(maxsize=8)
def splits(place: Place) -> tuple[Split, ...]:
    """Four ways to tell about three quarters of the examples and hide the others.

    Every example is hidden at least once; of 10 + 10, 7 + 7 are told and 3 + 3 hidden.

    Raises:
        RatingError: If there are fewer than 8 + 8 examples, or one is of both kinds or named twice.
    """
    if min(len(place.seen), len(place.never)) < FEWEST_EXAMPLES:
        raise RatingError(
            f"the site names {len(place.seen)} things that are seen there and {len(place.never)} "
            f"that are never seen; name at least {FEWEST_EXAMPLES} of each, 10 are better"
        )
    names = (*place.seen, *place.never)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RatingError(
            f"{twice[0]!r} is named twice among the things seen and never seen at the site; "
            "name it once"
        )
    parts = []
    for number in range(SPLITS):
        seen, hidden_seen = _hide(place.seen, number)
        never, hidden_never = _hide(place.never, number)
        parts.append(Split(seen, never, hidden_seen, hidden_never))
    return tuple(parts)


@lru_cache(maxsize=8 * SPLITS)
def system_message(place: Place, split: int) -> str:
    """The task, the site and the examples that this split tells.

    Raises:
        RatingError: As `splits`, or if nothing is left of the description.
    """
    told = splits(place)[split]
    description = clean(place.description)
    if not description:
        raise RatingError("the site's description is empty; describe the place in a sentence")
    return SYSTEM.format(
        description=description,
        seen=", ".join(map(clean, told.seen)),
        never=", ".join(map(clean, told.never)),
    )


def user_message(lines: Sequence[Line]) -> str:
    """The list: a key and a noun on each line."""
    return "\n".join(
        f"{key} {clean(line.asked_as)}" for key, line in zip(keys(lines), lines, strict=True)
    )


def keys(lines: Sequence[Line]) -> list[str]:
    """n1, n2 and so on, one for each line."""
    return [f"n{number}" for number in range(1, len(lines) + 1)]


def answer_schema(count: int) -> dict[str, Any]:
    """JSON schema of the answer to so many lines."""
    names = keys([Line("", "")] * count)
    return {
        "type": "object",
        "properties": {name: {"type": "integer", "minimum": 0, "maximum": 9} for name in names},
        "required": names,
        "additionalProperties": False,
    }


def request_body(model: str, place: Place, planned: Planned) -> dict[str, Any]:
    """A planned request as a chat completion in OpenAI's protocol.

    Models that think before they answer take no temperature and need room for their thoughts.

    Raises:
        RatingError: As `system_message`.
    """
    room = ANSWER_TOKENS * (len(planned.lines) + 1)
    limits: Mapping[str, Any] = {"temperature": 0, "max_tokens": room}
    if thinks_first(model):
        limits = {"reasoning_effort": "low", "max_completion_tokens": room + THOUGHT_TOKENS}
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": system_message(place, planned.split)},
            {"role": "user", "content": user_message(planned.lines)},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "site_ratings",
                "strict": True,
                "schema": answer_schema(len(planned.lines)),
            },
        },
        **limits,
    }


def digit_request(request_id: str, model: str, place: Place, planned: Planned) -> ChatRequest:
    """A planned request for endpoints of all kinds.

    Raises:
        RatingError: As `system_message`.
    """
    names = keys(planned.lines)
    please = JSON_PLEASE.format(first=names[0], last=names[-1])
    return ChatRequest(request_id, request_body(model, place, planned), please)


def clean(text: str) -> str:
    """A person's text on one line, without what tokenizers take for commands."""
    # Taking one marker out can make another one of what was around it.
    while (shorter := _SPECIAL.sub(" ", text)) != text:
        text = shorter
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _hide(examples: tuple[str, ...], split: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(told, hidden) examples of one kind; the hidden quarters overlap where it does not divide."""
    count = -(-len(examples) // SPLITS)
    first = split * len(examples) // SPLITS
    hidden = examples[first : first + count]
    return tuple(example for example in examples if example not in hidden), hidden


def _telling(spelling: str) -> tuple[int, int]:
    special = sum(not (c == " " or (c.isascii() and c.isalnum())) for c in spelling)
    return special, sum(c.isupper() for c in spelling)


PROMPT_SHA256 = hashlib.sha256(
    json.dumps([PROMPT, SYSTEM, "{key} {noun}", JSON_PLEASE, answer_schema(25)]).encode()
).hexdigest()
"""Of all that a model is told and that is not the site's."""
