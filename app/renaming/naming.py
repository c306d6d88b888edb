"""What a decoder calls stored events, by the vector that each name rests on.

An event was named by a vote over several crops; its vector is that of the crop which said the best
noun most surely. So one vector has to stand for all, and even the same decoder calls some events
otherwise than it did: `benchmarks/README.md` says how many. What was seen of people in pictures
is in no vector of the starter; it is taken over from the name as it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event
from app.watching.namer import TOP, VOTERS, Elected, Words
from novic.certainty import Certainty
from novic.persons import Persons, with_person
from novic.vocabulary import PERSON, Naming
from scenarios.belonging_rule import BelongingRule

if TYPE_CHECKING:
    from novic.model import NounModel

AT_ONCE = 512
"""Vectors that are decoded between two looks at whether to stop."""


@dataclass(frozen=True, slots=True)
class Rename:
    """An event as it is, and as the decoder calls it."""

    before: Event
    after: Event

    @property
    def changes(self) -> bool:
        """Whether anything is told of it that was told otherwise before."""
        return _told(self.before) != _told(self.after)


def named_again(
    events: Sequence[Event],
    vectors: NDArray[np.float32],
    model: "NounModel",
    belonging: BelongingRule | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> list[Rename]:
    """Name events by their vectors.

    Args:
        events: N events of objects.
        vectors: Their unit vectors [N, F], of the model's embedder.
        model: Names them.
        belonging: When a thing belongs to the site; None for what held of each event.
        told: Called with how many vectors are decoded; if it raises, nothing is named.

    Returns:
        N renames in the same order.
    """
    distinct, which = np.unique(vectors, axis=0, return_inverse=True)
    namings: list[Naming] = []
    for start in range(0, len(distinct), AT_ONCE):
        told(start)
        namings += model.decode(distinct[start : start + AT_ONCE], VOTERS)
    words = Words.of(model)
    return [
        Rename(event, _named(event, namings[number], words, belonging))
        for event, number in zip(events, which.reshape(-1).tolist(), strict=True)
    ]


def _named(event: Event, naming: Naming, words: Words, belonging: BelongingRule | None) -> Event:
    elected = _elected(_with_people(naming, event), words.certainty, event.people)
    named = replace(words, belonging=belonging or event.belonging).named(event, elected)
    evidence, before = named.evidence, event.evidence
    if evidence is not None and before is not None:
        # How rare it looks there does not depend on its name.
        evidence = replace(evidence, site_p=before.site_p)
    # What is usual of another noun was not looked up.
    usual = event.surprise_here_bits if named.noun == event.noun else None
    return replace(
        named, evidence=evidence, uncalibrated=event.uncalibrated, surprise_here_bits=usual
    )


def _elected(naming: Naming, certainty: Certainty, people: int) -> Elected:
    """What a single crop says, as `app.watching.namer.vote` makes it of several."""
    ranked = [(noun.noun, noun.p) for noun in naming.nouns]
    rest = naming.rest + sum(p for _, p in ranked[TOP:])
    kind = certainty.kind(ranked)
    return Elected(tuple(ranked[:TOP]), naming.vector, kind, people, min(1.0, rest))


def _with_people(naming: Naming, event: Event) -> Naming:
    """The naming with what was seen of people in the pictures, if somebody was."""
    if not event.people:
        return naming
    known = event.raw_p or tuple(p for _, p in event.candidates)
    nouns = [noun for noun, _ in event.candidates]
    p = known[nouns.index(PERSON)] if PERSON in nouns else 0.0
    others = tuple(noun for noun in naming.nouns if noun.noun != PERSON)
    return with_person(replace(naming, nouns=others), Persons(p))


def _told(event: Event) -> tuple[object, ...]:
    belongs = event.belongs
    surprise = event.surprise_bits
    return (
        event.headline,
        event.noun,
        None if belongs is None else belongs.word,
        None if surprise is None else round(surprise, 1),
    )
