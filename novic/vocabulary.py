"""How nouns are spelt so that they can be compared (novic_spec §1.2)."""

import re

from unidecode import unidecode


def canonical(text: str) -> str:
    """The canonical form of a noun: lower case, no ' or ., single spaces, also for - and /."""
    bare = text.lower().replace("'", "").replace(".", "")
    return " ".join(re.split(r"[\s/\-]+", bare)).strip()


def sanitised(text: str) -> str:
    """The canonical form of what a person typed: spaces collapsed and letters made ASCII first."""
    return canonical(unidecode(" ".join(text.split())))
