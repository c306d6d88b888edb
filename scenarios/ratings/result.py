"""What rating a site comes to: its dictionary, and beside it what every noun got and why.

object_nouns_NAME.json           upstream's schema, all that training and naming need
object_nouns_NAME.ratings.json   the sidecar: rating, probability, raters and flags of every noun of
                                 the base dictionary, and where all of it is from
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace

from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.overlay import Edit, Overlay
from scenarios.ratings.frequencies import with_frequency
from scenarios.ratings.records import RatingError
from scenarios.ratings.scale import displayed, frequency, rating

EXPECTED_RATING = 9.0
"""The least rating of what a site declares as expected."""

NEVER_RATING = 1.0
"""The rating of what it declares as never expected."""

UNRATED_RATING = 1.0
"""Of a noun nobody said anything about: it stays in the dictionary, at the bottom."""

_SHOWN = 10

type Rule = Callable[[NounEntry, float], tuple[NounEntry, tuple[str, ...]]]
"""Gives a noun's spellings their frequencies by its rating; also returns spellings it removed."""


@dataclass(frozen=True, slots=True)
class RatedLogit:
    """What raters say about one noun, all together."""

    logit: float
    """Calibrated log-odds that the owner would say "seen here"."""
    opinions: int = 1
    """Number of answers behind it; 0 if it was only estimated."""
    raters: tuple[str, ...] = ()
    """Models or methods, for people."""
    flags: tuple[str, ...] = ()
    """"estimated", "prior", "unrated" or nothing."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the site's own file says about nouns, all as target nouns."""

    expected: Set[str] = frozenset()
    never_expected: Set[str] = frozenset()
    added: Set[str] = frozenset()
    """Nouns that the base dictionary has only because the owner named them."""
    excluded: Mapping[str, str] = field(default_factory=dict)
    """Nouns that are not to be in the dictionary, and why."""


@dataclass(frozen=True, slots=True)
class NounRating:
    """What one noun of the base dictionary got."""

    target_noun: str
    logit: float | None
    """Of the raters together; None if none said anything."""
    p: float | None
    """Displayed probability that it is seen here; None without logit or share."""
    rating: float
    """From 1 to 10, after edits and wishes."""
    total: int
    """Frequency in the site's dictionary, all spellings; 0 if it is not in there."""
    base_total: int
    """The same in the base dictionary."""
    opinions: int
    raters: tuple[str, ...]
    flags: tuple[str, ...]
    """Of FLAGS."""
    removed_variants: tuple[str, ...]
    """Spellings that are not in the site's dictionary because their share was nothing."""
    excluded: str | None
    """Why the noun is not in the site's dictionary; None if it is."""


@dataclass(frozen=True, slots=True)
class SiteRatings:
    """The sidecar of a site's dictionary."""

    scenario: str
    description: str
    provenance: Mapping[str, object]
    nouns: tuple[NounRating, ...]
    """All of the base dictionary, in its order."""


def exact_frequencies(entry: NounEntry, rating: float) -> tuple[NounEntry, tuple[str, ...]]:
    """Our rule: spellings sum to the frequency of the rating exactly (scenarios_spec §3.2)."""
    return with_frequency(entry, frequency(rating))


