"""Pairs of texts for the hand-crafted variant: what shows a thing, and what shows none of it.

A line of the one list belongs to the same line of the other. The learnable variant takes the
positive ones alone, for both towers. The wording is ours.
"""

from collections.abc import Sequence

PAIRS = (
    ("a picture of a {}", "a picture of no {}"),
    ("a photograph of the {}", "a photograph of no {}"),
    ("a snapshot of one {}", "a snapshot of no {}"),
    ("a close view of a {}", "a close view of no {}"),
    ("a distant view of a {}", "a distant view of no {}"),
    ("a blurred image of a {}", "a blurred image of no {}"),
    ("a sharp image of a {}", "a sharp image of no {}"),
    ("a dim image of a {}", "a dim image of no {}"),
    ("a bright image of a {}", "a bright image of no {}"),
    ("a grainy frame of a {}", "a grainy frame of no {}"),
    ("a small picture of a {}", "a small picture of no {}"),
    ("a crop that shows a {}", "a crop that shows no {}"),
    ("a scene with a {}", "a scene without a {}"),
    ("a place with a {} in it", "a place without any {} in it"),
    ("a room with a {}", "a room without a {}"),
    ("a street with a {}", "a street without a {}"),
    ("a view in which there is a {}", "a view in which there is no {}"),
    ("an image that contains a {}", "an image that does not contain a {}"),
    ("what can be seen is a {}", "what can be seen is not a {}"),
    ("the thing in the middle is a {}", "the thing in the middle is not a {}"),
    ("this is a {}", "this is not a {}"),
    ("here is a {}", "here is no {}"),
    ("one can see a {}", "one cannot see a {}"),
    ("the camera found a {}", "the camera found no {}"),
    ("somebody left a {} here", "nobody left a {} here"),
    ("a {} is present", "a {} is absent"),
    ("it looks like a {}", "it looks like anything but a {}"),
    ("the object is a {}", "the object is something else than a {}"),
    ("a {} lies there", "no {} lies there"),
    ("a {} among other things", "other things and no {} among them"),
    ("a drawing of a {}", "a drawing of no {}"),
    ("a real {}", "never a real {}"),
)
"""A positive text and its negation; {} is the noun."""

POSITIVE = tuple(yes for yes, _ in PAIRS)
NEGATIVE = tuple(no for _, no in PAIRS)


def filled(template: str, nouns: Sequence[str]) -> list[str]:
    """A template about each of some nouns."""
    return [template.replace("{}", noun) for noun in nouns]
