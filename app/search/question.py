"""What somebody asks for in words: the thing itself, its colour, and where in the picture."""

import re
from dataclasses import dataclass

from novic.vocabulary import PERSON

COLOURS = {
    "red": "red",
    "orange": "orange",
    "yellow": "yellow",
    "golden": "yellow",
    "green": "green",
    "blue": "blue",
    "purple": "purple",
    "violet": "purple",
    "pink": "pink",
    "brown": "brown",
    "black": "black",
    "white": "white",
    "grey": "grey",
    "gray": "grey",
    "silver": "grey",
}
"""Words for colours, and the names that pictures are asked for (`app.search.colours`)."""
SIDES = {
    "left": (0.0, None),
    "right": (1.0, None),
    "top": (None, 0.0),
    "upper": (None, 0.0),
    "bottom": (None, 1.0),
    "lower": (None, 1.0),
    "middle": (0.5, 0.5),
    "centre": (0.5, 0.5),
    "center": (0.5, 0.5),
}
"""Where in the picture, in shares of its width and height; None where a word says nothing."""
_PLACE = re.compile(
    r"\b(?:near|beside|behind|under|over|at|on|in|by|next to|in front of|close to) (.+)$"
)
_PEOPLE = frozenset(
    """anybody anyone child human humans man men pedestrian people somebody someone walker who woman
    women""".split()  # noqa: SIM905
)
"""Words for people, of whom it is told that they are a person."""
_IDLE = frozenset(
    """a an and any anything at by close everything find for front from has have in is near next of
    on or over show side some something that the thing things to under was were which
    with""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Question:
    """A text that was taken apart."""

    text: str
    """As it was typed."""
    words: tuple[str, ...]
    """All that stand for something, lower case; stored words are searched for them."""
    thing: str
    """What is asked for, without colour and place; empty if nothing else was said."""
    colours: tuple[str, ...]
    """Names of COLOURS."""
    sides: tuple[str, ...]
    """Words of SIDES."""
    place: str
    """A place that only words can know, as "the wing"; empty if none was said."""


def question(text: str) -> Question:
    """Take a text apart."""
    lower = " ".join(re.findall(r"[^\W_]+", text.lower()))
    tokens = lower.split()
    colours = tuple(dict.fromkeys(COLOURS[word] for word in tokens if word in COLOURS))
    sides = tuple(dict.fromkeys(word for word in tokens if word in SIDES))
    spoken = {*COLOURS, *SIDES}
    found = _PLACE.search(lower)
    head = lower[: found.start()] if found else lower
    where = found[1].split() if found else []
    place = " ".join(word for word in where if word not in spoken and word not in _IDLE)
    thing = " ".join(word for word in head.split() if word not in spoken)
    thing = re.sub(r"^(?:an?|the|any|some) ", "", thing)
    if not set(thing.split()) - _IDLE:
        # "something on the left" has no thing; "the thing in a bag" has one behind its place.
        thing = place
    words = tuple(dict.fromkeys(word for word in tokens if word not in _IDLE))
    if not _PEOPLE.isdisjoint(words):
        words += (PERSON,)
    return Question(text, words, thing, colours, sides, "" if place == thing else place)
