"""Names tracks by their pictures: one batch for all crops, then a vote in each track."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, Picture
from app.watching.holding import Holding
from calibration.belonging import Evidence, by_rule, frequency_of
from calibration.site.weights import Weights, seen_of
from detectors.types import Box, Pixels
from novic.certainty import Certainty, Scaling
from novic.kinds import ANIMAL, is_kind
from novic.surrounded import Surrounded
from novic.synonyms import joined
from novic.vocabulary import Naming, NounScore, ThingKind
from scenarios.belonging_rule import BelongingRule

if TYPE_CHECKING:
    from novic.model import NounModel

TOP = 5
"""Candidates kept for an event."""
VOTERS = 10
"""Candidates of every crop that take part in the vote."""
FAR = 40
"""Pixels of the longer side below which nothing is told to be an animal: from so far away a walker
looks like one, and what p of names is worth was measured on things of 60 and more."""


class SiteLooks(Protocol):
    """Whatever knows a site's normal crops."""

    def site_p(self, vector: NDArray[np.float32]) -> float | None:
        """P-value of a unit vector [F] among them, 0 to 1; None if that was not measured."""
        ...

    @property
    def names(self) -> Scaling | None:
        """What p of names is worth there; None if no better is known than the decoder's own."""
        ...

    @property
    def weights(self) -> Weights | None:
        """By which things belong there; None where the rule decides."""
        ...


@runtime_checkable
class Names(Protocol):
    """Whatever names images; `novic.model.NounModel` does."""

    def name(
        self,
        images: Sequence[Pixels],
        top: int = 5,
        around: Sequence[Surrounded | None] = (),
    ) -> list[Naming]:
        """What each image, RGB uint8 [H, W, 3], shows: up to `top` candidates, best first.

        Args:
            images: Crops.
            top: Candidates of each.
            around: What each lies in, if known.
        """
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """What a decoder knows of the nouns that it says."""

    surprise: Callable[[str], float | None] = lambda _: None
    """How unexpected a noun is at the site, bits; None if that is unknown."""
    certainty: Certainty = field(default_factory=Certainty)
    """When a best noun is told as a fact."""
    frequency: Callable[[str], float] = lambda _: 0.0
    """How usual a noun is at the site, 1 to 10; 0 if it is none of the site's."""
    site: SiteLooks | None = None
    """What normal crops of the site look like; None if nobody measured that."""
    belonging: BelongingRule = field(default_factory=BelongingRule)
    """When a thing belongs to the site."""
    uncalibrated: Callable[[], str] = lambda: ""
    """Why what was measured of the site holds no longer; empty while it does."""

    @classmethod
    def of(
        cls,
        model: "NounModel",
        holding: Holding | None = None,
        belonging: BelongingRule | None = None,
    ) -> "Words":
        """What the decoder of a model knows, and perhaps what was measured and said of the site."""
        totals = model.bundle.frequencies or {}
        return cls(
            model.bundle.surprise_bits,
            model.certainty,
            lambda noun: frequency_of(totals[noun]) if noun in totals else 0.0,
            site=holding,
            belonging=belonging or BelongingRule(),
            uncalibrated=lambda: "" if holding is None else holding.said,
        )

    def named(self, event: Event, elected: "Elected") -> Event:
        """The event with what its crops agree on, and what the decoder knows of that."""
        raw_p: tuple[float, ...] = ()
        said = elected
        if self.site is not None and self.site.names is not None:
            # Kept, as what people confirm is fitted to what the decoder itself says.
            raw_p = tuple(p for _, p in elected.candidates)
            elected = elected.scaled(self.site.names)
        return replace(
            event,
            candidates=elected.candidates,
            raw_p=raw_p,
            surprise_bits=self.surprise(elected.noun),
            sure_from=self.certainty.line(elected.noun),
            thing=_doubted(elected.thing, event.box),
            people=elected.people,
            evidence=self._weighed(event, said, elected),
            belonging=self.belonging,
            uncalibrated=self.uncalibrated(),
            named_again="",
        )

    def _weighed(self, event: Event, said: "Elected", elected: "Elected") -> Evidence | None:
        """The evidence, with what weights ask and make of it.

        Args:
            event: Of which it is.
            said: What crops agree on as the decoder gives it: that is what weights are fitted to,
                whatever a calibration makes of p.
            elected: The same with what p are worth.
        """
        evidence = self.evidence(elected)
        plain = evidence if said is elected else self.evidence(said)
        if evidence is None or plain is None:
            return evidence
        level = event.level / event.bar if event.level and event.bar else None
        seen = seen_of(plain, self.belonging, level, self.surprise(elected.noun))
        weights = None if self.site is None else self.site.weights
        weighed = weights and weights.shares(seen, by_rule(plain, self.belonging))
        return replace(evidence, seen=tuple(seen.items()), weighed=weighed)

    def evidence(self, elected: "Elected") -> Evidence | None:
        """By what is decided whether a thing belongs; None while it has no name."""
        if not elected.candidates or not math.isfinite(elected.rest):
            return None
        # Sums of shares of 1 may be a trifle above it.
        nouns = tuple((noun, min(1.0, p), self.frequency(noun)) for noun, p in elected.candidates)
        site_p = None
        if self.site is not None and elected.vector is not None:
            site_p = self.site.site_p(elected.vector)
        kind_p = 0.0 if elected.thing is None else min(1.0, elected.thing.p)
        return Evidence(nouns, min(1.0, max(0.0, elected.rest)), kind_p, site_p)


