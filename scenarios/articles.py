"""The indefinite article of a noun."""

_AN = ("a", "e", "i", "o", "u")
_NOT_AN = ("eu", "ew", "uni", "use", "usu", "one", "once", "ura", "ute", "uri", "ufo", "uku")


def article(noun: str) -> str:
    """The indefinite article that a noun takes."""
    vowel = noun.startswith(_AN) and not noun.startswith(_NOT_AN)
    return "an" if vowel or noun.startswith(("hour", "heir", "x ray")) else "a"
