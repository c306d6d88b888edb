"""The texts of a noun that are embedded."""

from scenarios.articles import article
from scenarios.dictionary import NounEntry

TEMPLATES = (
    "{}",
    "a photo of {}",
    "the place where you usually see {}",
    "people who work with {}",
)
"""In the order of `scenarios.raters.vectors.nouns.NounVectors`; the first without an article."""


def noun_texts(entry: NounEntry) -> list[str]:
    """The texts of a noun, without the article if there is only a plural."""
    return texts_of(entry.target_noun, singular=bool(entry.singulars))


def texts_of(noun: str, *, singular: bool) -> list[str]:
    """The same of a target noun."""
    named = f"{article(noun)} {noun}" if singular else noun
    return [noun, *(template.format(named) for template in TEMPLATES[1:])]
