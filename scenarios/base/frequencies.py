"""Upstream's scale of frequencies (novic_spec §1.3), and how a noun's is split over spellings."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scenarios.dictionary import NounEntry, Number
from scenarios.ratings.frequencies import split_total

FLOOR = 2.5e-6
"""Frequency against "the" that counts as 1."""

STEPS = 1.5
"""Steps of the scale for each factor e."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a noun is in one number and one canonical form, with all its spellings."""

    text: str
    """Canonical."""
    number: Number
    spellings: tuple[str, ...]
    """The canonical one first."""
    share: float
    """Share of the form's uses that mean the noun, 0 to 1."""
    leads: bool = False
    """Whether it is of the name that the noun goes by, not of another name for it."""


def scaled(frequency: float) -> float:
    """A frequency against "the" on upstream's scale: 1 + 1.5·ln(f/θ), at least 1."""
    return 1 + STEPS * math.log(max(frequency, FLOOR) / FLOOR)


def form_of(text: str, number: Number, spellings: Iterable[str], share: float) -> Form:
    """A form with its spellings in order: the canonical one, then the rest sorted."""
    return Form(
        text, number, tuple(sorted({text, *spellings}, key=lambda s: (s != text, s))), share
    )


def entry_of(
    id_: int, target: str, pretty: str, forms: Sequence[Form], frequencies: Mapping[str, float]
) -> NounEntry:
    """A noun whose frequency is that of all its forms, split over their spellings.

    The whole is T = round(scaled(Σ f·share)); a form that is both singular and plural counts once.
    As far as T goes every spelling gets 1: first the target noun, then a plural of it, then the
    other forms in canonical spelling, those of the leading name first, by their place on the scale,
    then the rest. What is left is split in proportion to those places, as upstream has it, by
    largest remainder (scenarios_spec §3.2). A spelling that gets nothing is left out, so that the
    sum is T. Only the plural is never left out, even where T is 1: a site may find a rare noun
    common, and no threshold from 2 up sees the difference.

    Args:
        id_: Its id.
        target: Canonical form of one of the singular forms, or of a plural if there are none.
        pretty: For display.
        forms: Singular and plural forms.
        frequencies: Of each form's text against "the".
    """
    times = Counter(form.text for form in forms)
    heard = sum(frequencies[form.text] * form.share / times[form.text] for form in forms)
    total = math.floor(scaled(heard) + 0.5)
    weighed = [
        (round(1000 * scaled(frequencies[form.text]) / times[form.text]), spelling, form)
        for form in forms
        for spelling in form.spellings
    ]
    weighed.sort(key=lambda one: _claim(*one, target))
    other_number = [one for one in weighed if one[2].number != weighed[0][2].number]
    if other_number:
        weighed.remove(other_number[0])
        weighed.insert(1, other_number[0])
        total = max(2, total)
    weights = [weight // len(form.spellings) for weight, _, form in weighed]
    parts = split_total(max(0, total - len(weighed)), weights)
    kept: dict[Number, dict[str, int]] = {"singular": {}, "plural": {}}
    for place, (_, spelling, form) in enumerate(weighed):
        if part := parts[place] + (place < total):
            kept[form.number][spelling] = part
    singulars, plurals = sorted(kept["singular"].items()), sorted(kept["plural"].items())
    return NounEntry(
        id_,
        target,
        pretty,
        tuple(word for word, _ in singulars),
        tuple(word for word, _ in plurals),
        tuple(freq for _, freq in singulars),
        tuple(freq for _, freq in plurals),
    )


def _claim(
    weight: int, spelling: str, form: Form, target: str
) -> tuple[bool, bool, bool, int, bool, str]:
    """Sorts spellings by who gets something first."""
    canonical = spelling == form.text
    shown = not canonical, not form.leads, -weight
    return spelling != target, *shown, form.number == "plural", spelling


def pretty_spelling(spellings: Sequence[str]) -> str:
    """How a noun is shown: in small letters if it is ever written so, without dots."""
    return min(spellings, key=lambda s: (s != s.lower(), s.count("."), "'" not in s, s))
