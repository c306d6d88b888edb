"""What people say about single nouns of a site, over all that raters say.

It is a small YAML file beside the ratings, written by the review page or by hand:

    version: 1
    nouns:
      forklift:
        rating: 9.5
        locked: true
        note: three of them in hall 2

Rating a site again never writes this file, so no edit is lost by it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from novic.vocabulary import sanitised
from scenarios.yaml_files import Fault, read_yaml, write_text

_HEAD = """\
# What people say about single nouns here; it wins over every rater.
# Nomaly rewrites this file, sorted, when somebody edits in the review: comments are lost then.
# What is to stay belongs in a note.
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody decided about one noun."""

    rating: float | None = None
    """How often it is seen, 1 to 10; replaces what raters say. None leaves it to them."""
    locked: bool = False
    """Whether that is final: the rating given, or else the one the noun has, stays as it is when
    the site is rated again."""
    excluded: bool = False
    """Whether the noun is never to be said at this site."""
    note: str = ""
    """Why, for people."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """All edits of a site."""

    edits: Mapping[str, Edit] = field(default_factory=dict)
    """By target noun."""


class _Noun(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    rating: Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)] | None = None
    locked: bool = False
    excluded: bool = False
    note: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    version: Literal[1]
    nouns: dict[str, _Noun] = {}


def read_overlay(path: Path) -> Overlay:
    """Read the edits of a site.

    Nouns may be spelt as people spell them ("Fork-lift"); they are looked up by canonical form.

    Args:
        path: The file; if there is none, there are no edits.

    Raises:
        ScenarioError: If it cannot be read or something in it is not as it must be; tells lines
            and keys.
    """
    if not path.exists():
        return Overlay()
    file = read_yaml(path).checked(_File, _check_nouns)
    return Overlay(
        {sanitised(noun): Edit(**edit.model_dump()) for noun, edit in file.nouns.items()}
    )


def _check_nouns(file: _File) -> list[Fault]:
    first: dict[str, str] = {}
    faults: list[Fault] = []
    for noun in file.nouns:
        target = sanitised(noun)
        if not target:
            faults.append((("nouns", noun), "is no noun"))
        elif (other := first.setdefault(target, noun)) != noun:
            faults.append((("nouns", noun), f"is the same noun as {other}; keep one of them"))
    return faults


def write_overlay(path: Path, overlay: Overlay) -> None:
    """Write the edits of a site, sorted by noun, so that two versions compare line by line.

    An edit that says nothing is left out. Comments in an older file are lost. Notes lose space
    around them, and their line ends become plain.

    Raises:
        ScenarioError: If it cannot be written; what was there before is left.
    """
    nouns = {noun: _said(edit) for noun, edit in sorted(overlay.edits.items())}
    value = {"version": 1, "nouns": {noun: said for noun, said in nouns.items() if said}}
    body = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    write_text(path, _HEAD + body)


def _said(edit: Edit) -> dict[str, Any]:
    """What an edit says other than nothing."""
    # YAML has line ends of its own that it would not read back as they were.
    said = asdict(edit) | {"note": "\n".join(edit.note.strip().splitlines())}
    nothing = asdict(Edit())
    return {name: value for name, value in said.items() if value != nothing[name]}