def site_dictionary(
    base: ObjectDictionary,
    logits: Mapping[str, RatedLogit],
    overlay: Overlay,
    wishes: Wishes | None = None,
    *,
    share: float | None = None,
    previous: Mapping[str, NounRating] | None = None,
    rule: Rule = exact_frequencies,
) -> tuple[ObjectDictionary, tuple[NounRating, ...]]:
    """Make a site's dictionary of what raters, the site's file and people say.

    People win over the site's file, and that wins over raters. Every noun of the base dictionary is
    in the result, or has a reason in `excluded`; one that nobody rated is flagged "unrated".

    Args:
        base: With the owner's additions.
        logits: By target noun; of nouns that are in no base dictionary, nothing comes.
        overlay: What people say.
        wishes: What the site's file says.
        share: Share of nouns that are likely here, for displayed probabilities (`share_likely`).
        previous: Ratings the site had before, by target noun: nouns that are locked without a
            rating of their own keep theirs.
        rule: How frequencies are split.

    Raises:
        RatingError: If people or the site's file name a noun that the base dictionary lacks, or
            all nouns are excluded.
    """
    wishes = wishes or Wishes()
    _check_known(base, overlay, wishes)
    entries, nouns = [], []
    for entry in base.entries:
        noun = _judged(entry, logits.get(entry.target_noun), share)
        noun = _wished(noun, wishes)
        edit = overlay.edits.get(entry.target_noun)
        if edit is not None:
            noun = _edited(noun, edit, (previous or {}).get(entry.target_noun))
        if noun.excluded is None:
            changed, removed = rule(entry, noun.rating)
            entries.append(changed)
            noun = replace(noun, total=changed.total_freq, removed_variants=removed)
        nouns.append(noun)
    if not entries:
        raise RatingError("all nouns are excluded; a site needs at least one, exclude fewer")
    return ObjectDictionary(_without_dangling_hypernyms(entries)), tuple(nouns)


def _judged(entry: NounEntry, rated: RatedLogit | None, share: float | None) -> NounRating:
    """What raters alone make of a noun."""
    noun = NounRating(
        target_noun=entry.target_noun,
        logit=None,
        p=None,
        rating=UNRATED_RATING,
        total=0,
        base_total=entry.total_freq,
        opinions=0,
        raters=(),
        flags=("unrated",),
        removed_variants=(),
        excluded=None,
    )
    if rated is None:
        return noun
    return replace(
        noun,
        logit=rated.logit,
        p=None if share is None else displayed(rated.logit, share),
        rating=rating(rated.logit),
        opinions=rated.opinions,
        raters=rated.raters,
        flags=rated.flags,
    )


def _wished(noun: NounRating, wishes: Wishes) -> NounRating:
    """The same after what the site's file says."""
    target = noun.target_noun
    if target in wishes.added:
        noun = _flagged(noun, "added")
    if target in wishes.expected:
        noun = _flagged(noun, "expected", rating=max(noun.rating, EXPECTED_RATING))
    if target in wishes.never_expected:
        noun = _flagged(noun, "never_expected", rating=NEVER_RATING)
    return replace(noun, excluded=wishes.excluded.get(target))


def _edited(noun: NounRating, edit: Edit, before: NounRating | None) -> NounRating:
    """The same after what people say."""
    if edit.locked:
        stars = before.rating if edit.rating is None and before is not None else noun.rating
        noun = _flagged(noun, "locked", rating=stars)
    if edit.rating is not None:
        noun = replace(_flagged(noun, "edited", rating=edit.rating), excluded=None)
    if edit.excluded:
        why = f"excluded by hand: {edit.note}" if edit.note else "excluded by hand"
        noun = replace(_flagged(noun, "edited"), excluded=why)
    return noun


def _flagged(noun: NounRating, flag: str, rating: float | None = None) -> NounRating:
    flags = noun.flags if flag in noun.flags else (*noun.flags, flag)
    return replace(noun, flags=flags, rating=noun.rating if rating is None else rating)


def _check_known(base: ObjectDictionary, overlay: Overlay, wishes: Wishes) -> None:
    known = set(base.targets)
    for where, named in (
        ("the overlay names", overlay.edits),
        ("the site expects", wishes.expected),
        ("the site never expects", wishes.never_expected),
    ):
        if unknown := sorted(set(named) - known):
            shown = ", ".join(unknown[:_SHOWN]) + (", ..." if len(unknown) > _SHOWN else "")
            raise RatingError(
                f"{where} nouns that are not in the dictionary: {shown}; correct their spelling, "
                "remove them, or add them to the dictionary"
            )


def _without_dangling_hypernyms(entries: list[NounEntry]) -> tuple[NounEntry, ...]:
    ids = {entry.id for entry in entries}
    return tuple(
        replace(entry, hypernyms=tuple(id_ for id_ in entry.hypernyms if id_ in ids))
        if entry.hypernyms
        else entry
        for entry in entries
    )
