"""What a decoder's p means, and when a name is told as a fact: one rule for all shown or sent.

A decoder is trained to name nouns, not to know how often it is wrong, so its p is scaled on
pictures (`Scaling`). From a line on, the best noun is told plainly. Below it, if the kind of thing
is sure, that is told: "bird (pigeon?)" (`novic.kinds`). Else the headline is `vocabulary.UNNAMED`,
and the nouns are only its candidates. All of it belongs to a decoder with its embedder, and lies
beside the bundle in `certainty.json`:

    {"format": "nomaly-certainty", "version": 2, "weights_sha256": of the bundle's weights,
     "sure_from": p, "sensitive_from": p, "scaling": {"power": x, "rest": x},
     "kinds": {"mass": x, "size": x, "offset": x, "sure_from": p}, "measured": how, in words}

A decoder without that file has the lines of `Certainty`, no scaling and no kinds. How the starter's
were chosen: benchmarks/README.md.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from novic.json_files import CARD_BYTES, read_json
from novic.kinds import LEAST, LIKELY, KindScaling, is_kind, kind_masses, most_specific
from novic.synonyms import joined
from novic.vocabulary import PERSON, UNNAMED, NounScore, ThingKind, canonical, counted

FORMAT = "nomaly-certainty"
VERSION = 2
CERTAINTY = "certainty.json"
TOLD = 0.005
"""Of a guess, what rounds to less than a per cent is not worth its room."""
SCALED = 10
"""Candidates that are scaled together; what lies behind them is part of the rest."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """From a decoder's probabilities to the chance that a name is right.

    Temperature scaling (Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2)
    with one more class for all that is not among the candidates: q of a noun goes as p ** power,
    that of the rest as its p ** power times e ** rest.
    """

    power: float = 1.0
    rest: float = 0.0

    def of(self, nouns: Sequence[NounScore], rest: float) -> tuple[tuple[NounScore, ...], float]:
        """Candidates, best first, and the rest, scaled so that all of them sum to 1.

        Args:
            nouns: At least SCALED of them, or all that can be said.
            rest: Probability of everything else, 0 to 1.
        """
        if self == Scaling():
            return tuple(nouns), rest
        masses = [noun.p**self.power for noun in nouns]
        other = max(rest, 1e-6) ** self.power * math.exp(self.rest)
        total = sum(masses) + other
        scaled = tuple(
            NounScore(noun.noun, mass / total) for noun, mass in zip(nouns, masses, strict=True)
        )
        return scaled, other / total


@dataclass(frozen=True, slots=True)
class KindLine:
    """When the kind of a thing is told as a fact."""

    scaling: KindScaling
    sure_from: float

    def as_json(self) -> dict[str, float]:
        """As a file keeps it; keys are stable."""
        return {**asdict(self.scaling), "sure_from": self.sure_from}


@dataclass(frozen=True, slots=True)
class Certainty:
    """From which probability on a decoder's best noun is told as a fact."""

    sure_from: float = 0.7
    """Where p was measured, the share of names that is right at the line."""
    sensitive_from: float = 0.98
    """The same line for nouns that alarm or insult where they are wrong (`is_sensitive`)."""
    scaling: Scaling = Scaling()
    """What its p mean."""
    kinds: KindLine | None = None
    """None where that was not measured: then no kind is told."""

    @property
    def measured(self) -> bool:
        """Whether its p means how often a name is right."""
        return self.kinds is not None

    def at_most_wrong(self, share: float) -> "Certainty":
        """The same with lines at which this share of names and kinds is wrong, 0 to 1.

        What alarms or accuses is not told sooner than before.
        """
        at = 1 - share
        kinds = self.kinds and replace(self.kinds, sure_from=at)
        return replace(self, sure_from=at, sensitive_from=max(at, self.sensitive_from), kinds=kinds)

    def joined(self, nouns: Iterable[NounScore]) -> tuple[NounScore, ...]:
        """Candidates, best first, with words for one thing as one, where p says how sure each is.

        Args:
            nouns: Scaled.
        """
        if not self.measured:
            return tuple(nouns)
        return tuple(NounScore(*one) for one in joined((noun.noun, noun.p) for noun in nouns))

    def line(self, noun: str) -> float:
        """The probability from which on a noun is told as a fact, 0 to 1."""
        return self.sensitive_from if is_sensitive(noun) else self.sure_from

    def sure(self, noun: str, p: float) -> bool:
        """Whether a best noun of this probability is told as a fact; a NaN never is."""
        return bool(noun) and p >= self.line(noun)

    def kind(self, nouns: Iterable[tuple[str, float]]) -> ThingKind | None:
        """What kind of thing candidates agree on: the most specific that is sure, or else likely.

        Args:
            nouns: (noun, p) of all that is known, scaled.
        """
        known = list(nouns)
        found = [NounScore(kind, p) for kind, p in self.kind_p(known).items()]
        best = most_specific(one for one in found if one.p >= self._kind_line(one.noun))
        sure = best is not None
        best = best or most_specific(one for one in found if one.p >= LIKELY)
        if best is None or (is_sensitive(best.noun) and not sure):
            return None
        ranked = sorted(known, key=lambda one: -one[1])
        of_it = [noun for noun, _ in ranked if noun != best.noun and is_kind(noun, best.noun)]
        maybe = next((noun for noun in of_it if not is_sensitive(noun)), "")
        return ThingKind(best.noun, best.p, sure=sure, maybe=maybe)

    def kind_p(self, nouns: Iterable[tuple[str, float]]) -> dict[str, float]:
        """Probability of each kind that candidates are of, 0 to 1; none where nobody measured it.

        By total probability over "it is a person", which is known by other evidence than the
        decoder's (`novic.persons`): what the mass of a kind's nouns is worth was measured where
        nobody was, so that it holds for what p of a person leaves over.

        Args:
            nouns: (noun, p) of all that is known, scaled.
        """
        if self.kinds is None:
            return {}
        known = list(nouns)
        person = min(1.0, sum(p for noun, p in known if noun == PERSON))
        others = [(noun, p / (1 - person)) for noun, p in known if noun != PERSON and person < 1]
        scaling = self.kinds.scaling
        found = {
            kind: (1 - person) * scaling.of(kind, mass)
            for kind, mass in kind_masses(others).items()
        }
        if person >= LEAST:
            found[PERSON] = person + found.get(PERSON, 0.0)
        return found

    def _kind_line(self, kind: str) -> float:
        if self.kinds is None:
            return math.inf
        return max(self.kinds.sure_from, self.sensitive_from if is_sensitive(kind) else 0.0)


