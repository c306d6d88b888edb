"""What a reviewer sees of a site's nouns, in orders worth looking at, and the edits made.

Every edit is written into the overlay at once. Nothing else is: the dictionary follows from ratings
and overlay, and is written anew by whoever opened the session. What a rating would make of a noun's
frequency is shown at once, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from novic.errors import NomalyError
from novic.vocabulary import canonical, sanitised
from scenarios.base.senses import is_noun
from scenarios.overlay import Edit, Overlay, write_overlay
from scenarios.ratings.result import (
    EXPECTED_RATING,
    NEVER_RATING,
    UNRATED_RATING,
    NounRating,
    SiteRatings,
)
from scenarios.ratings.scale import frequency, rating
from scenarios.ratings.surprises import bits, surprises

View = Literal["ups", "downs", "named", "estimated", "edited", "excluded", "all"]
VIEWS: tuple[View, ...] = get_args(View)

Sort = Literal["", "noun", "rating", "frequency", "bits"]
"""A column, or the view's own order."""

PAGE = 200
"""Nouns that are sent at once."""

GUESSED = frozenset({"estimated", "prior", "unrated"})
"""Flags of nouns that no language model was asked about."""

NAMED = frozenset({"expected", "never_expected"})
"""Flags of nouns that stand in the scenario itself: who wrote it knows them."""

SCALE = (1.0, 10.0)
"""Ratings that a person may give, both included."""

type Meaning = Callable[[str], str]
"""What a target noun means, in a phrase."""

type Frequency = Callable[[str, float], int]
"""The frequency that a rating gives a target noun, all spellings together."""


class NoSuchNounError(NomalyError):
    """The page asked for a noun that the site's ratings don't have, or that can be none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A noun as it would be after the edits."""

    rating: float
    total: int
    bits: float
    out: str | None
    """Why it will not be in the dictionary; None if it will."""


