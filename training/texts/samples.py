"""What training texts are: a caption and the nouns it is about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caption:
    """One text with its target nouns."""

    text: str
    targets: tuple[int, ...]
    """Distinct numbers of nouns in the dictionary's order, from 0, at least one; each has the
    weight 1 / len(targets)."""
    count: int = 1
    """How many times it stands in the data set."""
