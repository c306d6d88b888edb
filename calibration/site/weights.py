"""What evidence is worth at a camera: weights fitted to what people confirmed (ood_spec §4.6).

A logistic regression of a few numbers of each event (`seen_of`). Every word counts alike, however
often it was confirmed, so that what is usual among events does not become likelier by that. Where
too few unknown things were confirmed, what is unknown stays the rule's, and weights only share out
the rest. They are kept only where they do better than the rule in stretches of time that they were
not fitted on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.belonging import WORDS, Belonging, Evidence, Shares, Word
from novic.extras import needing
from scenarios.belonging_rule import BelongingRule

VERSION = 1
NAMES = ("rest", "dictionary", "kind", "looks", "level", "surprise")
"""Numbers of an event that weights may ask."""
LEAST = 50
"""Confirmed events from which on weights are fitted."""
LEAST_EACH = 5
"""Of each word among them."""
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Of which cross-validation takes one: scikit-learn's C, smaller is stricter."""
_FOLDS, _BLOCKS = 5, 10
"""Stretches of time take turns, each fold has two that lie apart."""
_FARTHEST = 4.0
"""Spreads from the middle beyond which a number counts as so far."""
_ODDS = 7.0
_LEAST_P = 0.01
"""Neither the rule nor weights are fined more than this deserves."""
_FLAT = 1e-9

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answered:
    """An event of which people said what it was."""

    time_us: int
    """When it began, UTC in microseconds."""
    word: Word
    """What it truly was."""
    seen: Mapping[str, float]
    """See `seen_of`."""
    by_rule: Belonging
    """What the rule makes of it, by p as the decoder gives them, as `Weights.shares` asks."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one number counts."""

    middle: float
    spread: float
    """Of the number among the confirmed events; above 0."""
    of: tuple[float, ...]
    """For each of the words, per spread from the middle."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of words, linear in the numbers of an event."""

    words: tuple[Word, ...]
    """Expected and unexpected, and unknown where enough of that was confirmed."""
    features: Mapping[str, Weight]
    offsets: tuple[float, ...]
    """For each of the words."""
    penalty: float
    events: int
    """On so many they were fitted."""
    expected_from: float | None = None
    """Frequency from which on a noun counted as expected; None where nobody noted it."""

    def fits(self, rule: BelongingRule) -> bool:
        """Whether the numbers that they ask mean at a site what they meant when they were fitted.

        Args:
            rule: Of the site now.
        """
        noted = self.expected_from is not None and "dictionary" in self.features
        return not noted or self.expected_from == rule.expected_from

    def shares(self, seen: Mapping[str, float], by_rule: Shares) -> Shares | None:
        """Probabilities of what an event is.

        Args:
            seen: See `seen_of`.
            by_rule: What the rule makes of it, by p as the decoder gives them.

        Returns:
            None if a number that they ask is not known of it.
        """
        if any(name not in seen for name in self.features):
            return None
        odds = np.array(self.offsets)
        for name, weight in self.features.items():
            apart = (seen[name] - weight.middle) / weight.spread
            odds = odds + min(_FARTHEST, max(-_FARTHEST, apart)) * np.array(weight.of)
        p = np.exp(odds - odds.max())
        told = [float(one) for one in p / p.sum()]
        if len(told) == len(WORDS):
            return told[0], told[1], told[2]
        known = 1 - by_rule[2]
        return known * told[0], known * told[1], by_rule[2]

    def as_json(self) -> dict[str, Any]:
        """As a calibration keeps them; keys are stable."""
        return {
            "version": VERSION,
            "words": list(self.words),
            "features": {
                name: {
                    "middle": weight.middle,
                    "spread": weight.spread,
                    **dict(zip(self.words, weight.of, strict=True)),
                }
                for name, weight in self.features.items()
            },
            "offsets": dict(zip(self.words, self.offsets, strict=True)),
            "penalty": self.penalty,
            "events": self.events,
            "expected_from": self.expected_from,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Weights":
        """What `as_json` gave.

        Raises:
            ValueError: If it is none, of another version, or asks numbers that are not known here.
        """
        if kept["version"] != VERSION:
            raise ValueError(f"weights are of version {kept['version']}, not {VERSION}")
        words: tuple[Word, ...] = WORDS[: len(kept["words"])]
        if list(words) != kept["words"] or len(words) < 2:
            raise ValueError(f"weights of the words {kept['words']} are not known")
        features = {str(name): _weight(one, words) for name, one in kept["features"].items()}
        strange = features.keys() - set(NAMES)
        if strange or not features:
            raise ValueError(f"weights ask {', '.join(sorted(strange)) or 'nothing'}")
        offsets, line = _numbers(kept["offsets"], words), kept.get("expected_from")
        line = None if line is None else _numbers(kept, ("expected_from",))[0]
        return cls(words, features, offsets, float(kept["penalty"]), int(kept["events"]), line)


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What became of the weights."""

    weights: Weights | None
    """None where the rule is kept."""
    said: str
    """How that came, one sentence."""
    measured: Mapping[str, Any] | None = None
    """Log loss and share that is right, of weights and of the rule; None if none were fitted."""


def seen_of(
    evidence: Evidence,
    rule: BelongingRule,
    level: float | None = None,
    surprise_bits: float | None = None,
) -> dict[str, float]:
    """The numbers of an event that weights may ask, those that are known.

    Args:
        evidence: Of it.
        rule: Says which nouns are expected.
        level: Largest bar at which it would have rung over the bar that was; above 0.
        surprise_bits: How unexpected its best noun is.

    Returns:
        Log-odds but for `level`, a logarithm, and `surprise`, in bits.
    """
    found = {
        "rest": _log_odds(evidence.rest),
        "dictionary": _log_odds(evidence.own_share(rule.expected_from)),
        "kind": _log_odds(evidence.kind_p),
    }
    if evidence.site_p is not None:
        found["looks"] = _log_odds(evidence.site_p)
    if level is not None and level > 0:
        found["level"] = math.log(level)
    if surprise_bits is not None:
        found["surprise"] = surprise_bits
    return {name: round(value, 4) for name, value in found.items()}


def fit_weights(answered: Sequence[Answered], rule: BelongingRule | None = None) -> Weighed:
    """Fit weights, and keep them only where they hold in other stretches of time.

    They must be less often surprised than the rule by more than chance, and tell no fewer rightly.

    Args:
        answered: In any order.
        rule: By which they were answered and their numbers taken; the default one if not given.

    Raises:
        novic.extras.MissingPackageError: If scikit-learn is not installed.
    """
    rule = rule or BelongingRule()
    events = sorted(answered, key=lambda one: one.time_us)
    if len(events) < LEAST:
        return _kept(f"{len(events)} confirmed events with evidence, {LEAST} are needed")
    counts = {word: sum(one.word == word for one in events) for word in WORDS}
    words = WORDS if counts["unknown"] >= LEAST_EACH else WORDS[:2]
    if min(counts["expected"], counts["unexpected"]) < LEAST_EACH:
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        return _kept(
            f"of the confirmed events are {told}; {LEAST_EACH} of each of the first two are needed"
        )
    events = [one for one in events if one.word in words]
    names = _told_apart(events)
    if not names:
        return _kept("the numbers of all confirmed events are the same")
    fold = np.arange(len(events)) * _BLOCKS // len(events) % _FOLDS
    labels = np.array([words.index(one.word) for one in events])
    if any(len(set(labels[fold != one])) < len(words) for one in range(_FOLDS)):
        return _kept("of one word all confirmed events lie in one stretch of time")
    crossed: list[Shares] = [(0.0, 0.0, 1.0)] * len(events)
    for one in range(_FOLDS):
        others = [event for event, at in zip(events, fold, strict=True) if at != one]
        weights = _chosen(others, names, words, fold[fold != one])
        for number in np.flatnonzero(fold == one):
            event = events[number]
            crossed[number] = _told(weights, event)
    done = _judged(events, words, crossed, rule.sure_from)
    if done.kept:
        weights = replace(_chosen(events, names, words, fold), expected_from=rule.expected_from)
        return Weighed(weights, done.said, done.figures)
    return Weighed(None, done.said, done.figures)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Whether weights are kept, and by which figures."""

    kept: bool
    said: str
    figures: dict[str, Any]


def _judged(
    events: Sequence[Answered],
    words: tuple[Word, ...],
    crossed: Sequence[Shares],
    sure_from: float,
) -> _Judged:
    """Whether weights do better than the rule, each word counting alike."""
    counts = {word: sum(one.word == word for one in events) for word in words}
    share = np.array([len(events) / len(words) / counts[one.word] for one in events])
    cost = share * _costs(events, crossed)
    rule_cost = share * _costs(events, [one.by_rule.shares for one in events])
    better = rule_cost - cost
    error = float(better.std(ddof=1) / math.sqrt(len(better)))
    told = [_word(shares, sure_from) for shares in crossed]
    right = [share * [one.word == word for one, word in zip(events, told, strict=True)],
             share * [one.word == one.by_rule.word for one in events]]  # fmt: skip
    figures = {
        "events": counts,
        "log_loss": _short(cost.mean()),
        "rule_log_loss": _short(rule_cost.mean()),
        "standard_error": _short(error),
        "right": _short(right[0].mean()),
        "rule_right": _short(right[1].mean()),
    }
    worth = (
        f"right {100 * figures['right']:.0f}%, the rule {100 * figures['rule_right']:.0f}%; "
        f"surprised (log loss) by {figures['log_loss']:.2f}, the rule by "
        f"{figures['rule_log_loss']:.2f}, give or take {error:.2f}; in stretches of time that they "
        "were not fitted on"
    )
    if not (better.mean() > error and right[0].mean() >= right[1].mean()):
        why = f"weights fitted on {len(events)} confirmed events do not do better ({worth})"
        return _Judged(False, f"verdict: the rule is kept, {why}", figures)
    alone = "" if len(words) == len(WORDS) else "; what is unknown stays the rule's"
    said = f"verdict: weights fitted on {len(events)} confirmed events decide ({worth}){alone}"
    return _Judged(True, said, figures)


def _chosen(
    events: Sequence[Answered], names: Sequence[str], words: tuple[Word, ...], fold: NDArray[Any]
) -> Weights:
    """Weights with the penalty that does best, each stretch judged by the others."""
    labels = np.array([words.index(one.word) for one in events])
    costs = np.zeros(len(PENALTIES))
    for one in np.unique(fold):
        others = fold != one
        if len(set(labels[others])) < len(words):
            continue
        judged = [event for event, other in zip(events, others, strict=True) if not other]
        learned = [event for event, other in zip(events, others, strict=True) if other]
        for number, penalty in enumerate(PENALTIES):
            weights = _fitted(learned, names, words, penalty)
            told = [_told(weights, event) for event in judged]
            share = np.array([1 / (labels == words.index(event.word)).sum() for event in judged])
            costs[number] += (share * _costs(judged, told)).sum()
    return _fitted(events, names, words, PENALTIES[int(costs.argmin())])


def _fitted(
    events: Sequence[Answered], names: Sequence[str], words: tuple[Word, ...], penalty: float
) -> Weights:
    with needing("weights of confirmed events"):
        # A second, and only who fits needs it.
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    table = np.array([[one.seen[name] for name in names] for one in events], np.float64)
    middles, spreads = table.mean(axis=0), np.maximum(table.std(axis=0), _FLAT)
    apart = np.clip((table - middles) / spreads, -_FARTHEST, _FARTHEST)
    labels = [words.index(one.word) for one in events]
    found = LogisticRegression(C=penalty, class_weight="balanced", max_iter=1000)
    found.fit(apart, labels)
    rows, offsets = (np.asarray(one, np.float64) for one in (found.coef_, found.intercept_))
    if len(words) == 2:
        # One row says the second word against the first.
        rows, offsets = np.stack([-rows[0], rows[0]]) / 2, np.array([-offsets[0], offsets[0]]) / 2
    features = {
        name: Weight(_short(middles[at]), max(_short(spreads[at]), _FLAT), _all_short(rows[:, at]))
        for at, name in enumerate(names)
    }
    return Weights(words, features, _all_short(offsets), penalty, len(events))


def _told_apart(events: Sequence[Answered]) -> list[str]:
    """Numbers that are known of all events, and are not the same of all."""
    return [
        name
        for name in NAMES
        if all(name in one.seen for one in events)
        and float(np.ptp([one.seen[name] for one in events])) > _FLAT
    ]


def _costs(events: Sequence[Answered], told: Sequence[Shares]) -> Floats:
    """Negative log-likelihood of what each was [N]."""
    p = [shares[WORDS.index(one.word)] for one, shares in zip(events, told, strict=True)]
    return -np.log(np.maximum(p, _LEAST_P))


def _told(weights: Weights, event: Answered) -> Shares:
    shares = event.by_rule.shares
    return weights.shares(event.seen, shares) or shares


def _word(shares: Shares, sure_from: float) -> Word:
    """What is told by probabilities, as `calibration.belonging.decide` does."""
    expected, unexpected, unknown = shares
    if unknown >= sure_from or max(expected, unexpected) < sure_from:
        return "unknown"
    return "expected" if expected >= sure_from else "unexpected"


def _kept(why: str) -> Weighed:
    return Weighed(None, f"verdict: the rule is kept, {why}")


def _log_odds(p: float) -> float:
    kept = min(1 - 1e-9, max(1e-9, p))
    return min(_ODDS, max(-_ODDS, math.log(kept / (1 - kept))))


def _weight(kept: Mapping[str, Any], words: tuple[Word, ...]) -> Weight:
    middle, spread = _numbers(kept, ("middle", "spread"))
    if spread <= 0:
        raise ValueError("a weight's spread must be above 0")
    return Weight(middle, spread, _numbers(kept, words))


def _numbers(kept: Mapping[str, Any], keys: Sequence[str]) -> tuple[float, ...]:
    numbers = tuple(float(kept[key]) for key in keys)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"weights must hold numbers: {', '.join(keys)}")
    return numbers


def _short(value: float) -> float:
    return round(float(value), 5)


def _all_short(values: Floats) -> tuple[float, ...]:
    return tuple(map(_short, values))