@dataclass
class ReviewSession:
    """The nouns of a site, and what a person says about them."""

    ratings: SiteRatings
    overlay: Overlay
    path: Path
    """Of the overlay; written after every edit."""
    meaning: Meaning = lambda _: ""
    frequency: Frequency = lambda _, stars: frequency(stars)
    done: bool = False
    """Whether the reviewer is ready."""
    looked_at: set[str] = field(default_factory=set)
    """Nouns that were chosen or edited in this session."""
    _steps: list[dict[str, Edit | None]] = field(default_factory=list)
    """The edits that nouns had before each step, the latest last."""

    @property
    def made(self) -> int:
        """Steps of this session, less those taken back."""
        return len(self._steps)

    def rows(
        self, view: View, query: str = "", start: int = 0, sort: Sort = "", *, falling: bool = True
    ) -> dict[str, Any]:
        """The nouns of a view, the most telling first.

        Args:
            view: `ups` and `downs` by how far a noun moved against the base dictionary, in bits
                times its frequency there, without what stands in the scenario; the others by
                rating.
            query: Only nouns that hold it, of all that were not left out; plain text, case and
                accents ignored.
            start: Place of the first one wanted; at most PAGE are sent.
            sort: Column to order by instead.
            falling: Its direction.
        """
        wanted = canonical(query)
        nouns = [noun for noun in self._nouns.values() if self._belongs(noun, view, wanted)]
        if sort:
            nouns.sort(key=lambda noun: noun.target_noun)
            nouns.sort(key=lambda noun: self._column(noun, sort), reverse=falling)
        else:
            # The noun itself first, then the view's order.
            nouns.sort(key=lambda noun: (noun.target_noun != wanted, self._place(noun, view)))
        return {
            "rows": [self.row(noun.target_noun) for noun in nouns[start : start + PAGE]],
            "count": len(nouns),
            "start": start,
            **self.counts(),
        }

    def counts(self) -> dict[str, int]:
        """How far the review is."""
        return {
            "steps": len(self._steps),
            "edited": len(self.overlay.edits),
            "looked_at": len(self.looked_at),
            "nouns": len(self._nouns),
        }

    def row(self, target: str) -> dict[str, Any]:
        """What the page shows of a noun.

        Raises:
            NoSuchNounError: If the site has no such noun.
        """
        noun = self._find(target)
        edit, now = self.overlay.edits.get(target), self._now(noun)
        return {
            "noun": target,
            "meaning": self.meaning(target),
            "rating": round(now.rating, 2),
            "p": noun.p,
            "frequency": now.total,
            "base_frequency": noun.base_total,
            "bits": round(now.bits, 2),
            "flags": [flag for flag in noun.flags if flag not in ("edited", "locked")],
            "excluded": now.out,
            "edit": edit and _edit_json(edit),
        }

    def look_at(self, target: str) -> dict[str, int]:
        """Note that a reviewer has chosen a noun.

        Raises:
            NoSuchNounError: If the site has no such noun.
        """
        self.looked_at.add(self._find(target).target_noun)
        return self.counts()

    def edit(self, nouns: Sequence[str], edit: Edit | None) -> list[dict[str, Any]]:
        """Change what a person says about nouns, or forget it, and save: one step.

        Raises:
            NoSuchNounError: If the site has no such noun.
            ScenarioError: If the overlay cannot be written; nothing has changed then.
        """
        for target in nouns:
            self._find(target)
        before = {target: self.overlay.edits.get(target) for target in nouns}
        if any(edit != earlier for earlier in before.values()):
            self._save(dict.fromkeys(nouns, edit))
            self._steps.append(before)
        self.looked_at.update(nouns)
        return [self.row(target) for target in nouns]

    def add(self, text: str, stars: float) -> dict[str, Any]:
        """Rate a noun that the dictionary may not have; it is added when the dictionary is written.

        Raises:
            NoSuchNounError: If the text can be no noun.
            ScenarioError: As `edit`.
        """
        target = sanitised(text)
        if not is_noun(target):
            raise NoSuchNounError(
                f"{text!r} cannot be a noun: write words of letters and digits, no sentence"
            )
        self._nouns.setdefault(target, _new(target))
        [row] = self.edit([target], Edit(rating=stars))
        return row

    def undo(self) -> list[dict[str, Any]]:
        """Take the latest step back; empty if there is none.

        Raises:
            ScenarioError: As `edit`.
        """
        if not self._steps:
            return []
        before = self._steps[-1]
        self._save(before)
        self._steps.pop()
        return [self.row(target) for target in before]

    @cached_property
    def _nouns(self) -> dict[str, NounRating]:
        """By target noun; with those that earlier reviews added and no rating knows yet."""
        found = {noun.target_noun: noun for noun in self.ratings.nouns}
        return found | {n: _new(n) for n in self.overlay.edits if n not in found}

    @cached_property
    def _sums(self) -> tuple[int, int]:
        """All frequencies here and anywhere; a single edit hardly moves them."""
        nouns = self.ratings.nouns
        return sum(n.total for n in nouns) or 1, sum(n.base_total for n in nouns) or 1

    @cached_property
    def _surprises(self) -> dict[str, float]:
        return dict(surprises(self.ratings))

    def _find(self, target: str) -> NounRating:
        if target not in self._nouns:
            raise NoSuchNounError(f"{target!r} is not in this site's dictionary")
        return self._nouns[target]

    def _now(self, noun: NounRating) -> Shown:
        """A noun with what people say by now, as the dictionary will have it."""
        target = noun.target_noun
        edit = self.overlay.edits.get(target)
        spoken_of = {"edited", "locked"} & set(noun.flags)
        if edit is None and not spoken_of:
            return Shown(noun.rating, noun.total, self._surprises[target], noun.excluded)
        stars, out = _unedited(noun) if spoken_of else (noun.rating, noun.excluded)
        if edit is not None:
            if edit.rating is not None:
                stars, out = edit.rating, None
            elif edit.locked:
                stars = noun.rating
            out = "left out by hand" if edit.excluded else out
        total = 0 if out else self.frequency(target, stars)
        return Shown(stars, total, bits(total, self._sums[0], noun.base_total, self._sums[1]), out)

    def _save(self, changes: dict[str, Edit | None]) -> None:
        edits = {**self.overlay.edits, **changes}
        said = {noun: edit for noun, edit in edits.items() if edit is not None}
        overlay = replace(self.overlay, edits=said)
        write_overlay(self.path, overlay)
        self.overlay = overlay

    def _belongs(self, noun: NounRating, view: View, query: str) -> bool:
        if query not in noun.target_noun:
            return False
        if view == "edited":
            return noun.target_noun in self.overlay.edits
        if view == "excluded":
            return noun.excluded is not None
        if view == "estimated":
            return bool(GUESSED & set(noun.flags))
        named = bool(NAMED & set(noun.flags))
        if view == "named":
            return named
        return view == "all" or (noun.excluded is None and (bool(query) or not named))

    def _place(self, noun: NounRating, view: View) -> float:
        # Weighed by how often the noun is met anywhere: that a rare word moved tells little.
        told = noun.base_total * self._surprises.get(noun.target_noun, 0.0)
        return {"ups": -told, "downs": told}.get(view, -noun.rating)

    def _column(self, noun: NounRating, sort: Sort) -> str | float:
        if sort == "noun":
            return noun.target_noun
        now = self._now(noun)
        return {"rating": now.rating, "frequency": float(now.total), "bits": now.bits}[sort]


def _unedited(noun: NounRating) -> tuple[float, str | None]:
    """Rating, and why it is left out, of a noun before people spoke of it."""
    stars = UNRATED_RATING if noun.logit is None else rating(noun.logit)
    if "expected" in noun.flags:
        stars = max(stars, EXPECTED_RATING)
    return (NEVER_RATING if "never_expected" in noun.flags else stars), None


def _new(target: str) -> NounRating:
    """A noun that no rating knows."""
    return NounRating(
        target_noun=target,
        logit=None,
        p=None,
        rating=UNRATED_RATING,
        total=0,
        base_total=0,
        opinions=0,
        raters=(),
        flags=("added",),
        removed_variants=(),
        excluded=None,
    )


def _edit_json(edit: Edit) -> dict[str, Any]:
    return {
        "rating": edit.rating,
        "locked": edit.locked,
        "excluded": edit.excluded,
        "note": edit.note,
    }
