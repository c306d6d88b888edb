"""The first scenario.yaml of a new site."""

from collections.abc import Mapping, Sequence

import yaml

from scenarios.settings import Settings

_HEAD = """\
# One site. `nomaly scenario rate {name}` rates every noun for it, `nomaly scenario build {name}`
# makes its decoder, `nomaly scenario schema` says all that can stand here.
"""
_EXAMPLES = """
# Things that are seen here regularly, and things that never are: they show raters what is meant,
# and measure them. At least eight of each; ten are good, twenty better.
"""
_UNCHECKED = """\
# PROPOSED from the description and checked by nobody: take out what is wrong before rating.
"""
_WISHES = """
# Whatever raters say: these are always expected here, and these never.
"""


def draft(settings: Settings, *, unchecked: bool = False) -> str:
    """A file with these settings, for an author to go on with.

    Args:
        settings: Of which name, description and lists of nouns are written.
        unchecked: Whether the examples are proposals that nobody looked at.
    """
    first: dict[str, object] = {"version": 1, "name": settings.name}
    first["description"] = " ".join(settings.description.split())
    if settings.any_language:
        first["any_language"] = True
    examples = {"seen": settings.examples.seen, "never": settings.examples.never}
    wishes = {"expected": settings.expected, "never_expected": settings.never_expected}
    parts = [_HEAD.format(name=settings.name), _dumped(first)]
    parts += [
        _EXAMPLES,
        _UNCHECKED if unchecked else "",
        _dumped({"examples": examples}),
        _WISHES,
        _dumped(wishes),
    ]
    return "".join(parts)


def words(text: str | None) -> Sequence[str]:
    """Nouns from a list with commas."""
    return [word for part in (text or "").split(",") if (word := " ".join(part.split()))]


def _dumped(value: Mapping[str, object]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=98)