def headline(noun: str, kind: ThingKind | None = None, *, sure: bool, people: int = 0) -> str:
    """What is told first of a thing: its noun, or its kind, or that it has no name."""
    if sure:
        return counted(noun, people)
    return kind.told if kind is not None and kind.sure else UNNAMED


def headline_p(p: float, kind: ThingKind | None, *, sure: bool) -> float | None:
    """Probability of what `headline` says, of a best noun of p; None where that says nothing."""
    if sure:
        return p
    return kind.p if kind is not None and kind.sure else None


def guesses(
    nouns: Iterable[tuple[str, float]], kind: ThingKind | None, *, sure: bool
) -> tuple[tuple[str, float], ...]:
    """What a thing may be besides its headline: its likely kind, then nouns, with their p.

    Args:
        nouns: (noun, p), best first.
        kind: Its kind, if known.
        sure: Whether the best noun is the headline.
    """
    told = kind.noun if kind is not None and not sure else ""
    kinds = [(kind.noun, kind.p)] if kind is not None and not kind.sure and not sure else []
    # A kind that is also one of the nouns is one guess, with the p of the kind.
    others = [one for one in list(nouns)[sure:] if canonical(one[0]) != canonical(told)]
    return tuple(one for one in (*kinds, *others) if one[1] >= TOLD)


def is_sensitive(noun: str) -> bool:
    """Whether a noun alarms, accuses or insults where it is wrong, by `sensitive_nouns.txt`.

    Args:
        noun: Of any spelling; the list's nouns cover all that end in them.
    """
    listed, excepted = _sensitive()
    words = canonical(noun).split()
    endings = [" ".join(words[start:]) for start in range(len(words))]
    forms = [form for ending in endings for form in (ending, ending.removesuffix("s"))]
    # The longest that is listed decides: "glue gun" before "gun".
    return next((form in listed for form in forms if form in listed or form in excepted), False)


def read_certainty(folder: Path, weights_sha256: str) -> Certainty:
    """The lines of the bundle in a folder; those of `Certainty` if none were measured.

    Raises:
        ValueError: If its file is damaged, or speaks of other weights.
        OSError: If it cannot be read.
    """
    try:
        said = read_json(folder / CERTAINTY, CARD_BYTES)
    except FileNotFoundError:
        return Certainty()
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError(f"{CERTAINTY} is not one of Nomaly's")
    if said.get("version") not in (1, VERSION):
        raise ValueError(f"{CERTAINTY} is of version {said.get('version')}; update Nomaly")
    if said.get("weights_sha256") != weights_sha256:
        raise ValueError(
            f"{CERTAINTY} was measured on other weights; remove it, and the usual lines hold"
        )
    scaling, kinds = said.get("scaling"), said.get("kinds")
    return Certainty(
        _line(said, "sure_from"),
        _line(said, "sensitive_from"),
        Scaling() if scaling is None else _scaling(scaling),
        None if kinds is None else kind_line(kinds),
    )


def _scaling(said: object) -> Scaling:
    power, rest = _numbers(said, "scaling", ("power", "rest"))
    if power <= 0:
        raise ValueError(f"{CERTAINTY}: the power of scaling must be above 0")
    return Scaling(power, rest)


def kind_line(said: object) -> KindLine:
    """What `KindLine.as_json` gave.

    Raises:
        ValueError: If it is none.
    """
    mass, size, offset, sure_from = _numbers(said, "kinds", ("mass", "size", "offset", "sure_from"))
    if not (mass > 0 and 0 < sure_from <= 1):
        raise ValueError(
            f"{CERTAINTY}: of kinds, mass must be above 0 and sure_from above 0 and at most 1"
        )
    return KindLine(KindScaling(mass, size, offset), sure_from)


def _numbers(said: object, name: str, keys: Sequence[str]) -> list[float]:
    """The numbers of a part of the file."""
    values = [said.get(key) for key in keys] if isinstance(said, dict) else []
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if len(numbers) < len(keys) or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{CERTAINTY}: {name} must hold numbers: {', '.join(keys)}")
    return numbers


def _line(said: dict[str, Any], key: str) -> float:
    value = said.get(key)
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"{CERTAINTY}: {key} must be a number above 0 and at most 1")
    return float(value)


@cache
def _sensitive() -> tuple[frozenset[str], frozenset[str]]:
    """The nouns of the list, and its exceptions."""
    text = (files("novic") / "data" / "sensitive_nouns.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    nouns = [line for line in lines if line and not line.startswith("#")]
    return (
        frozenset(noun for noun in nouns if not noun.startswith("-")),
        frozenset(noun[1:] for noun in nouns if noun.startswith("-")),
    )
