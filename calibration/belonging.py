"""Does a named thing belong here: expected, known but unexpected, or unknown (ood_spec §4.6).

Gates are asked in order, the first that holds decides:

1. can it be named at all?     else it is unknown
2. does it look like what is usual here, and is its noun expected here?   then it is expected
3. is its noun one that is not expected here?                             then it is unexpected
4. is its noun expected, but not its looks?                               then it is unexpected
5. otherwise nothing can be told: unknown

Where a site has no dictionary, no noun is expected: what was learned does not ring. Where people
confirmed enough at a camera, weights give the probabilities (`calibration.site.weights`); then
looks are among what they ask, and 4 is never reached.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor, isfinite, log, log10, sqrt
from typing import Any, Literal

from scenarios.belonging_rule import BelongingRule

type Word = Literal["expected", "unexpected", "unknown"]
WORDS: tuple[Word, ...] = ("expected", "unexpected", "unknown")
type Shares = tuple[float, float, float]
"""Probabilities of the words, in their order; they sum to 1."""

TOTAL_SCALE = 0.375
"""A dictionary's total of a noun is so many times the square of its frequency (novic_spec §1.9)."""
_WEIGHED = "by weights of what people confirmed here"
_DIGITS = 5
"""Of a setting that is told, so that it still flips as it is printed."""

