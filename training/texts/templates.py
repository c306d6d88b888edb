"""Sentences that a noun stands in when its text is embedded.

After the prompts that CLIP is tested with (Radford et al. 2021); few, since each costs a text per
noun, and chosen so that the noun comes first, last and inside, after "a" and after "the".
"""

from collections.abc import Sequence

from scenarios.articles import article

TEMPLATES = (
    "{noun}",
    "{article} {noun}",
    "a photo of {article} {noun}.",
    "a close-up of the {noun}.",
    "the {noun} on the floor.",
)


def fill_templates(nouns: Sequence[str], templates: Sequence[str] = TEMPLATES) -> list[str]:
    """Every noun in every template, noun by noun: entry n * len(templates) + t."""
    return [t.format(noun=noun, article=article(noun)) for noun in nouns for t in templates]
