"""A rule proposed from one event, with what it would have quieted and what else it would lose."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.events.event import Event
from app.events.reading import StoreReader, snapshot
from app.feedback.answers import newest, read_answers
from app.feedback.quiet import Looks, Quiet, QuietLeak
from app.feedback.quiets import Quiets
from app.feedback.saying import LIKENESS, event_of, seen_of, verdicts_of
from app.feedback.verdicts import now_us
from app.feedback.when import When
from app.feedback.where import Where
from app.quieting.hours import usual
from app.quieting.wish import ALL_HOURS, ALL_OF_VIEW, Wish
from app.watching.leak import lined
from app.watching.pasting import Pasted
from novic.certainty import Certainty
from novic.kind_rules import WANTED_FROM, KindRule

PAST_S = 30 * 86400.0
"""So much of the past a rule is tried on."""

type Planting = Callable[[Event], Sequence[Pasted]]
"""Pastes other things as wide as an event's into its view, and names them."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule as it would be kept, and what it is worth."""

    rule: Quiet
    quieted: tuple[Event, ...]
    """Events of the past that it would have quieted, in order of time, that of which it is said
    among them; those that are silent already are left out."""
    told: int
    """Events of things that were told in the same time, those that it quiets too."""
    hours_from: int
    """By so many events its hours are proposed; 0 where they were given or nothing tells them."""

    def as_json(self) -> dict[str, Any]:
        """The suggestion as scripts read it; keys are stable."""
        return {
            **self.rule.as_json(),
            "quieted": [event.id for event in self.quieted],
            "told": self.told,
            "days_tried": round(PAST_S / 86400),
            "hours_from": self.hours_from,
        }


def suggest(
    folder: Path, event_id: str, wish: Wish | None = None, planting: Planting | None = None
) -> Suggestion:
    """Propose a rule from one event; nothing is kept.

    Args:
        folder: Of the audit or watch that found it; it may be running.
        event_id: The event.
        wish: What the rule shall speak of; None to take all from the event and its history.
        planting: Makes other things to measure the leak by; None to measure it by past events
            alone, which takes no time.

    Raises:
        UsageError: If there is no such event, it can't be known again, or the wish can't be met.
        NomalyError: If the store or the rules cannot be read, or nothing can be planted.
    """
    wish = wish or Wish()
    with snapshot(folder) as store:
        event = event_of(store, event_id)
        rule = _rule(store, event, wish)
        others = planting(event) if planting is not None else []
        rule = _lined(rule, others)
        past = _past(store, event)
        meant = [one for one in past if rule.may_quiet(one) and rule.means(seen_of(store, one))]
        rule, hours_from = _timed(rule, meant, wish)
        ids = {one.id for one in meant if rule.when.holds(one.start_us)} | {event.id}
        rule = replace(rule, leak=_leak(store, rule, past, ids, others))
        quieted = [one for one in past if not one.muted and one.id in ids]
        told = sum(not one.muted for one in past)
    return Suggestion(rule, tuple(quieted), told, hours_from)


def zones_of(rules: Sequence[Quiet]) -> dict[str, Where]:
    """Zones with names that rules speak of, the newest of each name."""
    return {rule.where.name: rule.where for rule in rules if rule.where.name}


def _rule(store: StoreReader, event: Event, wish: Wish) -> Quiet:
    """The rule, at all hours, its leak not known yet."""
    seen, what = seen_of(store, event), wish.what
    looks = None
    if not what:
        if seen.vector is None or seen.signature is None:
            raise UsageError(
                f"{event.id}: {'has no name yet' if seen.vector is None else 'shows too little'}, "
                "by which its like could be known again; say --noun or --kind"
            )
        looks = Looks(
            seen.embedder, seen.vector, seen.signature, event.candidates, event.change, LIKENESS
        )
    if wish.zone == ALL_OF_VIEW:
        where = Where()
    elif wish.zone:
        where = Where.parse(wish.zone, zones_of(Quiets(verdicts_of(store)).all()))
    else:
        where = Where.around(event.box, event.frame_size)
    if not where.has(event.box, event.frame_size):
        raise UsageError(f"--zone {wish.zone}: {event.id} does not stand in it; name another zone")
    return Quiet(
        number=0,
        event_id=event.id,
        camera=event.camera,
        what=what or event.noun,
        of_kind=bool(wish.kind),
        change=event.change,
        where=where,
        when=When(),
        looks=looks,
        made_us=now_us(),
        keep_s=wish.keep_s,
        who=wish.who,
        note=wish.note,
    )


def _past(store: StoreReader, event: Event) -> list[Event]:
    """Events of things in the last PAST_S before the newest, that of which it is said too."""
    rows = store.database.execute(
        "SELECT id FROM event WHERE kind = 'object' AND (id = ? OR start_us >="
        " (SELECT max(start_us) FROM event) - ?) ORDER BY start_us, id",
        (event.id, round(1e6 * PAST_S)),
    ).fetchall()
    return [one for row in rows if (one := store.event(row["id"])) is not None]


def _timed(rule: Quiet, meant: Sequence[Event], wish: Wish) -> tuple[Quiet, int]:
    """The rule with its hours, and by how many events they are proposed."""
    if wish.hours:
        hours = "" if wish.hours == ALL_HOURS else wish.hours
        return replace(rule, when=When.parse(hours, wish.days)), 0
    daily = When.parse("", wish.days)
    found = usual([one.start_us for one in meant])
    if found is None:
        return replace(rule, when=daily), 0
    return replace(rule, when=replace(found, days=daily.days)), len(meant)


def _lined(rule: Quiet, others: Sequence[Pasted]) -> Quiet:
    """The rule with a likeness that lets few of the others go silent."""
    if rule.looks is None or not others:
        return rule
    likeness, leak = lined(_alike(rule.looks, others), LIKENESS)
    told = QuietLeak(leak.others, leak.silenced, 0, (), leak.same)
    return replace(rule, looks=replace(rule.looks, likeness=likeness), leak=told)


def _alike(looks: Looks, others: Sequence[Pasted]) -> list[tuple[str, float]]:
    return [(other.noun, other.likeness(looks, LIKENESS)) for other in others]


def _leak(
    store: StoreReader,
    rule: Quiet,
    past: Sequence[Event],
    quieted: Collection[str],
    others: Sequence[Pasted],
) -> QuietLeak | None:
    """What else goes silent: of the planted things, and of what people named otherwise."""
    said = newest(read_answers(store.database))
    known = [
        one
        for one in past
        if one.id in said
        and said[one.id].decides_name
        and not _is(said[one.id].noun or one.noun, rule.what)
    ]
    lost = tuple(one.id for one in known if one.id in quieted)
    if not others and not known:
        return None
    planted = rule.leak or _by_noun(rule, others)
    return replace(planted, confirmed=len(known), lost=lost)


def _by_noun(rule: Quiet, others: Sequence[Pasted]) -> QuietLeak:
    """Which planted things that are truly something else would be taken for a noun or kind."""
    asked = KindRule(rule.what, (rule.what,))
    rest = [other for other in others if not _is(other.noun, rule.what)]
    taken = [
        other.noun
        for other in rest
        if asked.p(other.elected.candidates, other.elected.thing, Certainty()) >= rule.least
    ]
    return QuietLeak(len(rest), tuple(taken), 0, ())


def _is(noun: str, what: str) -> bool:
    """Whether a noun is another, or of a kind."""
    return KindRule(what, (what,)).p([(noun, 1.0)], None, Certainty()) >= WANTED_FROM
