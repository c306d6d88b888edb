"""How nouns are spelt so that they can be compared (novic_spec §1.2)."""

from unidecode import unidecode


def canonical(text: str) -> str:
    """The canonical form of a noun: lower case, no ' or ., single spaces, also for - and /."""
    bare = text.lower().replace("'", "").replace(".", "")
    return " ".join(bare.replace("/", " ").replace("-", " ").split())


def sanitised(text: str) -> str:
    """The canonical form of what a person typed: spaces collapsed and letters made ASCII first."""
    return canonical(unidecode(" ".join(text.split())))