def _doubted(thing: ThingKind | None, box: Box) -> ThingKind | None:
    """The kind of a thing, which is only likely where an animal would be too far away to tell."""
    far = max(box.x2 - box.x1, box.y2 - box.y1) < FAR
    if thing is None or not far:
        return thing
    # Of kinds that are no nouns, as "hoofed animal", the noun behind it tells.
    animal = thing.noun == ANIMAL or any(is_kind(one, ANIMAL) for one in (thing.noun, thing.maybe))
    return replace(thing, sure=False) if animal else thing


@dataclass(frozen=True, slots=True, eq=False)
class Elected:
    """What the crops of a track agree on."""

    candidates: tuple[tuple[str, float], ...]
    """At most TOP (noun, probability), best first."""
    vector: NDArray[np.float32] | None
    """Unit vector [F] of the crop that says the best noun most surely; None if none says one."""
    thing: ThingKind | None = None
    """What kind of thing they say it is."""
    people: int = 0
    """How many people most of them show; 0 if they show nobody."""
    rest: float = 1.0
    """Probability of all that the candidates leave out; NaN where scores are no probabilities."""

    @property
    def noun(self) -> str:
        """The best noun; empty if there is none."""
        return self.candidates[0][0] if self.candidates else ""

    def scaled(self, names: Scaling) -> "Elected":
        """The same with what its p are worth at a site, in the same order."""
        nouns, rest = names.of([NounScore(*one) for one in self.candidates], self.rest)
        return replace(self, candidates=tuple((one.noun, one.p) for one in nouns), rest=rest)


def name_pictures(names: Names, pictures: Iterable[Picture]) -> dict[Picture, tuple[Naming, ...]]:
    """Name pictures, all their crops in one batch.

    Args:
        names: What names them.
        pictures: Their crops are RGB uint8 [H, W, 3] of any size.

    Returns:
        One naming for each crop of each picture.
    """
    listed = list(pictures)
    crops = [crop for picture in listed for crop in picture.crops]
    around = [picture.around for picture in listed for _ in picture.crops]
    named = iter(names.name(crops, VOTERS, around) if crops else ())
    return {picture: tuple(next(named) for _ in picture.crops) for picture in listed}


def vote(named: Mapping[Picture, Sequence[Naming]], certainty: Certainty | None = None) -> Elected:
    """Mean probability of every noun over the crops of a track, better views counting more.

    Args:
        named: The pictures of one track with the namings of their crops, weighed by `quality`.
        certainty: Tells of what kind a thing is; without, nothing is said of that.

    Returns:
        Probabilities from 0 to 1, and the unit vector [F] behind the best noun.
    """
    ballots = [(naming, picture.quality) for picture in named for naming in named[picture]]
    total = sum(weight for _, weight in ballots)
    mass: defaultdict[str, float] = defaultdict(float)
    for naming, weight in ballots:
        for noun in naming.nouns:
            mass[noun.noun] += noun.p * weight / total
    ranked = sorted(mass.items(), key=lambda pair: -pair[1])
    if certainty is not None and certainty.measured:
        ranked = joined(ranked)
    ranked = ranked[:TOP]
    if not ranked:
        return Elected((), None)
    best = max((naming for naming, _ in ballots), key=lambda one: _said(one, ranked[0][0]))
    thing = certainty.kind(mass.items()) if certainty is not None else None
    rest = sum(naming.rest * weight for naming, weight in ballots) / total
    others = sum(mass.values()) - sum(p for _, p in ranked)
    return Elected(tuple(ranked), best.vector, thing, _people(named), rest + others)


def _people(named: Mapping[Picture, Sequence[Naming]]) -> int:
    """The count that pictures agree on most, better views counting more."""
    views: defaultdict[int, float] = defaultdict(float)
    for picture, namings in named.items():
        views[max((naming.people for naming in namings), default=0)] += picture.quality
    return max(views, key=lambda count: (views[count], count))


def _said(naming: Naming, noun: str) -> float:
    """Probability of a noun in one naming, 0 if it is not among its candidates."""
    return next((score.p for score in naming.nouns if score.noun == noun), 0.0)
