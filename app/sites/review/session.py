"""What a reviewer sees of a site's nouns, in orders worth looking at, and the edits made.

Every edit is written into the overlay at once. Nothing else is: the dictionary follows from ratings
and overlay, and is written anew by whoever opened the session.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from novic.errors import NomalyError
from novic.vocabulary import canonical
from scenarios.overlay import Edit, Overlay, write_overlay
from scenarios.ratings.result import NounRating, SiteRatings

View = Literal["ups", "downs", "estimated", "edited", "excluded", "all"]
VIEWS: tuple[View, ...] = get_args(View)

PAGE = 200
"""Nouns that are sent at once."""

GUESSED = frozenset({"estimated", "prior", "unrated"})
"""Flags of nouns that no language model was asked about."""

SCALE = (1.0, 10.0)
"""Ratings that a person may give, both included."""


class NoSuchNounError(NomalyError):
    """The page asked for a noun that the site's ratings don't have."""


@dataclass(slots=True)
class ReviewSession:
    """The nouns of a site, and what a person says about them."""

    ratings: SiteRatings
    overlay: Overlay
    path: Path
    """Of the overlay; written after every edit."""
    _steps: list[tuple[str, Edit | None]] = field(default_factory=list)
    """(noun, edit that it had before), the latest last."""
    _surprises: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Measure once how far each noun moved."""
        self._surprises = surprises(self.ratings)

    @property
    def made(self) -> int:
        """Edits of this session, less those taken back."""
        return len(self._steps)

    def rows(self, view: View, query: str = "", start: int = 0) -> dict[str, Any]:
        """The nouns of a view, the most telling first.

        Args:
            view: `ups` and `downs` by how far a noun moved against the base dictionary, in bits
                times its frequency here or there, the others by rating.
            query: Only nouns that hold it; plain text, case and accents ignored.
            start: Place of the first one wanted; at most PAGE are sent.
        """
        nouns = [noun for noun in self.ratings.nouns if self._belongs(noun, view)]
        if wanted := canonical(query):
            nouns = [noun for noun in nouns if wanted in noun.target_noun]
            # The noun itself first, then those that begin with it.
            nouns.sort(key=lambda noun: (noun.target_noun != wanted, self._place(noun, view)))
        else:
            nouns.sort(key=lambda noun: self._place(noun, view))
        shown = nouns[start : start + PAGE]
        return {
            "rows": [self.row(noun) for noun in shown],
            "count": len(nouns),
            "start": start,
            "steps": len(self._steps),
            "edited": len(self.overlay.edits),
        }

    def row(self, noun: NounRating) -> dict[str, Any]:
        """What the page shows of a noun."""
        edit = self.overlay.edits.get(noun.target_noun)
        return {
            "noun": noun.target_noun,
            "rating": round(noun.rating, 2),
            "p": noun.p,
            "frequency": noun.total,
            "base_frequency": noun.base_total,
            "bits": round(self._surprises[noun.target_noun], 2),
            "flags": list(noun.flags),
            "excluded": noun.excluded,
            "edit": edit and _edit_json(edit),
        }

    def edit(self, noun: str, edit: Edit | None) -> dict[str, Any]:
        """Change what a person says about a noun, or forget it, and save.

        Raises:
            NoSuchNounError: If the site has no such noun.
            ScenarioError: If the overlay cannot be written; nothing has changed then.
        """
        rated = self._find(noun)
        before = self.overlay.edits.get(noun)
        if before != edit:
            self._save(noun, edit)
            self._steps.append((noun, before))
        return self.row(rated)

    def undo(self) -> dict[str, Any] | None:
        """Take the latest edit back; None if there is none.

        Raises:
            ScenarioError: As `edit`.
        """
        if not self._steps:
            return None
        noun, before = self._steps[-1]
        self._save(noun, before)
        self._steps.pop()
        return self.row(self._find(noun))

    def _find(self, noun: str) -> NounRating:
        found = next((one for one in self.ratings.nouns if one.target_noun == noun), None)
        if found is None:
            raise NoSuchNounError(f"{noun!r} is not in this site's dictionary")
        return found

    def _save(self, noun: str, edit: Edit | None) -> None:
        edits = {key: value for key, value in self.overlay.edits.items() if key != noun}
        if edit is not None:
            edits[noun] = edit
        overlay = replace(self.overlay, edits=edits)
        write_overlay(self.path, overlay)
        self.overlay = overlay

    def _belongs(self, noun: NounRating, view: View) -> bool:
        if view == "edited":
            return noun.target_noun in self.overlay.edits
        if view == "excluded":
            return noun.excluded is not None
        if view == "estimated":
            return bool(GUESSED & set(noun.flags))
        return view == "all" or noun.excluded is None

    def _place(self, noun: NounRating, view: View) -> float:
        # Weighed by how often the noun is met: a rare word that became less rare tells little.
        moved = self._surprises[noun.target_noun]
        if view == "ups":
            return -noun.total * moved
        return noun.base_total * moved if view == "downs" else -noun.rating


def surprises(ratings: SiteRatings) -> Mapping[str, float]:
    """How much more expected each noun is here than anywhere, in bits.

    log2 of its share of all frequencies here over its share in the base dictionary; nouns that
    either side leaves out count with half a unit, so that every figure is finite.
    """
    here = sum(noun.total for noun in ratings.nouns) or 1
    anywhere = sum(noun.base_total for noun in ratings.nouns) or 1
    return {
        noun.target_noun: math.log2(
            max(noun.total, 0.5) / here / (max(noun.base_total, 0.5) / anywhere)
        )
        for noun in ratings.nouns
    }


def _edit_json(edit: Edit) -> dict[str, Any]:
    return {
        "rating": edit.rating,
        "locked": edit.locked,
        "excluded": edit.excluded,
        "note": edit.note,
    }
