"""Sentences that a noun stands in when its text is embedded.

After the prompts that CLIP is tested with (Radford et al. 2021); few, since each costs a text per
noun, and chosen so that the noun comes first, last and inside, after "a" and after "the".
"""

from collections.abc import Sequence

TEMPLATES = (
    "{noun}",
    "{article} {noun}",
    "a photo of {article} {noun}.",
    "a close-up of the {noun}.",
    "the {noun} on the floor.",
)

_AN = ("a", "e", "i", "o", "u")
_NOT_AN = ("eu", "ew", "uni", "use", "usu", "one", "once", "ura", "ute", "uri", "ufo", "uku")


def article(noun: str) -> str:
    """The indefinite article that a noun takes."""
    vowel = noun.startswith(_AN) and not noun.startswith(_NOT_AN)
    return "an" if vowel or noun.startswith(("hour", "heir", "x ray")) else "a"


def fill_templates(nouns: Sequence[str], templates: Sequence[str] = TEMPLATES) -> list[str]:
    """Every noun in every template, noun by noun: entry n * len(templates) + t."""
    return [t.format(noun=noun, article=article(noun)) for noun in nouns for t in templates]