PLAUSIBLE = 3.0
"""Frequency from which on a noun may be expected by its looks (ood_spec §4.6)."""
DOUBT = 0.03
"""Probability that is added to what is named of either side: of candidates that all are the site's,
or all are others, little is known where they have little p themselves."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one thing."""

    nouns: tuple[tuple[str, float, float], ...]
    """(noun, probability, frequency here from 1 to 10; 0 if it is none of the site's)."""
    rest: float
    """Probability that it is none of them."""
    kind_p: float = 0.0
    """Probability of the kind of thing that it is, where that is told: whoever knows that a thing
    is a bird knows what it is, whichever noun fits best."""
    site_p: float | None = None
    """P-value of its looks among normal crops, 0 to 1; None if nothing was calibrated."""
    seen: tuple[tuple[str, float], ...] = ()
    """Numbers of the event by name that weights may ask (`calibration.site.weights`)."""
    weighed: Shares | None = None
    """What a camera's weights make of them; None where the rule decides."""

    def own_share(self, line: float) -> float:
        """Which share of what is named of it is the site's own, nouns from a frequency on."""
        here = sum(p for _, p, f in self.nouns if f >= line)
        named = sum(p for _, p, _ in self.nouns)
        return (here + DOUBT) / (named + 2 * DOUBT)

    @property
    def provisional(self) -> bool:
        """Whether no crops of the site back it."""
        return self.site_p is None

    def as_json(self) -> dict[str, Any]:
        """As it is kept; keys are stable."""
        return {
            "nouns": [[noun, p, f] for noun, p, f in self.nouns],
            "rest": self.rest,
            "kind_p": self.kind_p,
            "site_p": self.site_p,
            **({"seen": dict(self.seen)} if self.seen else {}),
            **({} if self.weighed is None else {"weighed": list(self.weighed)}),
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Evidence":
        """What `as_json` gave.

        Raises:
            ValueError: If it is none.
        """
        try:
            nouns = tuple((str(noun), float(p), float(f)) for noun, p, f in kept["nouns"])
            seen = tuple((str(name), float(one)) for name, one in kept.get("seen", {}).items())
            return cls(
                nouns,
                float(kept["rest"]),
                float(kept["kind_p"]),
                kept["site_p"],
                seen,
                _shares(kept["weighed"]) if "weighed" in kept else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"no evidence of a thing: {error}") from error


@dataclass(frozen=True, slots=True)
class Belonging:
    """What is told of it."""

    word: Word
    expected: float
    """Probability that it is expected here; the three sum to 1."""
    unexpected: float
    unknown: float
    gate: int
    """Number of the gate that decided, from 1."""
    why: str
    """The reason in a few words."""
    by: Literal["rule", "weights"] = "rule"
    """What gave the probabilities: the rule of the site, or weights of what people confirmed."""

    @property
    def shares(self) -> Shares:
        """The three probabilities."""
        return self.expected, self.unexpected, self.unknown

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        return {
            "word": self.word,
            "expected": round(self.expected, 4),
            "unexpected": round(self.unexpected, 4),
            "unknown": round(self.unknown, 4),
            "gate": self.gate,
            "why": self.why,
            "by": self.by,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Belonging":
        """What `as_json` gave.

        Raises:
            ValueError: If it is none.
        """
        try:
            word, by = kept["word"], kept.get("by", "rule")
            shares = (float(kept["expected"]), float(kept["unexpected"]), float(kept["unknown"]))
            if word not in WORDS or by not in ("rule", "weights"):
                raise ValueError(f"{word} by {by}")
            return cls(word, *shares, int(kept["gate"]), str(kept["why"]), by)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not what is told of a thing: {error}") from error


def frequency_of(total: float) -> float:
    """A noun's frequency, 1 to 10, by its total in a dictionary (see TOTAL_SCALE)."""
    return min(10.0, max(1.0, sqrt(max(total, 0.0) / TOTAL_SCALE)))


def decide(evidence: Evidence, rule: BelongingRule | None = None) -> Belonging:
    """Say whether a thing belongs.

    Args:
        evidence: Probabilities are taken as they are, without the site's prior.
        rule: The default one if not given.

    Raises:
        ValueError: If a number is none, or probabilities are not.
    """
    _check(evidence)
    rule = rule or BelongingRule()
    told = _probabilities(evidence, rule)
    for number, (word, why) in enumerate(_gates(evidence, rule, *told), 1):
        if word is not None and evidence.weighed is not None:
            return Belonging(word, *told, number, _WEIGHED, "weights")
        if word is not None:
            return Belonging(word, *told, number, why)
    raise AssertionError("the last gate lets nothing pass")


def _check(evidence: Evidence) -> None:
    shares = [p for _, p, _ in evidence.nouns] + [evidence.rest, evidence.kind_p]
    shares += [] if evidence.site_p is None else [evidence.site_p]
    shares += evidence.weighed or ()
    if not all(isfinite(p) and 0 <= p <= 1 for p in shares):
        raise ValueError("evidence of a thing must hold probabilities from 0 to 1")


def _probabilities(evidence: Evidence, rule: BelongingRule) -> Shares:
    """Of expected, unexpected and unknown."""
    return by_rule(evidence, rule) if evidence.weighed is None else evidence.weighed


def by_rule(evidence: Evidence, rule: BelongingRule) -> Shares:
    """What the rule makes of it, whatever weights say; nouns renormalised to what is known."""
    if sum(p for _, p, _ in evidence.nouns) <= 0:
        return 0.0, 0.0, 1.0
    usual = evidence.site_p is not None and evidence.site_p >= rule.usual_from
    line = min(PLAUSIBLE, rule.expected_from) if usual else rule.expected_from
    known = max(1 - evidence.rest, evidence.kind_p)
    expected = known * evidence.own_share(line)
    return expected, known - expected, 1 - known


def _gates(
    evidence: Evidence,
    rule: BelongingRule,
    expected: float,
    unexpected: float,
    unknown: float,
) -> Iterator[tuple[Word | None, str]]:
    """What each gate says in turn; None where it lets pass."""
    yield ("unknown" if unknown >= rule.sure_from else None), "no noun fits it"
    # Weights have asked for the looks already.
    looks_usual = evidence.weighed is not None or _looks_usual(evidence, rule)
    is_expected = expected >= rule.sure_from
    yield ("expected" if looks_usual and is_expected else None), "such things are usual here"
    is_unexpected = unexpected >= rule.sure_from
    yield ("unexpected" if is_unexpected else None), "such things are not expected here"
    yield ("unexpected" if is_expected else None), "such things are usual here, its looks are not"
    yield "unknown", "its names do not agree"


def _looks_usual(evidence: Evidence, rule: BelongingRule) -> bool:
    return evidence.site_p is None or evidence.site_p > rule.foreign_share


def _shares(kept: Any) -> Shares:  # noqa: ANN401
    expected, unexpected, unknown = map(float, kept)
    return expected, unexpected, unknown


@dataclass(frozen=True, slots=True)
class Flip:
    """A setting that would have changed what is told."""

    setting: str
    """A field of BelongingRule."""
    now: float
    value: float
    """From there on, just beyond, it would be told otherwise."""
    word: Word
    """What would be told."""

    @property
    def size(self) -> float:
        """How far it is: the logarithm of the ratio of the two values, without sign."""
        return abs(log(self.value / self.now))


def smallest_flip(evidence: Evidence, rule: BelongingRule | None = None) -> Flip | None:
    """The smallest change of one setting that changes what is told; None if no such one exists.

    What is told turns only where a setting passes one of the evidence's own numbers, so these are
    tried, each from both sides. Where weights decide, only `sure_from` still does.
    """
    rule = rule or BelongingRule()
    word = decide(evidence, rule).word
    flips = []
    for setting, turning in _turning_points(evidence, rule):
        now = getattr(rule, setting)
        for value in _beside(turning):
            changed = _with(rule, setting, value)
            if changed is not None and value != now:
                other = decide(evidence, changed).word
                if other != word:
                    flips.append(Flip(setting, now, value, other))
    return min(flips, key=lambda flip: flip.size, default=None)


def _beside(turning: float) -> list[float]:
    """The values on both sides of a number that have few enough digits to be typed."""
    step = 10.0 ** (floor(log10(turning)) + 1 - _DIGITS)
    below = floor(turning / step)
    return [round((below + more) * step, 12) for more in (-1, 0, 1, 2)]


def _turning_points(evidence: Evidence, rule: BelongingRule) -> Iterator[tuple[str, float]]:
    """Values of settings at which something turns."""
    if evidence.site_p:
        yield "foreign_share", evidence.site_p
        yield "usual_from", evidence.site_p
    for share in _probabilities(evidence, rule):
        if share > 0:
            yield "sure_from", share
    for frequency in {f for *_, f in evidence.nouns if f > 0}:
        yield "expected_from", frequency


def _with(rule: BelongingRule, setting: str, value: float) -> BelongingRule | None:
    """The rule with another value; None where that is not allowed."""
    try:
        return BelongingRule(**(rule.model_dump() | {setting: value}))
    except ValueError:
        return None
